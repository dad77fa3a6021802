// What has been asked on one connection and is not answered yet. Pure: no socket, and time only through the clock.

import type { Clock, Timer } from '../clock.ts';
import { ProtocolError } from '../../errors.ts';

/** One request on its way. Exactly one of its functions is called, once. */
export interface PendingCall {
  /** The answer, from its correlation id on. A throw here breaks the connection. */
  onResponse(frame: Buffer): void;
  onTimeout(): void;
  onError(error: Error): void;
}

interface Slot {
  readonly correlationId: number;
  readonly startedAt: number;
  readonly deadline: number;
  /** Undefined once the caller gave up; the slot stays, because the answer is still to come. */
  call: PendingCall | undefined;
}

const CORRELATION_BYTES = 4;
const MAX_CORRELATION_ID = 0x7f_ff_ff_ff;
/** Answered slots at the front of the list are dropped when there are this many. */
const COMPACT_AT = 64;

/**
 * The requests of one connection in the order they were sent, which is the order a broker answers in. A request that timed out or was abandoned
 * keeps its place: its late answer is taken and dropped, so the stream never gets out of step. One timer serves all deadlines.
 */
export class InFlight {
  private readonly clock: Clock;
  private readonly stallAfterMs: number;
  private readonly onStall: (silentMs: number) => void;
  private slots: Slot[] = [];
  private head = 0;
  private lastHeardAt: number;
  private timer: Timer | undefined;
  private timerAt = Infinity;
  /** The id that `add` gives to the next request; it is encoded under it before, so that one that cannot be encoded takes no place. */
  nextCorrelationId = 1;
  /** Late answers that were dropped. */
  lateResponses = 0;

  /** `onStall`: the oldest request was given up and nothing at all has come from the peer for `stallAfterMs` since it was sent. */
  constructor(clock: Clock, stallAfterMs: number, onStall: (silentMs: number) => void) {
    this.clock = clock;
    this.stallAfterMs = stallAfterMs;
    this.onStall = onStall;
    this.lastHeardAt = clock.now();
  }

  /** Requests whose answer is still to come, given-up ones included. */
  get size(): number {
    return this.slots.length - this.head;
  }

  /** Since when the oldest request waits without a byte from the peer, as a duration; 0 when nothing is owed. */
  get silentMs(): number {
    const oldest = this.slots[this.head];
    return oldest === undefined ? 0 : this.clock.now() - Math.max(oldest.startedAt, this.lastHeardAt);
  }

  /**
   * Takes the next place in the order, under the id `nextCorrelationId`. With `behind`, the place before the newest so many requests, which must
   * not have been written yet.
   */
  add(call: PendingCall, timeoutMs: number, behind = 0): void {
    const correlationId = this.nextCorrelationId;
    this.nextCorrelationId = correlationId === MAX_CORRELATION_ID ? 1 : correlationId + 1;
    const startedAt = this.clock.now();
    const slot: Slot = { correlationId, startedAt, deadline: startedAt + timeoutMs, call };
    if (behind === 0) this.slots.push(slot);
    else this.slots.splice(this.slots.length - behind, 0, slot);
    this.arm(slot.deadline);
  }

  /** How long the most patient of the requests still waits, in ms; 0 when there is none. */
  get longestWaitMs(): number {
    let deadline = 0;
    for (let at = this.head; at < this.slots.length; at += 1)
      deadline = Math.max(deadline, this.slots[at]!.deadline);
    return Math.max(0, deadline - this.clock.now());
  }

  /** The caller no longer waits; nothing of `call` is called any more, and the answer will be dropped. */
  abandon(correlationId: number): void {
    const slot = this.slots[this.find(correlationId)];
    if (slot === undefined) return;
    slot.call = undefined;
    this.arm(this.stallTime(slot));
  }

  /** The request was never written, so no answer will come: frees its place. */
  withdraw(correlationId: number): void {
    const at = this.find(correlationId);
    if (at >= 0) this.slots.splice(at, 1);
  }

  /** Something came from the peer, or was held back by us until now: silence counts from here. */
  heard(): void {
    this.lastHeardAt = this.clock.now();
  }

  /** Hands the frame to the request it answers. Throws ProtocolError when it is not the answer that is due. */
  respond(frame: Buffer): void {
    if (frame.length < CORRELATION_BYTES) {
      throw new ProtocolError(
        `The broker sent a frame of ${frame.length} bytes, too short for a correlation id`,
      );
    }
    const correlationId = frame.readInt32BE(0);
    const slot = this.slots[this.head];
    if (slot === undefined) {
      throw new ProtocolError(`The broker answered request ${correlationId}, but nothing was asked`);
    }
    if (slot.correlationId !== correlationId) {
      throw new ProtocolError(
        `The broker answered request ${correlationId} where the answer to ${slot.correlationId} is due`,
      );
    }
    this.advance();
    const call = slot.call;
    if (call === undefined) {
      this.lateResponses += 1;
      return;
    }
    slot.call = undefined;
    call.onResponse(frame);
  }

  /** Rejects all that is left and stops the timer. */
  failAll(error: Error): void {
    const slots = this.slots;
    const from = this.head;
    this.slots = [];
    this.head = 0;
    this.timer?.cancel();
    this.timer = undefined;
    this.timerAt = Infinity;
    for (let at = from; at < slots.length; at += 1) slots[at]!.call?.onError(error);
  }

  private advance(): void {
    this.head += 1;
    if (this.head === this.slots.length) {
      this.slots.length = 0;
      this.head = 0;
      return;
    }
    if (this.head >= COMPACT_AT) {
      this.slots.splice(0, this.head);
      this.head = 0;
    }
    const oldest = this.slots[this.head]!;
    if (oldest.call === undefined) this.arm(this.stallTime(oldest));
  }

  private find(correlationId: number): number {
    for (let at = this.head; at < this.slots.length; at += 1) {
      if (this.slots[at]!.correlationId === correlationId) return at;
    }
    return -1;
  }

  private stallTime(slot: Slot): number {
    return Math.max(slot.deadline, Math.max(slot.startedAt, this.lastHeardAt) + this.stallAfterMs);
  }

  private arm(at: number): void {
    if (at >= this.timerAt) return;
    this.timer?.cancel();
    this.timerAt = at;
    this.timer = this.clock.setTimeout(() => {
      this.timer = undefined;
      this.timerAt = Infinity;
      this.expire();
    }, at - this.clock.now());
    // The wire keeps the process alive while an answer is due; the timer outlives its requests.
    this.timer.unref?.();
  }

  /** A deadline may have passed: gives up what is due and arms the timer for what is next. */
  private expire(): void {
    const now = this.clock.now();
    const due: PendingCall[] = [];
    for (let at = this.head; at < this.slots.length; at += 1) {
      const slot = this.slots[at]!;
      if (slot.call === undefined || slot.deadline > now) continue;
      due.push(slot.call);
      slot.call = undefined;
    }
    for (const call of due) call.onTimeout();
    const oldest = this.slots[this.head];
    let next = Infinity;
    if (oldest !== undefined && oldest.call === undefined) {
      next = this.stallTime(oldest);
      if (next <= now) {
        this.onStall(this.silentMs);
        return;
      }
    }
    for (let at = this.head; at < this.slots.length; at += 1) {
      const slot = this.slots[at]!;
      if (slot.call !== undefined && slot.deadline < next) next = slot.deadline;
    }
    if (next < Infinity) this.arm(next);
  }
}
