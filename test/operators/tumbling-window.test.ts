import { describe, expect, it } from '@jest/globals';
import { tumblingWindow, type WindowOptions } from '../../src/operators/tumbling-window.ts';
import type { Windowed } from '../../src/operators/windows/windowed.ts';
import { Subject, take } from 'rxjs';
import type { Flow } from '../../src/flow/flow.ts';
import { dropping } from '../../src/operators/dropping.ts';
import { map } from '../../src/operators/map.ts';
import { mapAsync } from '../../src/operators/map-async.ts';
import type { Op } from '../../src/flow/op.ts';
import { collect } from '../flow/manual-source.ts';
import { CommittingSource } from './windows/committing-source.ts';

interface Hit {
  readonly page: string;
  readonly at: number;
}

const counting = (options: Partial<WindowOptions<Hit, string>> = {}): Op<Hit, Windowed<string, number>> =>
  tumblingWindow({
    sizeMs: 10,
    graceMs: 5,
    key: (hit: Hit) => hit.page,
    timestamp: (hit) => hit.at,
    onFull: 'fail',
    seed: () => 0,
    add: (n) => n + 1,
    ...options,
  });

class Source extends CommittingSource<Hit> {
  hit(page: string, at: number) {
    return this.emit({ page, at });
  }
}

const row = (key: string, start: number, value: number, final = true): Windowed<string, number> => ({
  key,
  start,
  end: start + 10,
  value,
  final,
});

