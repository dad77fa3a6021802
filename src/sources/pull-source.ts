// The engine of the pull sources: takes values from an iterator of chunks only while there is credit, and gives the loop back now and then.
import type { Subscriber } from 'rxjs';
import { systemClock, type Clock } from '../core/clock.ts';
import { rootDelivery, type Delivery } from '../flow/delivery.ts';
import { createFlow, type Flow } from '../flow/flow.ts';
import { currentFailureSink, currentRuntime, type FlowRuntime, type RunningSource } from '../flow/runtime.ts';
import { drained } from './drained.ts';
import { PullCredit, type PullOwner } from './pull-credit.ts';

/** Default bounds of what a plain source has on its way. */
const IN_FLIGHT_RECORDS = 40_000;
const IN_FLIGHT_BYTES = 16 * 1024 * 1024;

/** How long one run of emissions may keep the event loop, and how often it looks at the clock. */
const SLICE_MS = 2;
const LOOK_EVERY = 64;

/** Chunks of values: one await per chunk, none per value. */
export type Chunks<T> = AsyncIterator<Iterable<T>>;

/** What a pull source is made from. `open` is called once per subscription. */
export interface PullOptions<T> {
  readonly name: string;
  readonly open: () => Chunks<T>;
  readonly sizeOf: (value: T) => number;
}

class PullLoop<T> implements RunningSource, PullOwner {
  private readonly options: PullOptions<T>;
  private readonly subscriber: Subscriber<Delivery<T>>;
  private readonly runtime: FlowRuntime | undefined;
  private readonly failed = currentFailureSink();
  private readonly clock: Clock;
  private readonly credit: PullCredit;
  private readonly chunks: Chunks<T>;
  private chunk: Iterator<T> | undefined;
  private sequence = 0;
  private emitting = false;
  private scheduled = false;
  private ended = false;
  private idle: (() => void) | undefined;

  constructor(
    options: PullOptions<T>,
    subscriber: Subscriber<Delivery<T>>,
    runtime: FlowRuntime | undefined,
  ) {
    this.options = options;
    this.subscriber = subscriber;
    this.runtime = runtime;
    this.clock = runtime?.clock ?? systemClock;
    this.credit = new PullCredit(options.name, this.clock, this, {
      records: IN_FLIGHT_RECORDS,
      bytes: IN_FLIGHT_BYTES,
    });
    this.chunks = options.open();
    runtime?.register(this);
  }

  start(): void {
    this.emit();
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

  /** The flow is unsubscribed, complete or drained: the iterator is told, so that files and connections close. */
  finish(cause?: unknown): void {
    if (this.ended) return;
    this.ended = true;
    this.chunk?.return?.();
    void Promise.resolve(this.chunks.return?.()).catch(() => undefined);
    if (cause !== undefined) this.subscriber.error(cause);
    // A drain, or a failure, from within: the value of the stage that asked for it is still on its way, and the end comes behind it.
    else if (!this.emitting) this.subscriber.complete();
  }

  private emit(): void {
    if (this.emitting || this.scheduled || this.ended) return;
    this.emitting = true;
    try {
      this.emitSlice();
    } catch (cause) {
      this.onBroken(cause);
    } finally {
      this.emitting = false;
      if (this.ended && !this.subscriber.closed) this.subscriber.complete();
    }
  }

  private emitSlice(): void {
    const start = this.clock.now();
    for (let taken = 1; !this.ended && !this.subscriber.closed; taken++) {
      if (this.chunk === undefined) {
        this.nextChunk();
        return;
      }
      if (!this.credit.hasRoom()) return;
      const item = this.chunk.next();
      if (item.done === true) {
        this.chunk = undefined;
        continue;
      }
      this.hand(item.value);
      if (taken % LOOK_EVERY === 0 && this.clock.now() - start > SLICE_MS) {
        this.scheduled = true;
        this.clock.defer(() => {
          this.scheduled = false;
          this.emit();
        });
        return;
      }
    }
  }

  private hand(value: T): void {
    const sequence = this.sequence++;
    const bytes = this.options.sizeOf(value);
    this.credit.taken(sequence, bytes);
    this.runtime?.countIn();
    this.subscriber.next(rootDelivery(value, this.credit, sequence, bytes, undefined));
  }

  private nextChunk(): void {
    this.scheduled = true;
    this.chunks.next().then(
      (result) => {
        this.scheduled = false;
        if (this.ended) return;
        if (result.done === true) {
          this.finish();
          return;
        }
        try {
          this.chunk = result.value[Symbol.iterator]();
        } catch (cause) {
          this.onBroken(cause);
          return;
        }
        this.emit();
      },
      (cause: unknown) => {
        this.scheduled = false;
        this.onBroken(cause);
      },
    );
  }

  // In a topology the failure is the topology's, which drains what is on its way; an error notification would drop it.
  private onBroken(cause: unknown): void {
    if (this.ended) return;
    if (this.runtime === undefined) {
      this.finish(cause);
      return;
    }
    this.finish();
    this.runtime.fail(cause);
  }
}

/** A Flow over chunks, pulled as its deliveries settle. */
export function pullSource<T>(options: PullOptions<T>): Flow<T> {
  return createFlow<T>((subscriber) => {
    const loop = new PullLoop(options, subscriber, currentRuntime());
    subscriber.add(() => loop.finish());
    loop.start();
  });
}
