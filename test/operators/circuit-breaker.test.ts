import { describe, expect, it } from '@jest/globals';
import { defer, NEVER, of, throwError, timer, map as rxMap } from 'rxjs';
import { CircuitOpenError } from '../../src/errors.ts';
import {
  circuitBreaker,
  retry,
  skip,
  type Circuit,
  type CircuitBreakerOptions,
} from '../../src/operators/index.ts';
import { testFlow } from '../../src/testing/marbles.ts';
import { collect, ManualSource } from '../flow/manual-source.ts';

const boom = new Error('boom');
const basis = {
  concurrency: 1,
  order: 'input',
  opensAfter: { failures: 2 },
  halfOpenAfterMs: 5,
  whenOpen: 'pause',
} as const satisfies CircuitBreakerOptions<string> & { order: 'input' };

/** Fails while `down` says so. */
const service = (down: () => boolean) => (x: string) =>
  defer(() => (down() ? throwError(() => boom) : of(x)));

/** A source, what comes out of it through a breaker, and its circuit. */
function rig(more: Partial<CircuitBreakerOptions<string>> & { order?: 'none' } = {}) {
  const source = new ManualSource<string>();
  const state = { down: true, calls: [] as string[] };
  const circuits: Circuit[] = [];
  const stage = circuitBreaker(
    (x: string) => {
      state.calls.push(x);
      return state.down ? throwError(() => boom) : of(x);
    },
    { ...basis, onError: skip, onCircuit: (circuit) => circuits.push(circuit), ...more },
  );
  return { source, state, circuits, out: collect(source.flow.pipe(stage)) };
}

