// Whatever stages do, and whenever their flow or claim ends: each record is settled, refused or given up once, and no handle is used twice.
import { describe, expect, it } from '@jest/globals';
import { fc } from '../helpers/fast-check.ts';
import { filter as rxFilter, mergeMap, Observable, of, take, type Subscriber } from 'rxjs';
import type { Delivery } from '../../src/flow/delivery.ts';
import type { Flow } from '../../src/flow/flow.ts';
import { rewind, skip, retry, type ErrorPolicy } from '../../src/flow/policy.ts';
import {
  audit,
  batch,
  branch,
  circuitBreaker,
  countWindow,
  debounce,
  dedupe,
  delayUntil,
  distinct,
  dropping,
  enrich,
  exhaustByKey,
  fanOut,
  filter,
  flatMap,
  hoppingWindow,
  groupByKey,
  map,
  mapAsync,
  merge,
  partitionBy,
  passing,
  perRecord,
  processingTimeWindow,
  rateLimit,
  sample,
  scan,
  sessionWindow,
  switchByKey,
  tap,
  throttle,
  timeout,
  tumblingWindow,
  when,
  withLatestFrom,
} from '../../src/operators/index.ts';
import { VirtualClock } from '../../src/testing/simulation/virtual-clock.ts';
import { ManualSource } from '../flow/manual-source.ts';

type Stage = (flow: Flow<number>) => Flow<number>;

/** Answers that are still to come, in the order in which they were asked for. */
class Answers {
  private readonly open: { readonly out: Subscriber<number>; readonly value: number; left: number }[] = [];

  /** So many answers, each when it is given. */
  ask(value: number, left = 1): Observable<number> {
    return new Observable((out) => void this.open.push({ out, value, left }));
  }

  /** One of what is open gives a value, fails, or ends. */
  give(at: number, how: number): void {
    const index = at % Math.max(1, this.open.length);
    const one = this.open[index];
    if (one === undefined) return;
    const ends = how < 2 || --one.left === 0;
    if (ends) this.open.splice(index, 1);
    if (how === 0) one.out.error(new Error('boom'));
    else if (how > 1) one.out.next(one.value);
    if (how > 0 && ends) one.out.complete();
  }

  finish(): void {
    while (this.open.length > 0) this.give(0, 2);
  }
}

const policies: readonly (ErrorPolicy | undefined)[] = [
  undefined,
  skip,
  retry({ attempts: 3, minDelayMs: 20 }),
  retry({ attempts: 2, minDelayMs: 5 }, skip),
  rewind({ attempts: 3 }),
];

interface Choice {
  readonly kind: number;
  readonly n: number;
  readonly policy: number;
  readonly order: number;
}

const orders = ['input', 'none', 'key'] as const;

/** `delay` on the clock of the test. */
const after = <T>(time: VirtualClock, ms: number, value: T): Observable<T> =>
  new Observable((out) => {
    const timer = time.setTimeout(() => {
      out.next(value);
      out.complete();
    }, ms);
    return () => timer.cancel();
  });

const inPairs: Stage = (flow) =>
  flow.pipe(
    batch({ maxRecords: 2, withinMs: 10 }),
    map((values) => values.length),
  );

