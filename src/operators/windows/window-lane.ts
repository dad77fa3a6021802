// The open windows of one claim or plain source. Kinds of windows differ in how values find their windows and when those close, which is the subclasses' part; here is
// what they share: time, the rows on their way, the marks in the commits, and what closes windows without a value.
import { systemClock, type Clock, type Timer } from '../../core/clock.ts';
import { UsageError } from '../../errors.ts';
import { Handle, handleOf, newestOffset, type Delivery } from '../../flow/delivery.ts';
import { checkKey, type Key } from '../../flow/key.ts';
import { onAbort } from '../../core/on-abort.ts';
import { nobody, type Owner } from '../../flow/owner.ts';
import type { Settlement } from '../../flow/settlement.ts';
import { CommitMarks } from './commit-marks.ts';
import { IdleWatch, type Waiting } from './idle-watch.ts';
import type { LaneConfig, LaneStage } from './lane-config.ts';
import { isBefore, placeOf, type IdleTime, type Mark, type Marked, type Position } from './mark.ts';
import type { Muted, OpenWindow } from './open-window.ts';
import { PassedRecords } from './passed-records.ts';
import { RowOwner, Rounds, type Round } from './rounds.ts';
import { SharedRecord } from './shared-record.ts';
import { StreamTimes } from './stream-times.ts';
import type { Windowed } from './windowed.ts';

/**
 * Given away or lost: whoever owns the records next replays the windows whole. So it is when a record was refused, for windows that were closed without it would
 * count as done when it is read again.
 */
export function isOver({ revoking, lost, refused }: Settlement): boolean {
  return refused === true || revoking.aborted || lost.aborted;
}

function giveUp(window: OpenWindow<unknown>): void {
  window.isOpen = false;
  for (const part of window.parts) part.shareGivenUp(true);
}

/** Pressure that is about to pass by itself is not fullness. */
const FULL_AFTER_MS = 50;

/** Lists that no commit shortens end somewhere. */
const MOST_PLACES = 10_000;

function addPlace(places: number[], place: number): void {
  if (places.length === MOST_PLACES) places.splice(0, MOST_PLACES / 2);
  places.push(place);
}

/** What a closed window holds. */
const NONE: Owner[] = [];

export abstract class WindowLane<A, K extends Key, R> implements Marked, Waiting {
  /** Stream time: the newest of all values, whatever their keys. */
  protected time = Number.NEGATIVE_INFINITY;
  /** Windows that were closed by this time are done: what is read again of them is settled silently. */
  protected doneTime = Number.NEGATIVE_INFINITY;
  /** While values come again whose windows may be done: those are settled silently when they close, and updates are kept back. */
  protected catchingUp = false;
  /** Stream time when it became quiet. */
  protected quietTime = Number.NEGATIVE_INFINITY;
  protected readonly config: LaneConfig<A, K, R>;
  private readonly settlement: Settlement | undefined;
  private readonly stage: LaneStage<A, K, R>;
  private readonly clock: Clock;
  private readonly rounds: Rounds;
  private readonly stops: (() => void)[] = [];
  private readonly owners: Owner[] = [];
  private readonly held: boolean[] = [];
  private orders = 0;
  private isGone = false;
  private fullTimer: Timer | undefined;

  private readonly idle: IdleWatch | undefined;

  // The position of what happened last.
  private offset = -1;
  private step = 0;
  /** Values have come in the order of their offsets. */
  private inOrder = true;
  private readonly marks: CommitMarks | undefined;
  private readonly times: StreamTimes | undefined;
  private releasedTime = Number.NEGATIVE_INFINITY;
  private released: Position | undefined;
  private catchUpTo: Position = [-1, 0];
  private idleToCome: IdleTime[] = [];
  private idleDone: IdleTime[] = [];
  private lateBefore: Set<number> | undefined;
  private savedBefore: Set<number> | undefined;
  private late: number[] = [];
  private saved: number[] = [];
  private readonly passed: PassedRecords | undefined;

