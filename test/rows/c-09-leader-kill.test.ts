// Row C-09: leaders that die or move while they are read. On the box, in virtual time; on a real cluster of three in the long runs.
import { describe, expect, it } from '@jest/globals';
import { OffsetRangeError } from '../../src/errors.ts';
import type { OutOfRange } from '../../src/core/consumer/options.ts';
import { span, startReading } from './support/reading.ts';
import { simulatedCluster, trickle } from './support/simulated-cluster.ts';

const MOST_MS = 2_000;

describe('C-09: leaders that go', () => {
  it.each(['crash', 'stop', 'move'] as const)(
    'reading resumes at the position after a %s, with no gap and no double',
    async (act) => {
      const sim = await simulatedCluster({ topics: { t: { partitions: 1, replicationFactor: 3 } } });
      const { clock, box } = sim;
      const kafka = sim.client();
      const { seen, close } = await clock.run(startReading(kafka, { topic: 't', from: 'earliest' }));
      await trickle(sim, 't', 0, 500);
      const leader = box.leaderOf('t', 0);
      const atMs = clock.now();
      const read = seen[0]!.offsets.length;
      let resumedMs = Infinity;
      seen[0]!.onRecord = (sequence, { offset }) => {
        if (offset === 500) resumedMs = clock.now();
        seen[0]!.reader.settle(sequence);
      };
      if (act === 'move') box.moveLeader('t', 0);
      else await clock.run(box[act](leader));
      await trickle(sim, 't', 500, 500);
      await clock.advance(MOST_MS);
      expect(read).toBe(500);
      expect(seen[0]!.errors).toEqual([]);
      expect(seen[0]!.offsets).toEqual(span(0, 1000));
      expect(seen[0]!.values).toEqual(span(0, 1000).map((n) => `v${n}`));
      expect(resumedMs - atMs).toBeLessThanOrEqual(MOST_MS);
      expect(box.leaderOf('t', 0)).not.toBe(leader);
      close();
      await clock.run(kafka.close());
      await clock.run(box.close());
    },
  );

  it.each<[OutOfRange, number]>([
    ['fail', 1],
    ['earliest', 0],
  ])('a log that an unclean election cut is noticed (KIP-320), outOfRange %s', async (outOfRange, errors) => {
    const sim = await simulatedCluster({ topics: { t: { partitions: 1, replicationFactor: 3 } } });
    const { clock, box } = sim;
    const kafka = sim.client();
    const reading = startReading(kafka, { topic: 't', from: 'earliest', outOfRange });
    const { seen, close } = await clock.run(reading);
    await trickle(sim, 't', 0, 50);
    await clock.advance(1000);
    await clock.run(box.crash(box.leaderOf('t', 0), { loseUnreplicated: 20, unclean: true }));
    await trickle(sim, 't', 100, 30);
    await clock.advance(5_000);
    const truncatedTo = 30;
    expect(seen[0]!.errors.length).toBe(errors);
    if (errors > 0) {
      expect(seen[0]!.errors[0]).toBeInstanceOf(OffsetRangeError);
      expect(seen[0]!.errors[0]).toMatchObject({ offset: 50, truncatedTo });
      seen[0]!.reader.seek(truncatedTo);
      await clock.advance(1000);
    }
    expect(seen[0]!.offsets).toEqual([...span(0, 50), ...span(30, 30)]);
    expect(seen[0]!.values.slice(50)).toEqual(span(100, 30).map((n) => `v${n}`));
    close();
    await clock.run(kafka.close());
    await clock.run(box.close());
  });
});
