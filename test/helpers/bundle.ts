// A program of the tests as one file: a process of it starts in a tenth of the processor time that it takes to read its modules one by one.
import { mkdirSync, renameSync } from 'node:fs';
import path from 'node:path';
import { buildSync } from 'esbuild';

const ROOT = path.resolve(__dirname, '../..');
/** Inside the package, where Node finds what the program imports by name. */
const FOLDER = path.join(ROOT, '.cache', 'bundles');
const made = new Map<string, string>();

/** The path of a module to be started with Node itself. `program` is a path from the root of the package; what it imports by path is in the bundle. */
export function bundled(program: string): string {
  const known = made.get(program);
  if (known !== undefined) return known;
  mkdirSync(FOLDER, { recursive: true });
  const file = path.join(FOLDER, `${program.replace(/\.ts$/, '').replaceAll(path.sep, '-')}.mjs`);
  // Whoever reads it meanwhile has the whole of it.
  const fresh = `${file}.${process.pid}`;
  buildSync({
    absWorkingDir: ROOT,
    entryPoints: [program],
    outfile: fresh,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    keepNames: true,
    logLevel: 'warning',
  });
  renameSync(fresh, file);
  made.set(program, file);
  return file;
}
