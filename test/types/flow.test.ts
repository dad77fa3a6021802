// What TypeScript infers and refuses about flows. `tsc` is the test; the runner only sees that the file stays whole.
import { describe, expect, it } from '@jest/globals';
import { expectTypeOf } from 'expect-type';
import * as rx from 'rxjs';
import type { ConsumerRecord } from '../../src/core/records/types.ts';
import type { Claim } from '../../src/flow/claim.ts';
import type { Claims } from '../../src/flow/claims.ts';
import type { Delivery } from '../../src/flow/delivery.ts';
import type { Flow } from '../../src/flow/flow.ts';
import type { FlowEnd, Op } from '../../src/flow/op.ts';
import type { Settled } from '../../src/flow/settled.ts';
import {
  atMostOnce,
  batch,
  branch,
  countWindow,
  distinct,
  dropping,
  eachClaim,
  fail,
  fanOut,
  filter,
  flatMap,
  gather,
  map,
  mapAsync,
  merge,
  otherwise,
  passing,
  perRecord,
  retry,
  scan,
  settle,
  skip,
  tap,
  when,
  whenIs,
} from '../../src/operators/index.ts';

interface Order {
  id: string;
  total: number;
}

/** Never called: only its types count. */
type Check = (f: Flow<Order>, claims: Claims<ConsumerRecord<string, Order>>) => void;

const inference: Check = (f, claims) => {
  expectTypeOf(f.pipe(map((o) => o.total))).toEqualTypeOf<Flow<number>>();
  expectTypeOf(f.pipe(filter((o) => o.total > 0))).toEqualTypeOf<Flow<Order>>();
  expectTypeOf(f.pipe(tap((o) => o.id))).toEqualTypeOf<Flow<Order>>();
  expectTypeOf(f.pipe(flatMap((o) => [o.id, o.total]))).toEqualTypeOf<Flow<string | number>>();
  expectTypeOf(f.pipe(flatMap((o) => o.id))).toEqualTypeOf<Flow<string>>();
  expectTypeOf(f.pipe(mapAsync(async (o) => o.total, { concurrency: 1, order: 'input' }))).toEqualTypeOf<
    Flow<number>
  >();
  expectTypeOf(
    f.pipe(mapAsync((o) => rx.of(o.id), { concurrency: 1, order: 'key', key: (o) => o.id })),
  ).toEqualTypeOf<Flow<string>>();
  expectTypeOf(
    f.pipe(
      perRecord((o, { signal, attempt }) => rx.of(o.id, signal, attempt), { concurrency: 1, order: 'none' }),
    ),
  ).toEqualTypeOf<Flow<string | number | AbortSignal>>();
  expectTypeOf(f.pipe(batch({ maxRecords: 1, withinMs: 1 }))).toEqualTypeOf<Flow<readonly Order[]>>();
  expectTypeOf(f.pipe(countWindow({ records: 2, key: (o) => o.id }))).toEqualTypeOf<Flow<readonly Order[]>>();
  expectTypeOf(
    f.pipe(
      fanOut(
        map((o) => o.id),
        (all) => all.pipe(map((o) => o.total)),
      ),
    ),
  ).toEqualTypeOf<Flow<string | number>>();
  expectTypeOf(
    f.pipe(
      branch(
        when(
          (o) => o.total > 1,
          map((o) => o.id),
        ),
        whenIs(
          (o): o is Order & { readonly total: 0 } => o.total === 0,
          map((o) => o.total),
        ),
        otherwise((rest) => rest.pipe(map((o) => [o.total]))),
      ),
    ),
  ).toEqualTypeOf<Flow<string | 0 | number[]>>();
  expectTypeOf(f.pipe(scan((sum, o) => sum + o.total, { seed: () => 0, key: (o) => o.id }))).toEqualTypeOf<
    Flow<number>
  >();
  expectTypeOf(f.pipe(distinct({ key: (o) => o.id, maxKeys: 1 }))).toEqualTypeOf<Flow<Order>>();
  expectTypeOf(merge(f, f.pipe(map((o) => o.id)))).toEqualTypeOf<Flow<Order | string>>();
  expectTypeOf(f.pipe(settle())).toEqualTypeOf<Settled<Order>>();
  expectTypeOf(
    f.pipe(
      map((o) => o.total),
      settle(),
    ),
  ).toEqualTypeOf<Settled<number>>();
  expectTypeOf(f.pipe()).toEqualTypeOf<Flow<Order>>();
  expectTypeOf(claims.pipe(map((r) => r.value.total))).toEqualTypeOf<Flow<number>>();
  expectTypeOf(
    claims.pipe(eachClaim((claim) => claim.pipe(map((r) => [claim.partition, r.key] as const)))),
  ).toEqualTypeOf<Flow<readonly [number, string]>>();
  expectTypeOf(gather([] as Delivery<Order>[], 1)).toEqualTypeOf<Delivery<number>>();
};

const narrowing: Check = (f) => {
  const mixed = f.pipe(map((o): Order | null => (o.total > 0 ? o : null)));
  expectTypeOf(mixed.pipe(filter((o) => o !== null))).toEqualTypeOf<Flow<Order>>();
};

