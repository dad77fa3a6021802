import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { interval, lastValueFrom, filter as rxFilter, from as rxFrom } from 'rxjs';
import { z } from 'zod';
import {
  batch,
  eachClaim,
  filter,
  map,
  mapAsync,
  retry,
  rewind,
  settle,
  skip,
  tap,
} from '../../src/operators/index.ts';
import {
  fromIterable,
  json,
  Kafka,
  nullable,
  sluice,
  text,
  topology,
  type ConsumerRecord,
  type ProducerRecord,
  type Running,
} from '../../src/index.ts';
import { createBroker, type BrokerBox } from '../../src/testing/index.ts';

let box: BrokerBox;
let kafka: Kafka;

beforeEach(async () => {
  box = await createBroker({ topics: { in: 2, out: 2, dead: 1 } });
  kafka = new Kafka({ brokers: box.bootstrap });
});

afterEach(async () => {
  await kafka.close();
  await box.close();
});

async function send(topic: string, records: readonly ProducerRecord[]): Promise<void> {
  const { toTopic } = sluice(kafka);
  await lastValueFrom(
    fromIterable(records).pipe(
      toTopic(topic, (record) => record),
      settle(),
    ),
  );
}

async function read(topic: string): Promise<ConsumerRecord[]> {
  const found: ConsumerRecord[] = [];
  await lastValueFrom(
    sluice(kafka)
      .fromPartitions({ topic, from: 'earliest', until: 'end' })
      .pipe(
        tap((record) => found.push(record)),
        settle(),
      ),
    { defaultValue: undefined },
  );
  return found;
}

const numbers = (count: number, partition = 0): ProducerRecord[] =>
  Array.from({ length: count }, (_, n) => ({ partition, value: String(n) }));

async function until(what: () => boolean, running: Running): Promise<void> {
  while (!what()) await Promise.race([running.done, new Promise((resolve) => setImmediate(resolve))]);
}

const committed = (groupId: string, topic = 'in'): (number | undefined)[] =>
  [0, 1].map((partition) => box.committed(groupId, topic, partition)?.offset);

describe('a topology', () => {
  it('is ready when its group is joined, drains, commits and says what it did', async () => {
    await send('in', numbers(10));
    let seen = 0;
    const copy = topology('copy', ({ fromGroup, toTopic }) =>
      fromGroup({ groupId: 'g', topics: ['in'], value: text() }).pipe(
        tap(() => seen++),
        filter((record) => Number(record.value) % 2 === 0),
        toTopic('out', (record) => ({ value: record.value })),
      ),
    );
    const running = copy.start(kafka);
    await running.ready;
    await until(() => seen === 10, running);
    expect(await running.drain()).toEqual({ recordsIn: 10, recordsOut: 5, unsettled: 0 });
    expect(await running.done).toEqual({ recordsIn: 10, recordsOut: 5, unsettled: 0 });
    expect(committed('g')[0]).toBe(10);
    expect(box.group('g')?.members ?? []).toEqual([]);
    expect((await read('out')).map((record) => record.value?.toString()).sort()).toEqual([
      '0',
      '2',
      '4',
      '6',
      '8',
    ]);
  });

  it('ends by itself when its sources do', async () => {
    const run = topology('finite', ({ toTopic }) =>
      fromIterable([1, 2, 3]).pipe(toTopic('out', (n) => ({ value: String(n) }))),
    ).run(kafka);
    expect(await run).toEqual({ recordsIn: 3, recordsOut: 3, unsettled: 0 });
  });

  it('drains and commits the rest, leaves the group and rejects when a stage fails', async () => {
    await send('in', numbers(100));
    const run = topology('failing', ({ fromGroup, toTopic }) =>
      fromGroup({ groupId: 'g', topics: ['in'], value: text() }).pipe(
        map((record) => {
          if (record.value === '60') throw new Error('sixty');
          return record.value;
        }),
        toTopic('out', (value) => ({ value })),
      ),
    ).run(kafka);
    await expect(run).rejects.toMatchObject({
      code: 'STAGE_FAILED',
      stage: 'map',
      cause: new Error('sixty'),
    });
    expect(committed('g')[0]).toBe(60);
    expect(box.group('g')?.members ?? []).toEqual([]);
    expect((await read('out')).length).toBeGreaterThanOrEqual(60);
  });

  it('leaves what is on its way unsettled when it is aborted', async () => {
    await send('in', numbers(10));
    let called = 0;
    const running = topology('stuck', ({ fromGroup }) =>
      fromGroup({ groupId: 'g', topics: ['in'] }).pipe(
        mapAsync(
          () => {
            called++;
            return new Promise<never>(() => undefined);
          },
          { concurrency: 4, order: 'none' },
        ),
      ),
    ).start(kafka);
    await until(() => called === 4, running);
    const { unsettled } = await running.abort();
    expect(unsettled).toBeGreaterThan(0);
    expect(committed('g')[0] ?? 0).toBe(0);
  });

  it('refuses what is not a flow', async () => {
    await expect(topology('none', () => []).run(kafka)).rejects.toMatchObject({ code: 'USAGE' });
    await expect(topology('plain', () => interval(1) as never).run(kafka)).rejects.toThrow(
      /neither a Flow nor Settled/,
    );
    await expect(
      topology('escaped', () => rxFrom(fromIterable([1])).pipe(rxFilter(() => true)) as never).run(kafka),
    ).rejects.toMatchObject({ code: 'USAGE' });
    expect(() => topology('', () => fromIterable([1]))).toThrow(/name/);
  });

  it('subscribes a group source once', async () => {
    const twice = topology('twice', ({ fromGroup }) => {
      const records = fromGroup({ groupId: 'g', topics: ['in'] });
      return [records.pipe(map((record) => record.offset)), records.pipe(map((record) => record.key))];
    });
    await expect(twice.run(kafka)).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining('fanOut') as unknown,
    });
  });

  it('describes itself without a cluster', () => {
    const described = topology('d', ({ fromGroup, toTopic, deadLetter }) =>
      fromGroup({ groupId: 'g', topics: ['in'], value: text(), onDecodeError: deadLetter('dead') }).pipe(
        toTopic('out', (record) => ({ value: record.value })),
      ),
    ).describe();
    expect(described).toEqual({
      name: 'd',
      sources: [{ groupId: 'g', topics: ['in'] }],
      sinks: [
        { topic: 'dead', kind: 'deadLetter' },
        { topic: 'out', kind: 'topic' },
      ],
    });
  });
});

