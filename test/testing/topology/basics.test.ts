// A topology as it is shipped, run by a test: piped in, read out, committed, in virtual time.
import { describe, expect, it } from '@jest/globals';
import { expectTypeOf } from 'expect-type';
import { z } from 'zod';
import {
  batch,
  filter,
  fromIterable,
  json,
  map,
  mapAsync,
  settle,
  text,
  topology,
  tumblingWindow,
  type ConsumerRecord,
} from '../../../src/index.ts';
import { record, testTopology } from '../../../src/testing/index.ts';

const Order = z.object({ id: z.string(), total: z.number() });
const Priced = z.object({ id: z.string(), price: z.number() });

const pricing = topology('pricing', ({ fromGroup, toTopic, deadLetter }) =>
  fromGroup({
    groupId: 'pricing',
    topics: ['orders'],
    key: text(),
    value: json(Order),
    onDecodeError: deadLetter('orders.dead'),
  }).pipe(
    filter((r) => r.value.total > 0),
    mapAsync(async (r) => Promise.resolve({ id: r.value.id, price: r.value.total * 2 }), {
      name: 'price',
      concurrency: 4,
      order: 'key',
      key: (r) => r.key,
    }),
    toTopic('priced', (p) => ({ key: p.id, value: p }), { key: text(), value: json(Priced) }),
  ),
);

const topics = {
  orders: { partitions: 3, key: text(), value: json(Order) },
  priced: { partitions: 3, key: text(), value: json(Priced) },
} as const;

/** `n` in, batched by three or a second, out as their sum. */
const sums = topology('sums', ({ fromGroup, toTopic }) =>
  fromGroup({ groupId: 'sums', topics: ['numbers'], value: text() }).pipe(
    map((r) => Number(r.value)),
    batch({ maxRecords: 3, withinMs: 1_000 }),
    toTopic('sums', (some) => ({ value: String(some.reduce((a, b) => a + b, 0)) })),
  ),
);

const texts = (records: readonly { readonly value: string | null }[]): (string | null)[] =>
  records.map(({ value }) => value);

