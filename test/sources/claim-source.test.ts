import { describe, expect, it } from '@jest/globals';
import type { ConsumerRecord } from '../../src/core/records/types.ts';
import { UsageError } from '../../src/errors.ts';
import type { Claim } from '../../src/flow/claim.ts';
import type { Delivery } from '../../src/flow/delivery.ts';
import type { Deserializer } from '../../src/serdes/serde.ts';
import { claimFlow } from '../../src/sources/claim-source.ts';
import { Decoder } from '../../src/sources/decoder.ts';
import { FakeClaim, FakeOwner } from './fake-claim.ts';

type Typed = ConsumerRecord<unknown, unknown>;

/** Lets every promise reaction that is due run. */
async function turn(): Promise<void> {
  for (let at = 0; at < 10; at++) await Promise.resolve();
}

/** Waits for what a test says, for values that begin with 'slow'; those with 'bad' do not decode. */
class SlowText implements Deserializer<string> {
  readonly asked: string[] = [];
  private readonly waiting = new Map<string, PromiseWithResolvers<void>>();

  prepare(data: Buffer): Promise<void> | undefined {
    const text = data.toString();
    this.asked.push(text);
    if (text.startsWith('throws')) throw new Error(`no schema for ${text}`);
    if (!text.startsWith('slow')) return undefined;
    const ready = withResolvers<void>();
    this.waiting.set(text, ready);
    return ready.promise;
  }

  deserialize(data: Buffer): string {
    const text = data.toString();
    if (text.startsWith('bad')) throw new Error(`${text} is bad`);
    return text;
  }

  async ready(...texts: readonly string[]): Promise<void> {
    for (const text of texts) this.waiting.get(text)!.resolve();
    await turn();
  }

  async refuse(text: string): Promise<void> {
    this.waiting.get(text)!.reject(new Error(`no schema for ${text}`));
    await turn();
  }
}

interface PromiseWithResolvers<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (cause: unknown) => void;
}

