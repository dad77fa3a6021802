// Each helper of a marble test once as it holds and once as it does not, with the message it fails with.
import { describe, expect, it } from '@jest/globals';
import { mergeMap, timer } from 'rxjs';
import type { Claim } from '../../src/index.ts';
import { batch, eachClaim, filter, map, merge } from '../../src/operators/index.ts';
import { testFlow, type FlowTest } from '../../src/testing/index.ts';

/** The message that a marble test fails with; undefined when it passes. */
function failure(body: (t: FlowTest) => void): string | undefined {
  try {
    testFlow(body);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

describe('the helpers of testFlow', () => {
  it('expectFlow: values, with their marks', () => {
    const run = (marbles: string) =>
      failure(({ flow, expectFlow }) => {
        const numbers = flow('a-b 30ms (cd|)', { a: 1, b: 2, c: 3, d: 4 });
        expectFlow(numbers.pipe(filter((n) => n !== 2))).toBe(marbles, { a: 1, c: 3, d: 4, x: 5 });
      });
    expect(run('a 32ms (cd|)')).toBeUndefined();
    expect(run('a 32ms (xd|)')).toBe(
      [
        'the flow',
        '  expected  a 32ms (xd|)',
        '  got       a 32ms (cd|)',
        'expected',
        '  0 ms: next 1',
        '  33 ms: next 5',
        '  33 ms: next 4',
        '  33 ms: complete',
        'got',
        '  0 ms: next 1',
        '  33 ms: next 3',
        '  33 ms: next 4',
        '  33 ms: complete',
      ].join('\n'),
    );
  });

  it('expectFlow: a value that the test does not know gets a mark and a legend', () => {
    const message = failure(({ flow, expectFlow }) => {
      expectFlow(flow('a-(bc)', { a: { n: 1 }, b: { n: 2 }, c: { n: 3 } })).toBe('a--b', {
        a: { n: 1 },
        b: { n: 9 },
      });
    });
    expect(message).toContain('  expected  a--b\n  got       a-(AB)\nwhere A = { n: 2 }, B = { n: 3 }\n');
  });

  it('expectFlow: nothing, and what no diagram has room for', () => {
    expect(failure(({ flow, expectFlow }) => expectFlow(flow('---')).toBe('a'))).toContain(
      'got       (nothing)',
    );
    const crowded = failure(({ flow, expectFlow }) => {
      const one = flow('a|');
      const other = flow('bc|');
      expectFlow(merge(one, other)).toBe('a');
    });
    expect(crowded).toContain('got       (not drawn: more happens at one time than a diagram has room for)');
    expect(crowded).toContain("  0 ms: next 'a'\n  0 ms: next 'b'\n  1 ms: next 'c'");
  });

  it('flow: an error of its own', () => {
    const boom = new Error('boom');
    const run = (error: unknown) =>
      failure(({ flow, expectFlow }) =>
        expectFlow(flow('a-#', undefined, boom)).toBe('a-#', undefined, error),
      );
    expect(run(boom)).toBeUndefined();
    expect(run(new Error('bang'))).toContain('  2 ms: error Error: bang');
    expect(failure(({ flow, expectFlow }) => expectFlow(flow('a-#')).toBe('a-#'))).toBeUndefined();
  });

  it('expectAcks: of a flow', () => {
    const run = (marbles: string) =>
      failure(({ flow, expectFlow, expectAcks }) => {
        const letters = flow('abc|');
        expectFlow(letters.pipe(batch({ maxRecords: 2, withinMs: 9 }))).toBe('-x-(y|)', {
          x: ['a', 'b'],
          y: ['c'],
        });
        expectAcks(letters).toBe(marbles);
      });
    expect(run('-(ab)')).toContain('acknowledgements\n  expected  -(ab)\n  got       (not drawn');
    expect(run('-(ab)')).toContain("\ngot\n  1 ms: next 'a'\n  1 ms: next 'b'\n  3 ms: next 'c'");
    const spread = (marbles: string) =>
      failure(({ flow, expectFlow, expectAcks }) => {
        const letters = flow('ab----c|');
        expectFlow(letters.pipe(batch({ maxRecords: 2, withinMs: 9 }))).toBe('-x-----(y|)', {
          x: ['a', 'b'],
          y: ['c'],
        });
        expectAcks(letters).toBe(marbles);
      });
    expect(spread('-(ab)--c')).toBeUndefined();
    expect(spread('-(ab)-c')).toContain('  expected  -(ab)-c\n  got       -(ab)--c\n');
  });

  it('expectNacks: which and why', () => {
    const run = (marbles: string, causes: { readonly [mark: string]: unknown }) =>
      failure(({ flow, expectNacks }) => {
        const letters = flow('ab|');
        letters.subscribe((delivery) => {
          if (delivery.value === 'a') delivery.ack();
          else delivery.nack('full');
        });
        expectNacks(letters).toBe(marbles, causes);
      });
    expect(run('-b', { b: 'full' })).toBeUndefined();
    expect(run('a', {})).toContain('nacks\n  expected  a\n  got       -b\n');
    expect(run('-b', { b: 'empty' })).toBe(
      "the cause of the nack of 'b'\n  expected  'empty'\n  got       'full'",
    );
  });

  it('expectSettlements: acks, refusals and what is held, in one diagram', () => {
    const run = (marbles: string, values: { readonly [mark: string]: string }) =>
      failure(({ flow, expectSettlements }) => {
        const letters = flow('abcd|');
        letters.subscribe((delivery) => {
          if (delivery.value === 'b') delivery.nack('no');
          else if (delivery.value === 'c') delivery.hold();
          else delivery.ack();
        });
        expectSettlements(letters).toBe(marbles, values);
      });
    expect(run('axhd', { x: 'nack b', h: 'hold c' })).toBeUndefined();
    expect(run('axcd', { x: 'nack b' })).toContain(
      "settlements\n  expected  axcd\n  got       axAd\nwhere A = 'hold c'\n",
    );
  });

  it('expectSubscriptions: from when to when', () => {
    const run = (marbles: string | readonly string[]) =>
      failure(({ flow, expectFlow, expectSubscriptions }) => {
        const letters = flow('abcd|');
        expectFlow(letters, '--!').toBe('ab');
        expectSubscriptions(letters).toBe(marbles);
      });
    expect(run('^-!')).toBeUndefined();
    expect(run(['^-!'])).toBeUndefined();
    expect(run('^--!')).toBe('subscriptions\n  expected  ^--!\n  got       ^-!');
    expect(run([])).toBe('subscriptions\n  expected  (none)\n  got       ^-!');
    const later = failure(({ flow, expectSubscriptions }) => {
      const letters = flow('a');
      timer(30)
        .pipe(mergeMap(() => letters))
        .subscribe();
      expectSubscriptions(letters).toBe('^!');
    });
    expect(later).toBe('subscriptions\n  expected  ^!\n  got        30ms ^-');
  });

  it('claims: a lane for each partition, each with a diagram of its own', () => {
    const places = (acks: string | { readonly [place: string]: string }) =>
      failure(({ claims, expectFlow, expectAcks }) => {
        const orders = claims({ 'orders-0': 'a--b-|', 'orders-1': '-c----|' });
        const lanes = eachClaim((claim: Claim<string>) =>
          claim.pipe(
            batch({ maxRecords: 2, withinMs: 99 }),
            map((some) => `${claim.topic} ${claim.partition} ${some.join('')}`),
          ),
        );
        expectFlow(orders.pipe(lanes)).toBe('---x--(y|)', { x: 'orders 0 ab', y: 'orders 1 c' });
        expectAcks(orders).toBe(acks);
      });
    expect(places({ 'orders-0': '---(ab)', 'orders-1': '------c' })).toBeUndefined();
    expect(places({ 'orders-0': '---(ab)' })).toContain(
      'acknowledgements of orders-1\n  expected  (nothing)\n  got       ------c\n',
    );
    expect(places('---a')).toBe("say which claim: 'orders-0', 'orders-1'");
    expect(places({ 'orders-2': 'a' })).toBe("say which claim: 'orders-0', 'orders-1'");
    expect(failure(({ claims }) => claims({ orders: 'a' }))).toBe(
      "claims: 'orders' is not a topic and a partition, as 'orders-0'",
    );
  });

  it('claims: given away or taken away, while the others go on', () => {
    const seen: string[] = [];
    const run = (settled: string) =>
      failure(({ claims, expectFlow, expectSettlements, lose }) => {
        const orders = claims({ 'o-0': 'a---!', 'o-1': '-b----|', 'o-2': '--c' });
        orders.rebalances.subscribe(({ kind, partition }) => seen.push(`${kind} ${partition}`));
        const lanes = eachClaim((claim: Claim<string>) => claim.pipe(batch({ maxRecords: 2, withinMs: 99 })));
        expectFlow(orders.pipe(lanes)).toBe('----a-(b|)', { a: ['a'], b: ['b'] });
        lose(orders, '---!', 'o-2');
        expectSettlements(orders).toBe(
          { 'o-0': '----a', 'o-1': '------b', 'o-2': settled },
          { g: 'give-up c' },
        );
      });
    expect(run('---g')).toBeUndefined();
    expect(seen).toEqual(['claimed 0', 'claimed 1', 'claimed 2', 'lost 2', 'released 0']);
    expect(run('')).toContain(
      "settlements of o-2\n  expected  (nothing)\n  got       ---A\nwhere A = 'give-up c'\n",
    );
  });

  it('revoke, lose, press: at the ! of a diagram', () => {
    const run = (what: 'revoke' | 'lose' | 'press', marbles: string) =>
      failure((t) => {
        const letters = t.flow('ab----|');
        t.expectFlow(letters.pipe(batch({ maxRecords: 9, withinMs: 99 }))).toBe(marbles, { x: ['a', 'b'] });
        t[what](letters, '---!');
      });
    expect(run('revoke', '---x--|')).toBeUndefined();
    expect(run('revoke', '------(x|)')).toContain('  got       ---x--|\n');
    expect(run('press', '---x--|')).toBeUndefined();
    expect(run('press', '------(x|)')).toContain('  got       ---x--|\n');
    expect(run('lose', '------|')).toBeUndefined();
    expect(run('lose', '---x--|')).toContain('  got       ------|\n');
  });

  it('time: the length of a diagram', () => {
    const run = (marbles: string) => failure(({ time }) => expect(time(marbles)).toBe(7));
    expect(run('--- 4ms |')).toBeUndefined();
    expect(run('---')).toBe("time: no | in '---'");
  });
});
