import { describe, expect, it } from '@jest/globals';
import { NEVER } from 'rxjs';
import type { Op } from '../../src/flow/op.ts';
import {
  batch,
  branch,
  fanOut,
  filter,
  map,
  merge,
  otherwise,
  perRecord,
  retry,
  skip,
  when,
  whenIs,
} from '../../src/operators/index.ts';
import { testFlow } from '../../src/testing/marbles.ts';
import { collect, ManualSource } from '../flow/manual-source.ts';

const same: Op<string, string> = map((x) => x);
const upper: Op<string, string> = map((x) => x.toUpperCase());
const is = (mark: string) => (x: string) => x === mark;

describe('branch', () => {
  it('sends each value down the first branch that takes it, and acknowledges what none takes', () => {
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const source = flow('abc-a|');
      const stage = branch(when(is('a'), upper), when(is('b'), same), when(is('a'), same));
      expectFlow(source.pipe(stage)).toBe('Ab--A|');
      expectAcks(source).toBe('abc-a');
    });
  });

  it('sends the rest where otherwise says', () => {
    testFlow(({ flow, expectFlow }) => {
      expectFlow(flow('abc|').pipe(branch(when(is('b'), same), otherwise(upper)))).toBe('AbC|');
    });
  });

  it('takes up to eight cases, and its options last', async () => {
    const letters = 'abcdefgh';
    const [a, b, c, d, e, f, g, h] = Array.from(letters, (mark) => when(is(mark), upper));
    const source = new ManualSource<string>();
    let failures = 1;
    const odd = when((x: string): boolean => {
      if (x === 'x' && failures-- > 0) throw new Error('boom');
      return x === 'x';
    }, same);
    const out = collect(source.flow.pipe(branch(a!, b!, c!, d!, e!, f!, g!, h!)));
    source.emitAll(letters);
    expect(out.values.join('')).toBe('ABCDEFGH');
    const retried = new ManualSource<string>();
    const onError = retry({ attempts: 2, minDelayMs: 5 }, skip);
    const again = collect(retried.flow.pipe(branch(odd, otherwise(upper), { name: 'mine', onError })));
    retried.emitAll('axb');
    await retried.time.advance(100);
    expect(again.values).toEqual(['A', 'x', 'B']);
    expect(again.ended).toEqual(['complete']);
    const failing = new ManualSource<string>();
    failures = 9;
    collect(failing.flow.pipe(branch(odd, { name: 'mine' })));
    failing.emit('x');
    expect(failing.events).toMatchObject([{ kind: 'nack', cause: { stage: 'mine' } }]);
  });

  it('is unsubscribed with all its branches, flushes them for a claim that is given away, and goes on by itself under a credit of one', () => {
    const source = new ManualSource<string>();
    const gathers = (): Op<string, string> => (flow) =>
      flow.pipe(
        batch({ maxRecords: 9, withinMs: 99 }),
        map((all) => all.join('')),
      );
    const out = collect(source.flow.pipe(branch(when(is('a'), gathers()), otherwise(gathers()))));
    for (const value of 'ab') source.emit(value);
    out.stop();
    expect(source.marked('give-up')).toBe('a b');
    expect(source.time.pendingTimers).toBe(0);
    testFlow(({ flow, expectFlow, expectAcks, revoke }) => {
      const given = flow('aba----|');
      revoke(given, '---!');
      expectFlow(given.pipe(branch(when(is('a'), gathers()), otherwise(gathers())))).toBe('---(xb)|', {
        x: 'aa',
        b: 'b',
      });
      expectAcks(given).toBe('---(aab)');
    });
    const tight = new ManualSource<string>(1);
    const one = collect(tight.flow.pipe(branch(when(is('a'), gathers()), otherwise(same))));
    tight.emitAll('abab');
    expect(one.values.join('')).toBe('abab');
    expect(one.ended).toEqual(['complete']);
  });

  it('settles with the branch', () => {
    const source = new ManualSource<string>();
    const stage = branch(when(is('a'), batch<string>({ maxRecords: 2, withinMs: 9 })), otherwise(same));
    const out = collect(source.flow.pipe(stage), { ack: false });
    source.emitAll('abac', { complete: false });
    expect(out.values).toEqual(['b', ['a', 'a'], 'c']);
    out.deliveries[1]!.ack();
    out.deliveries[0]!.nack('no');
    expect(source.marked('ack')).toBe('a a');
    expect(source.marked('nack')).toBe('b');
  });

  it('narrows by a type guard', () => {
    type Shape =
      { readonly kind: 'circle'; readonly r: number } | { readonly kind: 'square'; readonly a: number };
    const source = new ManualSource<Shape>();
    const areas = source.flow.pipe(
      branch(
        whenIs(
          (x): x is Extract<Shape, { kind: 'circle' }> => x.kind === 'circle',
          map(({ r }) => 3 * r * r),
        ),
        otherwise(map((x) => x.kind)),
      ),
    );
    const out = collect(areas);
    source.emitAll([
      { kind: 'circle', r: 2 },
      { kind: 'square', a: 2 },
    ]);
    expect(out.values satisfies (number | string)[]).toEqual([12, 'square']);
  });

  it('refuses a value for which a case throws, and the others go on', () => {
    const source = new ManualSource<string>();
    const takes = (x: string): boolean => {
      if (x === 'b') throw new Error('boom');
      return true;
    };
    const out = collect(source.flow.pipe(branch(when(takes, same))));
    source.emitAll('abc');
    expect(out.values).toEqual(['a', 'c']);
    expect(source.marked('nack')).toBe('b');
    expect(source.events.find(({ kind }) => kind === 'nack')?.cause).toMatchObject({ stage: 'branch' });
  });

  it('passes an error of its source on, and completes when every branch has', () => {
    testFlow(({ flow, expectFlow }) => {
      expectFlow(flow('a-#').pipe(branch(when(is('a'), same), otherwise(upper)))).toBe('a-#');
    });
    testFlow(({ flow, expectFlow }) => {
      const never = perRecord((_: string) => NEVER, { concurrency: 1, order: 'input' });
      expectFlow(flow('ab|').pipe(branch(when(is('a'), never), otherwise(same)))).toBe('-b-');
    });
  });

  it('acknowledges what goes to a branch that never subscribes or has ended', () => {
    const source = new ManualSource<string>();
    const other = new ManualSource<string>();
    const out = collect(
      source.flow.pipe(
        branch(
          when(is('a'), () => other.flow),
          otherwise(same),
        ),
      ),
    );
    source.emitAll('ab', { complete: false });
    expect(out.values).toEqual(['b']);
    expect(source.marked('ack')).toBe('a b');
  });

  it('refuses what is no case, and a branch that subscribes its flow twice', () => {
    expect(() => (branch as () => unknown)()).toThrow(/one case/);
    expect(() => when(true as never, same)).toThrow(/predicate/);
    expect(() => otherwise(undefined as never)).toThrow(/operator/);
    const source = new ManualSource<string>();
    const twice: Op<string, string> = (flow) => merge(flow.pipe(same), flow.pipe(upper));
    const ended: unknown[] = [];
    source.flow.pipe(branch(otherwise(twice))).subscribe({ error: (error) => ended.push(error) });
    expect(ended).toMatchObject([{ code: 'USAGE' }]);
    const within = collect(
      source.flow.pipe(
        branch(
          otherwise(
            fanOut(
              same,
              filter(() => false),
            ),
          ),
        ),
      ),
    );
    source.emitAll('a');
    expect(within.values).toEqual(['a']);
  });
});
