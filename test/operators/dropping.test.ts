import { describe, expect, it } from '@jest/globals';
import {
  concatMap,
  debounceTime,
  delay,
  distinctUntilChanged,
  filter as rxFilter,
  map as rxMap,
  merge as rxMerge,
  mergeMap,
  of,
  pairwise,
  repeat,
  skip as rxSkip,
  Subject,
  take,
  takeLast,
  takeUntil,
  takeWhile,
  throttleTime,
  type MonoTypeOperatorFunction,
} from 'rxjs';
import { UsageError } from '../../src/errors.ts';
import type { Delivery } from '../../src/flow/delivery.ts';
import { dropping, filter, map } from '../../src/operators/index.ts';
import { testFlow } from '../../src/testing/marbles.ts';
import { collect, ManualSource } from '../flow/manual-source.ts';

type Plain = MonoTypeOperatorFunction<Delivery<string>>;

const not = (unwanted: string): Plain => rxFilter(({ value }) => value !== unwanted);

describe('dropping acknowledges what the operator drops', () => {
  it('at once: filter', () => {
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const source = flow('abc|');
      expectFlow(source.pipe(dropping(not('b'), 0))).toBe('a-c|');
      expectAcks(source).toBe('abc');
    });
  });

  it('at once: distinctUntilChanged, skip, leading throttle', () => {
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const same = flow('aab|');
      expectFlow(
        same.pipe(
          dropping(
            distinctUntilChanged((a, b) => a.value === b.value),
            0,
          ),
        ),
      ).toBe('a-b|');
      expectAcks(same).toBe('aab');
      const late = flow('abc|');
      expectFlow(late.pipe(dropping(rxSkip(2), 0))).toBe('--c|');
      expectAcks(late).toBe('abc');
      const many = flow('abcd|');
      expectFlow(many.pipe(dropping(throttleTime(2), 0))).toBe('a--d|');
      expectAcks(many).toBe('abcd');
    });
  });

  it('when the next one comes: debounceTime; the last goes on when it is due, or with the end', () => {
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const source = flow('ab-----c|');
      expectFlow(source.pipe(dropping(debounceTime(3), 1))).toBe('----b---(c|)');
      // `a` when `b` took its place.
      expectAcks(source).toBe('-a--b---c');
    });
  });

  it.each<readonly [string, Plain, string]>([
    ['take', take(2), ''],
    ['takeWhile', takeWhile(({ value }) => value !== 'c'), 'c'],
  ])('when the operator completes, and takes nothing more from the source: %s', (_, plain, dropped) => {
    const source = new ManualSource<string>();
    const seen = collect(source.flow.pipe(dropping(plain, 0)), { ack: false });
    for (const value of 'abcd') source.emit(value);
    expect(seen.values.join('')).toBe('ab');
    expect(seen.ended).toEqual(['complete']);
    expect(source.subscriber?.closed).toBe(true);
    expect(source.marked('ack')).toBe(dropped);
  });

  it('what it keeps when it is told to stop: takeUntil before debounceTime', () => {
    const source = new ManualSource<string>();
    const stop = new Subject<void>();
    const seen = collect(
      source.flow.pipe(dropping((values) => values.pipe(debounceTime(1_000), takeUntil(stop)), 1)),
    );
    source.emit('a');
    source.emit('b');
    expect(source.marked('ack')).toBe('a');
    stop.next();
    expect(source.marked('ack')).toBe('a b');
    expect(seen.values).toEqual([]);
    expect(seen.ended).toEqual(['complete']);
  });

  it('but not the one it keeps to the end: takeLast', () => {
    const source = new ManualSource<string>();
    const seen = collect(source.flow.pipe(dropping(takeLast(1), 1)), { ack: false });
    source.emitAll('abc');
    expect(source.marked('ack')).toBe('a b');
    expect(seen.values).toEqual(['c']);
    expect(seen.ended).toEqual(['complete']);
    seen.deliveries[0]!.ack();
    expect(source.marked('ack')).toBe('a b c');
  });
});

describe('dropping keeps the order', () => {
  it('of values and acknowledgements, when each acknowledgement brings the next value', () => {
    const source = new ManualSource<string>(1);
    const seen = collect(source.flow.pipe(dropping(not('c'), 0)));
    source.emitAll('abcde');
    expect(seen.values.join('')).toBe('abde');
    expect(source.marked('ack')).toBe('a b c d e');
    expect(seen.ended).toEqual(['complete']);
  });

  it('when what is dropped brings the next values while others are dropped', () => {
    const source = new ManualSource<string>(2);
    const seen = collect(
      source.flow.pipe(
        dropping(
          rxFilter(({ value }) => value > 'd'),
          0,
        ),
      ),
    );
    source.emitAll('abcdefg');
    expect(seen.values.join('')).toBe('efg');
    expect(source.marked('ack')).toBe('a b c d e f g');
    expect(source.problems).toEqual([]);
  });

  it('in bursts', () => {
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const source = flow('(ab)(cd)|');
      expectFlow(source.pipe(dropping(debounceTime(2), 1))).toBe('--b---d-|');
      expectAcks(source).toBe('a-b-c-d');
    });
  });
});

