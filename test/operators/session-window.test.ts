import { describe, expect, it } from '@jest/globals';
import type { ConsumerRecord } from '../../src/core/records/types.ts';
import { map, sessionWindow, type SessionWindowOptions } from '../../src/operators/index.ts';
import { collect } from '../flow/manual-source.ts';
import { CommittingSource } from './windows/committing-source.ts';

interface Hit {
  readonly at: number;
  readonly mark: string;
  readonly key: string;
}

const fold = {
  seed: () => '',
  add: (row: string, { mark }: Hit) => row + mark,
  merge: (earlier: string, later: string) => earlier + later,
};
const options = {
  gapMs: 10,
  graceMs: 0,
  key: ({ key }: Hit) => key,
  timestamp: (hit: Hit) => hit.at,
  onFull: 'fail' as const,
};
type Options = Partial<Omit<SessionWindowOptions<Hit, string>, 'emit'>>;
const sessions = (more: Options = {}) => sessionWindow({ ...options, ...fold, ...more });
const changes = (more: Options = {}) => sessionWindow({ ...options, ...fold, ...more, emit: 'updates' });

const hit = (mark: string, at: number, key = 'k'): Hit => ({ mark, at, key });
type Row = { start: number; end: number; value: string | null; final: boolean };
const text = map(
  ({ start, end, value, final }: Row) => `${start}-${end} ${value ?? 'taken back'}${final ? '' : '...'}`,
);

class Source extends CommittingSource<Hit> {
  offset = 0;
  hits(...hits: Hit[]): void {
    for (const one of hits) this.emit(one, 0, { offset: this.offset++, timestamp: one.at } as ConsumerRecord);
  }
}

describe('sessionWindow', () => {
  it('takes values at most the gap apart together, and closes when time is more than gap and grace past its end', () => {
    const source = new Source();
    const { values } = collect(source.flow.pipe(sessions(), text));
    source.hits(hit('a', 0), hit('b', 10), hit('x', 20, 'other'));
    expect(values).toEqual([]);
    source.hits(hit('y', 21, 'other'));
    expect(values).toEqual(['0-10 ab']);
    source.hits(hit('c', 21));
    source.complete();
    expect(values).toEqual(['0-10 ab', '20-21 xy', '21-21 c']);
  });

  it('joins sessions that a value lies between, bounds included, the earlier one first', () => {
    const source = new Source();
    const { values } = collect(source.flow.pipe(sessions({ graceMs: 50 }), text));
    source.hits(hit('a', 0), hit('b', 20), hit('c', 41), hit('d', 10));
    source.complete();
    expect(values).toEqual(['0-20 abd', '41-41 c']);
  });

  it('counts an old value that an open session saves, and not one that is alone', () => {
    const source = new Source();
    const late: string[] = [];
    const { values } = collect(
      source.flow.pipe(sessions({ late: map(({ mark }: Hit) => late.push(mark)) }), text),
    );
    source.hits(
      hit('a', 30),
      hit('b', 35),
      hit('c', 24),
      hit('d', 24, 'other'),
      hit('e', 14),
      hit('f', 13, 'other'),
    );
    expect(late).toEqual(['d', 'f']);
    source.complete();
    expect(values).toEqual(['14-35 abce']);
  });

  it('settles all records of a session with its row, also of those that became part of it', () => {
    const source = new Source();
    const { deliveries } = collect(source.flow.pipe(sessions({ graceMs: 50 })), { ack: false });
    source.hits(hit('a', 0), hit('b', 20), hit('c', 10), hit('d', 200));
    expect(source.marked('ack')).toBe('');
    deliveries[0]!.ack();
    expect(source.events.filter(({ kind }) => kind === 'ack')).toHaveLength(3);
    source.revoke();
    expect(source.events.at(-1)?.kind).toBe('give-up');
  });

  it('takes sessions back before it says what became of them', () => {
    const source = new Source();
    const { values, deliveries } = collect(source.flow.pipe(changes({ graceMs: 50 }), text), { ack: false });
    source.hits(hit('a', 0), hit('b', 0), hit('c', 20), hit('d', 10));
    expect(values).toEqual([
      '0-0 a...',
      '0-0 ab...',
      '20-20 c...',
      '0-0 taken back...',
      '20-20 taken back...',
      '0-20 abcd...',
    ]);
    for (const delivery of deliveries) delivery.ack();
    expect(source.events.map(({ kind }) => kind)).toEqual(['hold', 'hold', 'hold', 'hold']);
    source.complete();
    expect(values.at(-1)).toBe('0-20 abcd');
    deliveries.at(-1)!.ack();
    expect(source.events.filter(({ kind }) => kind === 'ack')).toHaveLength(4);
  });

  it('keeps updates back after a restart until it knows that their session was not done', () => {
    const log = [hit('a', 0), hit('x', 1, 'x'), hit('b', 5), hit('c', 100), hit('y', 101, 'x')];
    const source = new Source();
    const { deliveries, values } = collect(source.flow.pipe(changes(), text), { ack: false });
    source.hits(...log);
    const closing = values.indexOf('1-1 x');
    expect(values[closing - 1]).toBe('100-100 c...');
    for (const delivery of deliveries) delivery.ack();

    const next = new Source(source.commit(1));
    next.offset = 1;
    const again = collect(next.flow.pipe(changes(), text));
    next.hits(...log.slice(1));
    expect(again.values).toEqual(['100-100 c...', '101-101 y...']);
    expect(next.events.filter(({ kind }) => kind === 'ack')).toHaveLength(2);
  });

  it('tells a session that is done from one that is not by when it closed, with several windows on one claim', () => {
    const source = new Source();
    const one = sessions({ name: 'one' });
    const { deliveries } = collect(source.flow.pipe(one), { ack: false });
    source.hits(hit('a', 0), hit('b', 50), hit('c', 90));
    deliveries[0]!.ack();
    expect(JSON.parse(source.commit(1))).toEqual({ closedUpTo: { one: { t: 0, e: 50, p: [1, 0] } } });
  });

  it('refuses a second window of the same name on one claim, and names that do not fit', () => {
    const source = new Source();
    collect(
      source.flow.pipe(
        sessions({ name: 'x' }),
        map(() => hit('z', 0)),
        sessions({ name: 'x' }),
      ),
    );
    source.hits(hit('a', 0), hit('b', 50));
    expect(String(source.events.find(({ kind }) => kind === 'nack')?.cause)).toMatch(
      /two windows .* named 'x'/,
    );
    const long = new Source();
    collect(long.flow.pipe(sessions({ name: 'x'.repeat(4_000) })));
    long.hits(hit('a', 0));
    expect(String(long.events[0]?.cause)).toMatch(/do not fit/);
  });

  it('checks its options', () => {
    expect(() => sessions({ gapMs: 0 })).toThrow(/gapMs/);
    expect(() => sessionWindow({ ...options, ...fold, merge: undefined as never })).toThrow(/'merge'/);
  });
});
