// Row C-07: who is slow waits alone. The rates are compared on the box in virtual time, where nothing else takes any.
import { afterAll, describe, expect, it } from '@jest/globals';
import { brokers, testKafka, uniqueName } from '../helpers/brokers.ts';
import { until } from '../helpers/until.ts';
import { createTopic, span, startReading, write } from './support/reading.ts';
import { simulatedCluster, trickle } from './support/simulated-cluster.ts';

(brokers === undefined ? describe.skip : describe)('C-07: one slow reader never slows the others', () => {
  const kafka = testKafka();
  const topic = uniqueName('c07');
  afterAll(async () => {
    await kafka.admin().deleteTopics([topic]);
    await kafka.close();
  });

  it('the others read all there is while one is blocked, which then goes on without a gap or a double', async () => {
    const count = 5_000;
    await createTopic(kafka, topic, 4);
    for (const partition of span(0, 4)) await write(kafka, topic, 0, count, partition, 500);
    const credit = { records: 500 };
    const options = { topic, from: 'earliest', to: 'latest', credit, budgetBytes: 4_000_000 } as const;
    const { seen, close } = await startReading(kafka, options);
    const blocked: number[] = [];
    const [slow, ...others] = seen;
    slow!.onRecord = (sequence) => blocked.push(sequence);
    await until('the others to be at the end', () => others.every(({ ended }) => ended));
    for (const { offsets } of others) expect(offsets).toEqual(span(0, count));
    expect(slow!.offsets).toEqual(span(0, 500));
    slow!.onRecord = (sequence) => slow!.reader.settle(sequence);
    for (const sequence of blocked) slow!.reader.settle(sequence);
    await until('the slow one to be at the end', () => slow!.ended);
    expect(slow!.offsets).toEqual(span(0, count));
    close();
  });
});

describe('C-07: rates beside a reader that is blocked for 30 s', () => {
  const BLOCKED_MS = 30_000;
  const RECORDS = 10_000;

  /** Records of each partition in those 30 s, on one broker, 20 ms away, with room for little. */
  async function rates(blocks: boolean): Promise<number[]> {
    const sim = await simulatedCluster({
      brokers: 1,
      latencyMs: 20,
      topics: { t: { partitions: 4, replicationFactor: 1 } },
    });
    const { clock } = sim;
    for (const partition of span(0, 4)) await trickle(sim, 't', 0, RECORDS, partition);
    const kafka = sim.client();
    const options = {
      topic: 't',
      from: 'earliest',
      credit: { records: 50 },
      partitionFetchBytes: 200,
    } as const;
    const { seen, close } = await clock.run(startReading(kafka, options));
    const blocked: number[] = [];
    if (blocks) seen[0]!.onRecord = (sequence) => blocked.push(sequence);
    await clock.advance(BLOCKED_MS);
    const counts = seen.map(({ offsets }) => offsets.length);
    seen[0]!.onRecord = (sequence) => seen[0]!.reader.settle(sequence);
    for (const sequence of blocked) seen[0]!.reader.settle(sequence);
    await clock.advance(BLOCKED_MS);
    for (const { offsets } of seen) expect(offsets).toEqual(span(0, offsets.length));
    expect(seen[0]!.offsets.length).toBeGreaterThan(counts[0]!);
    close();
    await clock.run(kafka.close());
    await clock.run(sim.box.close());
    return counts;
  }

  it('the other three keep 95 % of theirs, and it goes on without a gap or a double', async () => {
    const free = await rates(false);
    const beside = await rates(true);
    expect(beside[0]).toBe(50);
    for (const partition of [1, 2, 3]) {
      expect(free[partition]).toBeLessThan(RECORDS);
      expect(beside[partition]! / free[partition]!).toBeGreaterThanOrEqual(0.95);
    }
  });
});
