import { describe, expect, it } from '@jest/globals';
import { fc } from '../helpers/fast-check.ts';
import { rootDelivery, handleOf, type Delivery } from '../../src/flow/delivery.ts';
import { gather } from '../../src/flow/gather.ts';
import { record } from '../../src/testing/marbles-record.ts';
import { MarbleSource } from '../../src/testing/marbles-source.ts';

function source(): MarbleSource & { next: (mark: string) => Delivery<string> } {
  const made = new MarbleSource();
  return Object.assign(made, {
    next: (mark: string) => rootDelivery(mark, made, made.handOver(mark), 10, undefined),
  });
}

const log = (from: MarbleSource): string[] => from.events.map(({ kind, mark }) => `${kind} ${mark}`);

describe('a root delivery', () => {
  it('is settled once; the first ack or nack counts', () => {
    const from = source();
    const a = from.next('a');
    a.ack();
    a.ack();
    a.nack('late');
    expect(log(from)).toEqual(['ack a']);
    expect(from.problems).toEqual([]);
  });

  it('carries the cause and verdict of a nack; retry unless said otherwise', () => {
    const from = source();
    from.next('a').nack('x');
    from.next('b').nack('y', 'reject');
    handleOf(from.next('c')).rewind('z', 50);
    expect(from.events.map(({ verdict, cause, rewindDelayMs }) => [verdict, cause, rewindDelayMs])).toEqual([
      ['retry', 'x', 0],
      ['reject', 'y', 0],
      ['rewind', 'z', 50],
    ]);
  });

  it('holds once, and may still be settled', () => {
    const from = source();
    const a = from.next('a');
    a.hold();
    a.hold();
    a.derive('b').ack();
    expect(log(from)).toEqual(['hold a', 'ack a']);
  });

  it('knows its origin', () => {
    const from = new MarbleSource();
    const r = record({ key: Buffer.from('k'), value: null });
    const [origin, ...others] = rootDelivery('a', from, 7, 10, r).derive(1).origins;
    expect(others).toEqual([]);
    expect(origin).toMatchObject({ record: r, source: 'marbles', sequence: 7, claimEpoch: 0, bytes: 10 });
    expect(origin?.revoking).toBe(from.revoking);
    expect(origin?.lost).toBe(from.lost);
  });

  it('given up is neither acknowledged nor refused', () => {
    const from = source();
    const a = handleOf(from.next('a'));
    a.giveUp();
    a.ack();
    expect(log(from)).toEqual(['give-up a']);
  });
});

describe('an inert handle', () => {
  it('changes nothing, and each use is reported', () => {
    const from = source();
    const a = from.next('a');
    const b = a.derive('b');
    a.ack();
    a.nack('x');
    a.hold();
    a.derive('c').ack();
    const fork = a.fork();
    fork.child('d').ack();
    fork.close();
    gather([a], 'e').ack();
    expect(log(from)).toEqual([]);
    expect(from.problems.map(({ action, sequence }) => [action, sequence])).toEqual(
      ['ack', 'nack', 'hold', 'derive', 'fork', 'gather'].map((action) => [action, 0]),
    );
    b.ack();
    expect(log(from)).toEqual(['ack a']);
  });

  it('is reported when a child is opened after the fork was closed', () => {
    const from = source();
    const fork = from.next('a').fork();
    fork.close();
    fork.close();
    fork.child('b').ack();
    expect(log(from)).toEqual(['ack a']);
    expect(from.problems).toMatchObject([{ kind: 'inert-use', action: 'child' }]);
  });
});

describe('a fork', () => {
  it('without children is an ack, when it is closed', () => {
    const from = source();
    const fork = from.next('a').fork();
    expect(log(from)).toEqual([]);
    fork.close();
    expect(log(from)).toEqual(['ack a']);
  });

  it('settles when closed and every child has', () => {
    const from = source();
    const fork = from.next('a').fork();
    fork.child(1).ack();
    const two = fork.child(2);
    fork.close();
    expect(log(from)).toEqual([]);
    two.ack();
    expect(log(from)).toEqual(['ack a']);
  });

  it('refuses with the cause of its one refused child, once the siblings are settled', () => {
    const from = source();
    const fork = from.next('a').fork();
    const [one, two] = [fork.child(1), fork.child(2)];
    fork.close();
    one.nack('x', 'reject');
    expect(log(from)).toEqual([]);
    two.ack();
    expect(from.events).toMatchObject([{ kind: 'nack', cause: 'x', verdict: 'reject' }]);
  });

  it('refuses with all causes and the strongest verdict', () => {
    const from = source();
    const fork = from.next('a').fork();
    fork.child(1).nack('x', 'reject');
    handleOf(fork.child(2)).rewind('y', 100);
    fork.child(3).nack('z');
    fork.close();
    const [event] = from.events;
    expect(event).toMatchObject({ kind: 'nack', verdict: 'rewind', rewindDelayMs: 100 });
    expect(event?.cause).toBeInstanceOf(AggregateError);
    expect((event?.cause as AggregateError).errors).toEqual(['x', 'y', 'z']);
  });

  it('holds its parent when all that is left is held', () => {
    const from = source();
    const fork = from.next('a').fork();
    const [one, two] = [fork.child(1), fork.child(2)];
    one.hold();
    fork.close();
    expect(log(from)).toEqual([]);
    two.ack();
    expect(log(from)).toEqual(['hold a']);
    one.ack();
    expect(log(from)).toEqual(['hold a', 'ack a']);
  });

  it('gives its parent up for a child given up, unless another was refused', () => {
    const from = source();
    for (const refused of [false, true]) {
      const fork = from.next('a').fork();
      handleOf(fork.child(1)).giveUp();
      if (refused) fork.child(2).nack('x');
      else fork.child(2).ack();
      fork.close();
    }
    expect(log(from)).toEqual(['give-up a', 'nack a']);
  });
});

