import { describe, expect, it } from '@jest/globals';
import { fc } from '../helpers/fast-check.ts';
import { eachClaim, rateLimit, retry, skip } from '../../src/operators/index.ts';
import { RateMeter } from '../../src/operators/rate-limit.ts';
import { testFlow } from '../../src/testing/marbles.ts';
import { collect, ManualSource } from '../flow/manual-source.ts';

describe('rateLimit', () => {
  it('lets one pass each interval; the others wait, in order, and so does the end', () => {
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const source = flow('(abcd)|');
      expectFlow(source.pipe(rateLimit({ records: 1, perMs: 3 }))).toBe('a--b--c--(d|)');
      expectAcks(source).toBe('a--b--c--d');
    });
  });

  it('lets a burst pass after a pause, and then goes evenly', () => {
    testFlow(({ flow, expectFlow }) => {
      const source = flow('(abcd)--------------------(efgh)---|');
      const stage = rateLimit<string>({ records: 1, perMs: 6, burst: 3 });
      expectFlow(source.pipe(stage)).toBe('(abc)-d-------------------(efg)-h--|');
    });
  });

  it('saves up a whole interval when no burst is given', () => {
    testFlow(({ flow, expectFlow }) => {
      const source = flow('(abcd)-------|');
      expectFlow(source.pipe(rateLimit({ records: 2, perMs: 12 }))).toBe('(ab)--c-----d|');
    });
  });

  it('counts a value by its weight', () => {
    testFlow(({ flow, expectFlow }) => {
      const source = flow<number>('abc---|', { a: 4, b: 0, c: 4 });
      const stage = rateLimit<number>({ records: 1, perMs: 1, burst: 4, weight: (x) => x });
      expectFlow(source.pipe(stage)).toBe('ab--c-|', { a: 4, b: 0, c: 4 });
    });
  });

  it('has one limit for the flow, and one for each claim inside eachClaim', () => {
    testFlow(({ claims, expectFlow }) => {
      const source = claims({ 'letters-0': 'a-----|', 'letters-1': 'b-----|' });
      expectFlow(source.pipe(rateLimit({ records: 1, perMs: 3 }))).toBe('a--b--|');
    });
    testFlow(({ claims, expectFlow }) => {
      const source = claims({ 'letters-0': 'a-----|', 'letters-1': 'b-----|' });
      expectFlow(source.pipe(eachClaim((claim) => claim.pipe(rateLimit({ records: 1, perMs: 3 }))))).toBe(
        '(ab)--|',
      );
    });
  });

  it('leaves what waits to the next owner when its claim is given away; the other claims go on', () => {
    testFlow(({ claims, expectFlow, expectSettlements }) => {
      const source = claims({ 'letters-0': '(abc)!', 'letters-1': '-d-----------|' });
      expectFlow(source.pipe(rateLimit({ records: 1, perMs: 4 }))).toBe('a---b---d----|');
      expectSettlements(source).toBe({ 'letters-0': 'a---bC', 'letters-1': '--------d' }, { C: 'give-up c' });
    });
  });

  it('does not let anything wait that comes while its claim is given away', () => {
    const source = new ManualSource<string>();
    const out = collect(source.flow.pipe(rateLimit({ records: 1, perMs: 4 })));
    source.revoke();
    source.emitAll('ab');
    expect(out.values).toEqual(['a']);
    expect(source.marked('give-up')).toBe('b');
    expect(out.ended).toEqual(['complete']);
    expect(source.time.pendingTimers).toBe(0);
  });

  it('drops what waits of a lost claim', () => {
    const source = new ManualSource<string>();
    const out = collect(source.flow.pipe(rateLimit({ records: 1, perMs: 4 })));
    source.emitAll('abc', { complete: false });
    source.lose();
    expect(source.marked('give-up')).toBe('b c');
    source.complete();
    expect(out.ended).toEqual(['complete']);
    expect(source.time.pendingTimers).toBe(0);
  });

  it('gives up what waits when it is unsubscribed, and when its source fails', () => {
    const source = new ManualSource<string>();
    const out = collect(source.flow.pipe(rateLimit({ records: 1, perMs: 4 })));
    source.emitAll('abc', { complete: false });
    out.stop();
    expect(source.marked('give-up')).toBe('b c');
    expect(source.time.pendingTimers).toBe(0);
    const failing = new ManualSource<string>();
    const failed = collect(failing.flow.pipe(rateLimit({ records: 1, perMs: 4 })));
    failing.emitAll('ab', { complete: false });
    failing.error('no');
    expect(failed.ended).toEqual(['no']);
    expect(failing.marked('give-up')).toBe('b');
  });

  it('keeps the source waiting by its credit, and keeps order when settling brings the next value inside', async () => {
    const source = new ManualSource<number>(5);
    const out = collect(source.flow.pipe(rateLimit({ records: 10, perMs: 10 })));
    const all = Array.from({ length: 200 }, (_, at) => at);
    source.emitAll(all);
    expect(out.values).toHaveLength(10);
    expect(source.inFlight).toBe(5);
    await source.time.advance(200);
    expect(out.values).toEqual(all);
    expect(out.ended).toEqual(['complete']);
    expect(source.problems).toEqual([]);
  });

  it('fails once for a weight that throws or could never pass, whatever the retries', () => {
    const source = new ManualSource<number>();
    const onError = retry({ attempts: 9, minDelayMs: 1 }, skip);
    const weight = (x: number): number => {
      if (x === 0) throw new Error('boom');
      return x;
    };
    const stage = rateLimit<number>({ records: 1, perMs: 1, burst: 3, weight, onError });
    const out = collect(source.flow.pipe(stage));
    source.emitAll([0, 4, -1, NaN, 3]);
    expect(out.values).toEqual([3]);
    expect(source.marked('ack')).toBe('0 4 -1 NaN 3');
  });

  it('checks its options', () => {
    for (const name of ['records', 'perMs', 'burst'])
      for (const value of [0, -1, NaN, Infinity])
        expect(() => rateLimit({ records: 1, perMs: 1, [name]: value })).toThrow(new RegExp(name));
    expect(() => rateLimit({ records: 1, perMs: 1, burst: 0.5 })).toThrow(/not one record/);
    expect(() => rateLimit({ records: 1, perMs: 1, weight: 1 as never })).toThrow(/weight/);
  });
});

