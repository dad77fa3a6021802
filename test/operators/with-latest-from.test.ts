import { describe, expect, it } from '@jest/globals';
import { fc } from '../helpers/fast-check.ts';
import {
  BehaviorSubject,
  EMPTY,
  NEVER,
  of,
  startWith,
  Subject,
  take,
  throwError,
  timer,
  withLatestFrom as rxWithLatestFrom,
} from 'rxjs';
import { eachClaim, merge, retry, skip, withLatestFrom } from '../../src/operators/index.ts';
import { testFlow } from '../../src/testing/marbles.ts';
import { collect, ManualSource } from '../flow/manual-source.ts';
import { diagrams, oursOn, rxjsOn } from './beside-rxjs.ts';

const joined = (value: string, latest: unknown): string => `${value}${String(latest)}`;

describe('withLatestFrom', () => {
  it('emits what RxJS’s emits, when it does, for an Observable that has a value from the start', () => {
    fc.assert(
      fc.property(diagrams, fc.integer({ min: 1, max: 4 }), (diagram, periodMs) => {
        const other = timer(periodMs, periodMs).pipe(startWith('x'), take(4));
        expect(oursOn(diagram, withLatestFrom(other, joined))).toEqual(
          rxjsOn(diagram, rxWithLatestFrom(other, joined)),
        );
      }),
    );
  });

  it('lets wait what comes before the first value', () => {
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const source = flow('ab-----c|');
      const other = timer(2, 1).pipe(take(2));
      const values = { x: 'a0', y: 'b0', z: 'c1' };
      expectFlow(source.pipe(withLatestFrom(other, joined))).toBe('--(xy)-z|', values);
      expectAcks(source).toBe('--(ab)-c');
    });
  });

  it('pairs them, without a function', () => {
    const source = new ManualSource<string>();
    const other = new BehaviorSubject(1);
    const out = collect(source.flow.pipe(withLatestFrom(other)));
    source.emit('a');
    other.next(2);
    source.emit('b');
    expect(out.values).toEqual([
      ['a', 1],
      ['b', 2],
    ]);
    expect(source.marked('ack')).toBe('a b');
    other.complete();
    source.emit('c');
    expect(out.values.at(-1)).toEqual(['c', 2]);
    source.complete();
    expect(out.ended).toEqual(['complete']);
    expect(other.observed).toBe(false);
  });

  it('leaves the settling to what follows', () => {
    const source = new ManualSource<string>();
    const out = collect(source.flow.pipe(withLatestFrom(of(1))), { ack: false });
    source.emitAll('ab');
    expect(source.events).toEqual([]);
    out.deliveries[1]!.ack();
    out.deliveries[0]!.nack('no');
    expect(source.marked('ack')).toBe('b');
    expect(source.marked('nack')).toBe('a');
  });

  it('waits at the end for the first value, in order with what its emission brings', () => {
    const source = new ManualSource<string>(2);
    const other = new Subject<number>();
    const out = collect(source.flow.pipe(withLatestFrom(other, joined)));
    source.emitAll('abcd');
    expect(out.values).toEqual([]);
    other.next(1);
    expect(out.values).toEqual(['a1', 'b1', 'c1', 'd1']);
    expect(source.marked('ack')).toBe('a b c d');
    expect(out.ended).toEqual(['complete']);
    expect(source.problems).toEqual([]);
  });

  it('leaves what waits of a claim that ends to the next owner', () => {
    for (const end of ['revoke', 'lose'] as const) {
      const sources = [new ManualSource<string>(), new ManualSource<string>()] as const;
      const other = new Subject<number>();
      const out = collect(merge(sources[0].flow, sources[1].flow).pipe(withLatestFrom(other, joined)));
      sources[0].emit('a');
      sources[1].emit('b');
      sources[0][end]();
      expect(sources[0].marked('give-up')).toBe('a');
      sources[0].emit('c');
      expect(sources[0].marked('give-up')).toBe('a c');
      other.next(1);
      expect(out.values).toEqual(['b1']);
    }
    testFlow(({ claims, expectFlow, expectSettlements }) => {
      const source = claims({ 'letters-0': 'a-!' });
      const lanes = eachClaim<string, string>((claim) => claim.pipe(withLatestFrom(NEVER, joined)));
      expectFlow(source.pipe(lanes)).toBe('--|');
      expectSettlements(source).toBe({ 'letters-0': '--x' }, { x: 'give-up a' });
    });
  });

  it('leaves what waits unsettled when the flow is unsubscribed, and lets go of the Observable', () => {
    const source = new ManualSource<string>();
    const other = new Subject<number>();
    const out = collect(source.flow.pipe(withLatestFrom(other)));
    source.emit('a');
    out.stop();
    expect(source.marked('give-up')).toBe('a');
    expect(other.observed).toBe(false);
  });

  it('ends with an error of the Observable', () => {
    const source = new ManualSource<string>();
    const other = new Subject<number>();
    const out = collect(source.flow.pipe(withLatestFrom(other)));
    source.emit('a');
    other.error('broken');
    expect(out.ended).toEqual(['broken']);
    expect(source.marked('give-up')).toBe('a');
    const at = new ManualSource<string>();
    expect(collect(at.flow.pipe(withLatestFrom(throwError(() => 'at once')))).ended).toEqual(['at once']);
  });

  it('fails values when the Observable completes without one', () => {
    const source = new ManualSource<string>();
    const other = new Subject<number>();
    collect(source.flow.pipe(withLatestFrom(other, { name: 'mine' })));
    source.emit('a');
    other.complete();
    source.emit('b');
    expect(source.events).toMatchObject([
      { kind: 'nack', mark: 'a', cause: { stage: 'mine' } },
      { kind: 'nack', mark: 'b', cause: { stage: 'mine' } },
    ]);
    const empty = new ManualSource<string>();
    const out = collect(empty.flow.pipe(withLatestFrom(EMPTY, joined, { onError: skip })));
    empty.emitAll('ab');
    expect(empty.marked('ack')).toBe('a b');
    expect(out.ended).toEqual(['complete']);
  });

  it('follows its policy for a function that throws, and keeps its order over the retries', async () => {
    let failures = 2;
    const project = (value: string, latest: number): string => {
      if (value === 'a' && failures-- > 0) throw new Error('boom');
      return joined(value, latest);
    };
    const source = new ManualSource<string>();
    const other = new Subject<number>();
    const onError = retry({ attempts: 3, minDelayMs: 10 });
    const out = collect(source.flow.pipe(withLatestFrom(other, project, { onError })));
    source.emitAll('ab');
    other.next(1);
    expect(out.values).toEqual([]);
    await source.time.advance(100);
    expect(out.values).toEqual(['a1', 'b1']);
    expect(out.ended).toEqual(['complete']);
  });

  it('refuses a Flow, and what is no Observable', () => {
    const source = new ManualSource<string>();
    // @ts-expect-error a Flow's deliveries would be nobody's
    expect(() => withLatestFrom(source.flow)).toThrow(/plain Observable/);
    expect(() => withLatestFrom(5 as never)).toThrow(/plain Observable/);
  });
});