function stageOf(
  { kind, n, policy, order }: Choice,
  answers: Answers,
  fails: () => boolean,
  time: VirtualClock,
): Stage {
  const onError = policies[policy % policies.length];
  const ordering = {
    concurrency: 1 + (n % 3),
    order: orders[order % 3]!,
    key: (value: number) => value % 2,
    onError,
  } as const;
  const maybe = <R>(value: R): R => {
    if (fails()) throw new Error('boom');
    return value;
  };
  const duration = n === 0 ? { duration: () => answers.ask(maybe(0)) } : { durationMs: 5 * n };
  const key = (value: number): number => maybe(value) % 2;
  const lanes = n < 4 ? { onError } : { key, maxKeys: 1 + (n % 2), onError };
  const byKey = { key: order === 0 ? undefined : key, concurrency: ordering.concurrency, onError };
  const startMs = time.wallNow();
  const fold = {
    seed: () => 0,
    add: (sum: number, value: number) => sum + maybe(value),
    merge: (one: number, other: number) => one + other,
  };
  const eventTime = {
    ...fold,
    graceMs: n % 5,
    key: (value: number) => value % 2,
    timestamp: (value: number) => maybe(value) - (value % 7),
    onInvalidTimestamp: 'skip',
    onFull: n % 2 === 0 ? 'emit-partial' : 'fail',
    streamTime: n % 4 === 0 ? 'key' : 'partition',
    late: n % 3 === 0 ? 'drop' : mapAsync((value: number) => answers.ask(value), ordering),
    onError,
  } as const;
  const kinds: readonly (() => Stage)[] = [
    () => map((value) => maybe(value + 1), { onError }),
    () => filter((value) => maybe(value % 3 !== 0), { onError }),
    () => tap((value) => void maybe(value), { onError }),
    () =>
      flatMap(
        function* (value) {
          for (let at = 0; at < n % 4; at++) yield maybe(value);
        },
        { onError },
      ),
    () => mapAsync((value) => (value % 3 === 0 ? of(maybe(value)) : answers.ask(maybe(value))), ordering),
    () => perRecord((value) => answers.ask(maybe(value), 1 + (n % 3)), ordering),
    () => (flow) =>
      flow.pipe(
        batch({ maxRecords: 1 + (n % 4), withinMs: 10 * (1 + (n % 3)) }),
        map((values) => values.length),
      ),
    () => (flow) =>
      flow.pipe(
        countWindow({ records: 1 + (n % 4), key: (value) => value % 2 }),
        map((values) => values.length),
      ),
    () => (flow) =>
      flow.pipe(
        tumblingWindow({
          sizeMs: 5,
          graceMs: n % 3,
          key: (value) => value % 2,
          timestamp: (value) => maybe(value),
          onFull: 'emit-partial',
          seed: () => 0,
          add: (sum, value) => sum + maybe(value),
          onError,
        }),
        map(({ value }) => value),
      ),
    () => dropping(take(1 + n), 0),
    () =>
      dropping(
        rxFilter(({ value }) => value % 2 === 0),
        0,
      ),
    () => passing(mergeMap((one) => after(time, n, one))),
    () =>
      fanOut(
        map((value: number) => maybe(value), { onError }),
        (all: Flow<number>) =>
          all.pipe(
            batch<number>({ maxRecords: 3, withinMs: 30 }),
            map((values) => values.length),
          ),
      ),
    () =>
      fanOut(
        dropping<number>(take(1 + (n % 3)), 0),
        mapAsync((value: number) => answers.ask(value), ordering),
      ),
    () =>
      branch(
        when((value) => maybe(value % 3 === 0), inPairs),
        when(
          (value) => value % 3 === 1,
          map((value) => value + 1),
        ),
      ),
    () => scan((sum, value) => sum + maybe(value), { seed: () => 0, key: (value) => value % 2, onError }),
    () => distinct({ key: (value) => maybe(value) % 4, maxKeys: 1 + (n % 3), onError }),
    () =>
      withLatestFrom(n === 0 ? answers.ask(0) : after(time, 20 * (n % 3), n), (value) => maybe(value), {
        onError,
      }),
    () => debounce({ ...duration, ...lanes }),
    () => audit({ ...duration, ...lanes }),
    () => sample({ ...lanes, ...(n === 0 ? { notifier: answers.ask(0, 3) } : { periodMs: 7 * n }) }),
    () =>
      throttle({ ...duration, ...lanes, ...(order === 0 ? {} : { leading: order === 1, trailing: true }) }),
    () => dedupe({ key: (value) => maybe(value) % 4, maxKeys: 1 + (n % 3), onError }),
    () =>
      groupByKey(
        (value) => maybe(value) % 3,
        (group) =>
          n % 2 === 0 ? inPairs(group) : group.pipe(mapAsync((value) => answers.ask(value), ordering)),
        { maxKeys: 1 + (n % 3), idleMs: n > 4 ? 30 : undefined, onError },
      ),
    () =>
      partitionBy(
        (value) => maybe(value),
        (lane, number) => (number % 2 === 0 ? inPairs(lane) : lane.pipe(map((value) => value + 1))),
        { lanes: 1 + (n % 3), onError },
      ),
    () => switchByKey((value) => answers.ask(maybe(value), 1 + (n % 3)), byKey),
    () => exhaustByKey((value) => answers.ask(maybe(value), 1 + (n % 3)), byKey),
    () => delayUntil((value) => startMs + maybe(value) * 3 * (n % 5), { maxHeld: n % 4, onError }),
    () => timeout({ withinMs: 5 + 10 * n, onError }),
    () =>
      rateLimit({
        records: 1 + (n % 3),
        perMs: 5 * (1 + (n % 4)),
        burst: 1 + (n % 2),
        weight: (value) => maybe(value) % 2,
        onError,
      }),
    () =>
      circuitBreaker((value) => answers.ask(maybe(value)), {
        ...ordering,
        opensAfter: n % 2 === 0 ? { failures: 1 + (n % 3) } : { rate: 0.5, calls: 1 + (n % 3) },
        halfOpenAfterMs: 5 * n,
        whenOpen: n % 3 === 0 ? 'fail' : 'pause',
      }),
    () =>
      enrich({
        ...ordering,
        key: (value: number) => maybe(value) % 3,
        lookup: (of) => answers.ask(maybe(of)),
        combine: (value: number, found: number) => maybe(value + found),
        ttlMs: 20 * (n % 3),
        maxEntries: 1 + (n % 2),
      }),
    () => mapAsync((value) => answers.ask(maybe(value)), { ...ordering, timeoutMs: 5 + 5 * n }),
    () => perRecord((value) => answers.ask(maybe(value), 1 + (n % 3)), { ...ordering, timeoutMs: 5 + 5 * n }),
    () => (flow) =>
      flow.pipe(
        hoppingWindow({
          ...eventTime,
          sizeMs: 6,
          advanceMs: 1 + (n % 4),
          emit: n % 3 === 0 ? 'updates' : 'final',
        }),
        map(({ value }) => value),
      ),
    () => (flow) =>
      n % 3 === 0
        ? flow.pipe(
            sessionWindow({ ...eventTime, gapMs: 1 + (n % 4), emit: 'updates' }),
            map(({ value }) => value ?? 0),
          )
        : flow.pipe(
            sessionWindow({ ...eventTime, gapMs: 1 + (n % 4) }),
            map(({ value }) => value),
          ),
    () => (flow) =>
      flow.pipe(
        processingTimeWindow({ ...fold, sizeMs: 10 * (1 + (n % 3)), key: (value) => value % 2, onError }),
        map(({ value }) => value),
      ),
  ];
  return kinds[kind % kinds.length]!();
}

