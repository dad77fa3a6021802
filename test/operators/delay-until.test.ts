import { describe, expect, it } from '@jest/globals';
import { fc } from '../helpers/fast-check.ts';
import { delayUntil, map, merge, retry, skip } from '../../src/operators/index.ts';
import { DueHeap } from '../../src/operators/due-heap.ts';
import { testFlow } from '../../src/testing/marbles.ts';
import { collect, ManualSource } from '../flow/manual-source.ts';

/** `a5` is due 5 ms after the test began. */
function timed(source: ManualSource<string>): (value: string) => number {
  const startMs = source.time.wallNow();
  return (value) => startMs + Number(value.slice(1));
}

describe('delayUntil', () => {
  it('emits each value when it is due, and holds it until then', () => {
    testFlow(({ flow, expectFlow, expectSettlements }) => {
      const values = { a: 7, b: 4, c: 0 };
      const source = flow('abc------|', values);
      expectFlow(source.pipe(delayUntil((at) => at))).toBe('--c-b--a-|', values);
      expectSettlements(source).toBe('xyc-b--a', { x: 'hold a', y: 'hold b' });
    });
  });

  it('emits in the order of the times, and of the arrival among equal ones', async () => {
    const source = new ManualSource<string>();
    const out = collect(source.flow.pipe(delayUntil(timed(source))));
    for (const value of ['a20', 'b10', 'c10', 'd0', 'e5']) source.emit(value);
    expect(out.values).toEqual(['d0']);
    await source.time.advance(10);
    expect(out.values).toEqual(['d0', 'e5', 'b10', 'c10']);
    await source.time.advance(10);
    expect(out.values).toEqual(['d0', 'e5', 'b10', 'c10', 'a20']);
    expect(source.marked('ack')).toBe('d0 e5 b10 c10 a20');
    expect(source.problems).toEqual([]);
  });

  it('takes no credit for what waits, up to maxHeld', () => {
    const source = new ManualSource<string>(2);
    const out = collect(source.flow.pipe(delayUntil(timed(source), { maxHeld: 3 })));
    source.emitAll(['a1', 'b1', 'c1', 'd1', 'e1', 'f1', 'g1']);
    expect(source.marked('hold')).toBe('a1 b1 c1');
    expect(source.inFlight).toBe(2);
    expect(out.values).toEqual([]);
  });

  it('goes on when the first ones are due', async () => {
    const source = new ManualSource<string>(2);
    const out = collect(source.flow.pipe(delayUntil(timed(source), { maxHeld: 1 })));
    source.emitAll(['a1', 'b2', 'c3', 'd4', 'e5']);
    await source.time.advance(5);
    expect(out.values).toEqual(['a1', 'b2', 'c3', 'd4', 'e5']);
    expect(out.ended).toEqual(['complete']);
    expect(source.time.pendingTimers).toBe(0);
  });

  it('waits at the end of the flow for what is not due yet', () => {
    testFlow(({ flow, expectFlow }) => {
      expectFlow(flow('a|', { a: 5 }).pipe(delayUntil((at) => at))).toBe('-----(a|)', { a: 5 });
    });
  });

  it('waits for days, in steps', async () => {
    const source = new ManualSource<string>();
    const days = 40 * 86_400_000;
    const out = collect(source.flow.pipe(delayUntil(timed(source))));
    source.emit(`a${days}`);
    await source.time.advance(days - 1);
    expect(out.values).toEqual([]);
    await source.time.advance(1);
    expect(out.values).toHaveLength(1);
  });

  it.each(['revoke', 'lose'] as const)(
    'leaves what waits of a claim that ends to the next owner: %s',
    async (end) => {
      const sources = [new ManualSource<string>(), new ManualSource<string>()] as const;
      Object.assign(sources[1], { clock: sources[0].time });
      const out = collect(merge(sources[0].flow, sources[1].flow).pipe(delayUntil(timed(sources[0]))));
      for (const value of ['a5', 'b0', 'c9']) sources[0].emit(value);
      sources[1].emit('d7');
      sources[0][end]();
      sources[0].emit('e8');
      sources[0].emit('f0');
      expect(sources[0].marked('give-up')).toBe('a5 c9 e8');
      await sources[0].time.advance(10);
      expect(out.values).toEqual(['b0', 'f0', 'd7']);
      sources[0].complete();
      sources[1].complete();
      expect(out.ended).toEqual(['complete']);
    },
  );

  it('ends when all that waited is left to the next owner', () => {
    const source = new ManualSource<string>();
    const out = collect(source.flow.pipe(delayUntil(timed(source))));
    source.emitAll(['a5']);
    expect(out.ended).toEqual([]);
    source.revoke();
    expect(out.ended).toEqual(['complete']);
    expect(source.time.pendingTimers).toBe(0);
  });

  it('leaves what waits unsettled when it is unsubscribed, or fails', () => {
    const source = new ManualSource<string>();
    const out = collect(source.flow.pipe(delayUntil(timed(source))));
    source.emit('a5');
    out.stop();
    expect(source.marked('give-up')).toBe('a5');
    expect(source.time.pendingTimers).toBe(0);
    const broken = new ManualSource<string>();
    const failed = collect(broken.flow.pipe(delayUntil(timed(broken))));
    broken.emit('a5');
    broken.error('broken');
    expect(failed.ended).toEqual(['broken']);
    expect(broken.marked('give-up')).toBe('a5');
  });

  it('keeps its order when an acknowledgement brings a value that is due', async () => {
    const source = new ManualSource<string>(1);
    const out = collect(
      source.flow.pipe(
        delayUntil(timed(source), { maxHeld: 0 }),
        map((value) => value[0]!),
      ),
    );
    source.emitAll(['a3', 'b1', 'c2', 'd0', 'e9']);
    await source.time.advance(20);
    expect(out.values.join('')).toBe('abcde');
    expect(out.ended).toEqual(['complete']);
    expect(source.marked('ack')).toBe('a3 b1 c2 d0 e9');
  });

  it('follows its policy for a function that throws, or has no time', async () => {
    const source = new ManualSource<string>();
    let failures = 1;
    const time = (value: string): number => {
      if (value === 'b0' && failures-- > 0) throw new Error('boom');
      return value === 'c0' ? NaN : timed(source)(value);
    };
    const onError = retry({ attempts: 2, minDelayMs: 5 }, skip);
    const out = collect(source.flow.pipe(delayUntil(time, { name: 'mine', onError })));
    source.emitAll(['a0', 'b0', 'c0', 'd0']);
    await source.time.advance(100);
    expect(out.values).toEqual(['a0', 'b0', 'd0']);
    expect(source.marked('ack')).toBe('a0 b0 c0 d0');
    expect(out.ended).toEqual(['complete']);
  });

  it('refuses options that make no sense', () => {
    expect(() => delayUntil(5 as never)).toThrow(/function/);
    expect(() => delayUntil(() => 1, { maxHeld: -1 })).toThrow(/maxHeld/);
  });
});

describe('the heap behind it', () => {
  it('gives out in order, and in the order of arrival among equals, whatever is taken out in between', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(9), fc.nat(3))), (steps) => {
        const heap = new DueHeap<{ readonly due: number; readonly at: number }>();
        let model: { readonly due: number; readonly at: number }[] = [];
        for (const [at, [due, what]] of steps.entries()) {
          if (what < 2) {
            heap.put(due, { due, at });
            model.push({ due, at });
          } else if (what === 2) {
            model.sort((a, b) => a.due - b.due || a.at - b.at);
            expect(heap.dueMs).toBe(model[0]?.due ?? Infinity);
            expect(heap.take()).toEqual(model.shift());
          } else {
            const odd = (one: { readonly at: number }): boolean => one.at % 2 === 1;
            model.sort((a, b) => a.due - b.due || a.at - b.at);
            expect(heap.takeAll(odd)).toEqual(model.filter(odd));
            model = model.filter((one) => !odd(one));
          }
          expect(heap.size).toBe(model.length);
        }
      }),
    );
  });
});
