import { describe, expect, it } from '@jest/globals';
import { map as rxMap, timer } from 'rxjs';
import { createFlow } from '../../src/flow/flow.ts';
import type { Op } from '../../src/flow/op.ts';
import {
  batch,
  dedupe,
  map,
  mapAsync,
  merge,
  retry,
  skip,
  tumblingWindow,
} from '../../src/operators/index.ts';
import { testFlow } from '../../src/testing/marbles.ts';
import { collect, ManualSource } from '../flow/manual-source.ts';

const byLetter = dedupe<string>({ key: (x) => x.toLowerCase(), maxKeys: 10 });

interface Seen {
  readonly key: string;
  readonly at: number;
}

/** What passes of `key@time` in that order, each settled before the next. */
function passing(text: string, maxKeys: number, withinMs?: number): string {
  const source = new ManualSource<Seen>();
  const stage = dedupe<Seen>({ key: (x) => x.key, maxKeys, withinMs, timestamp: (x) => x.at });
  const out = collect(source.flow.pipe(stage));
  for (const one of text.split(' ')) {
    const [key, at] = one.split('@');
    source.emit({ key: key!, at: Number(at ?? 0) });
  }
  expect(source.events.filter(({ kind }) => kind === 'ack')).toHaveLength(text.split(' ').length);
  return out.values.map(({ key, at }) => (text.includes('@') ? `${key}@${at}` : key)).join(' ');
}

