import { describe, expect, it } from '@jest/globals';
import { map as rxMap, take, timer } from 'rxjs';
import type { Flow } from '../../src/flow/flow.ts';
import type { Op } from '../../src/flow/op.ts';
import { batch, dropping, fanOut, filter, map, mapAsync, skip, tap } from '../../src/operators/index.ts';
import { testFlow } from '../../src/testing/marbles.ts';
import { collect, ManualSource } from '../flow/manual-source.ts';

const same: Op<string, string> = map((x) => x);
const upper: Op<string, string> = map((x) => x.toUpperCase());
const never: Op<string, string> = filter(() => false);
const slow = (ms: number): Op<string, string> =>
  mapAsync((x: string) => timer(ms).pipe(rxMap(() => x)), { concurrency: 99, order: 'input' });

describe('fanOut', () => {
  it('sends each value down every branch, in their order, and merges what they emit', () => {
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const source = flow('a---b---|');
      expectFlow(source.pipe(fanOut(same, upper))).toBe('(aA)(bB)|');
      expectAcks(source).toBe('a---b');
    });
  });

  it('settles a record when the slowest branch has; completes when all have', () => {
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const source = flow('ab|');
      expectFlow(source.pipe(fanOut(same, slow(5)))).toBe('ab---a(b|)');
      expectAcks(source).toBe('-----ab');
    });
  });

  it('settles what no branch takes', () => {
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const source = flow('ab|');
      expectFlow(source.pipe(fanOut(never, never))).toBe('--|');
      expectAcks(source).toBe('ab');
    });
  });

  it('settles in whatever order the branches do', () => {
    const source = new ManualSource<string>();
    const out = collect(source.flow.pipe(fanOut(same, same, same)), { ack: false });
    source.emitAll('ab');
    for (const at of [5, 0, 4, 2]) out.deliveries[at]!.ack();
    expect(source.events).toEqual([]);
    out.deliveries[3]!.ack();
    out.deliveries[1]!.ack();
    expect(source.marked('ack')).toBe('b a');
  });

  it('refuses a record when one branch has, once the others are done', () => {
    const source = new ManualSource<string>();
    const out = collect(source.flow.pipe(fanOut(same, upper)), { ack: false });
    source.emitAll('a');
    out.deliveries[0]!.nack('no', 'reject');
    expect(source.events).toEqual([]);
    out.deliveries[1]!.ack();
    expect(source.events).toMatchObject([{ kind: 'nack', cause: 'no', verdict: 'reject' }]);
  });

  it('leaves errors to the policies of each branch', () => {
    const boom = (): never => {
      throw new Error('boom');
    };
    testFlow(({ flow, expectFlow, expectAcks, expectNacks }) => {
      const [skips, fails] = [flow('a|'), flow('a|')];
      expectFlow(skips.pipe(fanOut(same, tap(boom, { onError: skip })))).toBe('a|');
      expectFlow(fails.pipe(fanOut(same, tap(boom)))).toBe('a|');
      expectAcks(skips).toBe('a');
      expectAcks(fails).toBe('');
      expectNacks(fails).toBe('a');
    });
  });

  it('passes an error of its source on once, and what a branch holds is given up', () => {
    const source = new ManualSource<string>();
    const out = collect(source.flow.pipe(fanOut(same, batch({ maxRecords: 9, withinMs: 99 }))));
    source.emit('a');
    source.error('broken');
    expect(out.ended).toEqual(['broken']);
    expect(source.marked('ack')).toBe('');
    expect(source.marked('give-up')).toBe('a');
  });

  it('goes on without a branch that ended; the share of that branch is settled', () => {
    const source = new ManualSource<string>();
    const first = (flow: Flow<string>): Flow<string> => flow.pipe(dropping(take(1), 0));
    const out = collect(source.flow.pipe(fanOut(first, upper)));
    source.emitAll('abc');
    expect(out.values).toEqual(['a', 'A', 'B', 'C']);
    expect(source.marked('ack')).toBe('a b c');
    expect(out.ended).toEqual(['complete']);
  });

  it('gives up what its branches hold when it is unsubscribed', () => {
    const source = new ManualSource<string>();
    const out = collect(source.flow.pipe(fanOut(same, batch({ maxRecords: 9, withinMs: 99 }))));
    source.emitAll('ab', { complete: false });
    out.stop();
    expect(source.marked('give-up')).toBe('a b');
    expect(source.subscriber?.closed).toBe(true);
  });

  it('gives up a record in the middle of which it is unsubscribed', () => {
    const source = new ManualSource<string>();
    const values: string[] = [];
    const subscription = source.flow.pipe(fanOut(same, upper)).subscribe((delivery) => {
      values.push(delivery.value);
      delivery.ack();
      subscription.unsubscribe();
    });
    source.emitAll('a', { complete: false });
    expect(values).toEqual(['a']);
    expect(source.marked('ack')).toBe('');
    expect(source.marked('give-up')).toBe('a');
  });

  it('keeps the order of each branch when settling brings the next value inside', () => {
    const source = new ManualSource<string>(1);
    const out = collect(source.flow.pipe(fanOut(same, upper)));
    source.emitAll('abc');
    expect(out.values).toEqual(['a', 'A', 'b', 'B', 'c', 'C']);
    expect(source.marked('ack')).toBe('a b c');
    expect(out.ended).toEqual(['complete']);
    expect(source.problems).toEqual([]);
  });

  it('does not stand still where every branch collects more than the credit', () => {
    const source = new ManualSource<string>(4);
    const out = collect(
      source.flow.pipe(
        fanOut(batch({ maxRecords: 50, withinMs: 99 }), batch<string>({ maxRecords: 70, withinMs: 99 })),
      ),
    );
    source.emitAll('abcdefghij');
    expect(out.values.flat().sort().join('')).toBe('aabbccddeeffgghhiijj');
    expect(source.inFlight).toBe(0);
    expect(out.ended).toEqual(['complete']);
  });

  it('flushes its branches when the claim is being given away, and drops theirs when it is lost', () => {
    const branch = batch<string>({ maxRecords: 50, withinMs: 99 });
    testFlow(({ flow, expectFlow, expectAcks, revoke, lose }) => {
      const [revoked, lost] = [flow('a------|'), flow('a------|')];
      revoke(revoked, '--!');
      lose(lost, '--!');
      expectFlow(revoked.pipe(fanOut(branch, branch))).toBe('--(xx)-|', { x: ['a'] });
      expectFlow(lost.pipe(fanOut(branch, branch))).toBe('-------|');
      expectAcks(revoked).toBe('--a');
      expectAcks(lost).toBe('');
    });
  });

  it('can be subscribed twice', () => {
    const source = new ManualSource<string>();
    const flow = source.flow.pipe(fanOut(same, upper));
    for (const value of ['a', 'b']) {
      const out = collect(flow);
      source.emit(value);
      expect(out.values).toEqual([value, value.toUpperCase()]);
      out.stop();
    }
  });

  it('takes a name behind its branches', () => {
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const source = flow('a---b---|');
      expectFlow(source.pipe(fanOut(same, upper, { name: 'both' }))).toBe('(aA)(bB)|');
      expectAcks(source).toBe('a---b');
    });
  });

  it('wants two branches, each of which answers with a Flow', () => {
    const source = new ManualSource<string>();
    const loose = fanOut;
    expect(() => (loose as (one: unknown) => unknown)(same)).toThrow(/two branches/);
    expect(() => source.flow.pipe(fanOut(same, (() => undefined) as never))).toThrow(
      /^fanOut: branch 2 did not answer with a Flow/,
    );
    expect(() => (loose as (...given: unknown[]) => unknown)(same, { name: 'both' })).toThrow(
      /^fanOut 'both': two branches/,
    );
    expect(() => source.flow.pipe(fanOut(same, (() => undefined) as never, { name: 'both' }))).toThrow(
      /^fanOut 'both': branch 2 did not answer with a Flow/,
    );
  });
});
