import { describe, expect, it } from '@jest/globals';
import {
  concat,
  EMPTY,
  merge as rxMerge,
  map as rxMap,
  NEVER,
  Observable,
  of,
  Subject,
  take,
  throwError,
  timer,
} from 'rxjs';
import { dropping, perRecord, retry, skip, type CallContext } from '../../src/operators/index.ts';
import { testFlow } from '../../src/testing/marbles.ts';
import { collect, ManualSource } from '../flow/manual-source.ts';

const none = { order: 'none' } as const;
const input = { order: 'input' } as const;
const boom = new Error('boom');

/** Emits `name` after each of these times, and completes with the last. */
interface Script {
  name: string;
  at: readonly number[];
}
const play = ({ name, at }: Script): Observable<string> =>
  rxMerge(...at.map((ms) => timer(ms).pipe(rxMap(() => name))));
const scripts = { a: { name: 'a', at: [1, 5] }, b: { name: 'b', at: [1, 2] } };

describe('perRecord', () => {
  it('settles a record when its Observable has completed and all it emitted has settled', () => {
    const source = new ManualSource<string>();
    const inner = new Subject<number>();
    const out = collect(source.flow.pipe(perRecord(() => inner, { concurrency: 1, ...none })), {
      ack: false,
    });
    source.emitAll('a');
    inner.next(1);
    inner.next(2);
    out.deliveries[1]!.ack();
    inner.complete();
    expect(source.events).toEqual([]);
    expect(out.ended).toEqual(['complete']);
    out.deliveries[0]!.ack();
    expect(source.marked('ack')).toBe('a');
  });

  it('waits for an Observable that goes on after its values have settled', () => {
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const source = flow('a|', { a: { name: 'a', at: [1, 6] } });
      expectFlow(source.pipe(perRecord(play, { concurrency: 1, ...none }))).toBe('-a----(a|)');
      expectAcks(source).toBe('------a');
    });
  });

  it('settles a record whose Observable emits nothing', () => {
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const source = flow('ab|');
      expectFlow(source.pipe(perRecord(() => EMPTY, { concurrency: 1, ...none }))).toBe('--|');
      expectAcks(source).toBe('ab');
    });
  });

  it('refuses a record one of whose values was refused, once all have settled', () => {
    const source = new ManualSource<string>();
    const out = collect(source.flow.pipe(perRecord(() => of(1, 2), { concurrency: 1, ...none })), {
      ack: false,
    });
    source.emitAll('a');
    out.deliveries[0]!.nack('no');
    expect(source.events).toEqual([]);
    out.deliveries[1]!.ack();
    expect(source.events).toMatchObject([{ kind: 'nack', cause: 'no' }]);
  });

  it('without order, lets values out as they come', () => {
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const source = flow('ab|', scripts);
      expectFlow(source.pipe(perRecord(play, { concurrency: 2, ...none }))).toBe('-abb-(a|)');
      expectAcks(source).toBe('---b-a');
    });
  });

  it('in the order of the input, lets the first out as they come and keeps the others back', () => {
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const source = flow('ab|', scripts);
      expectFlow(source.pipe(perRecord(play, { concurrency: 2, ...input }))).toBe('-a---(abb|)');
      expectAcks(source).toBe('-----(ab)');
    });
  });

  it('emits what the new first of the line has so far, then goes on live', () => {
    testFlow(({ flow, expectFlow }) => {
      const source = flow('(ab|)', { a: { name: 'a', at: [3] }, b: { name: 'b', at: [1, 2, 8] } });
      expectFlow(source.pipe(perRecord(play, { concurrency: 2, ...input }))).toBe('---(abb)(b|)');
    });
  });

  it('by key, runs one Observable after the other', () => {
    testFlow(({ flow, expectFlow }) => {
      const source = flow('(ab|)', scripts);
      expectFlow(source.pipe(perRecord(play, { concurrency: 2, order: 'key', key: () => 'same' }))).toBe(
        '-a---ab(b|)',
      );
    });
  });

  it('subscribes no more than `concurrency`', () => {
    testFlow(({ flow, expectFlow }) => {
      const source = flow('(ab|)', scripts);
      expectFlow(source.pipe(perRecord(play, { concurrency: 1, ...none }))).toBe('-a---ab(b|)');
    });
  });

  it('applies the policy to an error; what was emitted before settles by itself', () => {
    testFlow(({ flow, expectFlow, expectAcks, expectNacks }) => {
      const source = flow('ab|');
      const stage = perRecord(
        (x: string) =>
          concat(
            of(x),
            throwError(() => boom),
          ),
        {
          concurrency: 1,
          ...none,
          onError: (error) => (error.value === 'a' ? skip : retry({ attempts: 1 })),
        },
      );
      expectFlow(source.pipe(stage)).toBe('ab|');
      expectAcks(source).toBe('a');
      expectNacks(source).toBe('-b');
    });
  });

  it('applies the policy to a throw and to an answer that is no Observable', () => {
    const source = new ManualSource<string>();
    const stage = perRecord(
      (x: string): Observable<string> => {
        if (x === 'a') throw boom;
        return x === 'b' ? (Promise.resolve(x) as never) : of(x);
      },
      { concurrency: 1, ...none },
    );
    const out = collect(source.flow.pipe(stage));
    source.emitAll('abc');
    expect(out.values).toEqual(['c']);
    expect(source.marked('nack')).toBe('a b');
    expect(String(source.events[1]!.cause)).toMatch(/answers with an Observable/);
  });

  it('subscribes anew for a retry', () => {
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const source = flow('ab|');
      const stage = perRecord(
        (x: string, { attempt }: CallContext) =>
          x === 'a' && attempt === 1
            ? concat(
                of('1'),
                throwError(() => boom),
              )
            : of(x),
        { concurrency: 1, ...input, onError: retry({ attempts: 2, minDelayMs: 3 }) },
      );
      expectFlow(source.pipe(stage)).toBe('1--(ab|)');
      expectAcks(source).toBe('---(ab)');
    });
  });

  it('fails an Observable that runs away from its sink, naming the option', () => {
    const source = new ManualSource<string>();
    const inner = new Subject<number>();
    const out = collect(
      source.flow.pipe(perRecord(() => inner, { concurrency: 1, ...none, maxOutstanding: 3 })),
      { ack: false },
    );
    source.emitAll('a');
    for (let at = 0; at < 3; at++) inner.next(at);
    out.deliveries[0]!.ack();
    inner.next(3);
    expect(inner.observed).toBe(true);
    inner.next(4);
    expect(inner.observed).toBe(false);
    for (const delivery of out.deliveries) delivery.ack();
    expect(out.values).toEqual([0, 1, 2, 3]);
    expect(String(source.events[0]!.cause)).toMatch(/3 unsettled values.*maxOutstanding/);
  });

  it('unsubscribes and gives up when the claim is lost, and when it is unsubscribed itself', () => {
    for (const how of ['lost', 'unsubscribed']) {
      const source = new ManualSource<string>();
      const inner = new Subject<string>();
      let signal: AbortSignal | undefined;
      const stage = perRecord((_: string, context: CallContext) => ((signal = context.signal), inner), {
        concurrency: 1,
        ...input,
      });
      const out = collect(source.flow.pipe(stage), { ack: false });
      source.emitAll('ab');
      inner.next('1');
      if (how === 'lost') source.lose();
      else out.stop();
      expect(inner.observed).toBe(false);
      expect(signal?.aborted).toBe(true);
      expect(source.marked('give-up')).toBe('b');
      out.deliveries[0]!.ack();
      expect(source.marked('give-up')).toBe('b a');
      expect(source.marked('ack')).toBe('');
    }
  });

  it('gives up values that were kept back when the claim is lost', () => {
    const source = new ManualSource<string>();
    const inners = [new Subject<string>(), new Subject<string>()];
    const stage = perRecord((x: string) => inners[x === 'a' ? 0 : 1]!, { concurrency: 2, ...input });
    const out = collect(source.flow.pipe(stage));
    source.emitAll('ab');
    inners[1]!.next('kept back');
    inners[1]!.complete();
    source.lose();
    expect(out.values).toEqual([]);
    expect(source.marked('give-up').split(' ').sort()).toEqual(['a', 'b']);
    expect(source.marked('ack')).toBe('');
    expect(out.ended).toEqual(['complete']);
  });

  it('gives up values that were kept back when it is unsubscribed', () => {
    const source = new ManualSource<string>();
    const stage = perRecord((x: string) => (x === 'a' ? NEVER : of(x, x)), { concurrency: 2, ...input });
    const out = collect(source.flow.pipe(stage));
    source.emitAll('ab');
    out.stop();
    expect(source.marked('give-up').split(' ').sort()).toEqual(['a', 'b']);
  });

  it('passes an error of its source on', () => {
    testFlow(({ flow, expectFlow }) => {
      expectFlow(flow('a#').pipe(perRecord(() => NEVER, { concurrency: 1, ...none }))).toBe('-#');
    });
  });

  it('keeps order when settling brings the next value inside', () => {
    const source = new ManualSource<number>(1);
    const out = collect(source.flow.pipe(perRecord((x) => of(x, -x), { concurrency: 3, ...input })));
    source.emitAll([1, 2, 3]);
    expect(out.values).toEqual([1, -1, 2, -2, 3, -3]);
    expect(out.ended).toEqual(['complete']);
  });

  it('checks its options where it is made', () => {
    expect(() => perRecord(() => EMPTY, { concurrency: 0, ...none })).toThrow(/concurrency/);
    expect(() => perRecord(() => EMPTY, { concurrency: 1, ...none, maxOutstanding: 0 })).toThrow(
      /maxOutstanding/,
    );
  });

  it('gives up the values that wait for earlier records when the flow ends while they go on', () => {
    const source = new ManualSource<string>();
    const first = new Subject<string>();
    const out = collect(
      source.flow.pipe(
        perRecord((value) => (value === 'a' ? first : of('x', 'y', 'z')), { concurrency: 2, ...input }),
        dropping(take(1), 0),
      ),
    );
    source.emit('a');
    source.emit('b');
    first.complete();
    expect(out.values).toEqual(['x']);
    expect(out.ended).toEqual(['complete']);
    expect(source.marked('ack')).toBe('a');
    expect(source.marked('give-up')).toBe('b');
  });

  it('subscribes nothing when its own function ends the flow', () => {
    const source = new ManualSource<string>();
    let subscribed = 0;
    const inner = new Observable<string>(() => {
      subscribed++;
    });
    const held: { stop(): void }[] = [];
    const project = (): Observable<string> => {
      held[0]!.stop();
      return inner;
    };
    held.push(collect(source.flow.pipe(perRecord(project, { concurrency: 1, ...none }))));
    source.emit('a');
    expect(subscribed).toBe(0);
    expect(source.marked('give-up')).toBe('a');
    expect(source.problems).toEqual([]);
  });
});
