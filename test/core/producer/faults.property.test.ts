import { describe, expect, it } from '@jest/globals';
import { fc } from '../../helpers/fast-check.ts';
import { OutcomeUnknownError } from '../../../src/errors.ts';
import { Producer } from '../../../src/core/producer/producer.ts';
import type { ProducerOptions } from '../../../src/core/producer/options.ts';
import { FakeCluster, type Fault } from './fake-cluster.ts';
import { Recorder } from './recorder.ts';

const TOPIC = 'orders';
const PARTITIONS = 3;

/** Send so many records, then wait; now and then a leader moves. */
interface Step {
  readonly records: number;
  readonly pauseMs: number;
  readonly move: number | undefined;
}

const fault: fc.Arbitrary<Fault> = fc.oneof(
  { weight: 3, arbitrary: fc.constant<Fault>('ok') },
  { weight: 4, arbitrary: fc.constantFrom<Fault>('drop', 'apply-drop', 'hang', 'late') },
  { weight: 2, arbitrary: fc.constantFrom<Fault>(2, 3, 5, 6, 7, 19) },
  { weight: 2, arbitrary: fc.constantFrom(6, 7, 20).map((apply): Fault => ({ apply })) },
);

/** Refusals on top: for good, for the sequence, for the epoch. */
const refusal: fc.Arbitrary<Fault> = fc.constantFrom<Fault>(87, 45, 59, 47);

const step: fc.Arbitrary<Step> = fc.record({
  records: fc.integer({ min: 1, max: 12 }),
  pauseMs: fc.constantFrom(0, 0, 1, 5, 20, 400),
  move: fc.option(fc.nat({ max: PARTITIONS - 1 }), { nil: undefined, freq: 6 }),
});

function scenario(spoiled: fc.Arbitrary<Fault>): fc.Arbitrary<{ faults: Fault[]; steps: Step[] }> {
  return fc.record({
    faults: fc.array(spoiled, { maxLength: 25 }),
    steps: fc.array(step, { minLength: 1, maxLength: 20 }),
  });
}

async function play(
  { faults, steps }: { faults: Fault[]; steps: Step[] },
  options: ProducerOptions,
): Promise<{ cluster: FakeCluster; recorder: Recorder; sent: string[][]; producer: Producer }> {
  const cluster = new FakeCluster();
  cluster.createTopic(TOPIC, PARTITIONS);
  cluster.faults = [...faults];
  const producer = new Producer(cluster, { batchBytes: 120, ...options });
  const recorder = new Recorder();
  const sent: string[][] = Array.from({ length: PARTITIONS }, () => []);
  let n = 0;
  for (const { records, pauseMs, move } of steps) {
    if (move !== undefined)
      cluster.moveLeader(TOPIC, move, 1 - (cluster.metadata.leader(TOPIC, move)?.nodeId ?? 0));
    for (let i = 0; i < records; i += 1) {
      const partition = n % PARTITIONS;
      const value = `r${String(n)}`;
      n += 1;
      sent[partition]!.push(value);
      producer.send(TOPIC, { value, partition }, recorder.receipt(value));
    }
    if (pauseMs > 0) await cluster.clock.advance(pauseMs);
  }
  await cluster.clock.run(producer.flush(), 3_600_000);
  // What is still on its way arrives.
  await cluster.clock.advance(120_000);
  return { cluster, recorder, sent, producer };
}

function isSubsequence(part: readonly string[], whole: readonly string[]): boolean {
  let at = 0;
  for (const value of whole) if (value === part[at]) at += 1;
  return at === part.length;
}

/** Runs of each property: thousands by hand. */
const RUNS = Number(process.env['SLUICE_RUNS'] ?? 300);

/** Behind INVALID_PRODUCER_EPOCH there is a copy on its way that only the next epoch shuts out; found with seed -58286617. */
const OVERTAKEN = {
  faults: ['drop', 'late', { apply: 6 }, 'ok', 47] satisfies Fault[],
  steps: [
    { records: 2, pauseMs: 20, move: 0 },
    { records: 1, pauseMs: 0, move: 0 },
    { records: 1, pauseMs: 20, move: undefined },
    { records: 1, pauseMs: 0, move: 1 },
    { records: 1, pauseMs: 0, move: undefined },
  ],
};

describe('a producer under faults', () => {
  it('writes exactly the input, in order and once, as long as no delivery deadline passes', async () => {
    await fc.assert(
      fc.asyncProperty(scenario(fault), async (script) => {
        const { cluster, recorder, sent } = await play(script, {
          requestTimeoutMs: 1000,
          deliveryTimeoutMs: 3_600_000,
        });
        for (let partition = 0; partition < PARTITIONS; partition += 1) {
          const log = cluster.log(TOPIC, partition);
          expect(log.values).toEqual(sent[partition]);
          expect(log.conflicts).toBe(0);
          for (const [offset, value] of log.values.entries())
            expect(recorder.fates.get(value)).toMatchObject({ kind: 'acked', partition, offset });
          expect(recorder.order.filter((value) => sent[partition]!.includes(value))).toEqual(sent[partition]);
        }
        expect(recorder.twice).toBe(0);
      }),
      { numRuns: RUNS },
    );
  });

  it('loses no acknowledged record, doubles none and keeps the order when delivery deadlines pass and batches are refused', async () => {
    let unknown = 0;
    const property = fc.asyncProperty(
      scenario(fc.oneof({ weight: 6, arbitrary: fault }, { weight: 1, arbitrary: refusal })),
      async (script) => {
        const options = {
          requestTimeoutMs: 300,
          deliveryTimeoutMs: 700,
          retryBackoffMs: 20,
          retryBackoffMaxMs: 100,
        };
        const { cluster, recorder, sent } = await play(script, options);
        for (let partition = 0; partition < PARTITIONS; partition += 1) {
          const log = cluster.log(TOPIC, partition);
          expect(new Set(log.values).size).toBe(log.values.length);
          expect(isSubsequence(log.values, sent[partition]!)).toBe(true);
          expect(log.conflicts).toBe(0);
          for (const value of sent[partition]!) {
            const fate = recorder.fates.get(value)!;
            const offset = log.values.indexOf(value);
            if (fate.kind === 'acked') expect(offset).toBe(fate.offset);
            else if (fate.kind === 'failed' && fate.error instanceof OutcomeUnknownError) unknown += 1;
            else expect(offset).toBe(-1);
          }
          expect(recorder.order.filter((value) => sent[partition]!.includes(value))).toEqual(sent[partition]);
        }
        expect(recorder.twice).toBe(0);
      },
    );
    await fc.assert(property, { numRuns: RUNS, examples: [[OVERTAKEN]] });
    expect(unknown).toBeGreaterThan(0);
  });
});
