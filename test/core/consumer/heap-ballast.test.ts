import { execFileSync } from 'node:child_process';
import { expect, it } from '@jest/globals';

it('ballast is held once for all who read a lot, while any of them is there', () => {
  const file = 'test/core/consumer/heap-ballast-run.ts';
  const out = execFileSync(process.execPath, ['--expose-gc', '--import', 'tsx', file], { encoding: 'utf8' });
  expect(JSON.parse(out)).toEqual([0, 8, 8, 8, 0]);
});

it('a full collection is asked for every six gigabytes', () => {
  const file = 'test/core/consumer/collections-run.ts';
  const out = execFileSync(process.execPath, ['--import', 'tsx', file], { encoding: 'utf8' });
  expect(JSON.parse(out)).toEqual([false, false, true]);
});
