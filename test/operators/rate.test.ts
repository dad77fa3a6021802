// debounce, audit, sample and throttle: the same as RxJS's on one claim, and what becomes of the records.
import { describe, expect, it } from '@jest/globals';
import { fc } from '../helpers/fast-check.ts';
import * as rx from 'rxjs';
import type { Flow } from '../../src/flow/flow.ts';
import type { Op } from '../../src/flow/op.ts';
import {
  audit,
  batch,
  debounce,
  eachClaim,
  map,
  merge,
  retry,
  sample,
  skip,
  throttle,
} from '../../src/operators/index.ts';
import { testFlow } from '../../src/testing/marbles.ts';
import { collect, ManualSource } from '../flow/manual-source.ts';
import { both, diagrams, oursOn, rxjsOn } from './beside-rxjs.ts';

const mergeOf = (sources: readonly ManualSource<string>[]): Flow<string> =>
  merge<string[]>(...sources.map((source) => source.flow));
/** Two claims on one clock. */
function twoClaims(): readonly [ManualSource<string>, ManualSource<string>] {
  const [one, other] = [new ManualSource<string>(), new ManualSource<string>()];
  Object.assign(other, { clock: one.time });
  return [one, other];
}
const durations = fc.integer({ min: 1, max: 5 });
const isUpper = (value: string): string => (value === 'a' ? 'first' : 'second');

/** As RxJS's operator on each group. */
const grouped =
  (operator: rx.MonoTypeOperatorFunction<string>): rx.MonoTypeOperatorFunction<string> =>
  (values) =>
    values.pipe(
      rx.groupBy(isUpper),
      rx.mergeMap((group) => group.pipe(operator)),
    );

const isSame = (
  diagram: string,
  ours: Op<string, string>,
  rxjs: rx.MonoTypeOperatorFunction<string>,
): void => {
  const seen = both(diagram, ours, rxjs);
  expect(seen.ours).toEqual(seen.rxjs);
};

/** For the keys of one claim: what is due in the same millisecond has no order among keys. */
const isSameByKey = (
  diagram: string,
  ours: Op<string, string>,
  rxjs: rx.MonoTypeOperatorFunction<string>,
): void => {
  const seen = both(diagram, ours, grouped(rxjs));
  expect([...seen.ours].sort()).toEqual([...seen.rxjs].sort());
};

describe('on one claim', () => {
  it('debounce emits what RxJS’s emits, when it does', () => {
    fc.assert(
      fc.property(diagrams, durations, (diagram, durationMs) => {
        isSame(diagram, debounce({ durationMs }), rx.debounceTime(durationMs));
        isSameByKey(diagram, debounce({ durationMs, key: isUpper }), rx.debounceTime(durationMs));
        const duration = (value: string): rx.Observable<unknown> =>
          value === 'c' ? rx.of(1) : value === 'b' ? rx.timer(durationMs) : rx.timer(2 * durationMs, 1);
        isSame(diagram, debounce({ duration }), rx.debounce(duration));
      }),
    );
  });

  it('audit emits what RxJS’s emits, when it does', () => {
    fc.assert(
      fc.property(diagrams, durations, (diagram, durationMs) => {
        isSame(diagram, audit({ durationMs }), rx.auditTime(durationMs));
        isSameByKey(diagram, audit({ durationMs, key: isUpper }), rx.auditTime(durationMs));
        const duration = (value: string): rx.Observable<unknown> =>
          value === 'c' ? rx.of(1) : rx.timer(durationMs, 1);
        isSame(diagram, audit({ duration }), rx.audit(duration));
      }),
    );
  });

  it('throttle emits what RxJS’s emits, when it does', () => {
    const modes = fc.constantFrom({}, { leading: true, trailing: true }, { leading: false, trailing: true });
    fc.assert(
      fc.property(diagrams, durations, modes, (diagram, durationMs, mode) => {
        isSame(diagram, throttle({ durationMs, ...mode }), rx.throttleTime(durationMs, undefined, mode));
        isSameByKey(
          diagram,
          throttle({ durationMs, ...mode, key: isUpper }),
          rx.throttleTime(durationMs, undefined, mode),
        );
        const duration = (value: string): rx.Observable<unknown> =>
          value === 'c' ? rx.timer(1) : rx.timer(durationMs, 1);
        isSame(diagram, throttle({ duration, ...mode }), rx.throttle(duration, mode));
      }),
    );
  });

  it('sample emits what RxJS’s emits, and what is left at the end', () => {
    fc.assert(
      fc.property(diagrams, durations, (diagram, periodMs) => {
        const rxjs = rxjsOn(diagram, rx.sampleTime(periodMs));
        const ours = oursOn(diagram, sample({ periodMs }));
        const end = rxjs.at(-1)!;
        const atEnd = ours.filter((one) => one.split(':')[0] === end.split(':')[0]);
        expect(ours.slice(0, ours.length - atEnd.length)).toEqual(
          rxjs.filter((one) => one.split(':')[0] !== end.split(':')[0]),
        );
        expect(atEnd.at(-1)).toBe(end);
        expect(atEnd.length).toBeLessThanOrEqual(2);
      }),
    );
  });

  it('sample looks when its notifier says so, and goes on when that has completed', () => {
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const source = flow('ab-c--d-|');
      const notifier = rx.timer(2, 2).pipe(rx.take(2));
      expectFlow(source.pipe(sample({ notifier }))).toBe('--b-c---(d|)');
      expectAcks(source).toBe('-ab-c---d');
    });
  });
});

