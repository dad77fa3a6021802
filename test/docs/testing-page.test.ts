// The programs of docs/testing.md, compiled and run as they stand, and the examples that test; so that nobody copies what does not work.
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { compileErrors } from '../helpers/compile.ts';

const root = path.resolve(__dirname, '../..');
const dir = path.join(root, '.cache/docs/testing');
const page = readFileSync(path.join(root, 'docs/testing.md'), 'utf8');

const programs = Array.from(page.matchAll(/^```ts run\n(.*?)^```$/gms), ([, code], at) => ({
  name: `${at + 1}`,
  code: code!,
}));
const examples = ['02-test-a-topology.ts', '03-test-with-doubles.ts'];
const TIMEOUT_MS = 240_000;

/** What a program says, and how it ends. */
async function run(...args: string[]): Promise<{ readonly code: number; readonly output: string }> {
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { cwd: root });
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, output: stdout + stderr };
  }
}

beforeAll(() => {
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  for (const { name, code } of programs) writeFileSync(path.join(dir, `${name}.ts`), `${code}export {};\n`);
});

describe('docs/testing.md', () => {
  it('has a program for marbles, for a topology and for doubles', () => {
    expect(programs).toHaveLength(3);
    const all = programs.map(({ code }) => code).join('');
    for (const name of ['testFlow', 'testTopology', 'MockProducer', 'MockConsumer'])
      expect(all).toContain(name);
  });

  it(
    'compiles',
    () => {
      expect(compileErrors(dir)).toEqual(new Map());
    },
    TIMEOUT_MS,
  );

  it.each(programs.map(({ name }) => name))(
    'program %s runs',
    async (name) => {
      expect(await run('--import', 'tsx', path.join(dir, `${name}.ts`))).toEqual({ code: 0, output: '' });
    },
    TIMEOUT_MS,
  );
});

describe('the examples that test', () => {
  it.each(examples)(
    '%s passes',
    async (name) => {
      const { code, output } = await run('--import', 'tsx', path.join('examples', name));
      expect(output).toContain('\n# fail 0\n');
      expect(output).not.toContain('# pass 0\n');
      expect(code).toBe(0);
    },
    TIMEOUT_MS,
  );
});
