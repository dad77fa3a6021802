import type { Subscriber } from 'rxjs';
import type { ConsumerRecord } from '../../src/core/records/types.ts';
import { rootDelivery, type Delivery } from '../../src/flow/delivery.ts';
import { createFlow, type Flow } from '../../src/flow/flow.ts';
import { MarbleSource } from '../../src/testing/marbles-source.ts';
import { VirtualClock } from '../../src/testing/simulation/virtual-clock.ts';

/** A source driven by hand. With `credit`, `emitAll` hands over while there is room and goes on, re-entrantly, when one settles. */
export class ManualSource<T> extends MarbleSource {
  readonly flow: Flow<T>;
  /** Stands still unless it is told to advance. */
  readonly time: VirtualClock;
  subscriber: Subscriber<Delivery<T>> | undefined;
  private rest: T[] = [];
  private readonly credit: number;
  private completing = false;

  constructor(credit = Infinity) {
    const time = new VirtualClock();
    super(time);
    this.time = time;
    this.credit = credit;
    this.flow = createFlow<T>((subscriber) => {
      this.subscriber = subscriber;
    });
  }

  emit(value: T, bytes = 0, record?: ConsumerRecord): Delivery<T> {
    const delivery = rootDelivery(value, this, this.handOver(String(value)), bytes, record);
    this.subscriber?.next(delivery);
    return delivery;
  }

  /** Hands all over as the credit allows, nested inside settlements too, then completes. */
  emitAll(values: Iterable<T>, options: { complete?: boolean } = {}): void {
    this.rest.push(...values);
    this.completing = options.complete ?? true;
    this.go();
  }

  complete(): void {
    this.subscriber?.complete();
  }

  error(cause: unknown): void {
    this.subscriber?.error(cause);
  }

  marked(kind: 'ack' | 'nack' | 'hold' | 'give-up'): string {
    return this.events.flatMap((event) => (event.kind === kind ? [event.mark] : [])).join(' ');
  }

  override settle(sequence: number): void {
    super.settle(sequence);
    this.go();
  }

  // Not guarded against re-entrancy on purpose: a settlement inside `next` emits the next value inside it.
  private go(): void {
    while (this.inFlight < this.credit && this.rest.length > 0) this.emit(this.rest.shift()!);
    if (this.rest.length > 0 || !this.completing) {
      if (this.rest.length > 0 && !this.pressed) this.press();
      return;
    }
    this.completing = false;
    this.subscriber?.complete();
  }
}

/** Subscribes and keeps the values; acknowledges what comes out unless told not to. */
export function collect<T>(
  flow: Flow<T>,
  options: { ack?: boolean } = {},
): { values: T[]; deliveries: Delivery<T>[]; ended: unknown[]; stop: () => void } {
  const values: T[] = [];
  const deliveries: Delivery<T>[] = [];
  const ended: unknown[] = [];
  const subscription = flow.subscribe({
    next: (delivery) => {
      values.push(delivery.value);
      deliveries.push(delivery);
      if (options.ack !== false) delivery.ack();
    },
    error: (cause: unknown) => ended.push(cause),
    complete: () => ended.push('complete'),
  });
  return { values, deliveries, ended, stop: () => subscription.unsubscribe() };
}