describe('policies that need the cluster', () => {
  const Order = z.object({ id: z.number() });

  it('writes what does not decode to the dead letter topic, byte for byte, with where and why', async () => {
    const broken = Buffer.from('{"id":"no number"}');
    await send('in', [
      { partition: 0, value: '{"id":1}' },
      { partition: 0, key: 'k', value: broken, headers: [['h', 'v']], timestamp: 1_700_000_000_000 },
      { partition: 0, value: '{"id":2}' },
    ]);
    const ids: number[] = [];
    const running = topology('decode', ({ fromGroup, deadLetter }) =>
      fromGroup({ groupId: 'g', topics: ['in'], value: json(Order), onDecodeError: deadLetter('dead') }).pipe(
        tap((record) => ids.push(record.value.id)),
      ),
    ).start(kafka);
    await until(() => ids.length === 2, running);
    await running.drain();
    const [letter, ...more] = await read('dead');
    expect(more).toEqual([]);
    expect(letter!.value).toEqual(broken);
    expect(letter!.key?.toString()).toBe('k');
    expect(letter!.timestamp).toBe(1_700_000_000_000);
    expect(letter!.headers.text('h')).toBe('v');
    expect(letter!.headers.text('__streams.errors.topic')).toBe('in');
    expect(letter!.headers.text('__streams.errors.offset')).toBe('1');
    expect(letter!.headers.text('__streams.errors.message')).toMatch(/does not fit its schema: id/);
    expect(committed('g')[0]).toBe(3);
  });

  it('fails, or skips, what does not decode; a null needs nullable', async () => {
    await send('in', [
      { partition: 0, value: 'x' },
      { partition: 0, value: null },
      { partition: 0, value: '{"id":2}' },
    ]);
    const decode = (groupId: string, onDecodeError = skip) =>
      topology('decode', ({ fromGroup }) =>
        fromGroup({ groupId, topics: ['in'], value: json(Order), onDecodeError }).pipe(
          tap((record) => ids.push(record.value.id)),
        ),
      );
    const ids: number[] = [];
    const skipping = decode('skipping').start(kafka);
    await until(() => ids.length === 1, skipping);
    await skipping.drain();
    expect(committed('skipping')[0]).toBe(3);
    const failing = topology('failing', ({ fromGroup }) =>
      fromGroup({ groupId: 'failing', topics: ['in'], value: json(Order) }),
    ).run(kafka);
    await expect(failing).rejects.toMatchObject({ code: 'STAGE_FAILED', stage: 'decode' });

    const values: (string | null)[] = [];
    const nulls = topology('nulls', ({ fromGroup }) =>
      fromGroup({ groupId: 'nulls', topics: ['in'], value: nullable(text()) }).pipe(
        tap((record) => values.push(record.value)),
      ),
    ).start(kafka);
    await until(() => values.length === 3, nulls);
    await nulls.drain();
    expect(values).toEqual(['x', null, '{"id":2}']);
  });

  it('starts a claim over in place, without a batch counted twice or a rebalance', async () => {
    await send('in', numbers(20));
    let failed = false;
    const epochs: number[] = [];
    const sums: number[] = [];
    const running = topology('again', ({ fromGroup }) =>
      fromGroup({ groupId: 'g', topics: ['in'], value: text() }).pipe(
        eachClaim((claim) => {
          if (claim.partition === 0) epochs.push(claim.claimEpoch);
          return claim.pipe(
            batch({ maxRecords: 5, withinMs: 50 }),
            map(
              (records) => {
                if (!failed && records.some((record) => record.value === '12')) {
                  failed = true;
                  throw new Error('once');
                }
                return records.reduce((sum, record) => sum + Number(record.value), 0);
              },
              { onError: rewind({ attempts: 3, minDelayMs: 1 }) },
            ),
            tap((sum) => sums.push(sum)),
          );
        }),
      ),
    ).start(kafka);
    await until(
      () => sums.includes(15 + 16 + 17 + 18 + 19) && sums.includes(10 + 11 + 12 + 13 + 14),
      running,
    );
    const generation = box.group('g')?.generationId;
    await running.drain();
    expect(generation).toBe(1);
    expect(epochs).toEqual([1, 2]);
    expect(sums.filter((sum) => sum === 60)).toHaveLength(1);
    expect(committed('g')[0]).toBe(20);
  });

  it('gives up a waiting retry when it drains, and says so', async () => {
    await send('in', numbers(3));
    let tries = 0;
    const running = topology('waiting', ({ fromGroup }) =>
      fromGroup({ groupId: 'g', topics: ['in'], value: text() }).pipe(
        map(
          (record) => {
            tries++;
            if (record.value === '1') throw new Error('later');
            return record.value;
          },
          { onError: retry({ attempts: 100, minDelayMs: 60_000, maxDelayMs: 60_000 }) },
        ),
      ),
    ).start(kafka);
    await until(() => tries === 2, running);
    expect(await running.drain()).toMatchObject({ unsettled: 1 });
    expect(committed('g')[0]).toBe(1);
  });
});