describe('dropping and the end of a claim', () => {
  it('goes on waiting when the claim is given away: the drain waits for it', () => {
    testFlow(({ flow, expectFlow, expectAcks, revoke }) => {
      const source = flow('ab---------|');
      expectFlow(source.pipe(dropping(debounceTime(5), 1))).toBe('------b----|');
      expectAcks(source).toBe('-a----b');
      revoke(source, '---!');
    });
  });

  it('lets the one it keeps go with the end of the claim', () => {
    testFlow(({ flow, expectFlow, expectAcks, revoke }) => {
      const source = flow('ab-|');
      revoke(source, '---!');
      expectFlow(source.pipe(dropping(debounceTime(100), 1))).toBe('---(b|)');
      expectAcks(source).toBe('-a-b');
    });
  });

  it('passes what is lost on, which every sink refuses; what it drops of it is nobody’s', () => {
    testFlow(({ flow, expectFlow, expectAcks, lose }) => {
      const source = flow('ab-c------|');
      lose(source, '--!');
      expectFlow(source.pipe(dropping(debounceTime(3), 1))).toBe('------c---|');
      expectAcks(source).toBe('-a-b--c');
    });
  });
});

describe('dropping gives up', () => {
  it('what the operator keeps when the flow is unsubscribed', () => {
    const source = new ManualSource<string>();
    const out = collect(source.flow.pipe(dropping(debounceTime(1_000), 1)));
    source.emitAll('abc', { complete: false });
    expect(source.marked('ack')).toBe('a b');
    out.stop();
    expect(source.marked('give-up')).toBe('c');
  });

  it('what is inside when the operator fails, and the flow ends with the error', () => {
    const source = new ManualSource<string>();
    const fails: Plain = rxFilter(({ value }) => {
      if (value === 'b') throw new Error('boom');
      return true;
    });
    const out = collect(source.flow.pipe(dropping(fails, 0)), { ack: false });
    source.emit('a');
    source.emit('b');
    source.emit('c');
    expect(out.ended).toEqual([new Error('boom')]);
    expect(source.marked('ack')).toBe('');
    // What comes when it is over is given up at once.
    expect(source.marked('give-up')).toBe('b c');
    expect(source.subscriber?.closed).toBe(true);
    out.deliveries[0]!.ack();
    expect(source.marked('ack')).toBe('a');
  });

  it('what is inside when the source fails', () => {
    const source = new ManualSource<string>();
    const out = collect(source.flow.pipe(dropping(debounceTime(1_000), 1)));
    source.emit('a');
    source.error('broken');
    expect(out.ended).toEqual(['broken']);
    expect(source.marked('give-up')).toBe('a');
    expect(source.marked('ack')).toBe('');
  });

  it('what comes while it is unsubscribed from within', () => {
    const source = new ManualSource<string>();
    const held: { stop(): void }[] = [];
    const flow = source.flow.pipe(
      dropping((values) => values.pipe(concatMap((one) => of(one))), 0),
      map((value) => {
        if (value === 'b') held[0]!.stop();
        return value;
      }),
    );
    held.push(collect(flow, { ack: false }));
    for (const value of 'abc') source.emit(value);
    expect(source.marked('ack')).toBe('');
  });
});

describe('dropping refuses', () => {
  it('an operator that keeps more than it was said to', () => {
    const source = new ManualSource<string>();
    const out = collect(source.flow.pipe(dropping(debounceTime(1_000), 0)));
    source.emitAll('a');
    expect(out.ended[0]).toBeInstanceOf(UsageError);
    expect(String(out.ended[0])).toMatch(/dropping\(operator, 1\), or passing\(operator\)/);
    expect(() => dropping<string>(delay(1), 2 as never)).toThrow(/retains is 0 or 1, not 2/);
  });

  it('a delivery that comes out when it is settled, a second time', () => {
    const source = new ManualSource<string>();
    const out = collect(
      source.flow.pipe(
        dropping(
          mergeMap((one) => of(one, one)),
          0,
        ),
      ),
    );
    source.emit('a');
    source.emit('b');
    expect(out.values).toEqual(['a']);
    expect(String(out.ended[0])).toMatch(/emits one delivery twice/);
    expect(source.marked('ack')).toBe('a');
  });

  it('nothing of an operator that subscribes its source again, where the source allows it', () => {
    const source = new ManualSource<string>();
    const out = collect(source.flow.pipe(dropping(repeat(2), 0)));
    source.emitAll('a');
    expect(out.values).toEqual(['a']);
    expect(out.ended).toEqual([]);
    source.emitAll('b');
    expect(out.values).toEqual(['a', 'b']);
    expect(source.marked('ack')).toBe('a b');
  });
});

describe('dropping and what the operator makes', () => {
  it('passes derived deliveries on, and does not settle the ones they came from', () => {
    const source = new ManualSource<string>();
    const upper: Plain = rxMap((one) => one.derive(one.value.toUpperCase()));
    const out = collect(source.flow.pipe(dropping(upper, 0)), { ack: false });
    source.emit('a');
    expect(out.values).toEqual(['A']);
    expect(source.events).toEqual([]);
    out.deliveries[0]!.ack();
    expect(source.marked('ack')).toBe('a');
    expect(source.problems).toEqual([]);
  });

  it('is a stage like others before and after it', () => {
    const source = new ManualSource<string>();
    const out = collect(
      source.flow.pipe(
        filter((value) => value !== 'a'),
        dropping((values) => rxMerge(values).pipe(not('b')), 0),
        map((value) => value.toUpperCase()),
      ),
    );
    source.emitAll('abcd');
    expect(out.values).toEqual(['C', 'D']);
    expect(source.marked('ack')).toBe('a b c d');
    expect(out.ended).toEqual(['complete']);
  });

  it('has pairs settled by whoever takes them apart', () => {
    const source = new ManualSource<string>();
    const later: Plain = (values) =>
      values.pipe(
        pairwise(),
        rxMap(([, second]) => second),
      );
    const out = collect(source.flow.pipe(dropping(later, 0)));
    source.emitAll('abc');
    expect(out.values).toEqual(['b', 'c']);
    expect(source.marked('ack')).toBe('a b c');
  });
});
