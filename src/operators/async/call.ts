import { systemClock, type Timer } from '../../core/clock.ts';
import { isDead } from '../../flow/dead.ts';
import { handleOf, type Delivery } from '../../flow/delivery.ts';
import type { Key } from '../../flow/key.ts';
import { onAbort } from '../../core/on-abort.ts';
import type { Origin } from '../../flow/origin.ts';
import type { RetryWait } from '../../flow/retry-wait.ts';

/** What a user's asynchronous function is told besides the value. Every part is made when it is read. */
export interface CallContext {
  /** Aborted when every claim behind the value is lost, when its time is over, and when the flow is unsubscribed. */
  readonly signal: AbortSignal;
  /** 1 for the first attempt. */
  readonly attempt: number;
  readonly origins: readonly Origin[];
}

/** One value of an asynchronous stage from its arrival until all it led to is emitted, over all its attempts. */
export class Call<A, B> {
  delivery: Delivery<A>;
  readonly value: A;
  attempt = 1;
  running = false;
  /** The last attempt is over; nothing more comes of it. */
  done = false;
  wait: RetryWait<A> | undefined;
  /** Stops an Observable that is being listened to. */
  stop: (() => void) | undefined;
  /** Makes an Observable that is being listened to fail. */
  fail: ((cause: unknown) => void) | undefined;
  /** Ends the attempt when it takes too long. */
  private timer: Timer | undefined;
  /** Stops listening for a `timeout` before this stage. */
  private unlisten: (() => void) | undefined;
  /** Results that wait for the calls before this one; undefined while there are none. */
  outputs: Delivery<B>[] | undefined;
  key: Key;
  /** The next call with the same key. */
  nextOfKey: Call<A, B> | undefined;
  private controller: AbortController | undefined;
  private unwatch: (() => void)[] | undefined;

  constructor(delivery: Delivery<A>) {
    this.delivery = delivery;
    this.value = delivery.value;
  }

  /** The context of the attempt that begins now. */
  context(): CallContext {
    return new AttemptContext(this, this.delivery, this.attempt);
  }

  signal(): AbortSignal {
    if (this.controller !== undefined) return this.controller.signal;
    const controller = new AbortController();
    this.controller = controller;
    if (this.done || isDead(this.delivery)) controller.abort();
    else this.watch(controller, this.delivery);
    return controller.signal;
  }

  /** Calls `onTooLate` when the attempt that begins now takes longer than `afterMs`. */
  limit(afterMs: number, onTooLate: () => void): void {
    const clock = handleOf(this.delivery).behind.someSettlement()?.clock ?? systemClock;
    this.timer = clock.setTimeout(() => {
      this.timer = undefined;
      onTooLate();
    }, afterMs);
  }

  /** Calls `onExpired` when a `timeout` before this stage takes the value back. */
  listen(onExpired: () => void): void {
    this.unlisten = handleOf(this.delivery).behind.onExpired?.(onExpired);
  }

  /** Nothing more comes of the call. */
  close(): void {
    this.done = true;
    this.unlisten?.();
    this.unlisten = undefined;
    this.release();
  }

  /** The attempt is over, with a result or without: nobody waits for its signal. The function returned aborts it all the same. */
  release(): ((reason?: unknown) => void) | undefined {
    this.timer?.cancel();
    this.timer = undefined;
    for (const stop of this.unwatch ?? []) stop();
    this.unwatch = undefined;
    const { controller } = this;
    this.controller = undefined;
    return controller === undefined ? undefined : (reason) => controller.abort(reason);
  }

  /** Tells the user's function that its result is not wanted. */
  abort(): void {
    const { stop } = this;
    const abort = this.release();
    this.stop = undefined;
    stop?.();
    const claim = handleOf(this.delivery).behind.someSettlement();
    abort?.(claim?.lost.aborted === true ? claim.lost.reason : undefined);
  }

  private watch(controller: AbortController, delivery: Delivery<A>): void {
    const unwatch: (() => void)[] = [];
    this.unwatch = unwatch;
    handleOf(delivery).behind.visitSettlements((settlement) => {
      unwatch.push(
        onAbort(settlement.lost, () => {
          if (isDead(delivery)) controller.abort(settlement.lost.reason);
        }),
      );
    });
  }
}

class AttemptContext<A, B> implements CallContext {
  readonly attempt: number;
  private readonly call: Call<A, B>;
  private readonly delivery: Delivery<A>;

  constructor(call: Call<A, B>, delivery: Delivery<A>, attempt: number) {
    this.call = call;
    this.delivery = delivery;
    this.attempt = attempt;
  }

  get signal(): AbortSignal {
    return this.call.signal();
  }

  get origins(): readonly Origin[] {
    return this.delivery.origins;
  }
}
