// A topology as it is shipped, run by a test: piped in, read out, committed, in virtual time.
import { afterEach, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import {
  batch,
  filter,
  json,
  mapAsync,
  nullable,
  StageError,
  text,
  topology,
  tumblingWindow,
  map,
} from '../../../src/index.ts';
import { record, testTopology, type TestTopology } from '../../../src/testing/index.ts';

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

let open: TestTopology | undefined;

async function opened<T extends { close(): Promise<void> }>(t: Promise<T>): Promise<T> {
  const made = await t;
  open = made as unknown as TestTopology;
  return made;
}

afterEach(async () => {
  await open?.close();
  open = undefined;
});

describe('testTopology', () => {
  it('pipes records in by serde, reads what comes out, and sees what is committed', async () => {
    const t = await opened(testTopology(pricing, { topics }));
    const sent = await t.pipe('orders', [
      record({ key: 'a', value: { id: 'a', total: 5 } }),
      { key: 'b', value: { id: 'b', total: 0 } },
      { key: 'c', value: { id: 'c', total: 7 }, partition: 0, timestamp: 1_700_000_000_000 },
    ]);
    expect(sent).toHaveLength(3);
    const priced = await t.read('priced');
    expect(priced.map(({ key, value }) => [key, value])).toEqual([
      ['a', { id: 'a', price: 10 }],
      ['c', { id: 'c', price: 14 }],
    ]);
    expect(priced[1]).toMatchObject({ topic: 'priced', offset: 0, timestamp: 1_700_000_000_000 });
    expect(t.clock.now()).toBe(0);
    expect(await t.read('priced')).toEqual([]);
    expect(await t.readAll('priced')).toHaveLength(2);
    expect(t.committed('orders')).toEqual({});
    await t.idle();
    expect(t.clock.now()).toBeLessThanOrEqual(6_000);
    const ends: { [partition: number]: number } = {};
    for (const { partition, offset } of sent) ends[partition] = offset + 1;
    expect(t.committed('orders')).toEqual(ends);
  });
});

void [batch, nullable, StageError, tumblingWindow, map];
