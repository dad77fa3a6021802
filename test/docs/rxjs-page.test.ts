// docs/coming-from-rxjs.md: the wrong programs are refused with the very words that the page prints, the right ones compile.
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from '@jest/globals';

const root = path.resolve(__dirname, '../..');
const dir = path.join(root, '.cache/docs/rxjs');
const page = readFileSync(path.join(root, 'docs/coming-from-rxjs.md'), 'utf8');
const TIMEOUT_MS = 240_000;

const wrong = [...page.matchAll(/^```ts wrong\n(.*?)^```\n\n```text\n(.*?)^```$/gms)].map(
  ([, code, text]) => ({ code: code!, text: text! }),
);
const right = [...page.matchAll(/^```ts right\n(.*?)^```$/gms)].map(([, code]) => code!);

/** The compiler's errors of each file, as the page has them: without the file, and without what a terminal cannot show. */
const errors = new Map<string, string>();

beforeAll(async () => {
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  for (const [at, { code }] of wrong.entries())
    writeFileSync(path.join(dir, `wrong-${at + 1}.ts`), `${code}export {};\n`);
  for (const [at, code] of right.entries())
    writeFileSync(path.join(dir, `right-${at + 1}.ts`), `${code}export {};\n`);
  const config = {
    extends: '../../../tsconfig.json',
    compilerOptions: { noUnusedLocals: false },
    include: ['*.ts'],
    exclude: [],
  };
  writeFileSync(path.join(dir, 'tsconfig.json'), JSON.stringify(config));
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['node_modules/typescript/bin/tsc', '-p', path.join(dir, 'tsconfig.json'), '--pretty', 'false'],
    { cwd: root },
  ).catch((error: unknown) => error as { stdout: string });
  let file = '';
  for (const line of stdout.split('\n')) {
    const start = /^[^ ]*?((?:wrong|right)-\d+)\.ts\(\d+,\d+\): (.*)$/.exec(line);
    if (start !== null) file = start[1]!;
    else if (!line.startsWith(' ')) file = '';
    if (file === '' || line === '') continue;
    errors.set(file, `${errors.get(file) ?? ''}${start === null ? line : start[2]!}\n`);
  }
}, TIMEOUT_MS);

describe('docs/coming-from-rxjs.md', () => {
  it('has a right program for each wrong one', () => {
    expect(wrong.length).toBeGreaterThanOrEqual(8);
    expect(right).toHaveLength(wrong.length);
  });

  it.each(wrong.map((_, at) => at + 1))('prints what the compiler says to wrong program %i', (n) => {
    expect(errors.get(`wrong-${n}`)).toBe(wrong[n - 1]!.text);
  });

  it.each(right.map((_, at) => at + 1))('right program %i compiles', (n) => {
    expect(errors.get(`right-${n}`)).toBeUndefined();
  });
});
