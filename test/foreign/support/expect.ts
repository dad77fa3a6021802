// What the programs in TypeScript check and wait with. No test runner: some of them run under another Node.
import assert from 'node:assert/strict';

export const equal = (found: unknown, wanted: unknown, message?: string): void =>
  assert.equal(found, wanted, message);
export const deepEqual = (found: unknown, wanted: unknown): void => assert.deepEqual(found, wanted);
/** Long lists of lines, of which the first difference is shown. */
export function sameLines(found: readonly string[], wanted: readonly string[]): void {
  const at = wanted.findIndex((one, index) => one !== found[index]);
  if (at < 0 && found.length === wanted.length) return;
  throw new Error(
    `${found.length} lines, not ${wanted.length}; at ${at}: ${found[at]}\nand not: ${wanted[at]}`,
  );
}

export const ok = (holds: unknown, message?: string): void => assert.ok(holds, message);

/** The error that a call fails with; fails when it does not. */
export async function failure(call: () => unknown): Promise<any> {
  try {
    await call();
  } catch (error) {
    return error;
  }
  throw new Error('it should have failed');
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until something holds. */
export async function until(what: string, holds: () => unknown, limitMs = 60_000): Promise<void> {
  const end = Date.now() + limitMs;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`${what}: not within ${limitMs} ms`);
    await sleep(20);
  }
}
