// What the compiler says to the programs of a folder, and to them alone: whether the sources that they import compile is asked elsewhere, and
// would take most of the time.
import path from 'node:path';
import ts from 'typescript';

/**
 * The errors of each `*.ts` of `dir` that has any, by its name without the ending, as `tsc` words them.
 * @throws Error when the configuration itself is wrong.
 */
export function compileErrors(
  dir: string,
  compilerOptions: Readonly<Record<string, unknown>> = {},
): Map<string, string> {
  const json = {
    extends: path.resolve(__dirname, '../../tsconfig.json'),
    compilerOptions,
    include: ['*.ts'],
    exclude: [],
  };
  const { options, fileNames, errors: unreadable } = ts.parseJsonConfigFileContent(json, ts.sys, dir);
  const program = ts.createProgram(fileNames, options);
  const general = [...unreadable, ...program.getOptionsDiagnostics(), ...program.getGlobalDiagnostics()];
  if (general.length > 0) throw new Error(wordsOf(general));
  const errors = new Map<string, string>();
  for (const name of fileNames) {
    const file = program.getSourceFile(name)!;
    const found = [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)];
    if (found.length > 0) errors.set(path.basename(name, '.ts'), wordsOf(found));
  }
  return errors;
}

function wordsOf(found: readonly ts.Diagnostic[]): string {
  return found
    .map(
      ({ code, messageText }) => `error TS${code}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}\n`,
    )
    .join('');
}