const choices = fc.array(fc.record({ kind: fc.nat(36), n: fc.nat(8), policy: fc.nat(4), order: fc.nat(2) }), {
  minLength: 1,
  maxLength: 4,
});
/** At these calls of user functions a source runs out of credit. */
const presses = fc.array(fc.nat(20), { maxLength: 3 });
const events = fc.array(fc.tuple(fc.nat(19), fc.nat(20), fc.nat(6)), { minLength: 5, maxLength: 60 });

const keepsOrder = ({ kind, n, order }: Choice): boolean =>
  kind < 4 ||
  ((kind === 4 || kind === 5) && order === 0) ||
  kind === 6 ||
  kind === 9 ||
  kind === 10 ||
  (kind > 14 && kind < 18) ||
  (kind > 17 && kind < 22 && n < 4) ||
  kind === 29 ||
  (kind > 29 && kind < 34 && order === 0);

describe('stages, in any order and with anything happening', () => {
  it('settle, refuse or give up each record once', async () => {
    await fc.assert(
      fc.asyncProperty(
        choices,
        events,
        fc.nat(3),
        fc.nat(5),
        presses,
        async (chosen, steps, end, mode, pressed) => {
          const answers = new Answers();
          let failing = 0;
          let value = 0;
          let calls = 0;
          const fails = (): boolean => {
            if (pressed.includes(calls++)) sources[calls % 2]!.press();

            return failing > 0 && failing-- > 0;
          };
          const time = new VirtualClock();
          // With a credit, one that settles brings the next, from within.
          const credit = mode > 2 ? 1 + (mode % 3) : Infinity;
          const sources = [new Source(time, credit), new Source(time, credit)];
          let flow: Flow<number> = merge(...sources.map((source) => source.flow));
          for (const choice of chosen) flow = stageOf(choice, answers, fails, time)(flow);
          const kept: Delivery<number>[] = [];
          const seen: (readonly (readonly [AbortSignal, number])[])[] = [];
          const ended: unknown[] = [];
          let late = 0;
          let stopped = false;
          const subscription = flow.subscribe({
            next: (delivery) => {
              if (ended.length > 0) late++;
              for (const { source, sequence } of delivery.origins) {
                expect(source).toBe('marbles');
                expect(sequence).toBeGreaterThanOrEqual(0);
              }
              seen.push(delivery.origins.map(({ revoking, sequence }) => [revoking, sequence]));
              if (mode % 2 === 0) delivery.ack();
              else kept.push(delivery);
            },
            error: (cause: unknown) => ended.push(cause),
            complete: () => ended.push('complete'),
          });
          for (const [what, a, b] of steps) {
            const source = sources[a % 2]!;
            if (what < 8) source.hand(value++);
            else if (what < 11) answers.give(a, b);
            else if (what < 14) {
              const [one] = kept.splice(a % Math.max(1, kept.length), 1);
              if (b === 0) one?.nack(new Error('no'));
              else if (b === 1) one?.hold();
              else one?.ack();
              if (b === 1 && one !== undefined) kept.push(one);
            } else if (what === 14) await time.advance(b * 5);
            else if (what === 15) failing += 1 + (b % 3);
            else if (what === 16 && b === 0) source.giveAway();
            else if (what === 17 && b === 0) source.take();
            else if (what === 18) source.press();
            else if (what === 19 && a === 0 && b === 0) {
              stopped = true;
              subscription.unsubscribe();
            } else await time.settle();
          }
          if (end === 0) subscription.unsubscribe();
          else if (end === 1) for (const source of sources) source.breakDown();
          else for (const source of sources) source.complete();
          for (let round = 0; round < 30; round++) {
            failing = 0;
            answers.finish();
            for (const delivery of kept.splice(0)) delivery.ack();
            await time.advance(200);
          }
          for (const source of sources) {
            expect(source.problems).toEqual([]);
            expect(source.unanswered()).toEqual([]);
            expect(source.twice()).toEqual([]);
          }
          if (chosen.every(keepsOrder)) {
            const last = new Map<AbortSignal, number>();
            for (const [signal, sequence] of seen.flatMap((origins) => origins.slice(0, 1))) {
              expect(sequence).toBeGreaterThanOrEqual(last.get(signal) ?? 0);
              last.set(signal, sequence);
            }
          }
          expect(ended.length).toBeLessThanOrEqual(1);
          expect(late).toBe(0);
          if (end >= 2 && !stopped) expect(ended).toHaveLength(1);
          expect(time.pendingTimers).toBe(0);
        },
      ),
      { numRuns: 500 },
    );
  });
});

