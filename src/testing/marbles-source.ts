import { asyncScheduler, type SchedulerLike } from 'rxjs';
import type { Clock } from '../core/clock.ts';
import type { DeliveryProblem, Settlement, Verdict } from '../flow/settlement.ts';

/**
 * A clock that runs on a scheduler. A marble test gives its own: of timers that go through `asyncScheduler`, RxJS's TestScheduler trips ("Expected a
 * due immediate or interval") over one that a repeating one of the same millisecond cancels.
 */
export function schedulerClock(scheduler: SchedulerLike): Clock {
  return {
    now: () => scheduler.now(),
    wallNow: () => scheduler.now(),
    setTimeout(callback, delayMs) {
      const action = scheduler.schedule(() => callback(), delayMs);
      return { cancel: () => action.unsubscribe() };
    },
    defer(callback) {
      scheduler.schedule(() => callback());
    },
  };
}

/** Something that was done to a delivery of a marble flow. */
export interface SettlementEvent {
  readonly kind: 'ack' | 'nack' | 'hold' | 'give-up';
  readonly frame: number;
  /** The value's mark in the flow's diagram. */
  readonly mark: string;
  readonly cause?: unknown;
  readonly verdict?: Verdict;
  readonly rewindDelayMs?: number | undefined;
}

/** The claim behind a marble flow: it writes down what becomes of its deliveries, and is revoked, lost or out of credit on demand. */
export class MarbleSource implements Settlement {
  readonly source: string;
  readonly claimEpoch = 0;
  readonly clock: Clock;
  readonly events: SettlementEvent[] = [];
  readonly problems: DeliveryProblem[] = [];
  rewinds = 0;
  pressed = false;
  refused = false;
  private readonly revokingController = new AbortController();
  private readonly lostController = new AbortController();
  private readonly marks: string[] = [];
  private readonly open = new Set<number>();
  private readonly listeners = new Set<() => void>();
  private resumeAt = 0;

  constructor(clock: Clock = schedulerClock(asyncScheduler), source = 'marbles') {
    this.clock = clock;
    this.source = source;
  }

  get revoking(): AbortSignal {
    return this.revokingController.signal;
  }

  get lost(): AbortSignal {
    return this.lostController.signal;
  }

  /** Deliveries neither settled nor held. */
  get inFlight(): number {
    return this.open.size;
  }

  /** Counts a delivery in; the answer is its sequence. */
  handOver(mark: string): number {
    const sequence = this.marks.push(mark) - 1;
    this.open.add(sequence);
    return sequence;
  }

  revoke(): void {
    this.revokingController.abort();
  }

  lose(): void {
    this.lostController.abort();
  }

  /** Out of credit, until half of what is in flight now has settled. */
  press(): void {
    this.pressed = true;
    this.resumeAt = Math.floor(this.open.size / 2);
    for (const listener of [...this.listeners]) listener();
  }

  onPressure(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  settle(sequence: number): void {
    this.note(sequence, { kind: 'ack' });
  }

  hold(sequence: number): void {
    this.note(sequence, { kind: 'hold' });
  }

  giveUp(sequence: number): void {
    this.refused = true;
    this.note(sequence, { kind: 'give-up' });
  }

  reject(sequence: number, cause: unknown, verdict: Verdict, rewindDelayMs?: number): void {
    this.refused = true;
    this.note(sequence, { kind: 'nack', cause, verdict, rewindDelayMs });
  }

  report(problem: DeliveryProblem): void {
    this.problems.push(problem);
  }

  private note(sequence: number, event: Omit<SettlementEvent, 'frame' | 'mark'>): void {
    this.events.push({ ...event, frame: this.clock.now(), mark: this.marks[sequence]! });
    this.open.delete(sequence);
    if (this.pressed && this.open.size <= this.resumeAt) this.pressed = false;
  }
}
