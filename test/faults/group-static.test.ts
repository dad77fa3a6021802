// Static members that are restarted one after the other: nothing moves, and the others do not even notice.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { short } from '../helpers/brokers.ts';
import { coordinatorLog } from './support/coordinator-log.ts';
import { judge } from './support/group-history.ts';
import { STATIC_KINDS } from './support/group-kinds.ts';
import { canStartKafka, startOwnKafka, type OwnKafka } from './support/own-kafka.ts';
import { pacedFill } from './support/paced-fill.ts';
import { report } from './support/report.ts';
import { StartedGroup, eventually, pause } from './support/started-group.ts';

const PARTITIONS = 6;
const NAMES = ['one', 'two', 'three'];
const BOUNCES = short ? 1 : 5;
const RECORDS = short ? 600 : 6_000;
const FILL_MS = short ? 5_000 : 60_000;
const SESSION_MS = 30_000;
const AFTER_RESTART_MS = 500;

(canStartKafka ? describe : describe.skip)('a rolling restart of three static members', () => {
  let kafka: OwnKafka;
  beforeAll(async () => {
    kafka = await startOwnKafka({ sessionTimeoutMs: SESSION_MS, heartbeatIntervalMs: 500 });
  });
  afterAll(() => kafka?.stop());

  it.each(STATIC_KINDS)(`%s: ${BOUNCES} times each, and no rebalance on the others`, async (kind) => {
    const group = new StartedGroup(kafka.brokers, {
      kind,
      partitions: PARTITIONS,
      sessionTimeoutMs: SESSION_MS,
      heartbeatIntervalMs: 500,
      commitIntervalMs: 300,
    });
    try {
      await group.createTopic();
      const members = new Map(NAMES.map((name) => [name, group.start(name)]));
      await eventually('three members with two partitions each', () => group.isBalanced());
      const filling = pacedFill(group.kafka, group.topic, RECORDS, PARTITIONS, FILL_MS);
      await pause(AFTER_RESTART_MS);
      const steadyAt = Date.now();
      let longestRestartMs = 0;
      for (let bounce = 0; bounce < BOUNCES; bounce++) {
        for (const name of NAMES) {
          const old = members.get(name)!;
          const had = group.owned(old);
          // A name that was not given back is taken over at once in a classic group only.
          await group.end(old, kind !== 'static consumer' && bounce % 2 === 1 ? 'SIGKILL' : 'SIGTERM');
          const startedAt = Date.now();
          const fresh = group.start(name);
          members.set(name, fresh);
          await eventually(
            `${name} to have its partitions again`,
            () => group.owned(fresh).size === had.size,
          );
          longestRestartMs = Math.max(longestRestartMs, Date.now() - startedAt);
          expect(group.owned(fresh)).toEqual(had);
          await pause(AFTER_RESTART_MS);
        }
      }
      const lastActAt = Date.now();
      await filling.rest();
      await eventually('everything to be committed', () => group.hasCommitted(RECORDS / PARTITIONS));
      const endAt = Date.now();

      // A member's own first claims, and what it gives up when it is ended, are all there is.
      const noticed = group.members.flatMap(({ name, events }) => {
        const leavingAt = events.find((event) => 'leaving' in event)?.at ?? Infinity;
        const firstClaimAt = events.find(({ claimed }) => claimed)?.at ?? Infinity;
        return events
          .filter((event) => event.at > Math.max(steadyAt, firstClaimAt) && event.at < leavingAt)
          .filter(
            (event) => 'join' in event || (event.claimed && event.epoch! > 1) || event.ended !== undefined,
          )
          .map((event) => `${name}: ${JSON.stringify(event)}`);
      });
      await group.close();
      const log = await coordinatorLog(kafka, group.groupId);
      const generations = new Set(
        log
          .filter(({ at }) => at > steadyAt && at < endAt)
          .flatMap((entry) =>
            entry.kind === 'generation'
              ? [entry.generation]
              : entry.kind === 'member' && entry.has !== undefined
                ? [entry.has.epoch]
                : [],
          )
          // A static member that has gone for a while, and one that has just come, have none of the group's.
          .filter((epoch) => epoch > 0),
      );
      const { violations, figures } = judge({
        members: group.history(),
        log,
        records: new Array<number>(PARTITIONS).fill(RECORDS / PARTITIONS),
        lastActAt,
        ownerlessMs: 1_000,
        endAt,
      });
      report(`rolling restart, ${kind}`, {
        restarts: BOUNCES * NAMES.length,
        'rebalances on the others': noticed.length,
        generations: generations.size,
        longestRestartMs,
        repeated: figures.repeated,
      });
      expect(noticed).toEqual([]);
      expect(violations).toEqual([]);
      expect(generations.size).toBeLessThanOrEqual(1);
    } finally {
      group.killAll();
    }
  });
});
