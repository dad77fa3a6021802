// What is done for as long as a program runs must not make its heap grow. In a process of its own, without what the test runner keeps.
import { execFileSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';

const MIB = 1024 * 1024;

function grown(what: string, count: number): { grownBytes: number; done: number; connections: number } {
  const args = ['--expose-gc', '--import', 'tsx', 'test/core/cluster/heap-run.ts', what, String(count)];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as ReturnType<typeof grown>;
}

describe('the heap after', () => {
  it('10,000 metadata refreshes has grown by 1 MiB at most', () => {
    const { grownBytes, done, connections } = grown('refreshes', 10_000);
    expect([done, connections]).toEqual([10_000, 1]);
    expect(grownBytes).toBeLessThanOrEqual(MIB);
  }, 300_000);

  it('1,000 re-authentications on one connection has grown by 1 MiB at most', () => {
    const { grownBytes, done, connections } = grown('reauthentications', 1000);
    expect([done, connections]).toEqual([1000, 1]);
    expect(grownBytes).toBeLessThanOrEqual(MIB);
  }, 300_000);
});
