// What TypeScript infers and refuses about a registry's serdes, and about operators with limits. `tsc` is the test; the runner only sees that the file stays whole.
import { describe, expect, it } from '@jest/globals';
import { expectTypeOf } from 'expect-type';
import { of } from 'rxjs';
import { z } from 'zod';
import type { ConsumerRecord } from '../../src/core/records/types.ts';
import type { Claims } from '../../src/flow/claims.ts';
import type { Flow } from '../../src/flow/flow.ts';
import {
  circuitBreaker,
  enrich,
  mapAsync,
  rateLimit,
  skip,
  timeout,
  type Circuit,
} from '../../src/operators/index.ts';
import { avro, jsonSchema, type SchemaRegistry } from '../../src/registry/index.ts';
import { nullable } from '../../src/serdes/nullable.ts';
import type { Serde } from '../../src/serdes/serde.ts';
import type { Sluice } from '../../src/topology/sluice.ts';

interface Order {
  id: string;
  total: number;
}

/** Never called: only its types count. */
type Check = (f: Flow<Order>, registry: SchemaRegistry, sluice: Sluice) => void;

const serdes: Check = (_f, registry, { fromGroup, toTopic }) => {
  expectTypeOf(avro<Order>(registry)).toEqualTypeOf<Serde<Order>>();
  expectTypeOf(avro(registry)).toEqualTypeOf<Serde<unknown>>();
  expectTypeOf(jsonSchema<Order>(registry, { schema: {} })).toEqualTypeOf<Serde<Order>>();
  expectTypeOf(jsonSchema(registry)).toEqualTypeOf<Serde<unknown>>();
  const Dated = z.object({ at: z.string().transform((text) => new Date(text)) });
  expectTypeOf(jsonSchema(registry, Dated)).toEqualTypeOf<Serde<{ at: string }, { at: Date }>>();
  expectTypeOf(nullable(avro<Order>(registry))).toEqualTypeOf<Serde<Order | null>>();
  const orders = fromGroup({ groupId: 'g', topics: ['orders'], value: avro<Order>(registry) });
  expectTypeOf(orders).toEqualTypeOf<Claims<ConsumerRecord<Buffer | null, Order, 'orders'>>>();
  orders.pipe(toTopic('copy', ({ value }) => ({ value }), { value: avro<Order>(registry) }));
  // @ts-expect-error what is written is not what the serde writes
  orders.pipe(toTopic('copy', ({ value }) => ({ value: value.id }), { value: avro<Order>(registry) }));
  // @ts-expect-error no such option
  avro(registry, { autoregister: true });
};

const operators: Check = (f) => {
  expectTypeOf(
    f.pipe(timeout({ withinMs: 5, onError: (error) => (error.value.total > 0 ? skip : skip) })),
  ).toEqualTypeOf<Flow<Order>>();
  expectTypeOf(f.pipe(rateLimit({ records: 1, perMs: 1, weight: (o) => o.total }))).toEqualTypeOf<
    Flow<Order>
  >();
  expectTypeOf(
    f.pipe(mapAsync((o) => of(o.id), { concurrency: 1, order: 'input', timeoutMs: 5 })),
  ).toEqualTypeOf<Flow<string>>();
  expectTypeOf(
    f.pipe(
      circuitBreaker(async (o, { signal }) => [o.id, signal.aborted] as const, {
        concurrency: 1,
        order: 'key',
        key: (o) => o.id,
        opensAfter: { failures: 3 },
        halfOpenAfterMs: 5,
        whenOpen: 'pause',
        onCircuit: (circuit) => expectTypeOf(circuit).toEqualTypeOf<Circuit>(),
      }),
    ),
  ).toEqualTypeOf<Flow<readonly [string, boolean]>>();
  expectTypeOf(
    f.pipe(
      enrich({
        key: (o) => o.total,
        lookup: async (total) => (total.toFixed() === '1' ? { name: 'one' } : null),
        combine: (o, found) => ({ id: o.id, name: found?.name }),
        concurrency: 1,
        order: 'input',
        ttlMs: 5,
      }),
    ),
  ).toEqualTypeOf<Flow<{ id: string; name: string | undefined }>>();
  // @ts-expect-error there is no time given
  f.pipe(timeout({}));
  // @ts-expect-error no interval
  f.pipe(rateLimit({ records: 1 }));
  f.pipe(
    // @ts-expect-error not said what happens when it is open
    circuitBreaker((o) => of(o), {
      concurrency: 1,
      order: 'input',
      opensAfter: { failures: 3 },
      halfOpenAfterMs: 5,
    }),
  );
  f.pipe(
    circuitBreaker((o) => of(o), {
      concurrency: 1,
      order: 'input',
      // @ts-expect-error neither failures nor rate
      opensAfter: {},
      halfOpenAfterMs: 5,
      whenOpen: 'fail',
    }),
  );
  f.pipe(
    enrich({
      // @ts-expect-error a key that is an object
      key: (o) => o,
      lookup: async () => 1,
      combine: () => 1,
      concurrency: 1,
      order: 'input',
      ttlMs: 1,
    }),
  );
};

describe('the types of registries and limits', () => {
  it('are checked by tsc', () => {
    for (const check of [serdes, operators]) expect(check).toBeInstanceOf(Function);
  });
});
