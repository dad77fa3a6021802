import { describe, expect, it } from '@jest/globals';
import { take } from 'rxjs';
import { dropping, hoppingWindow, map, retry, type HoppingWindowOptions } from '../../src/operators/index.ts';
import { testFlow } from '../../src/testing/marbles.ts';
import { collect } from '../flow/manual-source.ts';
import { CommittingSource } from './windows/committing-source.ts';

interface Hit {
  readonly at: number;
  readonly mark: string;
}

const marks = (options: Partial<HoppingWindowOptions<Hit, string>> = {}) =>
  hoppingWindow({
    sizeMs: 10,
    advanceMs: 5,
    graceMs: 0,
    key: () => 'all',
    timestamp: (hit: Hit) => hit.at,
    onFull: 'fail',
    seed: () => '',
    add: (row, { mark }) => row + mark,
    ...options,
  });

const hit = (mark: string, at: number): Hit => ({ mark, at });
const text = map(
  ({ start, end, value, final }: { start: number; end: number; value: string; final: boolean }) =>
    final ? `${start}-${end} ${value}` : `${start}-${end} ${value}...`,
);

describe('hoppingWindow', () => {
  it('counts a value in each of its windows, and settles it when the last of their rows is settled', () => {
    const source = new CommittingSource<Hit>();
    const { values, deliveries } = collect(source.flow.pipe(marks(), text), { ack: false });
    for (const one of [hit('a', 3), hit('b', 7), hit('c', 12)]) source.emit(one);
    expect(values).toEqual(['0-10 ab']);
    deliveries[0]!.ack();
    expect(source.events.filter(({ kind }) => kind === 'ack').length).toBe(1);
    source.emit(hit('d', 16));
    expect(values).toEqual(['0-10 ab', '5-15 bc']);
    deliveries[1]!.ack();
    expect(source.events.filter(({ kind }) => kind === 'ack').length).toBe(2);
    source.complete();
    expect(values.slice(2)).toEqual(['10-20 cd', '15-25 d']);
  });

  it('begins no window before 1970, as Kafka Streams', () => {
    const source = new CommittingSource<Hit>();
    const { values } = collect(source.flow.pipe(marks({ sizeMs: 10, advanceMs: 3 }), text));
    source.emit(hit('a', 1));
    source.emit(hit('b', 7));
    source.complete();
    expect(values).toEqual(['0-10 ab', '3-13 b', '6-16 b']);
  });

  it('sends a value to late only when all its windows are closed', () => {
    const source = new CommittingSource<Hit>();
    const late: string[] = [];
    const { values } = collect(
      source.flow.pipe(marks({ late: map(({ mark }: Hit) => late.push(mark)) }), text),
    );
    for (const one of [hit('a', 13), hit('b', 7), hit('c', 2)]) source.emit(one);
    expect(late).toEqual(['c']);
    source.complete();
    expect(values).toEqual(['5-15 ab', '10-20 a']);
    expect(source.events.filter(({ kind }) => kind === 'ack')).toHaveLength(3);
  });

  it('passes a refusal of one row on at once, though other windows of its records are open', () => {
    const source = new CommittingSource<Hit>();
    const { deliveries } = collect(source.flow.pipe(marks()), { ack: false });
    for (const one of [hit('a', 7), hit('b', 11)]) source.emit(one);
    deliveries[0]!.nack('no');
    expect(source.events.map(({ kind }) => kind)).toEqual(['hold', 'hold', 'nack']);
    source.emit(hit('c', 30));
    for (const delivery of deliveries.splice(1)) delivery.ack();
    expect(source.events.slice(3).map(({ kind }) => kind)).toEqual(['give-up']);
    expect(source.problems).toEqual([]);
  });

  it('emits updates of each window after each value, and holds the record when they are settled', () => {
    const source = new CommittingSource<Hit>();
    const { values, deliveries } = collect(source.flow.pipe(marks({ emit: 'updates' }), text), {
      ack: false,
    });
    source.emit(hit('a', 7));
    source.emit(hit('b', 11));
    expect(values).toEqual(['0-10 a...', '5-15 a...', '5-15 ab...', '10-20 b...', '0-10 a']);
    expect(source.events).toEqual([]);
    deliveries[0]!.ack();
    expect(source.events).toEqual([]);
    deliveries[1]!.ack();
    expect(source.events.map(({ kind }) => kind)).toEqual(['hold']);
    deliveries[4]!.ack();
    source.emit(hit('c', 40));
    for (const delivery of deliveries) delivery.ack();
    expect(source.events.map(({ kind }) => kind).sort()).toEqual(['ack', 'ack', 'hold', 'hold', 'hold']);
  });

  it('counts nothing of a value that fails for one of its windows, until it is tried again', async () => {
    const source = new CommittingSource<Hit>();
    let failures = 0;
    const window = hoppingWindow({
      sizeMs: 10,
      advanceMs: 5,
      graceMs: 0,
      key: () => 'all',
      timestamp: (one: Hit) => one.at,
      onFull: 'fail',
      seed: () => '',
      add: (row, { mark }) => {
        if (mark === 'b' && row === '' && failures++ === 0) throw new Error('boom');
        return row + mark;
      },
      onError: retry({ attempts: 3, minDelayMs: 10 }),
    });
    const { values } = collect(source.flow.pipe(window, text));
    source.emit(hit('a', 7));
    source.emit(hit('b', 11));
    source.emit(hit('c', 12));
    await source.time.advance(50);
    source.complete();
    expect(values).toEqual(['0-10 a', '5-15 abc', '10-20 bc']);
  });

  it('emits in the order of the ends, and gives up what it holds when the flow ends meanwhile', () => {
    const source = new CommittingSource<Hit>();
    const { values, ended } = collect(source.flow.pipe(marks(), text, dropping(take(2), 0)));
    for (const one of [hit('a', 7), hit('b', 99)]) source.emit(one);
    expect(values).toEqual(['0-10 a', '5-15 a']);
    expect(ended).toEqual(['complete']);
    expect(source.events.map(({ kind }) => kind).sort()).toEqual(['ack', 'give-up', 'hold', 'hold']);
    expect(source.time.pendingTimers).toBe(0);
  });

  it('emits what is open when the span is full and nothing else is waited for, or fails, as it was told', () => {
    const values = { a: hit('a', 7), b: hit('b', 9) };
    testFlow(({ flow, expectFlow, expectAcks, press }) => {
      const source = flow('ab 98ms |', values);
      press(source, '--!');
      expectFlow(source.pipe(marks({ onFull: 'emit-partial' }), text)).toBe('52ms (xy) 44ms |', {
        x: '0-10 ab...',
        y: '5-15 ab...',
      });
      expectAcks(source).toBe('52ms (ab)');
    });
    const source = new CommittingSource<Hit>();
    collect(source.flow.pipe(marks()));
    source.emit(values.a);
    source.press();
    return source.time.advance(100).then(() => {
      const refused = source.events.find(({ kind }) => kind === 'nack');
      expect(String(refused?.cause)).toMatch(
        /hoppingWindow: the span of the claim is full .* raise credit.span/,
      );
    });
  });

  it('is full as well when the last that is in flight is settled elsewhere, or is a row that tells of a change', async () => {
    for (const end of ['elsewhere', 'row'] as const) {
      const source = new CommittingSource<Hit>();
      const window = marks({ onFull: 'emit-partial', emit: end === 'row' ? 'updates' : 'final' });
      const { values, deliveries } = collect(source.flow.pipe(window, text), { ack: false });
      const elsewhere = end === 'row' ? undefined : source.handOver('elsewhere');
      source.emit(hit('a', 7));
      source.press();
      await source.time.advance(500);
      const before = values.length;
      expect(values.some((value) => value.startsWith('0-10 a...'))).toBe(end === 'row');
      if (elsewhere !== undefined) source.settle(elsewhere);
      for (const delivery of deliveries.slice()) delivery.ack();
      source.pressed = true;
      await source.time.advance(100);
      expect(values.slice(before)).toEqual(['0-10 a...', '5-15 a...']);
    }
  });

  it('checks its options', () => {
    expect(() => marks({ advanceMs: 0 })).toThrow(/advanceMs/);
    expect(() => marks({ advanceMs: 11 })).toThrow(/at most 'sizeMs'/);
  });
});
