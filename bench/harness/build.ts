// Puts our package and the bench's clients, as plain JavaScript, where Node finds them as if installed, so that nothing but Node runs in the
// processes that are measured. Types are not checked here.
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

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

/** Builds into `folder`, which is emptied first; answers where the clients are. */
export function buildInto(folder: string): string {
  const installed = path.join(folder, 'node_modules', 'sluice');
  rmSync(folder, { recursive: true, force: true });
  transpileAll('src', path.join(installed, 'dist'));
  copyFileSync('package.json', path.join(installed, 'package.json'));
  // A scope of its own: otherwise Node takes 'sluice' for the package that the folder is inside of.
  writeFileSync(
    path.join(folder, 'package.json'),
    '{ "name": "bench-clients", "private": true, "type": "module" }\n',
  );
  transpileAll(path.join('bench', 'clients'), path.join(folder, 'clients'));
  return path.join(folder, 'clients');
}