describe('the meter', () => {
  it('lets no interval have more than burst and its share, and uses what there is', () => {
    fc.assert(
      fc.property(
        fc.record({ records: fc.integer({ min: 1, max: 50 }), perMs: fc.integer({ min: 1, max: 100 }) }),
        fc.integer({ min: 1, max: 20 }),
        fc.array(fc.tuple(fc.nat(30), fc.nat(5)), { minLength: 1, maxLength: 60 }),
        ({ records, perMs }, burst, steps) => {
          const meter = new RateMeter(records, perMs, burst);
          let now = 1e9;
          const passed: { at: number; weight: number }[] = [];
          for (const [pause, wanted] of steps) {
            now += pause;
            const weight = Math.min(wanted, burst);
            const waitMs = meter.take(weight, now);
            if (waitMs > 0) {
              // What it says is enough, and hardly less is not.
              expect(meter.take(weight, now + waitMs * 0.99)).toBeGreaterThan(0);
              now += waitMs;
              expect(meter.take(weight, now)).toBe(0);
            }
            passed.push({ at: now, weight });
          }
          for (const [from, { at }] of passed.entries()) {
            let sum = 0;
            for (const one of passed.slice(from)) {
              sum += one.weight;
              expect(sum).toBeLessThanOrEqual(burst + ((one.at - at) * records) / perMs + 1e-3);
            }
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
