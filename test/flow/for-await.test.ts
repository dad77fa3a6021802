// `for await` over deliveries and over claims: the same credit, nothing buffered beyond it.
import { describe, expect, it } from '@jest/globals';
import { Subject, type Subscriber } from 'rxjs';
import { createClaim, type Claim } from '../../src/flow/claim.ts';
import { createClaims, type Rebalance } from '../../src/flow/claims.ts';
import type { Delivery } from '../../src/flow/delivery.ts';
import { map } from '../../src/operators/index.ts';
import { rejection } from '../helpers/rejection.ts';
import { ManualSource } from './manual-source.ts';

async function turn(): Promise<void> {
  for (let at = 0; at < 10; at++) await Promise.resolve();
}

describe('for await over a flow', () => {
  it('takes what comes, before and after it is asked for, to the end', async () => {
    const source = new ManualSource<string>();
    const seen: string[] = [];
    const loop = (async () => {
      for await (const delivery of source.flow.pipe(map((x) => x.toUpperCase()))) {
        seen.push(delivery.value);
        delivery.ack();
      }
    })();
    source.emit('a');
    await turn();
    source.emitAll('bcd');
    await loop;
    expect(seen).toEqual(['A', 'B', 'C', 'D']);
    expect(source.marked('ack')).toBe('a b c d');
  });

  it('subscribes at the first turn, not before', async () => {
    const source = new ManualSource<string>();
    const values = source.flow[Symbol.asyncIterator]();
    expect(source.subscriber).toBeUndefined();
    const first = values.next();
    source.emit('a');
    expect((await first).value?.value).toBe('a');
    await values.return?.();
  });

  it('lets the source run out of credit when nothing is taken: no more waits here than that', async () => {
    const source = new ManualSource<number>(5);
    const values = source.flow[Symbol.asyncIterator]();
    const first = values.next();
    source.emitAll(Array.from({ length: 100 }, (_, n) => n));
    const taken = (await first).value!;
    await turn();
    expect(source.inFlight).toBe(5);
    expect(source.pressed).toBe(true);
    taken.ack();
    expect(source.inFlight).toBe(5);
    const seen = [taken.value];
    for await (const delivery of values) {
      expect(source.inFlight).toBeLessThanOrEqual(5);
      seen.push(delivery.value);
      delivery.ack();
    }
    expect(seen).toEqual(Array.from({ length: 100 }, (_, n) => n));
  });

  it('unsubscribes when the loop is left: what was taken is still its own, what waited is left to the next owner', async () => {
    const source = new ManualSource<string>();
    let kept: Delivery<string> | undefined;
    const loop = (async () => {
      for await (const delivery of source.flow) {
        if (delivery.value === 'b') {
          kept = delivery;
          break;
        }
        delivery.ack();
      }
    })();
    await turn();
    source.emitAll('abcd', { complete: false });
    await loop;
    expect(source.subscriber?.closed).toBe(true);
    expect(source.marked('ack')).toBe('a');
    expect(source.marked('give-up')).toBe('c d');
    kept!.ack();
    expect(source.marked('ack')).toBe('a b');
  });

  it('gives up what a source hands over while the loop is left', async () => {
    const source = new ManualSource<string>();
    const values = source.flow[Symbol.asyncIterator]();
    const first = values.next();
    const out = source.subscriber!;
    source.emit('a');
    await first;
    void values.return?.();
    out.next(source.emit('b'));
    expect(source.marked('give-up')).toBe('b');
    expect(await values.next()).toEqual({ done: true, value: undefined });
  });

  it('throws the failure of the flow behind what came before it, once', async () => {
    const source = new ManualSource<string>();
    const values = source.flow[Symbol.asyncIterator]();
    const first = values.next();
    source.emit('a');
    source.emit('b');
    source.error(new Error('broken'));
    await first;
    expect((await values.next()).value?.value).toBe('b');
    expect((await rejection(values.next())).message).toBe('broken');
    expect((await values.next()).done).toBe(true);
  });

  it('throws the failure to one that waits, and ends the others', async () => {
    const source = new ManualSource<string>();
    const values = source.flow[Symbol.asyncIterator]();
    const waiting = Promise.allSettled([values.next(), values.next(), values.next()]);
    source.emit('a');
    source.error(new Error('broken'));
    const results = await waiting;
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(results[2]).toMatchObject({ value: { done: true } });
  });
});

describe('for await over claims', () => {
  function manual(): {
    claims: ReturnType<typeof createClaims<string>>;
    begin: (partition: number) => ManualSource<string>;
    end: () => void;
    state: { closed: number };
  } {
    let out: Subscriber<Claim<string>> | undefined;
    const state = { closed: 0 };
    const claims = createClaims<string>({
      name: 'by hand',
      rebalances: new Subject<Rebalance>(),
      open: (subscriber) => {
        out = subscriber;
        return () => void (state.closed += 1);
      },
    });
    const begin = (partition: number): ManualSource<string> => {
      const source = new ManualSource<string>();
      const controls = {
        topic: 'orders',
        partition,
        claimEpoch: 1,
        generation: 1,
        startOffset: 0,
        position: 0,
        committedOffset: undefined,
        highWatermark: 0,
        lag: 0,
        pause: () => undefined,
        resume: () => undefined,
        seek: () => undefined,
      };
      out!.next(createClaim(controls, (subscriber) => source.flow.subscribe(subscriber)));
      return source;
    };
    return { claims, begin, end: () => out!.complete(), state };
  }

  it('gives each claim as it comes; what is in it, by a loop of its own', async () => {
    const { claims, begin, end } = manual();
    const seen: string[] = [];
    const lanes: Promise<void>[] = [];
    const loop = (async () => {
      for await (const claim of claims.claims)
        lanes.push(
          (async () => {
            for await (const delivery of claim) {
              seen.push(`${claim.partition}${delivery.value}`);
              delivery.ack();
            }
            seen.push(`${claim.partition} over`);
          })(),
        );
    })();
    await turn();
    const [zero, one] = [begin(0), begin(1)];
    await turn();
    zero.emit('a');
    one.emit('b');
    await turn();
    zero.complete();
    await turn();
    one.emit('c');
    one.complete();
    end();
    await loop;
    await Promise.all(lanes);
    expect(seen).toEqual(['0a', '1b', '0 over', '1c', '1 over']);
    expect([zero.marked('ack'), one.marked('ack')]).toEqual(['a', 'b c']);
  });

  it('closes the source when the loop is left', async () => {
    const { claims, begin, state } = manual();
    const loop = (async () => {
      for await (const claim of claims.claims) if (claim.partition === 1) break;
    })();
    await turn();
    begin(0);
    begin(1);
    await loop;
    expect(state.closed).toBe(1);
  });
});