describe('circuitBreaker', () => {
  it('is mapAsync while all goes well', () => {
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const source = flow('abc|');
      const slow = (x: string) => timer(x === 'a' ? 4 : 1).pipe(rxMap(() => x));
      expectFlow(source.pipe(circuitBreaker(slow, { ...basis, concurrency: 3 }))).toBe('----(abc|)');
      expectAcks(source).toBe('----(abc)');
    });
  });

  it('opens after failures in a row, pauses, and closes when the one call that is let through succeeds', () => {
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const source = flow('abcd|');
      let calls = 0;
      const down = (): boolean => calls++ < 2;
      expectFlow(source.pipe(circuitBreaker(service(down), { ...basis, onError: skip }))).toBe('------(cd|)');
      expectAcks(source).toBe('ab----(cd)');
    });
  });

  it('opens again when that call fails, which costs its record an attempt and the others nothing', async () => {
    const { source, state, circuits, out } = rig({ onError: retry({ attempts: 4, minDelayMs: 1 }, skip) });
    source.emitAll('abc');
    expect(state.calls).toEqual(['a', 'b']);
    expect(circuits).toEqual(['open']);
    await source.time.advance(5);
    expect(state.calls).toEqual(['a', 'b', 'a']);
    expect(circuits).toEqual(['open', 'half-open', 'open']);
    state.down = false;
    await source.time.advance(5);
    expect(out.values).toEqual(['a', 'b', 'c']);
    expect(circuits.slice(3)).toEqual(['half-open', 'closed']);
    expect(out.ended).toEqual(['complete']);
    expect(source.time.pendingTimers).toBe(0);
  });

  it('fails calls at once while it is open, where that is wanted, and says so', async () => {
    const errors: unknown[] = [];
    const { source, state, out } = rig({
      whenOpen: 'fail',
      onError: (error) => (errors.push(error.cause), skip),
    });
    source.emitAll('abcd', { complete: false });
    expect(state.calls).toEqual(['a', 'b']);
    expect(errors).toEqual([boom, boom, expect.any(CircuitOpenError), expect.any(CircuitOpenError)]);
    expect(source.marked('ack')).toBe('a b c d');
    state.down = false;
    await source.time.advance(5);
    source.emit('e');
    expect(out.values).toEqual(['e']);
  });

  it('lets one call through when it is half open, and the others wait or fail', async () => {
    for (const whenOpen of ['pause', 'fail'] as const) {
      const { source, state, circuits } = rig({ whenOpen, concurrency: 9 });
      source.emitAll('ab', { complete: false });
      await source.time.advance(5);
      expect(circuits).toEqual(['open', 'half-open']);
      state.calls = [];
      Object.assign(state, { down: false });
      source.emitAll('cde', { complete: false });
      expect(state.calls).toEqual(['c', 'd', 'e']);
    }
    const source = new ManualSource<string>();
    let fails = true;
    const calls: string[] = [];
    const stage = circuitBreaker(
      (x: string) => {
        calls.push(x);
        return fails ? throwError(() => boom) : NEVER;
      },
      { ...basis, concurrency: 9, onError: skip },
    );
    collect(source.flow.pipe(stage));
    source.emitAll('ab', { complete: false });
    fails = false;
    await source.time.advance(5);
    source.emitAll('cde', { complete: false });
    expect(calls).toEqual(['a', 'b', 'c']);
  });

  it('lets the next call decide when the one that was to decide is given up', async () => {
    const [source, other] = [new ManualSource<string>(), new ManualSource<string>()];
    const answers = { fails: throwError(() => boom), hangs: NEVER, works: of('d') };
    let how: keyof typeof answers = 'fails';
    const circuits: Circuit[] = [];
    const stage = circuitBreaker((_: string) => answers[how], {
      ...basis,
      concurrency: 2,
      onError: skip,
      onCircuit: (circuit) => circuits.push(circuit),
    });
    const out = collect(source.flow.pipe(stage));
    source.emitAll('ab', { complete: false });
    await source.time.advance(5);
    how = 'hangs';
    source.subscriber!.next(other.emit('c'));
    how = 'works';
    source.emit('d');
    expect(out.values).toEqual([]);
    other.lose();
    expect(out.values).toEqual(['d']);
    expect(circuits).toEqual(['open', 'half-open', 'closed']);
    expect(other.marked('give-up')).toBe('c');
  });

  it('opens by the rate of failures among the last calls', () => {
    const { source, state, circuits } = rig({ opensAfter: { rate: 0.5, calls: 4 } });
    source.emitAll('aa', { complete: false });
    expect(circuits).toEqual([]);
    state.down = false;
    source.emitAll('bb', { complete: false });
    expect(circuits).toEqual([]);
    state.down = true;
    source.emitAll('aaa', { complete: false });
    expect(circuits).toEqual(['open']);
  });

  it('does not count what isFailure says is none, and takes it for a sign of life', async () => {
    const refused = new Error('404');
    const { source, state, circuits } = rig({ isFailure: (cause) => cause !== refused });
    source.emit('a');
    state.down = false;
    source.emit('b');
    state.down = true;
    source.emit('c');
    expect(circuits).toEqual([]);
    const only = rig({ isFailure: () => false });
    only.source.emitAll('abcdef');
    expect(only.circuits).toEqual([]);
    await only.source.time.settle();
  });

  it('ignores what calls come to that were under way when it opened', async () => {
    const source = new ManualSource<string>();
    const answers: ((ok: boolean) => void)[] = [];
    const circuits: Circuit[] = [];
    const stage = circuitBreaker(
      (x: string) =>
        new Promise<string>((resolve, reject) => answers.push((ok) => (ok ? resolve(x) : reject(boom)))),
      { ...basis, concurrency: 4, onError: skip, onCircuit: (circuit) => circuits.push(circuit) },
    );
    const out = collect(source.flow.pipe(stage));
    source.emitAll('abcd', { complete: false });
    answers[0]!(false);
    answers[1]!(false);
    await source.time.settle();
    expect(circuits).toEqual(['open']);
    answers[2]!(true);
    answers[3]!(false);
    await source.time.settle();
    expect(circuits).toEqual(['open']);
    expect(out.values).toEqual(['c']);
    await source.time.advance(5);
    expect(circuits).toEqual(['open', 'half-open']);
  });

  it('counts time that is over', async () => {
    const source = new ManualSource<string>();
    const circuits: Circuit[] = [];
    const stage = circuitBreaker(() => NEVER, {
      ...basis,
      timeoutMs: 2,
      onError: skip,
      onCircuit: (circuit) => circuits.push(circuit),
    });
    collect(source.flow.pipe(stage));
    source.emitAll('ab', { complete: false });
    await source.time.advance(4);
    expect(circuits).toEqual(['open']);
  });

  it('leaves what waits while it is open to the next owner when its claim is given away', () => {
    testFlow(({ flow, expectFlow, expectSettlements, revoke }) => {
      const source = flow('abcd|');
      revoke(source, '-----!');
      const stage = circuitBreaker(
        service(() => true),
        { ...basis, halfOpenAfterMs: 50, onError: skip },
      );
      expectFlow(source.pipe(stage)).toBe('-----|');
      expectSettlements(source).toBe('ab---(CD)', { C: 'give-up c', D: 'give-up d' });
    });
    const { source, out } = rig({ order: 'none', concurrency: 3 });
    source.emitAll('ab', { complete: false });
    source.revoke();
    source.emitAll('c');
    expect(source.marked('give-up')).toBe('c');
    expect(out.ended).toEqual(['complete']);
    expect(source.time.pendingTimers).toBe(0);
  });

  it('gives up what waits when the claim is lost or the flow unsubscribed, and leaves no timer', () => {
    const one = rig();
    one.source.emitAll('abcd', { complete: false });
    one.out.stop();
    expect(one.source.marked('give-up')).toBe('c d');
    expect(one.source.time.pendingTimers).toBe(0);
    const other = rig();
    other.source.emitAll('abcd');
    other.source.lose();
    return other.source.time.advance(5).then(() => {
      expect(other.source.marked('give-up')).toBe('c d');
      expect(other.out.ended).toEqual(['complete']);
    });
  });

  it('keeps order when settling brings the next value inside', () => {
    const source = new ManualSource<number>(3);
    const out = collect(source.flow.pipe(circuitBreaker((x: number) => of(x), { ...basis, concurrency: 2 })));
    const all = Array.from({ length: 500 }, (_, at) => at);
    source.emitAll(all);
    expect(out.values).toEqual(all);
    expect(source.problems).toEqual([]);
  });

  it('ends the flow when onCircuit throws', () => {
    const { source, out } = rig({
      onCircuit: () => {
        throw boom;
      },
    });
    source.emitAll('abc', { complete: false });
    expect(out.ended).toEqual([boom]);
  });

  it('checks its options', () => {
    const make = (more: object) => () => circuitBreaker((x: string) => of(x), { ...basis, ...more });
    expect(make({ opensAfter: { failures: 0 } })).toThrow(/opensAfter/);
    expect(make({ opensAfter: { rate: 1, calls: 5 } })).toThrow(/opensAfter/);
    expect(make({ opensAfter: { rate: 0.5 } })).toThrow(/opensAfter/);
    expect(make({ opensAfter: undefined })).toThrow(/opensAfter/);
    expect(make({ halfOpenAfterMs: -1 })).toThrow(/halfOpenAfterMs/);
    expect(make({ whenOpen: 'drop' })).toThrow(/whenOpen/);
    expect(make({ concurrency: 0 })).toThrow(/concurrency/);
  });
});