describe('gather', () => {
  it('settles every part as it is settled, and unites their origins', () => {
    const from = source();
    const [a, b] = [from.next('a'), from.next('b')];
    const both = gather([a, b], 'ab');
    expect(both.origins.map(({ sequence }) => sequence)).toEqual([0, 1]);
    both.ack();
    expect(log(from)).toEqual(['ack a', 'ack b']);
  });

  it('counts a record once among the origins, however many parts come from it', () => {
    const from = source();
    const fork = from.next('a').fork();
    const parts = [fork.child(1), fork.child(2)];
    fork.close();
    const both = gather(parts, 3);
    expect(both.origins).toHaveLength(1);
    both.nack('x');
    const [event] = from.events;
    expect((event?.cause as AggregateError).errors).toEqual(['x', 'x']);
  });

  it('holds each part once', () => {
    const from = source();
    const [a, b] = [from.next('a'), from.next('b')];
    a.hold();
    const both = gather([a, b], 'ab');
    both.hold();
    both.ack();
    expect(log(from)).toEqual(['hold a', 'hold b', 'ack a', 'ack b']);
  });

  it('given up with a claim that is over has the others read again', () => {
    const [one, other, third] = [source(), source(), source()];
    const parts = [one.next('a'), other.next('b'), third.next('c')];
    const all = gather([gather(parts.slice(0, 2), 'ab'), parts[2]!], 'abc');
    one.lose();
    handleOf(all).giveUp();
    expect(log(one)).toEqual(['give-up a']);
    for (const [from, mark] of [
      [other, 'b'],
      [third, 'c'],
    ] as const)
      expect(from.events).toMatchObject([{ kind: 'nack', mark, verdict: 'rewind' }]);
  });

  it('given up while no claim is over, or all are, leaves each part as it is', () => {
    for (const lost of [false, true]) {
      const [one, other] = [source(), source()];
      const both = gather([one.next('a'), other.next('b')], 'ab');
      if (lost) for (const from of [one, other]) from.lose();
      handleOf(both).giveUp();
      expect([log(one), log(other)]).toEqual([['give-up a'], ['give-up b']]);
    }
  });

  it('of nothing has no origin and settles nothing', () => {
    const nothing = gather([], 'x');
    expect(nothing.origins).toEqual([]);
    nothing.ack();
  });
});

/** What a random program does with a live delivery. */
type Step =
  | { kind: 'ack' | 'nack' | 'derive' | 'hold' | 'give-up' }
  | { kind: 'fork'; children: number }
  | { kind: 'gather'; with: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Step>({ kind: 'ack' }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Step>(
      { kind: 'nack' },
      { kind: 'hold' },
      { kind: 'give-up' },
      { kind: 'derive' },
    ),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('fork' as const), children: fc.nat(4) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('gather' as const), with: fc.nat(3) }) },
);

describe('any tree of deliveries', () => {
  it('settles each root exactly once, as an ack only when no descendant failed', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.tuple(step, fc.nat(1_000)), { maxLength: 60 }),
        (roots, steps) => {
          const from = source();
          const live: { delivery: Delivery<unknown>; roots: Set<string> }[] = [];
          const failed = new Set<string>();
          for (let at = 0; at < roots; at++)
            live.push({ delivery: from.next(`r${at}`), roots: new Set([`r${at}`]) });
          const take = (pick: number) => live.splice(pick % live.length, 1)[0]!;
          const fail = (of: Set<string>) => of.forEach((root) => failed.add(root));
          for (const [what, pick] of steps) {
            if (live.length === 0) break;
            const one = take(pick);
            switch (what.kind) {
              case 'ack':
                one.delivery.ack();
                break;
              case 'nack':
                one.delivery.nack('x');
                fail(one.roots);
                break;
              case 'give-up':
                handleOf(one.delivery).giveUp();
                fail(one.roots);
                break;
              case 'hold':
                one.delivery.hold();
                live.push(one);
                break;
              case 'derive':
                live.push({ delivery: one.delivery.derive(pick), roots: one.roots });
                break;
              case 'fork': {
                const fork = one.delivery.fork();
                for (let at = 0; at < what.children; at++)
                  live.push({ delivery: fork.child(at), roots: one.roots });
                fork.close();
                break;
              }
              case 'gather': {
                const parts = [one];
                while (parts.length <= what.with && live.length > 0) parts.push(take(pick));
                live.push({
                  delivery: gather(
                    parts.map(({ delivery }) => delivery),
                    pick,
                  ),
                  roots: new Set(parts.flatMap((part) => [...part.roots])),
                });
              }
            }
          }
          const settledEarly = new Set(
            from.events.flatMap(({ kind, mark }) => (kind === 'hold' ? [] : [mark])),
          );
          for (const { roots: pending } of live)
            pending.forEach((root) => expect(settledEarly).not.toContain(root));
          while (live.length > 0) take(live.length * 7).delivery.ack();

          const settled = from.events.filter(({ kind }) => kind !== 'hold');
          expect(settled.map(({ mark }) => mark).sort()).toEqual(
            Array.from({ length: roots }, (_, at) => `r${at}`),
          );
          for (const { kind, mark } of settled) expect(kind === 'ack').toBe(!failed.has(mark));
          const held = from.events.filter(({ kind }) => kind === 'hold').map(({ mark }) => mark);
          expect(new Set(held).size).toBe(held.length);
          expect(from.problems).toEqual([]);
        },
      ),
      { numRuns: 500 },
    );
  });
});
