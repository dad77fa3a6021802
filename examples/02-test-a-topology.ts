// How a topology is tested: the one that is shipped, without a broker, in virtual time. Any test framework will do; here it is Node's own.
//   npx tsx examples/02-test-a-topology.ts
import assert from 'node:assert/strict';
import test from 'node:test';
import { filter, mapAsync, retry, text, topology, uncheckedJson, type Topology } from 'sluice';
import { fault, record, testTopology } from 'sluice/testing';

interface Order {
  readonly id: string;
  readonly total: number;
}
interface Priced {
  readonly id: string;
  readonly price: number;
}

/** What is shipped; the service that knows prices comes from outside. */
const pricingWith = (priceOf: (order: Order) => Promise<number>): Topology =>
  topology('pricing', ({ fromGroup, toTopic, deadLetter }) =>
    fromGroup({
      groupId: 'pricing',
      topics: ['orders'],
      key: text(),
      value: uncheckedJson<Order>(),
      onDecodeError: deadLetter('orders.dead'),
    }).pipe(
      filter(({ value }) => value.total > 0),
      mapAsync(async ({ value }): Promise<Priced> => ({ id: value.id, price: await priceOf(value) }), {
        name: 'price',
        concurrency: 8,
        order: 'key',
        key: ({ key }) => key,
        onError: retry({ attempts: 3, minDelayMs: 1_000 }, deadLetter('orders.dead')),
      }),
      toTopic('priced', (priced) => ({ key: priced.id, value: priced }), {
        key: text(),
        value: uncheckedJson<Priced>(),
      }),
    ),
  );

const topics = {
  orders: { partitions: 3, key: text(), value: uncheckedJson<Order>() },
  priced: { partitions: 3, key: text(), value: uncheckedJson<Priced>() },
};

await test('prices orders that cost something', async () => {
  await using t = await testTopology(
    pricingWith((order) => Promise.resolve(order.total * 2)),
    { topics },
  );
  await t.pipe('orders', [
    record({ key: 'a', value: { id: 'a', total: 5 }, timestamp: Date.parse('2026-01-15') }),
    record({ key: 'b', value: { id: 'b', total: 0 } }),
  ]);
  const [priced, ...others] = await t.read('priced');
  assert.deepEqual(priced?.value, { id: 'a', price: 10 });
  assert.equal(priced?.timestamp, Date.parse('2026-01-15'));
  assert.equal(others.length, 0);
  await t.idle();
  assert.equal(
    Object.values(t.committed('orders')).reduce((sum, offset) => sum + offset, 0),
    2,
  );
});

await test('tries a second time a second later, and buries what fails three times', async () => {
  let calls = 0;
  const flaky = (order: Order): Promise<number> =>
    ++calls === 1 || order.id === 'never' ? Promise.reject(new Error('no price')) : Promise.resolve(42);
  await using t = await testTopology(pricingWith(flaky), { topics });
  await t.pipe('orders', { key: 'a', value: { id: 'a', total: 5 } });
  assert.equal(calls, 1);
  await t.advance(1_000);
  assert.deepEqual(
    (await t.read('priced')).map(({ value }) => value?.price),
    [42],
  );
  await t.pipe('orders', [{ key: 'b', value: { id: 'never', total: 5 } }]);
  await t.idle();
  const [letter] = await t.deadLetters();
  assert.equal(letter?.cause.message, 'no price');
  assert.equal(letter?.from.topic, 'orders');
});

await test('reads again what a crash left uncommitted', async () => {
  await using t = await testTopology(
    pricingWith(() => Promise.resolve(1)),
    { topics },
  );
  await t.pipe('orders', { key: 'a', value: { id: 'a', total: 5 } });
  t.crash();
  await t.restart();
  await t.idle();
  assert.deepEqual(
    (await t.read('priced')).map(({ key }) => key),
    ['a', 'a'],
  );
});

await test('keeps to once where only an answer is lost, and shares the work of two members', async () => {
  await using t = await testTopology(
    pricingWith(() => Promise.resolve(1)),
    { topics, members: 2 },
  );
  t.box.fault({ match: { api: 'Produce', topic: 'priced' }, do: fault.applyThenDropResponse });
  await t.pipe(
    'orders',
    Array.from({ length: 100 }, (_, n) => ({ key: `k${n}`, value: { id: `${n}`, total: 1 } })),
  );
  await t.rebalance();
  await t.idle();
  assert.equal((await t.read('priced')).length, 100);
});