interface Case {
  readonly name: string;
  /** Keeps the latest value until it is told otherwise: 1,000 ms. */
  readonly stage: (options?: object) => Op<string, string>;
}

const cases: readonly Case[] = [
  { name: 'debounce', stage: (options) => debounce({ durationMs: 1_000, ...options }) },
  { name: 'audit', stage: (options) => audit({ durationMs: 1_000, ...options }) },
  { name: 'sample', stage: (options) => sample({ periodMs: 1_000, ...options }) },
  {
    name: 'throttle',
    stage: (options) => throttle({ durationMs: 1_000, leading: false, trailing: true, ...options }),
  },
];

describe.each(cases)('$name', ({ name, stage }) => {
  const byCase = { key: (x: string) => x.toLowerCase() };

  it('acknowledges a value when the next takes its place, and leaves the one that is emitted to what follows', async () => {
    const source = new ManualSource<string>();
    const out = collect(source.flow.pipe(stage()), { ack: false });
    for (const value of 'abc') source.emit(value);
    expect(source.marked('ack')).toBe('a b');
    await source.time.advance(1_000);
    expect(out.values).toEqual(['c']);
    expect(source.marked('ack')).toBe('a b');
    out.deliveries[0]!.ack();
    expect(source.marked('ack')).toBe('a b c');
    expect(source.problems).toEqual([]);
  });

  it('keeps the latest of each key', async () => {
    const source = new ManualSource<string>();
    const out = collect(source.flow.pipe(stage(byCase)));
    for (const value of 'abAB') source.emit(value);
    expect(source.marked('ack')).toBe('a b');
    await source.time.advance(1_000);
    expect(out.values.join('')).toBe('AB');
    expect(source.time.pendingTimers).toBe(name === 'throttle' ? 2 : 0);
  });

  it('keeps the latest of each claim: another claim’s value takes nobody’s place', async () => {
    const sources = twoClaims();
    const out = collect(mergeOf(sources).pipe(stage()));
    sources[0].emit('a');
    sources[1].emit('b');
    expect(sources[0].events).toEqual([]);
    await sources[0].time.advance(1_000);
    expect(out.values).toEqual(['a', 'b']);
  });

  it('emits what it keeps when its claim is given away, and what comes of it afterwards at once', async () => {
    const sources = twoClaims();
    const out = collect(mergeOf(sources).pipe(stage()));
    sources[0].emit('a');
    sources[1].emit('b');
    sources[0].revoke();
    expect(out.values).toEqual(['a']);
    sources[0].emit('c');
    expect(out.values).toEqual(['a', 'c']);
    expect(sources[0].marked('ack')).toBe('a c');
    expect(sources[1].events).toEqual([]);
    await sources[0].time.advance(2_000);
    expect(out.values).toEqual(['a', 'c', 'b']);
  });

  it('leaves what it keeps unsettled when its claim is lost, and goes on with the others', async () => {
    const sources = twoClaims();
    const out = collect(mergeOf(sources).pipe(stage()));
    sources[0].emit('a');
    sources[1].emit('b');
    sources[0].lose();
    expect(sources[0].marked('give-up')).toBe('a');
    await sources[0].time.advance(1_000);
    expect(out.values).toEqual(['b']);
  });

  it('keeps nothing that comes of a claim when it is lost already, and lets go of nothing for it', async () => {
    const sources = twoClaims();
    const pairs = batch<string>({ maxRecords: 2, withinMs: 0 });
    const values = mergeOf(sources).pipe(
      pairs,
      map((pair) => pair.join('')),
    );
    const out = collect(values.pipe(stage()));
    sources[0].emit('a');
    sources[1].emit('b');
    sources[0].lose();
    sources[0].emit('c');
    expect(sources[0].marked('give-up')).toBe('c');
    expect(sources[1].events).toEqual([]);
    await sources[0].time.advance(1_000);
    expect(out.values).toEqual(['ab']);
    expect(sources[1].marked('ack')).toBe('b');
  });

  it('leaves what it keeps unsettled when the flow is unsubscribed, or fails', () => {
    const source = new ManualSource<string>();
    const out = collect(source.flow.pipe(stage()));
    source.emit('a');
    out.stop();
    expect(source.marked('give-up')).toBe('a');
    expect(source.time.pendingTimers).toBe(0);
    const broken = new ManualSource<string>();
    const failed = collect(broken.flow.pipe(stage()));
    broken.emit('a');
    broken.error('broken');
    expect(failed.ended).toEqual(['broken']);
    expect(broken.marked('give-up')).toBe('a');
    expect(broken.marked('ack')).toBe('');
    expect(broken.time.pendingTimers).toBe(0);
  });

  it('emits what it keeps when the source is out of credit and waits for it', () => {
    const source = new ManualSource<string>();
    const out = collect(source.flow.pipe(stage(byCase)));
    for (const value of 'abc') source.emit(value);
    source.press();
    expect(out.values.join('')).toBe('abc');
    expect(source.marked('ack')).toBe('a b c');
  });

  it('goes on by itself under a credit of one', async () => {
    const source = new ManualSource<string>(1);
    const out = collect(source.flow.pipe(stage()));
    source.emitAll('abcd');
    expect(out.values.length).toBeGreaterThanOrEqual(3);
    // The last waits for its duration, as in RxJS.
    await source.time.advance(1_000);
    expect(out.values.join('')).toBe('abcd');
    expect(source.marked('ack')).toBe('a b c d');
    expect(out.ended).toEqual(['complete']);
  });

  it('keeps its wits when an acknowledgement brings the next value of the lane', () => {
    const source = new ManualSource<string>(2);
    const out = collect(source.flow.pipe(stage()));
    source.emitAll('abcde', { complete: false });
    expect(source.marked('ack').split(' ').length + source.inFlight).toBeGreaterThanOrEqual(5);
    source.complete();
    expect(source.inFlight).toBeLessThanOrEqual(name === 'debounce' || name === 'sample' ? 0 : 1);
    expect(source.problems).toEqual([]);
    expect(new Set(source.marked('ack').split(' ')).size).toBe(source.marked('ack').split(' ').length);
    out.stop();
  });

  it('ends the lane that was quiet for longest when there are too many', async () => {
    const source = new ManualSource<string>();
    const out = collect(source.flow.pipe(stage({ ...byCase, maxKeys: 2 })));
    for (const value of 'abAc') source.emit(value);
    expect(out.values).toEqual(['b']);
    await source.time.advance(1_000);
    expect(out.values.sort()).toEqual(['A', 'b', 'c']);
    expect(source.inFlight).toBe(0);
  });

  it('follows its policy for a key that throws, and keeps its order over the retries', async () => {
    let failures = 1;
    const key = (x: string): string => {
      if (x === 'b' && failures-- > 0) throw new Error('boom');
      if (x === 'd') throw new Error('bad');
      return 'all';
    };
    const source = new ManualSource<string>();
    const onError = retry({ attempts: 2, minDelayMs: 5 }, skip);
    const out = collect(source.flow.pipe(stage({ key, name: 'mine', onError })));
    for (const value of 'abcd') source.emit(value);
    await source.time.advance(5);
    expect(source.marked('ack')).toBe('a b');
    await source.time.advance(1_000);
    expect(out.values).toEqual(['c']);
    expect(source.marked('ack')).toBe('a b d c');
    const failed = new ManualSource<string>();
    collect(failed.flow.pipe(stage({ key: () => ({}) as string, name: 'mine' })));
    failed.emit('a');
    expect(failed.events).toMatchObject([{ kind: 'nack', cause: { stage: 'mine' } }]);
  });

  it('lets go of what it keeps with the end of its claim, in eachClaim and outside', () => {
    testFlow(({ claims, expectFlow, expectAcks }) => {
      const source = claims({ 'letters-0': 'ab-!', 'letters-1': '-c---|' });
      const lanes = eachClaim<string, string>((claim) =>
        claim.pipe(
          stage(),
          map((x) => x),
        ),
      );
      expectFlow(source.pipe(lanes), '----------!').toBe(
        name === 'debounce' || name === 'sample' ? '---b-(c|)' : '---b------',
      );
      expectAcks(source).toBe({
        'letters-0': '-a-b',
        'letters-1': name === 'debounce' || name === 'sample' ? '-----c' : '',
      });
    });
  });

  it('refuses options that make no sense', () => {
    expect(() => stage({ maxKeys: 0 })).toThrow(/maxKeys/);
    expect(() => stage({ key: 'id' })).toThrow(/key/);
    expect(() => stage({ durationMs: -1, periodMs: -1 })).toThrow(/durationMs|periodMs/);
    expect(() => stage({ duration: () => rx.NEVER, notifier: rx.of(1) })).toThrow(/not both/);
    expect(() => stage({ onError: 1 as never })).toThrow(/onError/);
  });
});

