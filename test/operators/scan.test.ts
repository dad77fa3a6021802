import { describe, expect, it } from '@jest/globals';
import { merge, retry, scan, skip } from '../../src/operators/index.ts';
import { testFlow } from '../../src/testing/marbles.ts';
import { collect, ManualSource } from '../flow/manual-source.ts';

const joined = scan((all: string, x: string) => all + x, { seed: () => '' });
const byLetter = scan((all: string, x: string) => all + x, { seed: () => '', key: (x) => x.toLowerCase() });

describe('scan', () => {
  it('emits the state after each value', () => {
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const source = flow('-a-b-c|');
      expectFlow(source.pipe(joined)).toBe('-x-y-z|', { x: 'a', y: 'ab', z: 'abc' });
      expectAcks(source).toBe('-a-b-c');
    });
  });

  it('settles only with what follows', () => {
    const source = new ManualSource<string>();
    const out = collect(source.flow.pipe(joined), { ack: false });
    source.emitAll('ab');
    expect(source.events).toEqual([]);
    out.deliveries[1]!.ack();
    out.deliveries[0]!.nack('no');
    expect(source.marked('ack')).toBe('b');
    expect(source.marked('nack')).toBe('a');
  });

  it('keeps a state for each key', () => {
    const source = new ManualSource<string>();
    const out = collect(source.flow.pipe(byLetter));
    source.emitAll('abABa');
    expect(out.values).toEqual(['a', 'b', 'aA', 'bB', 'aAa']);
  });

  it('keeps a state for each claim', () => {
    testFlow(({ claims, expectFlow }) => {
      const source = claims({ 'letters-0': 'a-b-|', 'letters-1': '-A-B|' });
      expectFlow(source.pipe(joined)).toBe('vwxy|', { v: 'a', w: 'A', x: 'ab', y: 'AB' });
    });
  });

  it('leaves the state as it was when the fold throws, also over its retries', async () => {
    let failures = 2;
    const source = new ManualSource<string>();
    const fold = (all: string, x: string): string => {
      if (x === 'b' && failures-- > 0) throw new Error('boom');
      return all + x;
    };
    const onError = retry({ attempts: 2, minDelayMs: 5 }, skip);
    const out = collect(source.flow.pipe(scan(fold, { seed: () => '', onError })));
    source.emitAll('abc');
    await source.time.advance(1_000);
    expect(out.values).toEqual(['a', 'ac']);
    expect(source.marked('ack')).toBe('a b c');
  });

  it('refuses a value with a key too many, and goes on with those it knows', () => {
    const source = new ManualSource<string>();
    const few = scan((n: number, _: string) => n + 1, { seed: () => 0, key: (x) => x, maxKeys: 2 });
    const out = collect(source.flow.pipe(few));
    source.emitAll('abcab');
    expect(out.values).toEqual([1, 1, 2, 2]);
    expect(source.marked('nack')).toBe('c');
  });

  it('keeps its wits when an acknowledgement brings the next value, and begins anew for the claim epoch after a lost one', () => {
    const source = new ManualSource<string>(1);
    const next = new ManualSource<string>();
    const out = collect(merge(source.flow, next.flow).pipe(joined));
    source.emitAll('abc', { complete: false });
    expect(out.values).toEqual(['a', 'ab', 'abc']);
    source.lose();
    next.emit('a');
    expect(out.values.at(-1)).toBe('a');
    expect(source.marked('ack')).toBe('a b c');
  });

  it('leaves what waits behind a retry unsettled when the flow is unsubscribed', () => {
    const source = new ManualSource<string>();
    const fold = (): string => {
      throw new Error('boom');
    };
    const onError = retry({ attempts: 3, minDelayMs: 1_000 });
    const out = collect(source.flow.pipe(scan(fold, { seed: () => '', onError })));
    source.emitAll('ab', { complete: false });
    out.stop();
    expect(source.marked('give-up')).toBe('a b');
    expect(source.time.pendingTimers).toBe(0);
  });

  it('refuses options that make no sense', () => {
    expect(() => scan<string, number>((n) => n, { seed: 0 as never })).toThrow(/seed/);
    expect(() => scan<string, number>((n) => n, { seed: () => 0, maxKeys: 0 })).toThrow(/maxKeys/);
  });
});
