// The topology whose memory `npm run bench:soak -- --pipeline operators` watches has every operator in it, and values go through each.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from '@jest/globals';
import { everyOperator, type Counts } from '../../bench/clients/operators/topology.ts';
import { DIVIDING, DROPPING, PASSING, WINDOWS } from '../../bench/clients/operators/stages.ts';
import { GROUPS, type GroupIds } from '../../bench/clients/operators/groups.ts';
import * as operators from '../../src/operators/index.ts';
import { testTopology } from '../../src/testing/index.ts';

const RECORDS = 1_500;
const BATCH = 500;
const FOLDER = 'bench/clients/operators';
/** For those who write stages; `batch` and the windows gather. */
const NO_STAGES = ['gather'];

const called = (name: string, source: string): boolean =>
  new RegExp(`\\b${name}\\b(<[^>]*>)?\\(`).test(source);

it('no operator is missing in the soak', () => {
  const source = ['stages.ts', 'topology.ts']
    .map((name) => readFileSync(path.join(FOLDER, name), 'utf8'))
    .join('\n');
  const policies = ['fail', 'skip'];
  const exported = Object.keys(operators).filter((name) => !NO_STAGES.includes(name));
  const missing = exported.filter((name) => !policies.includes(name) && !called(name, source));
  expect(missing).toEqual([]);
  for (const name of policies) expect(source).toMatch(new RegExp(`\\b${name}\\b`));
});

it('values come out of every stage of the soak', async () => {
  const counts: Counts = new Map();
  const groups = Object.fromEntries(GROUPS.map((name) => [name, name])) as unknown as GroupIds;
  const topology = everyOperator(
    groups,
    { input: 'in', output: 'out', retries: 'later', dead: 'dead' },
    counts,
  );
  const t = await testTopology(topology, {
    topics: { in: { partitions: 2 }, later: { partitions: 2 }, out: 1, dead: 1 },
    timers: 'virtual',
  });
  try {
    for (let from = 0; from < RECORDS; from += BATCH) {
      const records = Array.from({ length: BATCH }, (_, at) => ({
        key: Buffer.from(String((from + at) % 100)),
        value: Buffer.from(String(from + at)),
      }));
      await t.pipe('in', records);
      await t.advance(1_000);
    }
    const stages = [PASSING, DROPPING, DIVIDING, WINDOWS].flatMap((some) => Object.keys(some));
    const silent = [...stages, 'eachClaim', 'merge', 'retryTopics'].filter((name) => !counts.has(name));
    expect(silent).toEqual([]);
  } finally {
    await t.close();
  }
});