describe('testTopology', () => {
  it('pipes records in by serde, reads what comes out, and sees what is committed', async () => {
    await using t = await testTopology(pricing, { topics });
    const start = t.clock.now();
    const sent = await t.pipe('orders', [
      record({ key: 'a', value: { id: 'a', total: 5 } }),
      { key: 'b', value: { id: 'b', total: 0 } },
      {
        key: 'c',
        value: { id: 'c', total: 7 },
        partition: 0,
        timestamp: 1_700_000_000_000,
        headers: { trace: '7' },
      },
    ]);
    expect(sent).toHaveLength(3);
    const priced = await t.read('priced');
    expect(priced.map(({ key, value }) => [key, value])).toEqual(
      expect.arrayContaining([
        ['a', { id: 'a', price: 10 }],
        ['c', { id: 'c', price: 14 }],
      ]),
    );
    expect(priced).toHaveLength(2);
    expect(priced.find(({ key }) => key === 'c')).toMatchObject({
      topic: 'priced',
      timestamp: 1_700_000_000_000,
    });
    expect((await t.readAll('orders')).find(({ key }) => key === 'c')?.headers.text('trace')).toBe('7');
    expect(t.clock.now()).toBe(start);
    expect(await t.read('priced')).toEqual([]);
    expect(await t.readAll('priced')).toHaveLength(2);
    await t.idle();
    expect(t.clock.now() - start).toBeLessThanOrEqual(5_000);
    for (const { partition, offset } of sent)
      expect(t.committed('orders')[partition]).toBeGreaterThan(offset);
  });

  it('types what is piped and read by the serdes of the topics', async () => {
    await using t = await testTopology(pricing, { topics });
    const priced = await t.read('priced');
    expectTypeOf(priced).toEqualTypeOf<
      ConsumerRecord<string | null, { id: string; price: number } | null, 'priced'>[]
    >();
    const dead = await t.read('orders.dead');
    expectTypeOf(dead).toEqualTypeOf<ConsumerRecord<Buffer | null, Buffer | null, 'orders.dead'>[]>();
    // @ts-expect-error -- a total is a number
    await t.pipe('orders', { key: 'a', value: { id: 'a', total: '5' } });
    await t.pipe('orders', { key: 'a', value: null });
  });

  it('makes the topics that the topology names, refuses others, and says which there are', async () => {
    await using t = await testTopology(pricing, { partitions: 2 });
    expect(t.box.topics().sort()).toEqual(['orders', 'orders.dead', 'priced']);
    await t.pipe('orders', { key: 'a', value: JSON.stringify({ id: 'a', total: 1 }), partition: 1 });
    expect((await t.read('priced')).map(({ value }) => value?.toString())).toEqual(['{"id":"a","price":2}']);
    await expect(t.pipe('order', { value: '' })).rejects.toThrow(
      "there is no topic 'order': neither topology 'pricing' nor the option 'topics' names it; there are orders, orders.dead, priced",
    );
    await expect(t.read('order')).rejects.toThrow("there is no topic 'order'");
  });

  it('reads dead letters with their cause and where they come from', async () => {
    await using t = await testTopology(pricing);
    await t.pipe('orders', { key: 'x', value: 'not json' });
    const [letter] = await t.deadLetters();
    expect(letter).toMatchObject({
      topic: 'orders.dead',
      from: { topic: 'orders', partition: 0, offset: 0 },
      cause: { name: 'SchemaError', message: expect.stringContaining('is not JSON') },
    });
    expect(letter?.value?.toString()).toBe('not json');
    expect(await t.deadLetters('orders.dead')).toHaveLength(1);
    await t.idle();
    expect(t.committed('orders')).toEqual({ 0: 1 });
  });

  it('lets a batch wait, until time passes', async () => {
    await using t = await testTopology(sums, {
      topics: { numbers: { value: text() }, sums: { value: text() } },
    });
    await t.pipe('numbers', [{ value: '1' }, { value: '2' }]);
    expect(await t.read('sums')).toEqual([]);
    await t.advance(999);
    expect(await t.read('sums')).toEqual([]);
    await t.advance(1);
    expect(texts(await t.read('sums'))).toEqual(['3']);
    await t.pipe('numbers', [{ value: '1' }, { value: '2' }, { value: '3' }]);
    expect(texts(await t.read('sums'))).toEqual(['6']);
  });

  it('is idle when only a window waits, and goes by event time', async () => {
    const minutes = topology('minutes', ({ fromGroup, toTopic }) =>
      fromGroup({ groupId: 'minutes', topics: ['hits'], key: text() }).pipe(
        tumblingWindow({
          sizeMs: 60_000,
          graceMs: 0,
          key: (r) => r.key,
          timestamp: (r) => r.timestamp,
          onFull: 'fail',
          seed: () => 0,
          add: (count) => count + 1,
        }),
        toTopic('counts', (row) => ({ key: row.key, value: `${row.start} ${row.value}` })),
      ),
    );
    await using t = await testTopology(minutes, {
      topics: { hits: { key: text(), value: text() }, counts: { key: text(), value: text() } },
    });
    const hit = (timestamp: number) => record({ key: 'k', value: '', timestamp });
    await t.pipe('hits', [hit(0), hit(59_999)]);
    await t.idle();
    expect(await t.read('counts')).toEqual([]);
    await t.pipe('hits', hit(60_000));
    await t.idle();
    expect(texts(await t.read('counts'))).toEqual(['0 2']);
    expect(t.committed('hits')).toEqual({ 0: 2 });
  });

  it('starts at a time of day, and stamps what is piped with it', async () => {
    const startMs = Date.parse('2030-05-05T00:00:00Z');
    await using t = await testTopology(sums, { startMs });
    expect(Math.abs(t.now - startMs)).toBeLessThan(100);
    await t.advance(3_600_000);
    const [sent] = await t.pipe('numbers', { value: '1' });
    expect(sent?.timestamp).toBe(t.now);
  });

  it('is the same run for the same seed', async () => {
    const run = async (seed: number): Promise<string> => {
      await using t = await testTopology(pricing, {
        topics,
        seed,
        members: 2,
        latencyMs: { min: 1, max: 20 },
      });
      for (let at = 0; at < 20; at++) {
        await t.pipe('orders', { value: { id: String(at), total: at } });
        await t.advance(100);
      }
      await t.idle();
      return JSON.stringify([
        t.clock.now(),
        t.box.requests().map(({ api, clientId, atMs }) => [api, clientId, atMs]),
        (await t.readAll('priced')).map(({ partition, offset, value, timestamp }) => [
          partition,
          offset,
          value,
          timestamp,
        ]),
      ]);
    };
    const first = await run(7);
    expect((await run(7)) === first).toBe(true);
    expect((await run(8)) === first).toBe(false);
  });

  it('runs a topology that ends, and drains one that does not', async () => {
    const load = topology('load', ({ toTopic }) =>
      fromIterable(['a', 'b', 'c']).pipe(
        toTopic('letters', (value) => ({ value })),
        settle(),
      ),
    );
    await using t = await testTopology(load, { topics: { letters: { value: text() } } });
    await t.idle();
    expect(texts(await t.read('letters'))).toEqual(['a', 'b', 'c']);
    expect(t.members.map(({ state }) => state)).toEqual(['done']);
    await using other = await testTopology(sums);
    await other.pipe('numbers', [{ value: '1' }, { value: '2' }]);
    expect(await other.drain()).toEqual({ recordsIn: 2, recordsOut: 1, unsettled: 0 });
    expect(other.committed('numbers')).toEqual({ 0: 2 });
    expect(other.members.map(({ state }) => state)).toEqual(['left']);
  });

  it('reads without a group', async () => {
    const copy = topology('copy', ({ fromPartitions, toTopic }) =>
      fromPartitions({ topic: 'in', from: 'earliest', value: text() }).pipe(
        toTopic('out', ({ value }) => ({ value })),
      ),
    );
    await using t = await testTopology(copy, { topics: { in: 2, out: { value: text() } } });
    await t.pipe('in', [
      { value: 'a', partition: 0 },
      { value: 'b', partition: 1 },
    ]);
    await t.idle();
    expect(texts(await t.read('out')).sort()).toEqual(['a', 'b']);
    expect(() => t.committed('in')).toThrow("no group of topology 'copy' reads topic 'in'");
  });

  it('asks which group is meant where several read a topic', async () => {
    const two = topology('two', ({ fromGroup }) => [
      fromGroup({ groupId: 'one', topics: ['in'] }),
      fromGroup({ groupId: 'other', topics: /^i/ }),
    ]);
    await using t = await testTopology(two, { topics: { in: 1 } });
    await t.pipe('in', { value: 'a' });
    await t.idle();
    expect(() => t.committed('in')).toThrow(
      "several groups of topology 'two' read topic 'in': 'one', 'other'; say which one is meant",
    );
    expect(t.committed('in', 'other')).toEqual({ 0: 1 });
    expect(() => t.committed('in', 'third')).toThrow("topology 'two' has no group 'third'");
  });
});
