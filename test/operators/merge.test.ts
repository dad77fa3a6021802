import { describe, expect, it } from '@jest/globals';
import { batch, map, merge } from '../../src/operators/index.ts';
import { testFlow } from '../../src/testing/marbles.ts';
import { collect, ManualSource } from '../flow/manual-source.ts';

describe('merge', () => {
  it('passes values as they come and completes when all flows have', () => {
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const [one, two] = [flow('a-b|'), flow('-c---d|')];
      expectFlow(merge(one, two)).toBe('acb--d|');
      expectAcks(one).toBe('a-b');
      expectAcks(two).toBe('-c---d');
    });
  });

  it('of nothing completes at once', () => {
    const out = collect(merge());
    expect(out.ended).toEqual(['complete']);
  });

  it('passes the very same deliveries, each settled at its own source', () => {
    const [one, two] = [new ManualSource<string>(), new ManualSource<string>()];
    const out = collect(merge(one.flow, two.flow), { ack: false });
    const a = one.emit('a');
    two.emit('b');
    expect(out.deliveries[0]).toBe(a);
    out.deliveries[1]!.ack();
    expect(one.events).toEqual([]);
    expect(two.marked('ack')).toBe('b');
  });

  it('passes the first error on and stops the other flows', () => {
    const [one, two] = [new ManualSource<string>(), new ManualSource<string>()];
    const out = collect(merge(one.flow, two.flow));
    one.error('broken');
    expect(out.ended).toEqual(['broken']);
    expect(two.subscriber?.closed).toBe(true);
  });

  it('stops all flows when it is unsubscribed', () => {
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const [one, two] = [flow('a-b-c|'), flow('-d-e-f|')];
      expectFlow(merge(one, two), '---!').toBe('adb');
      expectAcks(one).toBe('a-b');
      expectAcks(two).toBe('-d');
    });
  });

  it('keeps the order of each flow when settling brings the next value inside', () => {
    const [one, two] = [new ManualSource<number>(1), new ManualSource<number>(1)];
    const out = collect(merge(one.flow, two.flow));
    one.emitAll([1, 2, 3]);
    two.emitAll([-1, -2, -3]);
    expect(out.values).toEqual([1, 2, 3, -1, -2, -3]);
    expect(out.ended).toEqual(['complete']);
  });

  it('lets a stage behind it flush for the one flow that is out of credit', () => {
    const [one, two] = [new ManualSource<string>(), new ManualSource<string>()];
    const out = collect(merge(one.flow, two.flow).pipe(batch({ maxRecords: 9, withinMs: 99 })));
    one.emit('a');
    two.emit('b');
    two.press();
    expect(out.values).toEqual([['a', 'b']]);
  });

  it('merges flows of different types, and refuses what is no Flow', () => {
    const [one, two] = [new ManualSource<string>(), new ManualSource<string>()];
    const out = collect(merge(one.flow, two.flow.pipe(map((x) => x.length))));
    one.emit('a');
    two.emit('four');
    expect(out.values).toEqual(['a', 4]);
    expect(() => merge(one.flow, [] as never)).toThrow(/argument 2 is not a Flow/);
  });
});