const variance: Check = (f, claims) => {
  expectTypeOf(f).toExtend<Flow<{ id: string }>>();
  expectTypeOf(f).toExtend<rx.Observable<unknown>>();
  expectTypeOf(f).toExtend<FlowEnd>();
  expectTypeOf<Flow<{ id: string }>>().not.toExtend<Flow<Order>>();
  expectTypeOf(claims).toExtend<Flow<ConsumerRecord<string, Order>>>();
  expectTypeOf<Claim<Order>>().toExtend<Flow<Order>>();
  expectTypeOf<Settled<Order>>().not.toExtend<Flow<Order>>();
  expectTypeOf<rx.Observable<Delivery<Order>>>().not.toExtend<Flow<Order>>();
  expectTypeOf<Op<{ id: string }, number>>().toExtend<Op<Order, number | string>>();
};

const stages: Check = (f) => {
  const generic =
    <T extends { id: string }>(): Op<T, T & { extra: number }> =>
    (all) =>
      all.pipe(map((value) => ({ ...value, extra: 1 })));
  expectTypeOf(
    f.pipe(
      generic(),
      map((o) => o.extra + o.total),
    ),
  ).toEqualTypeOf<Flow<number>>();
  const m = map((o: Order) => o);
  expectTypeOf(f.pipe(m, m, m, m, m, m, m, m, m, m, m, m, m, m, m, m, m, m, m, m)).toEqualTypeOf<
    Flow<Order>
  >();
  // @ts-expect-error the 21st stage is an arity error, never unknown
  f.pipe(m, m, m, m, m, m, m, m, m, m, m, m, m, m, m, m, m, m, m, m, m);
};

const plain: Check = (f, claims) => {
  const id = map((o: Order) => o.id);
  // @ts-expect-error a plain filter
  f.pipe(rx.filter((d) => d.value.total > 0));
  // @ts-expect-error a plain take
  f.pipe(rx.take(10));
  // @ts-expect-error a plain operator before a stage
  f.pipe(rx.debounceTime(10), settle());
  // @ts-expect-error a plain operator after a stage
  f.pipe(id, rx.share());
  // @ts-expect-error a plain operator that derives
  f.pipe(rx.map((d) => d.derive(1)));
  // @ts-expect-error a stage after the end
  f.pipe(settle(), id);
  // @ts-expect-error a plain operator on claims
  claims.pipe(rx.take(1));
  expectTypeOf(f.pipe(dropping(rx.debounceTime(10), 1))).toEqualTypeOf<Flow<Order>>();
  expectTypeOf(
    f.pipe(
      passing(rx.delay(10)),
      map((o) => o.id),
    ),
  ).toEqualTypeOf<Flow<string>>();
  expectTypeOf(
    f
      .pipe(
        map((o) => o.total),
        settle(),
      )
      .pipe(rx.take(3)),
  ).toEqualTypeOf<rx.Observable<number>>();
};

const options: Check = (f) => {
  f.pipe(map((o) => o.id, { name: 'id', onError: (error) => (error.value.total > 0 ? skip : fail) }));
  f.pipe(map((o) => o.id, { onError: retry({ attempts: 2 }, skip) }));
  // @ts-expect-error a plain retry is no policy
  f.pipe(map((o) => o.id, { onError: rx.retry(3) }));
  // @ts-expect-error no order is given
  f.pipe(mapAsync(async (o) => o, { concurrency: 1 }));
  // @ts-expect-error order 'key' without a key
  f.pipe(mapAsync(async (o) => o, { concurrency: 1, order: 'key' }));
  // @ts-expect-error no promise
  f.pipe(mapAsync((o) => o.id, { concurrency: 1, order: 'input' }));
  // @ts-expect-error a key that is an object
  f.pipe(mapAsync(async (o) => o, { concurrency: 1, order: 'key', key: (o) => o }));
  // @ts-expect-error no withinMs
  f.pipe(batch({ maxRecords: 500 }));
  // @ts-expect-error retains is 0 or 1
  f.pipe(dropping(rx.debounceTime(10), 2));
  // @ts-expect-error no such property
  f.pipe(map((o) => o.nope));
  // @ts-expect-error one branch only
  f.pipe(fanOut(map((o) => o.id)));
  const same = map((o: Order) => o);
  // @ts-expect-error one branch only, and a name
  f.pipe(fanOut(same, { name: 'one' }));
  expectTypeOf(
    f.pipe(
      fanOut(
        map((o) => o.id),
        map((o) => o.total),
        { name: 'two' },
      ),
    ),
  ).toEqualTypeOf<Flow<string | number>>();
  f.pipe(passing(rx.delay(10), { name: 'later' }), dropping(rx.debounceTime(10), 1, { name: 'calm' }));
  // @ts-expect-error there is nothing that fails for a value
  f.pipe(passing(rx.delay(10), { name: 'later', onError: skip }));
  f.pipe(atMostOnce({ name: 'once' }));
};

describe('the types of flows', () => {
  it('are checked by tsc', () => {
    for (const check of [inference, narrowing, variance, stages, plain, options])
      expect(check).toBeInstanceOf(Function);
  });
});