describe('toTopic', () => {
  it("keeps the origin's timestamp, of a batch the largest, and copies headers only when asked", async () => {
    await send('in', [
      { partition: 0, value: 'a', timestamp: 1_000_000, headers: { h: '1' } },
      { partition: 0, value: 'b', timestamp: 3_000_000 },
      { partition: 0, value: 'c', timestamp: 2_000_000 },
    ]);
    let done = 0;
    const running = topology('stamps', ({ fromGroup, toTopic }) =>
      fromGroup({ groupId: 'g', topics: ['in'], value: text() }).pipe(
        toTopic('out', (record) => ({ partition: 0, value: record.value })),
        batch({ maxRecords: 3, withinMs: 1_000 }),
        toTopic('out', (records) => ({
          partition: 1,
          value: String(records.length),
          headers: records[0]!.headers,
        })),
        tap(() => done++),
      ),
    ).start(kafka);
    await until(() => done === 1, running);
    await running.drain();
    const out = await read('out');
    expect(out.filter(({ partition }) => partition === 0).map(({ timestamp }) => timestamp)).toEqual([
      1_000_000, 3_000_000, 2_000_000,
    ]);
    expect(
      out.filter(({ partition }) => partition === 0).every(({ headers }) => [...headers].length === 0),
    ).toBe(true);
    const batched = out.find(({ partition }) => partition === 1)!;
    expect(batched.timestamp).toBe(3_000_000);
    expect(batched.headers.text('h')).toBe('1');
  });

  it('refuses undefined, and writes null as a tombstone', async () => {
    const write = (value: unknown) =>
      topology('w', ({ toTopic }) => fromIterable([1]).pipe(toTopic('out', () => ({ value }) as never))).run(
        kafka,
      );
    await expect(write(undefined)).rejects.toMatchObject({ code: 'STAGE_FAILED', cause: { code: 'USAGE' } });
    await expect(write(7)).rejects.toMatchObject({ code: 'STAGE_FAILED', cause: { code: 'USAGE' } });
    await write(null);
    expect((await read('out')).map((record) => record.value)).toEqual([null]);
  });

  it('writes several records for one value, or none, and settles it when all are there', async () => {
    const summary = await topology('several', ({ toTopic }) =>
      fromIterable([0, 1, 3]).pipe(toTopic('out', (n) => Array.from({ length: n }, () => ({ value: 'x' })))),
    ).run(kafka);
    expect(summary).toEqual({ recordsIn: 3, recordsOut: 4, unsettled: 0 });
  });
});