class Source extends ManualSource<number> {
  private over = false;

  private readonly limit: number;
  private readonly queue: number[] = [];

  constructor(time: VirtualClock, credit: number) {
    super();
    this.limit = credit;
    Object.assign(this, { clock: time });
  }

  hand(value: number): void {
    this.queue.push(value);
    this.handQueued();
  }

  override settle(sequence: number): void {
    super.settle(sequence);
    this.handQueued();
  }

  private handQueued(): void {
    while (!this.over && this.subscriber?.closed === false && this.inFlight < this.limit) {
      const value = this.queue.shift();
      if (value === undefined) return;
      this.emit(value);
    }
    if (this.queue.length > 0 && !this.pressed && !this.over) this.press();
  }

  override complete(): void {
    if (this.over) return;
    this.over = true;
    super.complete();
  }

  breakDown(): void {
    if (this.over) return;
    this.over = true;
    this.error(new Error('source'));
  }

  giveAway(): void {
    if (this.over) return;
    this.revoke();
    this.complete();
  }

  take(): void {
    if (this.over) return;
    this.lose();
    this.complete();
  }

  /** Records that nobody answered for. */
  unanswered(): string[] {
    const answered = new Set(this.events.filter(({ kind }) => kind !== 'hold').map(({ mark }) => mark));
    return [...this.all].filter((mark) => !answered.has(mark));
  }

  twice(): string[] {
    const marks = this.events.filter(({ kind }) => kind !== 'hold').map(({ mark }) => mark);
    return marks.filter((mark, at) => marks.indexOf(mark) !== at);
  }

  private readonly all: string[] = [];

  override handOver(mark: string): number {
    this.all.push(mark);
    return super.handOver(mark);
  }
}
