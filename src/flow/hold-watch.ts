// Stages that collect must not starve themselves: a source that is out of credit sends nothing until what they hold is settled.
import { systemClock, type Clock, type Timer } from '../core/clock.ts';
import { dropIfDead } from './dead.ts';
import { handleOf, type Delivery } from './delivery.ts';
import { onAbort } from '../core/on-abort.ts';
import type { PressureSource, Settlement } from './settlement.ts';

/** A stage that collects deliveries. */
export interface Holder {
  /** Emits at once whatever holds a delivery of `source`. */
  flush(source: PressureSource): void;
  /** Gives up what it holds of claims that are lost. */
  dropLost(): void;
}

/** In the place of a source: the delivery was dropped. */
export const DROPPED = Symbol('dropped');

const LOOK_AGAIN_MS = 10;

/** So many looks without any change while a source is out of room, and the stage emits what it has: others may wait as it does. */
const QUIET_LOOKS = 100;

class Entry {
  readonly source: PressureSource;
  /** Deliveries held that have this source behind them. */
  held = 0;
  /** The claim is being given away: nothing of it is held any longer. */
  ending = false;
  lost = false;
  quietLooks = 0;
  lastHeld = 0;
  lastInFlight: number | undefined;
  stops: (() => void)[] = [];

  constructor(source: PressureSource) {
    this.source = source;
  }

  /** True when at least half of what the source waits for is here, so that waiting for more is of little use. */
  get waitedFor(): boolean {
    const { inFlight } = this.source;
    return inFlight === undefined || this.held * 2 >= inFlight;
  }

  get starving(): boolean {
    return this.held > 0 && this.source.pressed === true;
  }

  /** True once nothing has changed for a long time. */
  lookedQuiet(): boolean {
    const { inFlight } = this.source;
    if (this.held === this.lastHeld && inFlight === this.lastInFlight) this.quietLooks++;
    else this.quietLooks = 0;
    this.lastHeld = this.held;
    this.lastInFlight = inFlight;
    return this.quietLooks >= QUIET_LOOKS;
  }
}

function isSettlement(source: PressureSource): source is Settlement {
  return 'revoking' in source;
}

/**
 * Counts what a stage holds of each source, and makes it emit early when the source is out of room and waits mostly for this stage, and when
 * a claim is being given away. Under pressure that is not this stage's doing, batches and windows fill as usual.
 */
export class HoldWatch {
  private readonly holder: Holder;
  private readonly entries = new Map<PressureSource, Entry>();
  private last: Entry | undefined;
  private due: PressureSource | undefined;
  private sawLost = false;
  private clock: Clock = systemClock;
  private timer: Timer | undefined;

  constructor(holder: Holder) {
    this.holder = holder;
  }

  /**
   * Counts a delivery in. The answer, if any, is the source for which the stage must flush now. One whose claims were all lost on its way to the stage is given
   * up and not counted.
   */
  add(delivery: Delivery<unknown>): PressureSource | typeof DROPPED | undefined {
    this.due = undefined;
    this.sawLost = false;
    handleOf(delivery).behind.visitPressures(this.addOne);
    return this.sawLost && dropIfDead(delivery, this) ? DROPPED : this.due;
  }

  /** Counts a delivery out, before it is passed on. */
  remove(delivery: Delivery<unknown>): void {
    handleOf(delivery).behind.visitPressures(this.removeOne);
  }

  close(): void {
    this.timer?.cancel();
    this.timer = undefined;
    for (const entry of this.entries.values()) stopAll(entry);
    this.entries.clear();
    this.last = undefined;
  }

  private readonly addOne = (source: PressureSource): void => {
    const entry = this.last?.source === source ? this.last : this.entryOf(source);
    entry.held++;
    if (entry.lost) this.sawLost = true;
    else if (entry.ending) this.due = source;
    else if (source.pressed === true) {
      if (entry.waitedFor) this.due = source;
      else this.lookAgain();
    }
  };

  private readonly removeOne = (source: PressureSource): void => {
    const entry = this.last?.source === source ? this.last : this.entries.get(source);
    if (entry !== undefined) entry.held--;
  };

  private entryOf(source: PressureSource): Entry {
    let entry = this.entries.get(source);
    if (entry === undefined) {
      this.forgetIdle();
      entry = new Entry(source);
      this.entries.set(source, entry);
      this.listen(entry);
    }
    this.last = entry;
    return entry;
  }

  private listen(entry: Entry): void {
    const { source } = entry;
    entry.stops.push(source.onPressure(() => this.onPressure(entry)));
    if (!isSettlement(source)) return;
    this.clock = source.clock;
    entry.ending = source.revoking.aborted;
    entry.lost = source.lost.aborted;
    entry.stops.push(
      onAbort(source.revoking, () => {
        entry.ending = true;
        if (entry.held > 0) this.holder.flush(source);
      }),
      onAbort(source.lost, () => {
        entry.lost = true;
        this.holder.dropLost();
      }),
    );
  }

  // A source that cannot say whether it is still out of room is believed at once.
  private onPressure(entry: Entry): void {
    if (entry.held === 0) return;
    if (entry.source.pressed === undefined || entry.waitedFor) this.holder.flush(entry.source);
    else this.lookAgain();
  }

  // What the source waits for changes without a word to this stage.
  private lookAgain(): void {
    this.timer ??= this.clock.setTimeout(() => {
      this.timer = undefined;
      for (const entry of [...this.entries.values()]) {
        if (!entry.starving) entry.quietLooks = 0;
        else if (entry.waitedFor || entry.lookedQuiet()) this.holder.flush(entry.source);
        if (entry.starving) this.lookAgain();
      }
    }, LOOK_AGAIN_MS);
  }

  // Claims come and go; a stage outlives them.
  private forgetIdle(): void {
    for (const [source, entry] of this.entries) {
      if (entry.held > 0) continue;
      stopAll(entry);
      this.entries.delete(source);
    }
    this.last = undefined;
  }
}

function stopAll(entry: Entry): void {
  for (const stop of entry.stops) stop();
  entry.stops = [];
}
