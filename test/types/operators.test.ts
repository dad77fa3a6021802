// What TypeScript infers and refuses about operators. `tsc` is the test; the runner only sees that the file stays whole.
import { describe, expect, it } from '@jest/globals';
import { expectTypeOf } from 'expect-type';
import * as rx from 'rxjs';
import type { Delivery } from '../../src/flow/delivery.ts';
import type { Flow } from '../../src/flow/flow.ts';
import {
  audit,
  branch,
  debounce,
  dedupe,
  delayUntil,
  exhaustByKey,
  fanOut,
  groupByKey,
  map,
  otherwise,
  partitionBy,
  sample,
  scan,
  skip,
  switchByKey,
  throttle,
  when,
  whenIs,
  withLatestFrom,
  type KeyGroup,
} from '../../src/operators/index.ts';

interface Order {
  id: string;
  total: number;
}

/** Never called: only its types count. */
type Check = (f: Flow<Order>) => void;

const keeping: Check = (f) => {
  expectTypeOf(f.pipe(debounce({ durationMs: 1 }))).toEqualTypeOf<Flow<Order>>();
  expectTypeOf(f.pipe(debounce({ duration: (o) => rx.timer(o.total), key: (o) => o.id }))).toEqualTypeOf<
    Flow<Order>
  >();
  expectTypeOf(f.pipe(audit({ durationMs: 1, key: (o) => o.id, name: 'a', onError: skip }))).toEqualTypeOf<
    Flow<Order>
  >();
  expectTypeOf(f.pipe(throttle({ durationMs: 1, leading: true, trailing: true }))).toEqualTypeOf<
    Flow<Order>
  >();
  expectTypeOf(f.pipe(sample({ periodMs: 1, key: (o) => o.id }))).toEqualTypeOf<Flow<Order>>();
  expectTypeOf(f.pipe(sample({ notifier: rx.of(1) }))).toEqualTypeOf<Flow<Order>>();
  expectTypeOf(f.pipe(dedupe({ key: (o) => o.id, maxKeys: 1, timestamp: (o) => o.total }))).toEqualTypeOf<
    Flow<Order>
  >();
  expectTypeOf(f.pipe(delayUntil((o) => o.total, { maxHeld: 1 }))).toEqualTypeOf<Flow<Order>>();
  // @ts-expect-error neither a number nor a function
  f.pipe(debounce({}));
  // @ts-expect-error both kinds of it at once
  f.pipe(audit({ durationMs: 1, duration: () => rx.of(1) }));
  // @ts-expect-error no Observable
  f.pipe(throttle({ duration: () => 5 }));
  // @ts-expect-error both kinds of it at once
  f.pipe(sample({ periodMs: 1, notifier: rx.of(1) }));
  // @ts-expect-error an object is no key
  f.pipe(debounce({ durationMs: 1, key: (o) => o }));
  // @ts-expect-error no maxKeys
  f.pipe(dedupe({ key: (o) => o.id }));
  // @ts-expect-error a string is no time
  f.pipe(delayUntil((o) => o.id));
  // @ts-expect-error no such property
  f.pipe(delayUntil((o) => o.nope));
};

const lanes: Check = (f) => {
  expectTypeOf(
    f.pipe(
      groupByKey(
        (o) => o.id,
        (group) => {
          expectTypeOf(group).toEqualTypeOf<KeyGroup<Order, string>>();
          return group.pipe(map((o) => [group.key, o.total] as const));
        },
        { maxKeys: 1, idleMs: 1, onError: skip },
      ),
    ),
  ).toEqualTypeOf<Flow<readonly [string, number]>>();
  expectTypeOf(
    f.pipe(
      partitionBy(
        (o) => o.id,
        (lane, number) => lane.pipe(map((o) => o.total + number)),
        { lanes: 4 },
      ),
    ),
  ).toEqualTypeOf<Flow<number>>();
  expectTypeOf(
    f.pipe(scan((sum, o) => sum + o.total, { seed: () => 0, key: (o) => o.id, maxKeys: 9 })),
  ).toEqualTypeOf<Flow<number>>();
  const byId = (o: Order): string => o.id;
  const plain = rx.map((d: Delivery<Order>) => d);
  // @ts-expect-error there is no bound
  f.pipe(groupByKey(byId, (group) => group, {}));
  // @ts-expect-error a lane answers with a Flow
  f.pipe(groupByKey(byId, (group) => group.pipe(plain), { maxKeys: 1 }));
  const byItself = (o: Order): Order => o;
  // @ts-expect-error an object is no key
  f.pipe(partitionBy(byItself, (lane) => lane, { lanes: 1 }));
};

