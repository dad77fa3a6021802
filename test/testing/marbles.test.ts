import { describe, expect, it } from '@jest/globals';
import { interval, map as rxMap, take, timer, type Observable } from 'rxjs';
import type { ConsumerRecord } from '../../src/core/records/types.ts';
import type { Flow } from '../../src/flow/flow.ts';
import { batch, filter, map, mapAsync, perRecord, type CallContext } from '../../src/operators/index.ts';
import { record } from '../../src/testing/marbles-record.ts';
import { marbleSource, testFlow } from '../../src/testing/marbles.ts';

interface Order {
  id: string;
  total: number;
}
type Price = (order: Order, context: CallContext) => PromiseLike<number> | Observable<number>;

const pricing = (price: Price) => (orders: Flow<ConsumerRecord<string, Order>>) =>
  orders.pipe(
    filter((r) => r.value.total > 0),
    mapAsync((r, c) => price(r.value, c), { concurrency: 2, order: 'key', key: (r) => r.key }),
  );

describe('testFlow', () => {
  it('shows values and acknowledgements of a keyed asynchronous stage in virtual time', () => {
    testFlow(({ flow, expectFlow, expectAcks, time }) => {
      const o = (id: string, total: number) => record({ key: id, value: { id, total } });
      const orders = flow('abc|', { a: o('1', 5), b: o('2', 0), c: o('1', 7) });
      const priced = orders.pipe(pricing(() => timer(time('--|')).pipe(rxMap(() => 42))));
      expectFlow(priced).toBe('--x-(y|)', { x: 42, y: 42 });
      expectAcks(orders).toBe('-ba-c');
    });
  });

  it('fails on a wrong value, a wrong time and a missing acknowledgement, and shows both sides', () => {
    const run = (values: string, acks: string) => () =>
      testFlow(({ flow, expectFlow, expectAcks }) => {
        const source = flow('ab|');
        expectFlow(source).toBe(values);
        expectAcks(source).toBe(acks);
      });
    expect(run('ab|', 'ab')).not.toThrow();
    expect(run('ac|', 'ab')).toThrow(
      /^the flow\n {2}expected {2}ac\|\n {2}got {7}ab\|\nexpected\n {2}0 ms: next 'a'\n {2}1 ms: next 'c'/,
    );
    expect(run('a-b|', 'ab')).toThrow(/2 ms: next 'b'/);
    expect(run('ab|', 'a')).toThrow(/^acknowledgements\n {2}expected {2}a\n {2}got {7}ab\n/);
  });

  it('fails on a nack nobody expected, with its cause', () => {
    const boom = new Error('boom');
    const run = (expected: boolean) => () =>
      testFlow(({ flow, expectFlow, expectNacks }) => {
        const source = flow('a|');
        const failing = map(() => {
          throw boom;
        });
        expectFlow(source.pipe(failing)).toBe('-|');
        if (expected) expectNacks(source).toBe('a');
      });
    expect(run(true)).not.toThrow();
    expect(run(false)).toThrow(/'a' was nacked at 0 ms: stage map failed.*boom/);
  });

  it('compares nack causes', () => {
    const run = (cause: string) => () =>
      testFlow(({ flow, expectNacks }) => {
        const source = flow('a|');
        source.subscribe((delivery) => delivery.nack('x'));
        expectNacks(source).toBe('a', { a: cause });
      });
    expect(run('x')).not.toThrow();
    expect(run('y')).toThrow(/the cause of the nack of 'a'/);
  });

  it('unsubscribes, revokes, loses and presses at the ! of a diagram', () => {
    const seen: string[] = [];
    testFlow(({ flow, expectFlow, expectAcks, revoke, lose, press }) => {
      const source = flow('abcd|');
      expectFlow(source, '--!').toBe('ab');
      expectAcks(source).toBe('ab');
      const claim = marbleSource(source);
      claim.revoking.addEventListener('abort', () => seen.push('revoking'));
      claim.lost.addEventListener('abort', () => seen.push('lost'));
      claim.onPressure(() => seen.push('pressure'));
      press(source, '!');
      revoke(source, '-!');
      lose(source, '--!');
    });
    expect(seen).toEqual(['pressure', 'revoking', 'lost']);
  });

  it('carries a record as origin and errors as errors', () => {
    const keys: unknown[] = [];
    testFlow(({ flow, expectFlow }) => {
      const source = flow('a#', { a: record({ key: 'k', value: 1 }) });
      expectFlow(source.pipe(map((r) => `${r.topic} ${r.key} ${r.value}`))).toBe('a#', { a: 'test k 1' });
      source.subscribe({
        next: (delivery) => keys.push(delivery.origins[0]?.record?.key),
        error: () => undefined,
      });
    });
    expect(keys).toEqual(['k']);
  });

  it("does not mix a stage's timer up with one of RxJS that is due in the same millisecond and makes it needless", () => {
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const letters = flow('(a|)');
      const four = (letter: string): Observable<string> =>
        interval(1).pipe(
          rxMap((n) => `${letter}${n}`),
          take(4),
        );
      // The fourth value fills the batch in the millisecond in which it is due anyway.
      const batches = letters.pipe(
        perRecord(four, { concurrency: 1, order: 'input' }),
        batch({ maxRecords: 4, withinMs: 3 }),
      );
      expectFlow(batches).toBe('----(xy|)', { x: ['a0', 'a1', 'a2'], y: ['a3'] });
      expectAcks(letters).toBe('----a');
    });
  });

  it('refuses acknowledgements of a flow it did not make, and diagrams without a time', () => {
    testFlow(({ flow, expectAcks, time, revoke }) => {
      const derived = flow('a|').pipe(map((x) => x));
      expect(() => expectAcks(derived)).toThrow(/not a flow that flow\(\.\.\.\) or claims\(\.\.\.\) made/);
      expect(() => time('--')).toThrow(/no \|/);
      expect(() => revoke(flow('a|'), '--')).toThrow(/no !/);
    });
  });
});