it('what is emitted at the end comes before the end, whatever it sets off', () => {
  const sources = twoClaims();
  const pressing = map((value: string) => {
    if (value === 'a') sources[1].press();
    return value;
  });
  const out = collect(
    mergeOf(sources).pipe(
      debounce({ durationMs: 10 }),
      pressing,
      map((value) => value),
    ),
  );
  sources[0].emit('a');
  sources[1].emit('b');
  for (const source of sources) source.complete();
  expect(out.values).toEqual(['b', 'a']);
  expect(out.ended).toEqual(['complete']);
  expect(sources.map((source) => source.marked('ack'))).toEqual(['a', 'b']);
});

describe('a duration of the user’s', () => {
  it('that fails ends the flow, and leaves what is kept unsettled', async () => {
    for (const operator of [debounce, audit]) {
      const source = new ManualSource<string>();
      const failing = new rx.Subject<void>();
      const out = collect(source.flow.pipe(operator<string>({ duration: () => failing })));
      source.emit('a');
      failing.error('broken');
      expect(out.ended).toEqual(['broken']);
      expect(source.marked('give-up')).toBe('a');
      expect(source.marked('ack')).toBe('');
    }
    const source = new ManualSource<string>();
    const notifier = new rx.Subject<void>();
    const out = collect(source.flow.pipe(sample<string>({ notifier })));
    source.emit('a');
    notifier.error('broken');
    expect(out.ended).toEqual(['broken']);
    expect(source.marked('give-up')).toBe('a');
    await source.time.settle();
  });

  it('is a failure of its value when the function throws, or answers with something else', () => {
    const duration = (x: string): rx.Observable<unknown> => {
      if (x === 'b') throw new Error('boom');
      return x === 'c' ? (5 as never) : rx.NEVER;
    };
    for (const operator of [debounce, audit, throttle]) {
      const source = new ManualSource<string>();
      const out = collect(source.flow.pipe(operator<string>({ duration, key: (x) => x, onError: skip })));
      for (const value of 'abc') source.emit(value);
      expect(source.marked('ack')).toBe(operator === throttle ? 'a b c' : 'b c');
      source.complete();
      out.stop();
    }
  });

  it('of a throttle’s trailing value that throws is a failure of that value', async () => {
    const source = new ManualSource<string>();
    const duration = (x: string): rx.Observable<unknown> => {
      if (x === 'b') throw new Error('boom');
      return ends;
    };
    const ends = new rx.Subject<void>();
    const out = collect(source.flow.pipe(throttle<string>({ duration, trailing: true, onError: skip })));
    source.emit('a');
    source.emit('b');
    ends.next();
    expect(out.values).toEqual(['a']);
    expect(source.marked('ack')).toBe('a b');
    await source.time.settle();
  });

  it('that completes silently emits nothing until the next value or the end, which drops nothing', () => {
    const source = new ManualSource<string>();
    const out = collect(source.flow.pipe(audit<string>({ duration: () => rx.EMPTY })));
    for (const value of 'ab') source.emit(value);
    expect(source.marked('ack')).toBe('a');
    source.complete();
    expect(out.values).toEqual(['b']);
    expect(out.ended).toEqual(['complete']);
  });
});

it('throttle without leading and trailing makes no sense', () => {
  expect(() => throttle({ durationMs: 1, leading: false })).toThrow(/trailing/);
});