function withResolvers<T>(): PromiseWithResolvers<T> {
  let resolve!: (value: T) => void;
  let reject!: (cause: unknown) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

class Reading {
  readonly claim = new FakeClaim();
  readonly owner = new FakeOwner();
  readonly text = new SlowText();
  readonly flow: Claim<Typed>;
  readonly seen: unknown[] = [];
  readonly deliveries: Delivery<Typed>[] = [];
  completed = 0;
  /** What a stage does with each delivery. */
  onNext: (delivery: Delivery<Typed>) => void = (delivery) => delivery.ack();
  readonly stop: () => void;

  constructor(typed = true) {
    const decoder = new Decoder('orders', typed ? { value: this.text } : {});
    this.flow = claimFlow(this.claim, decoder, this.owner);
    const subscription = this.flow.subscribe({
      next: (delivery) => {
        this.seen.push(typed ? delivery.value.value : String(delivery.value.value));
        this.deliveries.push(delivery);
        this.onNext(delivery);
      },
      complete: () => {
        this.completed++;
      },
    });
    this.stop = () => subscription.unsubscribe();
  }
}

describe('records of a claim', () => {
  it('go on at once, raw without formats', () => {
    const reading = new Reading(false);
    reading.claim.hand('a', 'b');
    expect(reading.seen).toEqual(['a', 'b']);
    expect(reading.claim.settled).toEqual([0, 1]);
    expect(reading.owner.in).toBe(2);
  });

  it('go on at once when nothing is to be prepared', () => {
    const reading = new Reading();
    reading.claim.hand('a', 'b');
    expect(reading.seen).toEqual(['a', 'b']);
    expect(reading.text.asked).toEqual(['a', 'b']);
  });

  it('name their claim, offset and topic', () => {
    const reading = new Reading();
    reading.onNext = () => undefined;
    reading.claim.hand('a');
    const [origin] = reading.deliveries[0]!.origins;
    expect(origin).toMatchObject({ source: 'orders-3', sequence: 0, claimEpoch: 1 });
    expect(origin!.record).toMatchObject({ topic: 'orders', partition: 3, offset: 0 });
    expect(reading.deliveries[0]!.value).toMatchObject({ topic: 'orders', partition: 3, offset: 0 });
  });

  it('that come when nobody listens any more are left, and the claim is paused', () => {
    const reading = new Reading(false);
    reading.claim.hand('a');
    reading.stop();
    expect(reading.claim.calls).toEqual(['pause']);
    reading.claim.hand('b');
    expect(reading.seen).toEqual(['a']);
    expect(reading.claim.settled).toEqual([0]);
    expect(reading.claim.held).toEqual([1]);
    expect(reading.owner.left).toBe(1);
  });
});

describe('a claim', () => {
  it.each(['revoke', 'lose'] as const)('that is over before anybody reads it is complete (%s)', (end) => {
    const claim = new FakeClaim();
    const flow = claimFlow(claim, new Decoder('orders', {}), new FakeOwner());
    claim[end]();
    const ended: string[] = [];
    flow.subscribe({ complete: () => ended.push('complete') });
    expect(ended).toEqual(['complete']);
  });

  it('is subscribed once; the error names fanOut, and the first goes on', () => {
    const reading = new Reading();
    const errors: unknown[] = [];
    reading.flow.subscribe({ error: (error: unknown) => errors.push(error) });
    expect(errors[0]).toBeInstanceOf(UsageError);
    expect(String(errors[0])).toMatch(/the claim of orders-3 is subscribed a second time.*fanOut/);
    reading.claim.hand('a');
    expect(reading.seen).toEqual(['a']);
    expect(reading.claim.calls).toEqual([]);
  });
});

describe('records that wait for their deserializer', () => {
  it('keep their order, and hold those behind them back', async () => {
    const reading = new Reading();
    reading.claim.hand('a', 'slow b', 'c', 'slow d', 'e');
    expect(reading.seen).toEqual(['a']);
    await reading.text.ready('slow d');
    expect(reading.seen).toEqual(['a']);
    await reading.text.ready('slow b');
    expect(reading.seen).toEqual(['a', 'slow b', 'c', 'slow d', 'e']);
    expect(reading.claim.settled).toEqual([0, 1, 2, 3, 4]);
    reading.claim.hand('f');
    expect(reading.seen.at(-1)).toBe('f');
  });

  it('go on one by one as they are ready', async () => {
    const reading = new Reading();
    reading.claim.hand('slow a', 'b', 'slow c', 'd');
    await reading.text.ready('slow a');
    expect(reading.seen).toEqual(['slow a', 'b']);
    reading.claim.hand('e');
    expect(reading.seen).toEqual(['slow a', 'b']);
    await reading.text.ready('slow c');
    expect(reading.seen).toEqual(['slow a', 'b', 'slow c', 'd', 'e']);
  });

  it('keep their order when a stage brings the next ones while one goes on', async () => {
    const reading = new Reading();
    reading.onNext = (delivery) => {
      if (delivery.value.value === 'slow a') reading.claim.hand('c', 'slow d', 'e');
      delivery.ack();
    };
    reading.claim.hand('slow a', 'b');
    await reading.text.ready('slow a');
    expect(reading.seen).toEqual(['slow a', 'b', 'c']);
    await reading.text.ready('slow d');
    expect(reading.seen).toEqual(['slow a', 'b', 'c', 'slow d', 'e']);
  });

  it('do not hold up the end of the flow for ever, nor are they lost to it', async () => {
    const reading = new Reading();
    reading.claim.hand('slow a', 'b');
    reading.claim.end();
    expect(reading.completed).toBe(0);
    await reading.text.ready('slow a');
    expect(reading.seen).toEqual(['slow a', 'b']);
    expect(reading.completed).toBe(1);
    expect(reading.owner.left).toBe(0);
  });

  it('complete at once when nothing waits at the end', () => {
    const reading = new Reading();
    reading.claim.hand('a');
    reading.claim.end();
    expect(reading.completed).toBe(1);
  });

  it('are a line of 20,000 that goes on in a time that grows with it, and gives the event loop back', async () => {
    const reading = new Reading();
    // A millisecond for each record, so that the clock moves while they go on.
    let handed = 0;
    const { clock } = reading.owner;
    const now = clock.now.bind(clock);
    clock.now = () => now() + handed;
    let longestRun = 0;
    let run = 0;
    const defer = clock.defer.bind(clock);
    clock.defer = (callback) => {
      longestRun = Math.max(longestRun, run);
      run = 0;
      defer(callback);
    };
    reading.onNext = (delivery) => {
      handed++;
      run++;
      delivery.ack();
    };
    const values = Array.from({ length: 20_000 }, (_, at) => `v${at}`);
    reading.claim.hand('slow', ...values);
    await reading.text.ready('slow');
    expect(reading.seen.length).toBeLessThan(200);
    await clock.runUntil(() => reading.seen.length === values.length + 1);
    expect(reading.seen).toEqual(['slow', ...values]);
    expect(longestRun).toBeLessThanOrEqual(128);
  });

  it('are handed over together when they wait for the same promise', async () => {
    const schema = withResolvers<void>();
    const claim = new FakeClaim();
    const owner = new FakeOwner();
    const value: Deserializer<string> = {
      prepare: () => schema.promise,
      deserialize: (data) => data.toString(),
    };
    const seen: unknown[] = [];
    claimFlow(claim, new Decoder('orders', { value }), owner).subscribe((delivery) => {
      seen.push(delivery.value.value);
      delivery.ack();
    });
    const values = Array.from({ length: 20_000 }, (_, at) => `v${at}`);
    claim.hand(...values);
    schema.resolve();
    await turn();
    await owner.clock.settle();
    expect(seen).toEqual(values);
  });
});

describe('a refusal to prepare', () => {
  it('goes to the decode policy in order', async () => {
    const reading = new Reading();
    const order: unknown[] = [];
    reading.onNext = (delivery) => {
      order.push(delivery.value.value);
      delivery.ack();
    };
    reading.owner.onUndecodable = (delivery, cause) => {
      order.push([String(delivery.value.value), (cause as Error).message, delivery.origins[0]!.sequence]);
      delivery.ack();
    };
    reading.claim.hand('slow a', 'slow b', 'bad c', 'throws d', 'e');
    // Refused long before its turn: nobody may call that unhandled.
    await reading.text.refuse('slow b');
    await new Promise((resolve) => setImmediate(resolve));
    expect(order).toEqual([]);
    await reading.text.ready('slow a');
    expect(order).toEqual([
      'slow a',
      ['slow b', 'no schema for slow b', 1],
      ['bad c', 'bad c is bad', 2],
      ['throws d', 'no schema for throws d', 3],
      'e',
    ]);
    expect(reading.claim.settled).toEqual([0, 1, 2, 3, 4]);
  });

  it('that is thrown is a refusal as well', async () => {
    const reading = new Reading();
    const causes: unknown[] = [];
    reading.owner.onUndecodable = (delivery, cause) => {
      causes.push((cause as Error).message);
      delivery.ack();
    };
    reading.claim.hand('throws a', 'b');
    await turn();
    expect(causes).toEqual(['no schema for throws a']);
    expect(reading.seen).toEqual(['b']);
  });

  it('of the value is heard when that of the key is still to come', async () => {
    const claim = new FakeClaim();
    const owner = new FakeOwner();
    const causes: unknown[] = [];
    owner.onUndecodable = (delivery, cause) => {
      causes.push((cause as Error).message);
      delivery.ack();
    };
    const value: Deserializer<string> = {
      prepare: () => {
        throw new Error('no schema');
      },
      deserialize: (data) => data.toString(),
    };
    claimFlow(claim, new Decoder('orders', { key: { ...value, nullable: true }, value }), owner).subscribe();
    claim.hand('a');
    await turn();
    expect(causes).toEqual(['no schema']);
  });
});

describe('a paused claim', () => {
  it('holds back what waits for its deserializer until it is resumed', async () => {
    const reading = new Reading();
    reading.claim.hand('slow a', 'b');
    reading.flow.pause();
    await reading.text.ready('slow a');
    expect(reading.seen).toEqual([]);
    reading.flow.resume();
    await turn();
    expect(reading.seen).toEqual(['slow a', 'b']);
    expect(reading.claim.calls).toEqual(['pause', 'resume']);
  });

  it('stops in the middle of what waits when a stage pauses it', async () => {
    const reading = new Reading();
    reading.onNext = (delivery) => {
      if (delivery.value.value === 'b') reading.flow.pause();
      delivery.ack();
    };
    reading.claim.hand('slow a', 'b', 'c');
    await reading.text.ready('slow a');
    expect(reading.seen).toEqual(['slow a', 'b']);
    reading.flow.resume();
    await turn();
    expect(reading.seen).toEqual(['slow a', 'b', 'c']);
  });

  it('keeps the order when a stage resumes it while its record is on the way', async () => {
    const reading = new Reading();
    const order: string[] = [];
    reading.onNext = (delivery) => {
      const value = String(delivery.value.value);
      order.push(`in ${value}`);
      if (value === 'slow a') {
        reading.flow.pause();
        reading.flow.resume();
      }
      order.push(`out ${value}`);
      delivery.ack();
    };
    reading.claim.hand('slow a', 'b');
    await reading.text.ready('slow a');
    expect(order).toEqual(['in slow a', 'out slow a', 'in b', 'out b']);
  });

  it('is not resumed twice', () => {
    const reading = new Reading();
    reading.flow.resume();
    reading.flow.pause();
    reading.flow.resume();
    reading.flow.resume();
    expect(reading.claim.calls).toEqual(['pause', 'resume']);
  });

  it('completes only when what waits has gone on', async () => {
    const reading = new Reading();
    reading.claim.hand('slow a');
    reading.flow.pause();
    reading.claim.end();
    await reading.text.ready('slow a');
    expect(reading.completed).toBe(0);
    reading.flow.resume();
    await turn();
    expect(reading.seen).toEqual(['slow a']);
    expect(reading.completed).toBe(1);
  });
});

describe('a seek', () => {
  it('drops what waits and settles it', async () => {
    const reading = new Reading();
    reading.claim.hand('a', 'slow b', 'c');
    reading.flow.seek(100);
    expect(reading.claim.calls).toEqual(['seek 100']);
    expect(reading.claim.settled).toEqual([0, 1, 2]);
    reading.claim.hand('d');
    await reading.text.ready('slow b');
    expect(reading.seen).toEqual(['a', 'd']);
    expect(reading.owner.left).toBe(0);
  });

  it('to what is no offset changes nothing', async () => {
    const reading = new Reading();
    reading.claim.hand('slow a', 'b');
    expect(() => reading.flow.seek(-1)).toThrow('-1 is not an offset to seek to');
    expect(reading.claim.settled).toEqual([]);
    await reading.text.ready('slow a');
    expect(reading.seen).toEqual(['slow a', 'b']);
  });

  it('by a stage, in the middle of what waits, leaves the rest out', async () => {
    const reading = new Reading();
    reading.onNext = (delivery) => {
      if (delivery.value.value === 'slow a') reading.flow.seek(100);
      delivery.ack();
    };
    reading.claim.hand('slow a', 'b', 'c');
    await reading.text.ready('slow a');
    expect(reading.seen).toEqual(['slow a']);
    expect(reading.claim.settled.sort()).toEqual([0, 1, 2]);
  });

  it('away from the end, while something waits, is not the end', async () => {
    const reading = new Reading();
    reading.claim.hand('slow a');
    reading.claim.end();
    reading.flow.seek(0);
    reading.claim.hand('slow b');
    await reading.text.ready('slow a', 'slow b');
    expect(reading.seen).toEqual(['slow b']);
    expect(reading.completed).toBe(0);
  });
});

describe('the end of a claim', () => {
  it('gives up what waits when it is revoked', async () => {
    const reading = new Reading();
    reading.claim.hand('a', 'slow b', 'c');
    reading.claim.revoke();
    expect(reading.completed).toBe(1);
    expect(reading.claim.held).toEqual([1, 2]);
    expect(reading.owner.left).toBe(2);
    await reading.text.ready('slow b');
    expect(reading.seen).toEqual(['a']);
    expect(reading.claim.settled).toEqual([0]);
  });

  it('gives up what waits when it is lost, and that is nobody else’s business', async () => {
    const reading = new Reading();
    reading.claim.hand('slow a', 'b');
    reading.claim.lose();
    expect(reading.completed).toBe(1);
    expect(reading.owner.left).toBe(0);
    await reading.text.refuse('slow a');
    expect(reading.seen).toEqual([]);
    expect(reading.claim.settled).toEqual([]);
  });

  it('gives up what waits when the flow is unsubscribed', async () => {
    const reading = new Reading();
    reading.claim.hand('slow a', 'b');
    reading.stop();
    expect(reading.claim.held).toEqual([0, 1]);
    await reading.text.ready('slow a');
    expect(reading.seen).toEqual([]);
    expect(reading.owner.problems).toEqual([]);
  });

  it('comes once: revoked, then lost', () => {
    const reading = new Reading();
    reading.claim.hand('slow a');
    reading.claim.revoke();
    reading.claim.lose();
    expect(reading.completed).toBe(1);
    expect(reading.claim.held).toEqual([0]);
  });
});

describe('what deliveries tell their claim', () => {
  it('is passed on: settled, held, given up, refused', () => {
    const reading = new Reading();
    reading.onNext = () => undefined;
    reading.claim.hand('a', 'b', 'c');
    const [a, b, c] = reading.deliveries;
    a!.hold();
    a!.ack();
    b!.nack(new Error('broken'));
    expect(reading.claim.settled).toEqual([0]);
    expect(reading.claim.held).toEqual([0, 1]);
    expect(reading.owner.rejected).toEqual([[new Error('broken'), 'retry']]);
    expect(reading.owner.left).toBe(1);
    c!.derive('d');
    c!.ack();
    expect(reading.owner.problems).toEqual([{ kind: 'inert-use', action: 'ack', sequence: 2 }]);
  });
});
