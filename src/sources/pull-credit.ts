// What the deliveries of a plain source answer to: a count of values in flight with a bound, so that a pull source is never read ahead of its pipeline.
import type { Clock } from '../core/clock.ts';
import type { Settlement, Verdict } from '../flow/settlement.ts';
import { SizeRing } from './size-ring.ts';

const NEVER = new AbortController().signal;

/** What the source does when its pipeline frees room or refuses a value. */
export interface PullOwner {
  onRoom(): void;
  onSettled(): void;
  onRejected(cause: unknown): void;
}

/**
 * The credit of one plain source: room while fewer than `records` values and `bytes` bytes are unsettled and unheld; once out of room, room again
 * at half. There is nothing to commit or replay, so a rewind verdict is a refusal like any other.
 */
export class PullCredit implements Settlement {
  readonly source: string;
  readonly clock: Clock;
  readonly claimEpoch = 0;
  readonly revoking: AbortSignal = NEVER;
  readonly lost: AbortSignal = NEVER;
  readonly dead = false;
  /** Handed over, neither settled nor held, and still with somebody. */
  inFlight = 0;
  /** Left unsettled though nobody holds them: refused, or given up. */
  left = 0;
  private readonly owner: PullOwner;
  private readonly maxRecords: number;
  private readonly maxBytes: number;
  private readonly sizes = new SizeRing();
  private inFlightBytes = 0;
  private full = false;
  private readonly pressureListeners = new Set<() => void>();

  constructor(source: string, clock: Clock, owner: PullOwner, limits: { records: number; bytes: number }) {
    this.source = source;
    this.clock = clock;
    this.owner = owner;
    this.maxRecords = limits.records;
    this.maxBytes = limits.bytes;
  }

  /** True while one more value may be emitted. */
  hasRoom(): boolean {
    if (this.full) return false;
    if (this.inFlight === 0 || (this.inFlight < this.maxRecords && this.inFlightBytes < this.maxBytes))
      return true;
    this.full = true;
    for (const listener of this.pressureListeners) listener();
    return !this.full;
  }

  taken(sequence: number, bytes: number): void {
    this.inFlight++;
    this.inFlightBytes += bytes;
    this.sizes.add(sequence, bytes);
  }

  settle(sequence: number): void {
    this.release(sequence);
  }

  hold(sequence: number): void {
    this.release(sequence);
  }

  reject(sequence: number, cause: unknown, _verdict: Verdict): void {
    this.giveUp(sequence, false);
    this.owner.onRejected(cause);
  }

  // What is given up may be so because the flow is being taken apart: who is to emit into it is told when that is done.
  giveUp(sequence: number, held: boolean): void {
    if (held || !this.forget(sequence)) return;
    this.left++;
    if (this.hasRoomAgain()) this.clock.defer(() => this.owner.onRoom());
    this.owner.onSettled();
  }

  onPressure(listener: () => void): () => void {
    this.pressureListeners.add(listener);
    return () => this.pressureListeners.delete(listener);
  }

  // A held value gave its room back already.
  private release(sequence: number): void {
    if (!this.forget(sequence)) return;
    if (this.hasRoomAgain()) this.owner.onRoom();
    this.owner.onSettled();
  }

  private hasRoomAgain(): boolean {
    if (!this.full || this.inFlight * 2 > this.maxRecords || this.inFlightBytes * 2 > this.maxBytes)
      return false;
    this.full = false;
    return true;
  }

  private forget(sequence: number): boolean {
    const bytes = this.sizes.take(sequence);
    if (bytes === undefined) return false;
    this.inFlight--;
    this.inFlightBytes -= bytes;
    return true;
  }
}
