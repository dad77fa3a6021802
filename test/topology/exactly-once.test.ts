import { afterEach, describe, expect, it } from '@jest/globals';
import { openPartitions } from '../../src/core/consumer/open-partitions.ts';
import { UsageError } from '../../src/errors.ts';
import { retry, rewind } from '../../src/flow/policy.ts';
import { batch } from '../../src/operators/batch.ts';
import { eachClaim } from '../../src/operators/each-claim.ts';
import { filter } from '../../src/operators/filter.ts';
import { flatMap } from '../../src/operators/flat-map.ts';
import { mapAsync } from '../../src/operators/map-async.ts';
import { tumblingWindow } from '../../src/operators/tumbling-window.ts';
import { text } from '../../src/serdes/text.ts';
import { fromIterable } from '../../src/sources/from-iterable.ts';
import { topology } from '../../src/topology/topology.ts';
import type { Running, RunOptions, Topology } from '../../src/topology/types.ts';
import { rejection } from '../helpers/rejection.ts';
import { SimulatedCluster } from './simulated-cluster.ts';

const IN = { in: 2, out: 2, dead: 1 };
let cluster: SimulatedCluster;
afterEach(() => cluster.close());

const EXACTLY: RunOptions = { guarantee: 'exactly-once' };

/** What a reader of what is committed sees. */
async function committed(topic: string, partitions = 2): Promise<string[]> {
  const kafka = cluster.kafka('reader');
  const values: string[] = [];
  for (let partition = 0; partition < partitions; partition++)
    await cluster.clock.run(
      (async () => {
        const open = await openPartitions(kafka.cluster, {
          topic,
          partitions: [partition],
          from: 'earliest',
          to: 'latest',
          isolationLevel: 'read_committed',
        });
        const reader = open.readers[0]!;
        await new Promise<void>((onEnd, onError) => {
          reader.start({
            onRecord: (record, sequence) => {
              values.push(String(record.value));
              reader.settle(sequence);
            },
            onPressure: () => undefined,
            onEnd,
            onError,
          });
        });
        open.close();
      })(),
    );
  return values;
}

const numbers = (count: number): string[] => Array.from({ length: count }, (_, at) => String(at));

const copy: Topology = topology('copy', ({ fromGroup, toTopic }) =>
  fromGroup({ groupId: 'copy', topics: ['in'], value: text() }).pipe(
    toTopic('out', (record) => ({ value: record.value, partition: record.partition })),
  ),
);

async function fill(count: number, partition = 0): Promise<void> {
  await cluster.sendNumbers('in', count, partition);
}

const all = (count: number, partition = 0): Promise<void> =>
  cluster.until(() => cluster.committed('copy', 'in', partition) === count, ...running);

let running: Running[] = [];
function run(what: Topology, options: RunOptions = EXACTLY, clientId?: string): Running {
  const one = what.start(cluster.kafka(clientId), options);
  running.push(one);
  return one;
}
afterEach(() => {
  running = [];
});

