// docs/coming-from-rxjs.md: the wrong programs are refused with the very words that the page prints, the right ones compile.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { compileErrors } from '../helpers/compile.ts';

const root = path.resolve(__dirname, '../..');
const dir = path.join(root, '.cache/docs/rxjs');
const page = readFileSync(path.join(root, 'docs/coming-from-rxjs.md'), 'utf8');
const TIMEOUT_MS = 240_000;

const wrong = [...page.matchAll(/^```ts wrong\n(.*?)^```\n\n```text\n(.*?)^```$/gms)].map(
  ([, code, text]) => ({ code: code!, text: text! }),
);
const right = [...page.matchAll(/^```ts right\n(.*?)^```$/gms)].map(([, code]) => code!);

/** The compiler's errors of each file, as the page has them: without the file, and without what a terminal cannot show. */
let errors: ReadonlyMap<string, string>;

beforeAll(() => {
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  for (const [at, { code }] of wrong.entries())
    writeFileSync(path.join(dir, `wrong-${at + 1}.ts`), `${code}export {};\n`);
  for (const [at, code] of right.entries())
    writeFileSync(path.join(dir, `right-${at + 1}.ts`), `${code}export {};\n`);
  errors = compileErrors(dir, { noUnusedLocals: false });
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
