// Puts our package and the bench's clients, as plain JavaScript, where Node finds them as if installed, so that nothing but Node runs in the
// processes that are measured. Types are not checked here.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

const MAX_ARCHIVE_BYTES = 256 * 1024 * 1024;

const compilerOptions: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.NodeNext,
  verbatimModuleSyntax: true,
  rewriteRelativeImportExtensions: true,
};

function transpileAll(from: string, to: string): void {
  for (const name of filesUnder(from)) {
    const source = readFileSync(path.join(from, name), 'utf8');
    const fileName = path.resolve(from, name).replace(/\.ts$/, '.mts');
    const { outputText } = ts.transpileModule(source, { compilerOptions, fileName });
    const target = path.join(to, name.replace(/\.ts$/, '.js'));
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, outputText);
  }
}

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.ts') && !name.endsWith('.d.ts'),
  );
}

/**
 * Builds into `folder`, which is emptied first; answers where the clients are. `commit` is built instead of the files as they are; the clients
 * are always those of the files.
 */
export function buildInto(folder: string, commit?: string): string {
  const installed = path.join(folder, 'node_modules', 'sluice');
  rmSync(folder, { recursive: true, force: true });
  const root = commit === undefined ? '.' : checkOut(commit, path.join(folder, 'source'));
  transpileAll(path.join(root, 'src'), path.join(installed, 'dist'));
  copyFileSync(path.join(root, 'package.json'), path.join(installed, 'package.json'));
  // A scope of its own: otherwise Node takes 'sluice' for the package that the folder is inside of.
  writeFileSync(
    path.join(folder, 'package.json'),
    '{ "name": "bench-clients", "private": true, "type": "module" }\n',
  );
  transpileAll(path.join('bench', 'clients'), path.join(folder, 'clients'));
  return path.join(folder, 'clients');
}

function checkOut(commit: string, to: string): string {
  mkdirSync(to, { recursive: true });
  const archive = execFileSync('git', ['archive', commit, 'src', 'package.json'], {
    maxBuffer: MAX_ARCHIVE_BYTES,
  });
  execFileSync('tar', ['-x', '-C', to], { input: archive });
  return to;
}
