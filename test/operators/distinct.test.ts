import { describe, expect, it } from '@jest/globals';
import { distinct, map, skip } from '../../src/operators/index.ts';
import { testFlow } from '../../src/testing/marbles.ts';
import { collect, ManualSource } from '../flow/manual-source.ts';

const byLetter = distinct<string>({ key: (x) => x.toLowerCase(), maxKeys: 10 });

interface Seen {
  readonly key: string;
  readonly at: number;
}

/** What passes of `key@time` in that order. */
function passing(text: string, maxKeys: number, withinMs?: number): string {
  const source = new ManualSource<Seen>();
  const stage = distinct<Seen>({ key: (x) => x.key, maxKeys, withinMs, timestamp: (x) => x.at });
  const out = collect(source.flow.pipe(stage));
  const values = text.split(' ').map((one) => {
    const [key, at] = one.split('@');
    return { key: key!, at: Number(at ?? 0) };
  });
  source.emitAll(values);
  expect(source.events.filter(({ kind }) => kind === 'ack')).toHaveLength(values.length);
  return out.values.map(({ key, at }) => (text.includes('@') ? `${key}@${at}` : key)).join(' ');
}

describe('distinct', () => {
  it('lets the first of each key pass and acknowledges the others', () => {
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const source = flow('abAcB|');
      expectFlow(source.pipe(byLetter)).toBe('ab-c-|');
      expectAcks(source).toBe('abAcB');
    });
  });

  it('remembers the keys of each claim apart', () => {
    testFlow(({ claims, expectFlow }) => {
      const source = claims({ 'letters-0': 'a-a-|', 'letters-1': '-a-a|' });
      expectFlow(source.pipe(byLetter)).toBe('aa--|');
    });
  });

  it('forgets the key that came first when there are too many', () => {
    expect(passing('a b a c a', 2)).toBe('a b c a');
  });

  it('lets a key pass again when event time has moved on, whatever its order', () => {
    expect(passing('a@0 a@10 a@11 a@20', 9, 10)).toBe('a@0 a@11');
    expect(passing('a@100 b@0 a@95 a@80 a@105 a@111', 9, 10)).toBe('a@100 b@0 a@80 a@111');
  });

  it('forgets by event time what can be no duplicate any more', () => {
    expect(passing('a@0 b@5 c@100 a@101 b@102', 3, 10)).toBe('a@0 b@5 c@100 a@101 b@102');
  });

  it('compares bytes by content', () => {
    const source = new ManualSource<string>();
    const stage = distinct<string>({ key: (x) => Buffer.from(x), maxKeys: 9 });
    const out = collect(source.flow.pipe(stage));
    source.emitAll(['a', 'a', 'b']);
    expect(out.values).toEqual(['a', 'b']);
  });

  it('takes the time of the record where none is given', () => {
    const source = new ManualSource<string>();
    const stage = distinct<string>({ key: (x) => x, maxKeys: 9, withinMs: 10 });
    const out = collect(
      source.flow.pipe(
        stage,
        map((x) => x),
      ),
    );
    for (const timestamp of [100, 105, 111]) source.emit('a', 0, { timestamp } as never);
    expect(out.values).toEqual(['a', 'a']);
  });

  it('follows its policy for a key that throws, is none, or has no time', () => {
    const source = new ManualSource<string>();
    const key = (x: string): string => {
      if (x === 'b') throw new Error('boom');
      return x === 'c' ? ({} as string) : x;
    };
    const timestamp = (x: string): number => (x === 'd' ? NaN : 0);
    const stage = distinct<string>({ key, maxKeys: 9, withinMs: 1, timestamp, onError: skip });
    const out = collect(source.flow.pipe(stage));
    source.emitAll('abcde');
    expect(out.values).toEqual(['a', 'e']);
    expect(source.marked('ack')).toBe('a b c d e');
  });

  it('refuses options that make no sense', () => {
    const key = (x: string): string => x;
    expect(() => distinct({ key: 'id' as never, maxKeys: 1 })).toThrow(/key/);
    expect(() => distinct({ key, maxKeys: 0 })).toThrow(/maxKeys/);
    expect(() => distinct({ key, maxKeys: 1, withinMs: -1 })).toThrow(/withinMs/);
  });
});