describe('tumblingWindow', () => {
  it('emits each key of a window when a record comes that is past its end and grace, and settles the records of all that close together with their rows', () => {
    const source = new Source();
    const { values, deliveries } = collect(source.flow.pipe(counting()), { ack: false });
    source.hit('a', 1);
    source.hit('b', 9);
    source.hit('a', 12);
    source.hit('a', 9);
    expect(values).toEqual([]);
    source.hit('a', 15);
    expect(values).toEqual([row('a', 0, 2), row('b', 0, 1)]);
    expect(source.events.filter(({ kind }) => kind === 'ack')).toEqual([]);
    deliveries[1]!.ack();
    expect(source.events.filter(({ kind }) => kind === 'ack')).toEqual([]);
    deliveries[0]!.ack();
    expect(source.events.filter(({ kind }) => kind === 'ack')).toHaveLength(3);
  });

  it('holds what it collects, so that it takes no credit', () => {
    const source = new Source();
    collect(source.flow.pipe(counting()));
    source.hit('a', 1);
    source.hit('a', 2);
    expect(source.inFlight).toBe(0);
    expect(source.events.map(({ kind }) => kind)).toEqual(['hold', 'hold']);
  });

  it('settles late records by default, and sends them through `late` when there is one', () => {
    const source = new Source();
    const late: string[] = [];
    const { values } = collect(source.flow.pipe(counting()));
    source.hit('a', 100);
    source.hit('a', 80);
    expect(values).toEqual([]);
    expect(source.marked('ack')).not.toBe('');
    const other = new Source();
    collect(other.flow.pipe(counting({ late: map((hit: Hit) => late.push(hit.page)) })));
    other.hit('a', 100);
    other.hit('late', 80);
    expect(late).toEqual(['late']);
    expect(other.events.filter(({ kind }) => kind === 'ack')).toHaveLength(1);
  });

  it('closes all windows when a finite flow ends', () => {
    const source = new Source();
    const { values, ended } = collect(source.flow.pipe(counting()));
    source.hit('a', 1);
    source.hit('a', 11);
    source.complete();
    expect(values).toEqual([row('a', 0, 1), row('a', 10, 1)]);
    expect(ended).toEqual(['complete']);
  });

  it('gives its records up unsettled when the claim is being given away', () => {
    const source = new Source();
    const { values } = collect(source.flow.pipe(counting()));
    source.hit('a', 1);
    source.revoke();
    source.complete();
    expect(values).toEqual([]);
    expect(source.events.map(({ kind }) => kind)).toEqual(['hold', 'give-up']);
  });

  it('marks in the commit how far windows are settled, and settles what is read again of them silently', () => {
    const source = new Source();
    const { deliveries } = collect(source.flow.pipe(counting()), { ack: false });
    source.hit('a', 1);
    source.hit('a', 11);
    source.hit('a', 21);
    source.hit('a', 12);
    source.hit('a', 31);
    expect(deliveries).toHaveLength(2);
    deliveries[1]!.ack();
    expect(source.marked('ack')).toBe('');
    expect(JSON.parse(source.commit(0)).closedUpTo).toEqual({ tumblingWindow: {} });
    deliveries[0]!.ack();
    expect(JSON.parse(source.commit(2)).closedUpTo).toEqual({ tumblingWindow: { t: 11, e: 31 } });

    const next = new Source(source.commit(2));
    const { values } = collect(next.flow.pipe(counting()));
    next.hit('a', 21);
    next.hit('a', 12);
    expect(next.events.map(({ kind }) => kind)).toEqual(['hold', 'ack']);
    next.hit('a', 31);
    next.hit('a', 51);
    expect(values).toEqual([row('a', 20, 1), row('a', 30, 1)]);
  });

  it('hands what a user function throws to the stage policy', () => {
    const source = new Source();
    collect(source.flow.pipe(counting({ timestamp: () => Number.NaN })));
    source.hit('a', 1);
    expect(source.events.map(({ kind }) => kind)).toEqual(['nack']);
  });

  it('checks its options', () => {
    expect(() => counting({ sizeMs: 0 })).toThrow(/sizeMs/);
    expect(() => counting({ graceMs: -1 })).toThrow(/graceMs/);
    expect(() => counting({ onFull: 'wait' as 'fail' })).toThrow(/onFull/);
  });

  it('ends when what is late has been settled by its own stages', () => {
    const source = new Source();
    const answer = new Subject<string>();
    const late = mapAsync(() => answer, { concurrency: 1, order: 'none' });
    const { values, ended } = collect(source.flow.pipe(counting({ late })));
    source.hit('a', 100);
    source.hit('late', 5);
    source.complete();
    expect(values).toEqual([row('a', 100, 1)]);
    expect(ended).toEqual([]);
    answer.next('done');
    expect(ended).toEqual(['complete']);
    expect(source.events.map(({ kind }) => kind)).toEqual(['hold', 'ack', 'ack']);
  });

  it('settles what is late when the stages for it have ended', () => {
    const source = new Source();
    const seen: string[] = [];
    const late = (hits: Flow<Hit>) =>
      hits.pipe(
        dropping(take(1), 0),
        map(({ page }) => seen.push(page)),
      );
    const { ended } = collect(source.flow.pipe(counting({ late })));
    source.hit('a', 100);
    source.hit('first', 5);
    source.hit('second', 5);
    expect(seen).toEqual(['first']);
    expect(source.events.filter(({ kind }) => kind === 'ack')).toHaveLength(2);
    source.complete();
    expect(ended).toEqual(['complete']);
  });

  it('gives up rows that are left over when the flow ends while they are emitted', () => {
    const source = new Source();
    const { values, ended } = collect(source.flow.pipe(counting(), dropping(take(1), 0)));
    source.hit('a', 1);
    source.hit('b', 2);
    source.hit('a', 100);
    expect(values).toEqual([row('a', 0, 1)]);
    expect(ended).toEqual(['complete']);
    expect(source.events.map(({ kind }) => kind)).toEqual([
      'hold',
      'hold',
      'hold',
      'give-up',
      'give-up',
      'give-up',
    ]);
  });

  it('marks what settles while the claim is given away: its last commit is still to come', () => {
    const source = new Source();
    const { deliveries } = collect(source.flow.pipe(counting()), { ack: false });
    source.hit('a', 1);
    source.hit('a', 100);
    source.revoke();
    deliveries[0]!.ack();
    expect(JSON.parse(source.commit(1))).toEqual({ closedUpTo: { tumblingWindow: { t: 1, e: 100 } } });
  });

  it('listens to no claim that was over when its record came', () => {
    const source = new Source();
    let listening = 0;
    const onPressure = source.onPressure.bind(source);
    source.onPressure = (listener) => {
      listening++;
      const stop = onPressure(listener);
      return () => {
        listening--;
        stop();
      };
    };
    collect(source.flow.pipe(counting()));
    source.hit('a', 1);
    expect(listening).toBe(1);
    source.revoke();
    source.hit('a', 2);
    expect(listening).toBe(0);
    expect(source.events.filter(({ kind }) => kind === 'give-up')).toHaveLength(2);
  });

  it('counts a value that one of its own functions brings, after the one that brought it', () => {
    const source = new Source();
    const { values, ended } = collect(
      source.flow.pipe(
        tumblingWindow({
          sizeMs: 10,
          graceMs: 0,
          key: (hit: Hit) => hit.page,
          timestamp: (hit) => hit.at,
          onFull: 'fail',
          seed: () => [] as readonly number[],
          add: (times, { at }) => {
            if (at === 1) source.hit('a', 2);
            return [...times, at];
          },
        }),
      ),
    );
    source.hit('a', 1);
    source.complete();
    expect(values.map(({ value }) => value)).toEqual([[1, 2]]);
    expect(source.events.map(({ kind }) => kind)).toEqual(['hold', 'hold', 'ack', 'ack']);
    expect(ended).toEqual(['complete']);
  });
});
