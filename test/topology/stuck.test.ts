// The watchdog: a record that stays unsettled is named, with the stage that it is in.
import diagnosticsChannel from 'node:diagnostics_channel';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { debounceTime, delay, NEVER, type Observable } from 'rxjs';
import { text, topology, type ConsumerRecord, type Flow, type Sluice } from '../../src/index.ts';
import { createFlow } from '../../src/flow/flow.ts';
import {
  batch,
  countWindow,
  dropping,
  eachClaim,
  fanOut,
  filter,
  flatMap,
  map,
  mapAsync,
  passing,
  perRecord,
  retry,
  tumblingWindow,
} from '../../src/operators/index.ts';
import { SimulatedCluster } from './simulated-cluster.ts';

type Orders = Flow<ConsumerRecord<unknown, string>>;
type Stages = (orders: Orders, sluice: Sluice) => Flow<unknown>;

const never = { concurrency: 4, order: 'input' } as const;
const forever = (): Promise<never> => new Promise<never>(() => undefined);
const afterAll = retry({ attempts: 5, minDelayMs: 10_000_000, maxDelayMs: 10_000_000 });

/** A user's own stage that does nothing with its deliveries. */
const forgetful = (orders: Orders): Flow<unknown> => createFlow(() => orders.subscribe());

const stuckIn: readonly (readonly [string | undefined, Stages])[] = [
  ['price', (orders) => orders.pipe(mapAsync(forever, { ...never, name: 'price' }))],
  ['perRecord', (orders) => orders.pipe(perRecord((): Observable<string> => NEVER, never))],
  [
    'second',
    (orders) =>
      orders.pipe(
        mapAsync((order) => Promise.resolve(order), { ...never, name: 'first' }),
        mapAsync(forever, { ...never, order: 'key', key: ({ value }) => value, name: 'second' }),
      ),
  ],
  [
    // What waits for its turn to go on is in the stage that it waits in.
    'enrich',
    (orders) =>
      orders.pipe(
        mapAsync(({ offset }) => (offset === 0 ? forever() : Promise.resolve(offset)), {
          ...never,
          name: 'enrich',
        }),
        filter(() => false),
      ),
  ],
  [
    'parse',
    (orders) =>
      orders.pipe(
        map(
          (): string => {
            throw new Error('boom');
          },
          { name: 'parse', onError: afterAll },
        ),
      ),
  ],
  ['batch', (orders) => orders.pipe(batch({ maxRecords: 100, withinMs: 10_000_000 }))],
  ['countWindow', (orders) => orders.pipe(countWindow({ records: 100 }))],
  [
    'minutes',
    (orders) =>
      orders.pipe(
        tumblingWindow({
          name: 'minutes',
          sizeMs: 60_000,
          graceMs: 0,
          key: ({ value }) => value,
          timestamp: ({ timestamp }) => timestamp,
          onFull: 'fail',
          seed: () => 0,
          add: (count) => count + 1,
        }),
      ),
  ],
  [
    'lines',
    (orders) =>
      orders.pipe(
        flatMap(
          function* () {
            for (;;) yield 'line';
          },
          { name: 'lines' },
        ),
        // Holding them back is what keeps the iterable open; a plain sink of the test's own.
        (lines) => createFlow(() => lines.subscribe()),
      ),
  ],
  ['dropping', (orders) => orders.pipe(dropping(debounceTime(10_000_000), 1))],
  ['passing', (orders) => orders.pipe(passing(delay(10_000_000)))],
  ['calm', (orders) => orders.pipe(dropping(debounceTime(10_000_000), 1, { name: 'calm' }))],
  ['later', (orders) => orders.pipe(passing(delay(10_000_000), { name: 'later' }))],
  ["toTopic 'out'", (orders, { toTopic }) => orders.pipe(toTopic('out', ({ value }) => ({ value })))],
  [
    'in the branch',
    (orders) =>
      orders.pipe(
        fanOut(
          (all) => all.pipe(map(({ value }) => value)),
          (all) => all.pipe(mapAsync(forever, { ...never, name: 'in the branch' })),
        ),
      ),
  ],
  [undefined, forgetful],
];

let sim: SimulatedCluster;

afterEach(() => sim.close());

describe('a record that stays unsettled', () => {
  it.each(stuckIn)('is named with its stage: %s', async (stage, stages) => {
    sim = await SimulatedCluster.start({ in: 1, out: 1 });
    await sim.sendNumbers('in', 3);
    sim.box.leaderless('out', 0);
    const named: unknown[] = [];
    const warnings: unknown[] = [];
    const note = (record: unknown): void => void named.push(record);
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation((warning) => warnings.push(warning));
    diagnosticsChannel.subscribe('sluice:record-stuck', note);
    try {
      const running = topology('stuck', (sluice) =>
        stages(sluice.fromGroup({ groupId: 'g', topics: ['in'], value: text() }), sluice),
      ).start(sim.kafka(), { stuckAfterMs: 10_000, producer: { deliveryTimeoutMs: 1_000_000 } });
      await sim.until(() => named.length > 0, running);
      await sim.clock.advance(60_000);
      const offset = stage === 'dropping' || stage === 'calm' ? 2 : 0;
      expect(named).toEqual([{ topic: 'in', partition: 0, offset, ageMs: expect.any(Number), stage }]);
      const where =
        stage === undefined ? 'no stage of this library keeps it \\(.*\\)' : `it is in stage ${stage}`;
      expect(warnings).toEqual([
        expect.stringMatching(
          new RegExp(`^in-0 offset ${offset} has been unsettled for 1\\d s, and ${where};`),
        ),
      ]);
      await sim.clock.run(running.abort());
    } finally {
      diagnosticsChannel.unsubscribe('sluice:record-stuck', note);
      warn.mockRestore();
    }
  });

  it('is found in lanes and without a group, and a stage that is over keeps nothing', async () => {
    sim = await SimulatedCluster.start({ in: 2 });
    await sim.sendNumbers('in', 1, 1);
    const named: unknown[] = [];
    const note = (record: unknown): void => void named.push(record);
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    diagnosticsChannel.subscribe('sluice:record-stuck', note);
    try {
      const running = topology('stuck', ({ fromPartitions }) =>
        fromPartitions({ topic: 'in', from: 'earliest' }).pipe(
          eachClaim((claim) => claim.pipe(mapAsync(forever, { ...never, name: `lane ${claim.partition}` }))),
        ),
      ).start(sim.kafka(), { stuckAfterMs: 10_000 });
      await sim.until(() => named.length > 0, running);
      expect(named).toEqual([
        { topic: 'in', partition: 1, offset: 0, ageMs: expect.any(Number), stage: 'lane 1' },
      ]);
      await sim.clock.run(running.abort());
    } finally {
      diagnosticsChannel.unsubscribe('sluice:record-stuck', note);
      warn.mockRestore();
    }
  });
});