  constructor(settlement: Settlement | undefined, config: LaneConfig<A, K, R>, stage: LaneStage<A, K, R>) {
    this.settlement = settlement;
    this.config = config;
    this.stage = stage;
    this.clock = settlement?.clock ?? systemClock;
    this.rounds = new Rounds((round) => this.onReleased(round));
    this.marks = CommitMarks.of(settlement);
    if (this.marks !== undefined) {
      const start = this.marks.add(config.stage, this);
      if (start !== undefined) this.goOnFrom(start);
      this.times = new StreamTimes(this.time);
      this.passed = new PassedRecords(settlement!, start?.missing ?? []);
    }
    if (settlement === undefined) return;
    const { idleMs } = config;
    if (idleMs !== undefined && settlement.caughtUp !== undefined)
      this.idle = new IdleWatch(settlement, idleMs, this);
    const gone = (): void => {
      this.abandon();
      stage.gone(this);
    };
    this.stops.push(
      settlement.onPressure(() => this.checkFull()),
      onAbort(settlement.revoking, gone),
      onAbort(settlement.lost, gone),
    );
  }

  /** Takes a value in. Throws what the user's functions throw, before anything has changed. */
  take(delivery: Delivery<A>): void {
    const timestamp = this.timeOf(delivery);
    if (timestamp < 0) {
      delivery.ack();
      return;
    }
    const key = checkKey(this.config.operator, this.config.key(delivery.value)) as K;
    if (key === null) {
      delivery.ack();
      return;
    }
    const { offset, step } = this;
    if (this.marks !== undefined) this.locate(delivery);
    let isIn: boolean;
    try {
      isIn = this.put(delivery, key, timestamp);
    } catch (cause) {
      this.offset = offset;
      this.step = step;
      throw cause;
    }
    if (!isIn) this.tooLate(delivery);
    else this.passed?.taken(this.offset);
    if (this.catchingUp && !isBefore(this.offset, this.step, this.catchUpTo)) this.caughtUp();
    if (this.settlement?.pressed === true) this.checkFull();
    this.idle?.arrived();
  }

  /** Emits every window there is. */
  close(final: boolean): void {
    if (!final) this.emitRound(this.takeAll(), false);
    else {
      this.onQuiet();
      this.onIdle(Infinity);
    }
  }

  keepsSome(test: (delivery: Delivery<unknown>) => boolean): boolean {
    const isOne = (owner: Owner): boolean => test(new Handle(undefined, owner));
    for (const window of this.windows()) if (window.parts.some(isOne)) return true;
    return this.rounds.some((row) => row.parts.some(isOne));
  }

  /** Refuses a record that is held here; the others are left to be read again. */
  refuse(cause: unknown): void {
    for (const window of this.windows()) {
      const first = window.parts.shift();
      if (first === undefined) continue;
      first.shareRejected(true, cause, 'retry', 0);
      return;
    }
  }

  /** Gives up what is here; what is on its way may still settle. */
  abandon(): void {
    if (this.isGone) return;
    this.isGone = true;
    this.fullTimer?.cancel();
    this.idle?.stop();
    for (const stop of this.stops.splice(0)) stop();
    this.takeAll().forEach(giveUp);
  }

  get hasWindows(): boolean {
    return !this.isEmpty;
  }

  onQuiet(): void {
    this.quietTime = this.time;
  }

  onIdle(elapsedMs: number): void {
    if (this.marks !== undefined) {
      this.passIdle(this.offset, Infinity);
      if (this.catchingUp) this.caughtUp();
    }
    if (this.isEmpty) return;
    this.step++;
    if (!this.closeAfter(elapsedMs)) {
      this.step--;
      return;
    }
    const time = this.config.perKey ? (elapsedMs === Infinity ? -1 : elapsedMs) : this.time;
    if (this.marks !== undefined) this.idleDone.push([this.offset, this.step, time]);
  }

  markAt(offset: number): Mark {
    const isAhead = (place: number): boolean => place >= offset;
    this.late = this.late.filter(isAhead);
    this.saved = this.saved.filter(isAhead);
    this.idleDone = this.idleDone.filter(([after]) => isAhead(after));
    const missing = this.passed?.missingAt(offset, this.released?.[0] ?? -1) ?? [];
    // Read again in another order, windows may close at other values.
    const position = this.inOrder && missing.length === 0 ? this.released : undefined;
    return {
      time: this.times?.before(offset) ?? this.time,
      closed: this.releasedTime,
      position: this.usesPositions ? position : undefined,
      idle: [...this.idleDone, ...this.idleToCome],
      late: this.late,
      saved: this.saved,
      missing: this.usesPositions ? [] : missing,
    };
  }

