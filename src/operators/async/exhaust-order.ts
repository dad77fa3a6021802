// Of each key of each claim only one value runs; those that come meanwhile are passed over. The one that runs came before them and is unsettled.
import { ClaimStates } from '../../flow/claim-states.ts';
import type { Delivery } from '../../flow/delivery.ts';
import type { Fifo } from '../../flow/fifo.ts';
import { checkKey, KeyMap, type Key } from '../../flow/key.ts';
import type { CallOrder, Emitter } from './call-order.ts';
import type { Call } from './call.ts';
import { isOver } from './switch-order.ts';

export class ExhaustOrder<A, B> implements CallOrder<A, B> {
  readonly idle = true;
  private readonly operator: string;
  private readonly key: (value: A) => Key;
  private readonly claims = new ClaimStates(() => new KeyMap<Call<A, B>>());
  private readonly running = new Map<Call<A, B>, KeyMap<Call<A, B>>>();

  constructor(operator: string, key: (value: A) => Key) {
    this.operator = operator;
    this.key = key;
  }

  admit(call: Call<A, B>, ready: Fifo<Call<A, B>>): void {
    const key = checkKey(this.operator, this.key(call.value));
    const home = this.claims.of(call.delivery);
    const before = home.get(key);
    if (before !== undefined && !isOver(before)) {
      call.done = true;
      call.delivery.ack();
      return;
    }
    call.key = key;
    home.set(key, call);
    this.running.set(call, home);
    ready.push(call);
  }

  emit(_call: Call<A, B>, delivery: Delivery<B>, out: Emitter<B>): void {
    out.next(delivery);
  }

  finished(call: Call<A, B>): void {
    const home = this.running.get(call);
    this.running.delete(call);
    if (home?.get(call.key) === call) home.delete(call.key);
  }

  abandon(): void {}

  keepsSome(): boolean {
    return false;
  }
}
