import type { Observable } from 'rxjs';
import type { Clock, Timer } from '../../core/clock.ts';
import { InnerSubscriber } from '../../flow/stage-subscriber.ts';

/** Who waits for a duration. */
export interface DurationListener {
  /** It is over. */
  onDuration(): void;
  /** An Observable completed without a value: it is over, and nothing is to be emitted for it, as in RxJS. */
  onSilence(): void;
  /** An Observable failed. */
  onBroken(cause: unknown): void;
}

/** A time, or an Observable's, that ends once. */
export interface Duration {
  /** False once it ended or was stopped. */
  readonly runs: boolean;
  /** Ends it and tells nobody. */
  stop(): void;
}

/** So many milliseconds, and more when it is put off. */
export class TimedDuration implements Duration {
  runs = true;
  private readonly clock: Clock;
  private readonly listener: DurationListener;
  private timer: Timer;
  private dueMs: number;

  constructor(clock: Clock, durationMs: number, listener: DurationListener) {
    this.clock = clock;
    this.listener = listener;
    this.dueMs = clock.now() + durationMs;
    this.timer = clock.setTimeout(this.look, durationMs);
  }

  /** Begins anew, without a timer of its own for each value. */
  putOff(durationMs: number): void {
    this.dueMs = this.clock.now() + durationMs;
  }

  stop(): void {
    this.runs = false;
    this.timer.cancel();
  }

  private readonly look = (): void => {
    const restMs = this.dueMs - this.clock.now();
    if (restMs > 0) {
      this.timer = this.clock.setTimeout(this.look, restMs);
      return;
    }
    this.runs = false;
    this.listener.onDuration();
  };
}

/** Until an Observable's first value. */
export class ObservedDuration extends InnerSubscriber<unknown> implements Duration {
  private readonly listener: DurationListener;

  constructor(listener: DurationListener) {
    super();
    this.listener = listener;
  }

  get runs(): boolean {
    return !this.closed;
  }

  listenTo(observable: Observable<unknown>): void {
    observable.subscribe(this);
  }

  stop(): void {
    this.unsubscribe();
  }

  override next(): void {
    if (this.closed) return;
    this.unsubscribe();
    this.listener.onDuration();
  }

  override error(cause: unknown): void {
    if (this.closed) return;
    this.unsubscribe();
    this.listener.onBroken(cause);
  }

  override complete(): void {
    if (this.closed) return;
    this.unsubscribe();
    this.listener.onSilence();
  }
}