  /** Folds a value into its windows; false when all of them are closed. Nothing has changed when it throws. */
  protected abstract put(delivery: Delivery<A>, key: K, timestamp: number): boolean;
  /** Closes what is due by stream time, that of the partition. */
  protected abstract closeDue(): void;
  /** Closes what is due when `elapsedMs` have gone by since it became quiet, and moves time on to the last of it. False when nothing is. */
  protected abstract closeAfter(elapsedMs: number): boolean;
  /** Milliseconds from when it became quiet to when the next window is due. */
  abstract nextDueMs(): number;
  protected abstract windows(): Iterable<OpenWindow<R>>;
  /** Every window there is, in the order in which they would close. */
  protected abstract takeAll(): OpenWindow<R>[];
  protected abstract get isEmpty(): boolean;
  /** Which windows are done is told by when they closed, not by their time. */
  protected abstract get usesPositions(): boolean;

  protected nextOrder(): number {
    return this.orders++;
  }

  /** Stream time moves on; nothing is closed by that. */
  protected moveTo(time: number): void {
    this.time = time;
    this.times?.push(this.offset, time);
  }

  /** It was late before a restart, however it looks now. */
  protected wasLate(): boolean {
    return this.lateBefore?.has(placeOf(this.offset, this.step)) === true;
  }

  /** It had not come before a restart when later ones closed windows, so it is not done with those. */
  protected wasMissing(): boolean {
    return this.passed?.wasMissing(this.offset) === true;
  }

  /** It was settled with a session that is done, though by itself it looks late. */
  protected wasSaved(): boolean {
    return this.savedBefore?.has(placeOf(this.offset, this.step)) === true;
  }

  /** A value that by itself would be late was taken into a session; that matters where late ones are told. */
  protected noteSaved(window: OpenWindow<R>): void {
    if (this.marks !== undefined && this.config.tellsLate)
      (window.saved ??= []).push(placeOf(this.offset, this.step));
  }

  /** It is settled again, as it was with its session. */
  protected settleSaved(delivery: Delivery<A>): void {
    addPlace(this.saved, placeOf(this.offset, this.step));
    delivery.ack();
  }

  /**
   * Takes the delivery over: what it answers to is settled with `parts` windows and `rows` that tell of the change. Without such rows its credit is given back
   * at once.
   */
  protected takeOver(delivery: Delivery<A>, parts: number, rows: number): Owner {
    const { owners, held } = this;
    if (rows === 0) delivery.hold();
    handleOf(delivery).moveInto(owners, held);
    const owner = owners.pop() ?? nobody;
    const isHeld = held.pop() ?? true;
    return parts + rows === 1 ? owner : new SharedRecord(owner, isHeld, parts, rows);
  }

  /** A row that tells of a change. */
  protected update(window: OpenWindow<R>, row: Windowed<Key, R | null>, owner: Owner): void {
    const delivery = new Handle(row as Windowed<K, R>, owner);
    if (this.catchingUp) {
      delivery.hold();
      (window.muted ??= []).push({ row: delivery, order: this.nextOrder() });
    } else this.stage.emit(delivery);
  }

  /** The last rows of these windows, in their order; or, not final, rows of what they have so far. */
  protected emitRound(windows: readonly OpenWindow<R>[], final = true): void {
    if (windows.length === 0) return;
    if (this.settlement !== undefined && isOver(this.settlement)) {
      windows.forEach(giveUp);
      return;
    }
    const time = final ? this.time : Number.NEGATIVE_INFINITY;
    const round = this.rounds.open(windows.length, time, [this.offset, this.step]);
    const isDone = this.catchingUp && final;
    for (const window of windows) {
      const { key, start, end, row, parts } = window;
      window.isOpen = false;
      window.parts = NONE;
      for (const muted of window.muted ?? []) muted.row.ack();
      if (window.saved !== undefined) round.saved.push(...window.saved);
      const owner = new RowOwner(parts, round, this.rounds);
      if (isDone) owner.shareSettled();
      else this.stage.emit(new Handle({ key: key as K, start, end, value: row, final }, owner));
    }
  }

