// In which order calls start and their results go on. The stage knows how many may run; these know which.
import { UsageError } from '../../errors.ts';
import { isDead } from '../../flow/dead.ts';
import { handleOf, type Delivery } from '../../flow/delivery.ts';
import { Fifo } from '../../flow/fifo.ts';
import { checkKey, KeyMap, type Key } from '../../flow/key.ts';
import type { Call } from './call.ts';

/** How results relate to inputs: the order of the input, the order of the input among equal keys, or none. */
export type Ordering<A> =
  { readonly order: 'input' | 'none' } | { readonly order: 'key'; readonly key: (value: A) => Key };

/** Where a call's results go. */
export interface Emitter<B> {
  readonly closed: boolean;
  next(delivery: Delivery<B>): void;
}

export interface CallOrder<A, B> {
  /** Takes a call in; what may start at once is put into `ready`. Throws what the user's key function throws. */
  admit(call: Call<A, B>, ready: Fifo<Call<A, B>>): void;
  emit(call: Call<A, B>, delivery: Delivery<B>, out: Emitter<B>): void;
  /** The call is done; what waited for it goes on. */
  finished(call: Call<A, B>, ready: Fifo<Call<A, B>>, out: Emitter<B>): void;
  /** The stage is unsubscribed: results that wait are left unsettled on purpose. */
  abandon(): void;
  /** True when `test` holds for a result that waits. */
  keepsSome(test: (delivery: Delivery<unknown>) => boolean): boolean;
  /** False while results of finished calls have yet to go on. */
  readonly idle: boolean;
}

/** No order: a result goes on when it is there. */
export class NoOrder<A, B> implements CallOrder<A, B> {
  readonly idle = true;

  admit(call: Call<A, B>, ready: Fifo<Call<A, B>>): void {
    ready.push(call);
  }

  emit(_call: Call<A, B>, delivery: Delivery<B>, out: Emitter<B>): void {
    out.next(delivery);
  }

  finished(): void {}

  abandon(): void {}

  keepsSome(): boolean {
    return false;
  }
}

/** Calls overlap, results wait for those before them. */
export class InputOrder<A, B> implements CallOrder<A, B> {
  private readonly line = new Fifo<Call<A, B>>();
  private flushing = false;

  get idle(): boolean {
    return this.line.size === 0;
  }

  admit(call: Call<A, B>, ready: Fifo<Call<A, B>>): void {
    this.line.push(call);
    ready.push(call);
  }

  emit(call: Call<A, B>, delivery: Delivery<B>, out: Emitter<B>): void {
    if (this.line.peek() === call && !this.flushing) out.next(delivery);
    else (call.outputs ??= []).push(delivery);
  }

  // Emitting may finish further calls; the outer run takes them up.
  finished(_call: Call<A, B>, _ready: Fifo<Call<A, B>>, out: Emitter<B>): void {
    if (this.flushing) return;
    this.flushing = true;
    for (let head = this.line.peek(); head !== undefined; head = this.line.peek()) {
      while (head.outputs !== undefined) {
        const outputs = head.outputs;
        head.outputs = undefined;
        for (const delivery of outputs) {
          if (out.closed || isDead(delivery)) handleOf(delivery).giveUp();
          else out.next(delivery);
        }
      }
      if (!head.done) break;
      this.line.shift();
    }
    this.flushing = false;
  }

  keepsSome(test: (delivery: Delivery<unknown>) => boolean): boolean {
    return this.line.some(({ outputs }) => outputs?.some(test) === true);
  }

  abandon(): void {
    for (let call = this.line.shift(); call !== undefined; call = this.line.shift()) {
      for (const delivery of call.outputs ?? []) handleOf(delivery).giveUp();
    }
  }
}

/** Calls with equal keys run one after the other, so their results keep the input's order; calls with different keys overlap. */
export class KeyOrder<A, B> implements CallOrder<A, B> {
  readonly idle = true;
  private readonly key: (value: A) => Key;
  private readonly lastOfKey = new KeyMap<Call<A, B>>();

  constructor(key: (value: A) => Key) {
    this.key = key;
  }

  admit(call: Call<A, B>, ready: Fifo<Call<A, B>>): void {
    const key = checkKey('key', this.key(call.value));
    const last = this.lastOfKey.get(key);
    this.lastOfKey.set(key, call);
    call.key = key;
    if (last === undefined) ready.push(call);
    else last.nextOfKey = call;
  }

  emit(_call: Call<A, B>, delivery: Delivery<B>, out: Emitter<B>): void {
    out.next(delivery);
  }

  finished(call: Call<A, B>, ready: Fifo<Call<A, B>>): void {
    if (call.nextOfKey !== undefined) ready.push(call.nextOfKey);
    else this.lastOfKey.delete(call.key);
  }

  abandon(): void {}

  keepsSome(): boolean {
    return false;
  }
}

/** The order a stage was asked for; throws a UsageError for one that does not exist. */
export function callOrder<A, B>(operator: string, ordering: Ordering<A>): CallOrder<A, B> {
  const order: unknown = ordering.order;
  switch (ordering.order) {
    case 'input':
      return new InputOrder<A, B>();
    case 'none':
      return new NoOrder<A, B>();
    case 'key':
      if (typeof ordering.key === 'function') return new KeyOrder<A, B>(ordering.key);
      throw new UsageError(`${operator}: order 'key' needs a key function`, 'key');
    default:
      throw new UsageError(`${operator}: order is 'input', 'key' or 'none', not ${String(order)}`, 'order');
  }
}
