// What was handed over and what of it is settled: the commit point of one claim epoch, in constant time per record.

import type { BatchHold } from './batch-hold.ts';

const UNSETTLED = 0;
const HELD = 1;
const SETTLED = 2;

/** Small, for there may be thousands of partitions that are quiet. */
const INITIAL_CAPACITY = 128;
/** A ring larger than this shrinks again when it runs empty. */
const KEPT_CAPACITY = 65_536;

/** What the tracker needs of a record. */
export interface TrackedRecord {
  readonly offset: number;
  readonly leaderEpoch: number;
  /** Its size, for the in-flight budget. */
  readonly bytes: number;
  /** Copies its bytes off the batch it came in. */
  compact(): void;
}

/**
 * A ring of the records handed over, in arrival order, by sequence number. Sequences count on over `reset()`, so that a late settle of an
 * earlier epoch is recognised and counted, never applied.
 */
export class OffsetTracker {
  /** Records that are neither settled nor held, and their bytes. */
  inFlightRecords = 0;
  inFlightBytes = 0;
  heldRecords = 0;
  /** Settles that came after the claim epoch they belong to. */
  lateSettles = 0;
  /** One past the last record handed over, moved on over what is never handed over. */
  position: number;

  private head = 0;
  private tail = 0;
  private epochBase = 0;
  /** Leader epoch of the record before the position, -1 when unknown. */
  private leaderEpoch: number;

  private mask = INITIAL_CAPACITY - 1;
  private offsets = new Float64Array(INITIAL_CAPACITY);
  private sizes = new Int32Array(INITIAL_CAPACITY);
  /** Of the record before each one. */
  private leaderEpochs = new Int32Array(INITIAL_CAPACITY);
  private times = new Float64Array(INITIAL_CAPACITY);
  private states = new Uint8Array(INITIAL_CAPACITY);
  private records = new Array<TrackedRecord | undefined>(INITIAL_CAPACITY).fill(undefined);
  private holds = new Array<BatchHold | undefined>(INITIAL_CAPACITY).fill(undefined);
  /**
   * The newest record while nobody has asked for more than its settling: most pipelines settle a record before the next one comes, and then it
   * never enters the ring. `enter()` comes before everything else.
   */
  private newest: TrackedRecord | undefined = undefined;
  private newestHold: BatchHold | undefined = undefined;
  private newestBytes = 0;
  private newestTime = 0;
  private newestBefore = -1;

  constructor(startOffset: number, startLeaderEpoch: number) {
    this.position = startOffset;
    this.leaderEpoch = startLeaderEpoch;
  }

  /** Records between the commit point and the last one handed over. */
  get span(): number {
    return this.tail - this.head;
  }

  get unsettledRecords(): number {
    return this.inFlightRecords + this.heldRecords;
  }

  /** Enters a record as handed over at `nowMs`; the position moves past it. Returns its sequence. */
  add(record: TrackedRecord, hold: BatchHold, nowMs: number): number {
    if (this.newest !== undefined) this.enter(this.newest);
    const sequence = this.tail;
    const { offset, bytes } = record;
    this.newest = record;
    this.newestHold = hold;
    this.newestBytes = bytes;
    this.newestTime = nowMs;
    this.newestBefore = this.leaderEpoch;
    this.leaderEpoch = record.leaderEpoch;
    this.tail = sequence + 1;
    this.position = offset + 1;
    this.inFlightRecords += 1;
    this.inFlightBytes += bytes;
    hold.added(sequence, bytes);
    return sequence;
  }

  /** Settles a record, once; returns how many records the commit point moved over. */
  settle(sequence: number): number {
    const { newest } = this;
    if (newest !== undefined) {
      if (sequence === this.head && sequence === this.tail - 1) return this.settleNewest();
      this.enter(newest);
    }
    if (sequence < this.head || sequence >= this.tail) {
      if (sequence < this.epochBase) this.lateSettles += 1;
      return 0;
    }
    const at = sequence & this.mask;
    const state = this.states[at];
    if (state === SETTLED) return 0;
    const bytes = this.sizes[at]!;
    if (state === HELD) {
      this.heldRecords -= 1;
    } else {
      this.inFlightRecords -= 1;
      this.inFlightBytes -= bytes;
    }
    this.states[at] = SETTLED;
    this.records[at] = undefined;
    const hold = this.holds[at]!;
    this.holds[at] = undefined;
    hold.settled(bytes);
    return sequence === this.head ? this.advance() : 0;
  }

  /** Takes a record out of the in-flight budget; it still pins the commit point. Returns whether that changed anything. */
  hold(sequence: number): boolean {
    if (this.newest !== undefined) this.enter(this.newest);
    if (sequence < this.head || sequence >= this.tail) return false;
    const at = sequence & this.mask;
    if (this.states[at] !== UNSETTLED) return false;
    this.states[at] = HELD;
    this.heldRecords += 1;
    this.inFlightRecords -= 1;
    this.inFlightBytes -= this.sizes[at]!;
    return true;
  }

  /** True for settled records and for those of earlier claim epochs. */
  isSettled(sequence: number): boolean {
    if (this.newest !== undefined) this.enter(this.newest);
    if (sequence >= this.tail) return false;
    return sequence < this.head || this.states[sequence & this.mask] === SETTLED;
  }

  /** Offset of the first unsettled record. */
  firstUnsettled(): number | undefined {
    if (this.newest !== undefined) this.enter(this.newest);
    return this.head === this.tail ? undefined : this.offsets[this.head & this.mask]!;
  }