describe.each([1, 2])('a topology that runs exactly once, transactions v%i', (version) => {
  const start = async (): Promise<void> => {
    cluster = await SimulatedCluster.start(IN, { features: { 'transaction.version': version } });
  };

  it('writes results and offsets in one transaction after another', async () => {
    await start();
    await fill(20);
    const one = run(copy);
    await all(20);
    expect(await committed('out')).toEqual(numbers(20));
    await fill(5, 1);
    await all(5, 1);
    expect(await committed('out')).toEqual([...numbers(20), ...numbers(5)]);
    expect(await cluster.clock.run(one.drain())).toMatchObject({ recordsIn: 25, unsettled: 0 });
    expect(cluster.committed('copy', 'in')).toBe(20);
  });

  it('shows nothing of a process that dies in the middle, and its successor starts behind what is committed', async () => {
    await start();
    await fill(50);
    const first = run(copy, { ...EXACTLY, transactions: { intervalMs: 60_000, timeoutMs: 10_000 } }, 'first');
    await cluster.until(() => cluster.box.partition('out', 0).highWatermark >= 50, first);
    expect(await committed('out')).toEqual([]);
    await cluster.clock.run(first.abort().catch(() => undefined));
    run(copy, EXACTLY, 'second');
    await all(50);
    expect(await committed('out')).toEqual(numbers(50));
  });

  it('undoes the transaction of a claim that starts over, and doubles nothing', async () => {
    await start();
    await fill(30);
    await fill(30, 1);
    let failures = 0;
    const flaky = topology('flaky', ({ fromGroup, toTopic }) =>
      fromGroup({ groupId: 'copy', topics: ['in'], value: text() }).pipe(
        mapAsync(
          async (record) => {
            await Promise.resolve();
            if (record.partition === 0 && record.value === '20' && failures++ < 3) throw new Error('not now');
            return record;
          },
          {
            concurrency: 4,
            order: 'input',
            onError: rewind({ attempts: 9, minDelayMs: 50, maxDelayMs: 200 }),
          },
        ),
        toTopic('out', (record) => ({ value: record.value, partition: record.partition })),
      ),
    );
    run(flaky);
    await all(30);
    await all(30, 1);
    expect(failures).toBe(4);
    expect(await committed('out')).toEqual([...numbers(30), ...numbers(30)]);
  });

  it('goes on after its transaction was open for too long', async () => {
    await start();
    await fill(10);
    let slow = true;
    const sleepy = topology('sleepy', ({ fromGroup, toTopic }) =>
      fromGroup({ groupId: 'copy', topics: ['in'], value: text() }).pipe(
        toTopic('out', (record) => ({ value: record.value, partition: 0 })),
        mapAsync(
          async (record) => {
            if (record.value === '5' && slow) {
              slow = false;
              await new Promise<void>((resolve) => cluster.clock.setTimeout(resolve, 20_000));
            }
            return record;
          },
          { concurrency: 1, order: 'input' },
        ),
      ),
    );
    run(sleepy, { ...EXACTLY, transactions: { timeoutMs: 5_000 } });
    await all(10);
    expect(await committed('out')).toEqual(numbers(10));
  });

  it('flushes batches at the end of a transaction', async () => {
    await start();
    await fill(10);
    const batches = topology('batches', ({ fromGroup, toTopic }) =>
      fromGroup({ groupId: 'copy', topics: ['in'], value: text() }).pipe(
        batch({ maxRecords: 1000, withinMs: 3_600_000 }),
        toTopic('out', (records) => ({ value: records.map(({ value }) => value).join(), partition: 0 })),
      ),
    );
    const one = run(batches);
    await cluster.until(
      () => (cluster.committed('copy', 'in') ?? 0) === 10 || cluster.clock.now() > 20_000,
      one,
    );
    await cluster.clock.run(one.drain());
    expect((await committed('out')).join().split(',')).toEqual(numbers(10));
  });

  it('commits offsets of records of which nothing is written', async () => {
    await start();
    await fill(10);
    const none = topology('none', ({ fromGroup, toTopic }) =>
      fromGroup({ groupId: 'copy', topics: ['in'], value: text() }).pipe(
        filter((record) => record.value === '3'),
        flatMap((record) => [record, record]),
        toTopic('out', (record) => ({ value: record.value, partition: 0 })),
      ),
    );
    run(none);
    await all(10);
    expect(await committed('out')).toEqual(['3', '3']);
  });

  it('writes a dead letter in the transaction of its record', async () => {
    await start();
    await fill(10);
    let tries = 0;
    const letters = topology('letters', ({ fromGroup, toTopic, deadLetter }) =>
      fromGroup({ groupId: 'copy', topics: ['in'], value: text() }).pipe(
        mapAsync(
          async (record) => {
            await Promise.resolve();
            if (record.value === '4') {
              tries += 1;
              throw new Error('never');
            }
            return record;
          },
          {
            concurrency: 1,
            order: 'input',
            onError: retry({ attempts: 3, minDelayMs: 10 }, deadLetter('dead')),
          },
        ),
        toTopic('out', (record) => ({ value: record.value, partition: 0 })),
      ),
    );
    run(letters);
    await all(10);
    expect(tries).toBe(3);
    expect(await committed('out')).toEqual(numbers(10).filter((value) => value !== '4'));
    expect(await committed('dead', 1)).toEqual(['4']);
  });

  it('leaves what comes behind a record that fails for the next run', async () => {
    await start();
    await fill(10);
    const failing = topology('failing', ({ fromGroup, toTopic }) =>
      fromGroup({ groupId: 'copy', topics: ['in'], value: text() }).pipe(
        toTopic('out', (record) => {
          if (record.value === '6' && failures > 0) throw new Error('refused');
          return { value: record.value, partition: 0 };
        }),
      ),
    );
    let failures = 1;
    const one = run(failing);
    const error = await rejection(cluster.clock.run(one.done));
    expect(error.message).toContain('refused');
    failures = 0;
    running = [];
    run(failing);
    await all(10);
    expect(await committed('out')).toEqual(numbers(10));
  });
});

describe('what cannot run exactly once', () => {
  const start = async (): Promise<void> => {
    cluster = await SimulatedCluster.start(IN);
  };
  const refusal = async (what: Topology, options: RunOptions = EXACTLY): Promise<Error> =>
    rejection(cluster.clock.run(what.run(cluster.kafka(), { signals: false, ...options })));

  it('a window that holds acknowledgements', async () => {
    await start();
    const windows = topology('windows', ({ fromGroup, toTopic }) =>
      fromGroup({ groupId: 'copy', topics: ['in'], value: text() }).pipe(
        tumblingWindow({
          sizeMs: 1000,
          graceMs: 0,
          key: (record) => record.value,
          timestamp: (record) => record.timestamp,
          onFull: 'fail',
          seed: () => 0,
          add: (count: number) => count + 1,
        }),
        toTopic('out', (row) => ({ value: String(row.value) })),
      ),
    );
    const refused = await refusal(windows);
    expect(refused.message).toContain('holds acknowledgements');
    expect(refused).toMatchObject({ name: 'UsageError', option: 'guarantee' });
  });

  it("a source whose offsets are not a group's", async () => {
    await start();
    const plain = topology('plain', ({ toTopic }) =>
      fromIterable([1, 2]).pipe(toTopic('out', (n) => ({ value: String(n) }))),
    );
    expect(await refusal(plain)).toMatchObject({ name: 'UsageError', option: 'guarantee' });
    const read = topology('read', ({ fromPartitions, toTopic }) =>
      fromPartitions({ topic: 'in', from: 'earliest' }).pipe(
        eachClaim((claim) => claim),
        toTopic('out', (record) => ({ value: record.value })),
      ),
    );
    expect(await refusal(read)).toMatchObject({ name: 'UsageError', option: 'guarantee' });
  });

  it.each<[string, RunOptions]>([
    ['guarantee', { guarantee: 'at most once' as 'exactly-once' }],
    ['transactions', { transactions: {} }],
    ['producer.transactionalId', { ...EXACTLY, producer: { transactionalId: 'x' } }],
    ['transactions.intervalMs', { ...EXACTLY, transactions: { intervalMs: 0 } }],
  ])('the option %s', async (option, options) => {
    await start();
    const error = await refusal(copy, options);
    expect(error).toBeInstanceOf(UsageError);
    expect(error).toMatchObject({ option });
  });
});
