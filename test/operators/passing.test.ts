import { describe, expect, it } from '@jest/globals';
import {
  concatMap,
  delay,
  filter as rxFilter,
  map as rxMap,
  mergeMap,
  of,
  take,
  tap as rxTap,
  timer,
  type Observable,
  type MonoTypeOperatorFunction,
} from 'rxjs';
import { UsageError } from '../../src/errors.ts';
import type { Delivery } from '../../src/flow/delivery.ts';
import { map, mapAsync, passing } from '../../src/operators/index.ts';
import { testFlow } from '../../src/testing/marbles.ts';
import { collect, ManualSource } from '../flow/manual-source.ts';

type Plain = MonoTypeOperatorFunction<Delivery<string>>;

describe('passing lets deliveries out', () => {
  it('later, settled by what follows', () => {
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const source = flow('ab|');
      expectFlow(source.pipe(passing(delay(3)))).toBe('---a(b|)');
      expectAcks(source).toBe('---ab');
    });
  });

  it('in the order in which the operator does', () => {
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const source = flow('ab|');
      const turned: Plain = mergeMap((one) => timer(one.value === 'a' ? 4 : 1).pipe(rxMap(() => one)));
      expectFlow(source.pipe(passing(turned))).toBe('--b-(a|)');
      expectAcks(source).toBe('--b-a');
    });
  });

  it('when the claim is given away in the meantime: the drain waits for them', () => {
    testFlow(({ flow, expectFlow, expectAcks, revoke }) => {
      const source = flow('ab------|');
      revoke(source, '--!');
      expectFlow(source.pipe(passing(delay(4)))).toBe('----ab--|');
      expectAcks(source).toBe('----ab');
    });
  });

  it('when the claim is lost in the meantime, and the next stage gives them up', () => {
    testFlow(({ flow, expectFlow, expectAcks, lose }) => {
      const source = flow('a-b---c---|');
      lose(source, '---!');
      const call = (value: string): Observable<string> => of(value);
      const later = source.pipe(passing(delay(2)), mapAsync(call, { concurrency: 1, order: 'input' }));
      expectFlow(later).toBe('--a-------|');
      expectAcks(source).toBe('--a');
    });
  });

  it('one by one when each acknowledgement brings the next', () => {
    const source = new ManualSource<string>(1);
    const out = collect(source.flow.pipe(passing(concatMap((one) => of(one)))));
    source.emitAll('abcde');
    expect(out.values.join('')).toBe('abcde');
    expect(source.marked('ack')).toBe('a b c d e');
    expect(out.ended).toEqual(['complete']);
  });
});

describe('passing settles nothing', () => {
  it('of what it lets out', () => {
    const source = new ManualSource<string>();
    const out = collect(source.flow.pipe(passing(rxTap(() => undefined))), { ack: false });
    source.emitAll('ab');
    expect(out.values).toEqual(['a', 'b']);
    expect(out.ended).toEqual(['complete']);
    expect(source.events).toEqual([]);
  });

  it('that the operator keeps, which is an error at the end and left unsettled', () => {
    const source = new ManualSource<string>();
    const out = collect(source.flow.pipe(passing(rxFilter(({ value }) => value === 'a'))), { ack: false });
    source.emit('a');
    source.emit('b');
    expect(source.events).toEqual([]);
    source.complete();
    expect(out.ended[0]).toBeInstanceOf(UsageError);
    expect(String(out.ended[0])).toMatch(
      /2 deliveries went into the operator and 1 came out; use dropping\(\.\.\.\) for one that drops/,
    );
    expect(source.marked('give-up')).toBe('b');
    expect(source.marked('ack')).toBe('');
  });

  it('that comes out more often than it went in, which is an error at the end', () => {
    const source = new ManualSource<string>();
    const out = collect(source.flow.pipe(passing(mergeMap((one) => of(one, one)))), { ack: false });
    source.emit('a');
    source.complete();
    expect(String(out.ended[0])).toMatch(/1 deliveries went into the operator and 2 came out; .*fanOut/);
  });

  it('when the operator completes before its source does: what it took is let out', () => {
    const source = new ManualSource<string>();
    const out = collect(source.flow.pipe(passing(take(2))));
    for (const value of 'abc') source.emit(value);
    expect(out.values).toEqual(['a', 'b']);
    expect(out.ended).toEqual(['complete']);
    expect(source.marked('ack')).toBe('a b');
    expect(source.subscriber?.closed).toBe(true);
  });
});

describe('passing gives up', () => {
  it('what is inside when the flow is unsubscribed', () => {
    const source = new ManualSource<string>();
    const out = collect(source.flow.pipe(passing(delay(1_000))));
    source.emit('a');
    source.emit('b');
    expect(source.events).toEqual([]);
    out.stop();
    expect(source.marked('give-up')).toBe('a b');
  });

  it('what is inside when the operator fails, and the flow ends with the error', () => {
    const source = new ManualSource<string>();
    const fails: Plain = concatMap((one) => {
      if (one.value === 'b') throw new Error('boom');
      return of(one);
    });
    const out = collect(source.flow.pipe(passing(fails)));
    for (const value of 'abc') source.emit(value);
    expect(out.ended).toEqual([new Error('boom')]);
    expect(source.marked('ack')).toBe('a');
    // What comes when it is over is given up at once.
    expect(source.marked('give-up')).toBe('b c');
  });

  it('what is inside when the source fails', () => {
    const source = new ManualSource<string>();
    const out = collect(source.flow.pipe(passing(delay(1_000))));
    source.emit('a');
    source.error('broken');
    expect(out.ended).toEqual(['broken']);
    expect(source.marked('give-up')).toBe('a');
  });

  it('what is inside when a stage behind it ends the flow from within', () => {
    const source = new ManualSource<string>();
    const held: { stop(): void }[] = [];
    const flow = source.flow.pipe(
      passing(mergeMap((one) => (one.value === 'a' ? timer(1_000).pipe(rxMap(() => one)) : of(one)))),
      map((value) => {
        held[0]!.stop();
        return value;
      }),
    );
    held.push(collect(flow, { ack: false }));
    source.emit('a');
    source.emit('b');
    expect(source.marked('give-up')).toBe('a');
  });
});

describe('passing and what the operator makes', () => {
  it('lets derived deliveries out, and remembers none of those they came from', () => {
    const source = new ManualSource<string>();
    const upper: Plain = rxMap((one) => one.derive(one.value.toUpperCase()));
    const out = collect(source.flow.pipe(passing(upper)), { ack: false });
    for (const value of 'abcdefghijklmnopqrstuvwxyz') source.emit(value);
    expect(out.values.join('')).toBe('ABCDEFGHIJKLMNOPQRSTUVWXYZ');
    for (const delivery of out.deliveries) delivery.ack();
    expect(source.marked('ack').length).toBe(51);
    out.stop();
    expect(source.marked('give-up')).toBe('');
    expect(source.problems).toEqual([]);
  });
});