  /** Offsets from `from` on and before `to` of what is not settled, held records included. */
  unsettledBetween(from: number, to: number): number[] {
    const { offsets, states, mask } = this;
    const tail = this.newest === undefined ? this.tail : this.tail - 1;
    let low = this.head;
    let high = tail;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (offsets[middle & mask]! < from) low = middle + 1;
      else high = middle;
    }
    const found: number[] = [];
    for (; low < tail && offsets[low & mask]! < to; low += 1)
      if (states[low & mask] !== SETTLED) found.push(offsets[low & mask]!);
    const newest = this.newest?.offset;
    if (newest !== undefined && newest >= from && newest < to) found.push(newest);
    return found;
  }

  commitOffset(): number {
    if (this.newest !== undefined) this.enter(this.newest);
    return this.head === this.tail ? this.position : this.offsets[this.head & this.mask]!;
  }

  /** Leader epoch of the record before the commit point, -1 when unknown: what Kafka stores beside the offset. */
  commitLeaderEpoch(): number {
    if (this.newest !== undefined) this.enter(this.newest);
    return this.head === this.tail ? this.leaderEpoch : this.leaderEpochs[this.head & this.mask]!;
  }

  /** When the first unsettled record was handed over. */
  oldestTime(): number | undefined {
    if (this.newest !== undefined) this.enter(this.newest);
    return this.head === this.tail ? undefined : this.times[this.head & this.mask]!;
  }

  /** Leader epoch of the record before the position, -1 when unknown. */
  get positionLeaderEpoch(): number {
    return this.leaderEpoch;
  }

  /** Moves the position forward without a record: over control records and gaps. `leaderEpoch` is that of what lies before it. */
  moveTo(offset: number, leaderEpoch: number): void {
    this.position = offset;
    this.leaderEpoch = leaderEpoch;
  }

  /** The next record does not follow the last one. What is unsettled stays so and, being older, still comes first in the commit point. */
  jumpTo(offset: number): void {
    this.position = offset;
    this.leaderEpoch = -1;
  }

  /** Copies the survivors of a sparse batch off it. */
  compact(hold: BatchHold): void {
    if (this.newest !== undefined) this.enter(this.newest);
    const end = hold.endSequence;
    for (let sequence = Math.max(hold.firstSequence, this.head); sequence < end; sequence += 1) {
      const at = sequence & this.mask;
      if (this.holds[at] === hold) this.records[at]!.compact();
    }
    hold.compactedNow();
  }

  /** Forgets everything under way and starts a new claim epoch at `offset`. */
  reset(offset: number): void {
    if (this.newest !== undefined) this.enter(this.newest);
    const leaderEpoch = offset === this.commitOffset() ? this.commitLeaderEpoch() : -1;
    for (let sequence = this.head; sequence < this.tail; sequence += 1) {
      const at = sequence & this.mask;
      this.holds[at]?.free();
      this.holds[at] = undefined;
      this.records[at] = undefined;
    }
    this.head = this.tail;
    this.epochBase = this.tail;
    this.inFlightRecords = 0;
    this.inFlightBytes = 0;
    this.heldRecords = 0;
    this.moveTo(offset, leaderEpoch);
    this.shrink();
  }

  private settleNewest(): number {
    const hold = this.newestHold!;
    const bytes = this.newestBytes;
    this.newest = undefined;
    this.newestHold = undefined;
    this.inFlightRecords -= 1;
    this.inFlightBytes -= bytes;
    this.head = this.tail;
    hold.settled(bytes);
    return 1;
  }

  private enter(record: TrackedRecord): void {
    const sequence = this.tail - 1;
    if (sequence - this.head > this.mask) this.resize((this.mask + 1) * 2);
    const at = sequence & this.mask;
    this.offsets[at] = record.offset;
    this.sizes[at] = this.newestBytes;
    this.leaderEpochs[at] = this.newestBefore;
    this.times[at] = this.newestTime;
    this.states[at] = UNSETTLED;
    this.records[at] = record;
    this.holds[at] = this.newestHold;
    this.newest = undefined;
    this.newestHold = undefined;
  }

  private advance(): number {
    const { states, mask, tail } = this;
    const from = this.head;
    let head = from + 1;
    while (head < tail && states[head & mask] === SETTLED) head += 1;
    this.head = head;
    if (head === tail) this.shrink();
    return head - from;
  }

  private shrink(): void {
    if (this.mask >= KEPT_CAPACITY) this.resize(INITIAL_CAPACITY);
  }

  private resize(capacity: number): void {
    const mask = capacity - 1;
    const offsets = new Float64Array(capacity);
    const sizes = new Int32Array(capacity);
    const leaderEpochs = new Int32Array(capacity);
    const times = new Float64Array(capacity);
    const states = new Uint8Array(capacity);
    const records = new Array<TrackedRecord | undefined>(capacity).fill(undefined);
    const holds = new Array<BatchHold | undefined>(capacity).fill(undefined);
    for (let sequence = this.head; sequence < this.tail; sequence += 1) {
      const from = sequence & this.mask;
      const to = sequence & mask;
      offsets[to] = this.offsets[from]!;
      sizes[to] = this.sizes[from]!;
      leaderEpochs[to] = this.leaderEpochs[from]!;
      times[to] = this.times[from]!;
      states[to] = this.states[from]!;
      records[to] = this.records[from];
      holds[to] = this.holds[from];
    }
    this.mask = mask;
    this.offsets = offsets;
    this.sizes = sizes;
    this.leaderEpochs = leaderEpochs;
    this.times = times;
    this.states = states;
    this.records = records;
    this.holds = holds;
  }
}
