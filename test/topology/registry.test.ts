// A topology whose records are Avro: the source waits for schemas, the sink for the number of its own.
import { Buffer } from 'node:buffer';
import { describe, expect, it } from '@jest/globals';
import { headersFrom } from '../../src/core/records/headers.ts';
import { map } from '../../src/operators/index.ts';
import { avro, jsonSchema, schemaRegistry, type Fetch } from '../../src/registry/index.ts';
import { bytes } from '../../src/serdes/bytes.ts';
import { testTopology } from '../../src/testing/index.ts';
import { topology } from '../../src/topology/topology.ts';

/** A registry in this process, which answers when it likes. */
function memoryRegistry(): { fetch: Fetch; asked: string[]; down: boolean } {
  const schemas: { schema: string; schemaType?: string }[] = [];
  const state = {
    asked: [] as string[],
    down: false,
    fetch: (async (url, { method, body }) => {
      const { pathname } = new URL(url);
      state.asked.push(`${method} ${pathname}`);
      await new Promise((resolve) => setImmediate(resolve));
      if (state.down) return new Response('{"error_code":50003,"message":"no leader"}', { status: 500 });
      const answer = (value: object): Response => new Response(JSON.stringify(value));
      if (method === 'GET') return answer(schemas[Number(pathname.split('/').at(-1)) - 1]!);
      const wanted = JSON.parse(body!) as { schema: string };
      const known = schemas.findIndex(({ schema }) => schema === wanted.schema);
      return answer({ id: known >= 0 ? known + 1 : schemas.push(wanted) });
    }) as Fetch,
  };
  return state;
}

interface Order {
  id: string;
  total: number;
}
const schema = {
  type: 'record',
  name: 'Order',
  fields: [
    { name: 'id', type: 'string' },
    { name: 'total', type: 'int' },
  ],
};

const doubled = (server: { fetch: Fetch }) => {
  const registry = schemaRegistry({ url: 'http://registry', fetch: server.fetch, retry: { attempts: 1 } });
  const orders = avro<Order>(registry, { schema });
  const totals = jsonSchema<number>(registry, { schema: { type: 'integer' } });
  const built = topology('doubled', ({ fromGroup, toTopic, deadLetter }) =>
    fromGroup({ groupId: 'g', topics: ['orders'], value: orders, onDecodeError: deadLetter('dead') }).pipe(
      map(({ value }) => ({ ...value, total: value.total * 2 })),
      toTopic('doubled', (order) => ({ key: order.id, value: order.total }), {
        value: totals,
        onError: deadLetter('dead'),
      }),
    ),
  );
  return { built, orders, totals };
};

describe('a topology with a schema registry', () => {
  it('reads and writes by its schemas, in order, asking once for each', async () => {
    const server = memoryRegistry();
    const { built, orders, totals } = doubled(server);
    await using t = await testTopology(built, {
      topics: { orders: { value: orders }, doubled: { value: totals } },
    });
    await t.pipe(
      'orders',
      [1, 2, 3, 4, 5].map((total) => ({ key: 'k', value: { id: 'a', total } })),
    );
    await t.idle();
    expect((await t.read('doubled')).map(({ value }) => value)).toEqual([2, 4, 6, 8, 10]);
    expect(server.asked.sort()).toEqual([
      'GET /schemas/ids/1',
      'GET /schemas/ids/2',
      'POST /subjects/doubled-value/versions',
      'POST /subjects/orders-value/versions',
    ]);
  });

  it('sends what cannot be read to the dead letters, in its turn, and goes on', async () => {
    const server = memoryRegistry();
    const { built, orders, totals } = doubled(server);
    const context = { topic: 'orders', part: 'value', headers: headersFrom(undefined) } as const;
    await orders.prepareToSerialize!(context);
    const good = Buffer.from(orders.serialize({ id: 'a', total: 4 }, context) as Uint8Array);
    await using t = await testTopology(built, {
      topics: { orders: { value: bytes() }, doubled: { value: totals } },
    });
    const values = [good, Buffer.from('not avro'), good.subarray(0, 6), good];
    await t.pipe(
      'orders',
      values.map((value) => ({ key: 'k', value })),
    );
    await t.idle();
    expect((await t.read('doubled')).map(({ value }) => value)).toEqual([8, 8]);
    const letters = await t.deadLetters();
    expect(letters.map(({ from }) => from.offset)).toEqual([1, 2]);
    expect(letters.map(({ cause }) => cause.name)).toEqual(['SchemaError', 'SchemaError']);
  });

  it('fails the records that waited for a registry that is down, by policy, and tries again for those that come', async () => {
    const server = memoryRegistry();
    const { built, orders, totals } = doubled(server);
    await using t = await testTopology(built, {
      topics: { orders: { value: orders }, doubled: { value: totals } },
    });
    // The schema of the orders is known by then; the sink's is not.
    await orders.prepareToSerialize!({ topic: 'orders', part: 'value' });
    server.down = true;
    await t.pipe(
      'orders',
      [1, 2].map((total) => ({ key: 'k', value: { id: 'a', total } })),
    );
    await t.idle();
    const letters = await t.deadLetters();
    expect(letters).toHaveLength(2);
    server.down = false;
    await t.pipe('orders', { key: 'k', value: { id: 'a', total: 3 } });
    await t.idle();
    expect((await t.read('doubled')).map(({ value }) => value)).toEqual([6]);
  });
});