  private goOnFrom(start: Mark): void {
    this.time = start.time;
    this.doneTime = start.closed;
    this.releasedTime = start.closed;
    this.idleToCome = [...start.idle];
    if (start.late.length > 0) this.lateBefore = new Set(start.late);
    if (start.saved.length > 0) this.savedBefore = new Set(start.saved);
    if (start.position === undefined) return;
    this.released = start.position;
    this.catchUpTo = start.position;
    this.catchingUp = true;
  }

  private locate(delivery: Delivery<A>): void {
    const offset = newestOffset(handleOf(delivery).behind);
    if (offset < this.offset) this.inOrder = false;
    this.passed?.came(delivery, offset);
    if (this.idleToCome.length > 0) this.passIdle(offset, offset === this.offset ? this.step + 1 : 0);
    const step = offset === this.offset ? this.step + 1 : 0;
    if (this.catchingUp && isBefore(this.catchUpTo[0], this.catchUpTo[1], [offset, step])) this.caughtUp();
    this.offset = offset;
    this.step = step;
  }

  // What was closed because nothing came is closed at the same moment when it is read again.
  private passIdle(offset: number, step: number): void {
    for (;;) {
      const idle = this.idleToCome[0];
      if (idle === undefined || isBefore(offset, step, idle)) return;
      this.idleToCome.shift();
      this.idleDone.push(idle);
      // What it closes was closed, but not done.
      if (this.catchingUp && isBefore(this.catchUpTo[0], this.catchUpTo[1], [idle[0], idle[1]]))
        this.caughtUp();
      [this.offset, this.step] = idle;
      const time = idle[2];
      if (this.config.perKey) this.closeAfter(time < 0 ? Infinity : time);
      else if (time > this.time) {
        this.moveTo(time);
        this.closeDue();
      }
    }
  }

  // What is still open was not done: all its records have come again.
  private caughtUp(): void {
    this.catchingUp = false;
    const kept: Muted[] = [];
    for (const window of this.windows()) {
      for (const one of window.muted ?? []) kept.push(one);
      window.muted = undefined;
    }
    kept.sort((a, b) => a.order - b.order);
    for (const { row } of kept) this.stage.emit(row as Delivery<Windowed<K, R>>);
  }

  private tooLate(delivery: Delivery<A>): void {
    if (this.marks !== undefined && this.config.perKey) addPlace(this.late, placeOf(this.offset, this.step));
    this.stage.tooLate(delivery);
  }

  private timeOf(delivery: Delivery<A>): number {
    const { operator, timestamp, onInvalidTimestamp } = this.config;
    const time =
      timestamp === undefined ? handleOf(delivery).behind.newestTimestamp() : timestamp(delivery.value);
    if (typeof time === 'number' && time >= 0 && time < Infinity) return time;
    if (onInvalidTimestamp === 'skip') return -1;
    if (onInvalidTimestamp === 'use-stream-time' && this.time >= 0) return this.time;
    throw new UsageError(
      `${operator}: 'timestamp' answers with milliseconds since 1970, not ${String(time)}; 'onInvalidTimestamp' says how to go on without it`,
      'timestamp',
    );
  }

  // All rows are settled by now. The mark says so before their records are, not after: a commit may be made in between.
  private onReleased({ time, position, saved }: Round): void {
    for (const place of saved) addPlace(this.saved, place);
    this.releasedTime = Math.max(this.releasedTime, time);
    if (this.released === undefined || isBefore(this.released[0], this.released[1], position))
      this.released = position;
    if (this.settlement?.pressed === true) this.checkFull();
  }

  private checkFull(): void {
    const { settlement } = this;
    if (settlement === undefined || this.fullTimer !== undefined || this.isEmpty || this.isGone) return;
    this.fullTimer = this.clock.setTimeout(() => {
      this.fullTimer = undefined;
      if (settlement.pressed !== true) return;
      // What is in flight may be settled or held without a word to this stage; rows on their way, which may make room, tell.
      if (settlement.inFlight !== 0) this.checkFull();
      else if (this.rounds.size === 0 && !this.isEmpty) this.stage.onFull(this);
    }, FULL_AFTER_MS);
  }
}
