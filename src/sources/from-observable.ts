import type { Observable, Subscriber } from 'rxjs';
import { systemClock } from '../core/clock.ts';
import { UsageError } from '../errors.ts';
import { rootDelivery, type Delivery } from '../flow/delivery.ts';
import { createFlow, type Flow } from '../flow/flow.ts';
import { currentFailureSink, currentRuntime, type FlowRuntime, type RunningSource } from '../flow/runtime.ts';
import { drained } from './drained.ts';
import { PullCredit, type PullOwner } from './pull-credit.ts';

/** What to do with a value that comes when `capacity` values wait already. */
export type Overflow = 'error' | 'drop-oldest' | 'drop-newest';

/** Default bound of what a push source has on its way beyond what waits. */
const IN_FLIGHT_RECORDS = 1_000;

class PushSource<T> implements RunningSource, PullOwner {
  private readonly subscriber: Subscriber<Delivery<T>>;
  private readonly runtime: FlowRuntime | undefined;
  private readonly failed = currentFailureSink();
  private readonly credit: PullCredit;
  private readonly overflow: Overflow;
  private readonly capacity: number;
  private waiting: T[] = [];
  private head = 0;
  private sequence = 0;
  private emitting = false;
  private completed = false;
  private ended = false;
  private idle: (() => void) | undefined;

  constructor(
    subscriber: Subscriber<Delivery<T>>,
    runtime: FlowRuntime | undefined,
    overflow: Overflow,
    capacity: number,
  ) {
    this.subscriber = subscriber;
    this.runtime = runtime;
    this.overflow = overflow;
    this.capacity = capacity;
    this.credit = new PullCredit('observable', runtime?.clock ?? systemClock, this, {
      records: IN_FLIGHT_RECORDS,
      bytes: Number.POSITIVE_INFINITY,
    });
    runtime?.register(this);
  }

  push(value: T): void {
    if (this.ended) return;
    if (this.waiting.length - this.head >= this.capacity) {
      if (this.overflow === 'drop-newest') return;
      if (this.overflow === 'error') {
        this.break(
          new UsageError(
            `fromObservable: ${this.capacity} values wait and one more came; raise 'capacity' or choose another 'overflow'`,
            'capacity',
          ),
        );
        return;
      }
      this.takeOldest();
    }
    this.waiting.push(value);
    this.emit();
  }

  complete(): void {
    this.completed = true;
    this.emit();
  }

  break(cause: unknown): void {
    if (this.runtime === undefined) {
      this.finish(cause);
      return;
    }
    this.finish();
    this.runtime.fail(cause);
  }

  onRoom(): void {
    this.emit();
  }

  onSettled(): void {
    if (this.credit.inFlight === 0) this.idle?.();
  }

  onRejected(cause: unknown): void {
    if (this.runtime !== undefined) this.runtime.fail(cause);
    else if (this.failed !== undefined) this.failed(cause);
    else this.finish(cause);
  }

  unsettled(): number {
    return this.credit.inFlight + this.credit.left;
  }

  drain(timeoutMs: number): Promise<void> {
    this.finish();
    return drained(this.credit, timeoutMs, (resolve) => {
      this.idle = resolve;
    });
  }

  abort(): Promise<void> {
    this.finish();
    return Promise.resolve();
  }

  finish(cause?: unknown): void {
    if (this.ended) return;
    this.ended = true;
    this.waiting = [];
    this.head = 0;
    if (cause !== undefined) this.subscriber.error(cause);
    // A drain, or a failure, from within: the value of the stage that asked for it is still on its way, and the end comes behind it.
    else if (!this.emitting) this.subscriber.complete();
  }

  private takeOldest(): T {
    const value = this.waiting[this.head]!;
    this.waiting[this.head++] = undefined as T;
    if (this.head * 2 > this.waiting.length) {
      this.waiting = this.waiting.slice(this.head);
      this.head = 0;
    }
    return value;
  }

  private emit(): void {
    if (this.emitting || this.ended) return;
    this.emitting = true;
    while (
      !this.ended &&
      !this.subscriber.closed &&
      this.head < this.waiting.length &&
      this.credit.hasRoom()
    ) {
      const sequence = this.sequence++;
      this.credit.taken(sequence, 0);
      this.runtime?.countIn();
      this.subscriber.next(rootDelivery(this.takeOldest(), this.credit, sequence, 0, undefined));
    }
    this.emitting = false;
    if (this.ended && !this.subscriber.closed) this.subscriber.complete();
    else if (this.completed && this.head === this.waiting.length) this.finish();
  }
}

/**
 * A flow of a plain Observable's values. It cannot be slowed down, so you say what happens when more than `capacity` values wait for the pipeline:
 * `error` fails, `drop-oldest` and `drop-newest` drop. Up to 1,000 further values are on their way unsettled.
 *
 * @throws UsageError when `overflow` or `capacity` is missing or wrong
 * @example
 * ```ts
 * fromObservable(interval(10), { overflow: 'drop-oldest', capacity: 100 }).pipe(toTopic('ticks', (n) => ({ value: String(n) })));
 * ```
 */
export function fromObservable<T>(
  source: Observable<T>,
  options: { readonly overflow: Overflow; readonly capacity: number },
): Flow<T> {
  const { overflow, capacity } = options;
  if (!['error', 'drop-oldest', 'drop-newest'].includes(overflow)) {
    throw new UsageError(
      `fromObservable: 'overflow' is 'error', 'drop-oldest' or 'drop-newest', not ${overflow}`,
      'overflow',
    );
  }
  if (!Number.isInteger(capacity) || capacity < 1) {
    throw new UsageError(
      `fromObservable: 'capacity' is a positive whole number, not ${String(capacity)}`,
      'capacity',
    );
  }
  return createFlow<T>((subscriber) => {
    const push = new PushSource(subscriber, currentRuntime(), overflow, capacity);
    subscriber.add(() => push.finish());
    subscriber.add(
      source.subscribe({
        next: (value) => push.push(value),
        error: (cause: unknown) => push.break(cause),
        complete: () => push.complete(),
      }),
    );
  });
}