const switching: Check = (f) => {
  expectTypeOf(
    f.pipe(
      switchByKey((o, { signal }) => rx.of(o.id, signal), { key: (o) => o.id, concurrency: 1, timeoutMs: 1 }),
    ),
  ).toEqualTypeOf<Flow<string | AbortSignal>>();
  expectTypeOf(
    f.pipe(exhaustByKey((o) => rx.of(o.total), { concurrency: 1, maxOutstanding: 3 })),
  ).toEqualTypeOf<Flow<number>>();
  // @ts-expect-error no concurrency
  f.pipe(switchByKey((o) => rx.of(o.id), { key: (o) => o.id }));
  // @ts-expect-error no Observable
  f.pipe(exhaustByKey((o) => o.id, { concurrency: 1 }));
};

const latest: Check = (f) => {
  const rates = rx.of(1);
  expectTypeOf(f.pipe(withLatestFrom(rates))).toEqualTypeOf<Flow<readonly [Order, number]>>();
  expectTypeOf(f.pipe(withLatestFrom(rates, { name: 'rates', onError: skip }))).toEqualTypeOf<
    Flow<readonly [Order, number]>
  >();
  expectTypeOf(f.pipe(withLatestFrom(rates, (o, rate) => `${o.id}${rate.toFixed()}`))).toEqualTypeOf<
    Flow<string>
  >();
  expectTypeOf(f.pipe(withLatestFrom(rates, (o) => o.id, { onError: skip }))).toEqualTypeOf<Flow<string>>();
  // @ts-expect-error a Flow's deliveries would be nobody's
  f.pipe(withLatestFrom(f));
};

const arities: Check = (f) => {
  const n = map((o: Order) => o.total);
  const s = map((o: Order) => o.id);
  const b = map((o: Order) => o.total > 0);
  expectTypeOf(f.pipe(fanOut(n, s, n, s, n, s, n, b))).toEqualTypeOf<Flow<number | string | boolean>>();
  // @ts-expect-error nine branches
  f.pipe(fanOut(n, n, n, n, n, n, n, n, n));
  const yes = (): boolean => true;
  const cn = when(yes, n);
  const cs = when(yes, s);
  expectTypeOf(f.pipe(branch(cn, cs, cn, cs, cn, cs, cn, otherwise(b)))).toEqualTypeOf<
    Flow<number | string | boolean>
  >();
  expectTypeOf(
    f.pipe(
      branch(
        when((o) => o.total > 1, s),
        whenIs(
          (o): o is Order & { total: 0 } => o.total === 0,
          map((o) => o.total),
        ),
        { name: 'by total', onError: (error) => (error.value.total > 0 ? skip : skip) },
      ),
    ),
  ).toEqualTypeOf<Flow<string | 0>>();
  // @ts-expect-error nine cases
  f.pipe(branch(cn, cn, cn, cn, cn, cn, cn, cn, cn));
  // @ts-expect-error a plain retry is no policy
  f.pipe(branch(cn, { onError: rx.retry(3) }));
};

describe('the types of operators', () => {
  it('are checked by tsc', () => {
    for (const check of [keeping, lanes, switching, latest, arities]) expect(check).toBeInstanceOf(Function);
  });
});