describe('dedupe', () => {
  it('lets the first of each key pass, and acknowledges the others when that is settled', () => {
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const source = flow('aA-------a|');
      const slow = mapAsync((x: string) => timer(4).pipe(rxMap(() => x)), { concurrency: 9, order: 'input' });
      expectFlow(source.pipe(byLetter, slow)).toBe('----a-----|');
      expectAcks(source).toBe('----(aA)-a');
    });
  });

  it('remembers over all claims', () => {
    const sources = [new ManualSource<string>(), new ManualSource<string>()] as const;
    const out = collect(merge(sources[0].flow, sources[1].flow).pipe(byLetter), { ack: false });
    sources[0].emit('a');
    sources[1].emit('A');
    expect(out.values).toEqual(['a']);
    expect(sources[1].events).toEqual([]);
    out.deliveries[0]!.ack();
    expect(sources[0].marked('ack')).toBe('a');
    expect(sources[1].marked('ack')).toBe('A');
    sources[1].emit('a');
    expect(sources[1].marked('ack')).toBe('A a');
    expect(out.values).toEqual(['a']);
  });

  it.each(['nack', 'give-up'] as const)('lets a copy take the place of one that is left: %s', (how) => {
    const sources = [new ManualSource<string>(), new ManualSource<string>()] as const;
    const out = collect(merge(sources[0].flow, sources[1].flow).pipe(byLetter), { ack: false });
    sources[0].emit('a');
    sources[1].emit('A');
    sources[1].emit('a');
    if (how === 'nack') out.deliveries[0]!.nack('no');
    else sources[0].lose();
    expect(out.values).toEqual(['a', 'A']);
    expect(sources[1].events).toEqual([]);
    out.deliveries[1]!.ack();
    expect(sources[1].marked('ack')).toBe('A a');
  });

  it('forgets what a claim did that is lost, since it may come again', () => {
    const source = new ManualSource<string>();
    const next = new ManualSource<string>();
    const out = collect(merge(source.flow, next.flow).pipe(byLetter));
    source.emit('a');
    source.lose();
    next.emit('a');
    next.emit('a');
    expect(out.values).toEqual(['a', 'a']);
    expect(next.marked('ack')).toBe('a a');
  });

  it('forgets as well what comes of a claim when it is lost already', () => {
    const source = new ManualSource<string>();
    const next = new ManualSource<string>();
    const out = collect(merge(source.flow, next.flow).pipe(byLetter));
    source.lose();
    source.emit('a');
    next.emit('a');
    expect(out.values).toEqual(['a', 'a']);
  });

  it('remembers what a claim did that was given away', () => {
    const source = new ManualSource<string>();
    const next = new ManualSource<string>();
    const out = collect(merge(source.flow, next.flow).pipe(byLetter));
    source.emit('a');
    source.revoke();
    source.complete();
    next.emit('a');
    expect(out.values).toEqual(['a']);
    expect(next.marked('ack')).toBe('a');
  });

  it('gives up copies of a claim that is lost while they wait', () => {
    const sources = [new ManualSource<string>(), new ManualSource<string>()] as const;
    const out = collect(merge(sources[0].flow, sources[1].flow).pipe(byLetter), { ack: false });
    sources[0].emit('a');
    sources[1].emit('a');
    sources[1].lose();
    expect(sources[1].marked('give-up')).toBe('a');
    sources[0].complete();
    sources[1].complete();
    expect(out.ended).toEqual(['complete']);
  });

  it('ends at once, and settles the copies that wait when their original is', () => {
    for (const [settle, marked] of [
      ['ack', 'ack'],
      ['nack', 'give-up'],
    ] as const) {
      const source = new ManualSource<string>();
      const out = collect(source.flow.pipe(byLetter), { ack: false });
      source.emitAll('aA');
      expect(out.ended).toEqual(['complete']);
      expect(source.marked(marked)).toBe('');
      out.deliveries[0]![settle]('why');
      expect(source.marked(marked)).toMatch(/A$/);
    }
  });

  it('does not wait for what a window keeps until the end', () => {
    const source = new ManualSource<string>();
    const window = tumblingWindow<string, string, string>({
      sizeMs: 10,
      graceMs: 0,
      onFull: 'fail',
      key: (x) => x,
      timestamp: () => 0,
      seed: () => '',
      add: (all, x) => all + x,
    });
    const out = collect(source.flow.pipe(byLetter, window));
    source.emitAll('aAa');
    expect(out.values.map(({ value }) => value)).toEqual(['a']);
    expect(out.ended).toEqual(['complete']);
    expect(source.marked('ack')).toBe('a A a');
  });

  it('leaves room for values that close the window which keeps the original', () => {
    const source = new ManualSource<Seen>(3);
    const stage = dedupe<Seen>({ key: (x) => x.key, maxKeys: 10 });
    const window = tumblingWindow({
      sizeMs: 100,
      graceMs: 0,
      key: () => 'all',
      timestamp: (x: Seen) => x.at,
      onFull: 'fail',
      seed: () => '',
      add: (row: string, x: Seen) => row + x.key,
    });
    const out = collect(source.flow.pipe(stage, window));
    source.emitAll([...Array.from({ length: 20 }, () => ({ key: 'a', at: 10 })), { key: 'b', at: 200 }], {
      complete: false,
    });
    expect(out.values.map(({ value }) => value)).toEqual(['a']);
    expect(source.events.filter(({ kind }) => kind === 'ack')).toHaveLength(20);
  });

  it('leaves copies unsettled when it is unsubscribed', () => {
    const other = new ManualSource<string>();
    const stopped = collect(other.flow.pipe(byLetter), { ack: false });
    other.emitAll('aA', { complete: false });
    stopped.stop();
    expect(other.marked('give-up')).toBe('A');
    stopped.deliveries[0]!.ack();
    expect(other.marked('ack')).toBe('a');
  });

  it('keeps its wits when an acknowledgement brings the next copy', () => {
    const source = new ManualSource<string>(1);
    const out = collect(source.flow.pipe(byLetter));
    source.emitAll('aAbaB');
    expect(out.values.join('')).toBe('ab');
    expect(source.marked('ack')).toBe('a A b a B');
    expect(out.ended).toEqual(['complete']);
    expect(source.problems).toEqual([]);
  });

  it('does not stand still where a batch waits for what waits here', async () => {
    const source = new ManualSource<string>(3);
    const out = collect(source.flow.pipe(byLetter, batch({ maxRecords: 9, withinMs: 60_000 }), map(String)));
    source.emitAll('aAaab');
    await source.time.advance(5_000);
    expect(out.values.length).toBeGreaterThan(0);
    expect(source.inFlight).toBe(0);
  });

  it('forgets the key that was done first when there are too many', () => {
    expect(passing('a b a c a', 2)).toBe('a b c a');
  });

  it('tells values apart whose times are too far from each other', () => {
    expect(passing('a@0 a@10 a@11 a@20', 9, 10)).toBe('a@0 a@11');
    expect(passing('a@100 b@0 a@95 a@80 a@105 a@111', 9, 10)).toBe('a@100 b@0 a@80 a@111');
    expect(passing('a@0 b@5 c@100 a@101 b@102', 3, 10)).toBe('a@0 b@5 c@100 a@101 b@102');
  });

  it('compares bytes by content, and takes the time of the record where none is given', () => {
    const source = new ManualSource<string>();
    const stage = dedupe<string>({ key: (x) => Buffer.from(x), maxKeys: 9, withinMs: 10 });
    const out = collect(source.flow.pipe(stage));
    for (const timestamp of [100, 105, 111]) source.emit('a', 0, { timestamp } as never);
    expect(out.values).toEqual(['a', 'a']);
  });

  it('follows its policy for a key that throws, is none, or has no time', async () => {
    const key = (x: string): string => {
      if (x === 'b') throw new Error('boom');
      return x === 'c' ? ({} as string) : x;
    };
    const timestamp = (x: string): number => (x === 'd' ? NaN : 0);
    const onError = retry({ attempts: 2, minDelayMs: 5 }, skip);
    const source = new ManualSource<string>();
    const out = collect(
      source.flow.pipe(dedupe<string>({ key, maxKeys: 9, withinMs: 1, timestamp, onError })),
    );
    source.emitAll('abcde');
    await source.time.advance(100);
    expect(out.values).toEqual(['a', 'e']);
    expect(source.marked('ack')).toBe('a b c d e');
    expect(out.ended).toEqual(['complete']);
  });

  it('is content with values made from others, and with what was held', () => {
    const source = new ManualSource<string>();
    const holds: Op<string, string> = (flow) =>
      createFlow((subscriber) =>
        flow.subscribe({
          next: (delivery) => {
            delivery.hold();
            subscriber.next(delivery);
          },
        }),
      );
    const out = collect(source.flow.pipe(holds, byLetter), { ack: false });
    source.emit('a');
    source.emit('A');
    out.deliveries[0]!.hold();
    out.deliveries[0]!.ack();
    expect(source.marked('ack')).toBe('a A');
    expect(source.problems).toEqual([]);
  });

  it('refuses options that make no sense', () => {
    const key = (x: string): string => x;
    expect(() => dedupe({ key: 'id' as never, maxKeys: 1 })).toThrow(/key/);
    expect(() => dedupe({ key, maxKeys: 0 })).toThrow(/maxKeys/);
    expect(() => dedupe({ key, maxKeys: 1, withinMs: -1 })).toThrow(/withinMs/);
  });
});
