// What debounce, audit, sample and throttle have in common: of each key of each claim they keep the latest value, and pass over the others. A value is
// passed over by one that is unsettled and of the same claim, so the commit point stays before what took its place.
import type { Observable, Subscriber } from 'rxjs';
import { systemClock, type Clock } from '../../core/clock.ts';
import { isDead } from '../../flow/dead.ts';
import { ClaimStates } from '../../flow/claim-states.ts';
import { handleOf, type Delivery } from '../../flow/delivery.ts';
import { DROPPED, HoldWatch, type Holder } from '../../flow/hold-watch.ts';
import { checkKey, KeyMap, type Key } from '../../flow/key.ts';
import type { PressureSource } from '../../flow/settlement.ts';
import { ValueStage, type NamedStage } from '../../flow/value-stage.ts';
import { isBehind } from '../windows/is-behind.ts';
import { ObservedDuration, TimedDuration, type Duration, type DurationListener } from './duration.ts';
import { checkObservable, DEFAULT_MAX_KEYS, type LaneOptions } from './lane-options.ts';

/** The lanes of one claim. */
interface Home<A> {
  readonly byKey: KeyMap<Lane<A>>;
  /** The one that was quiet for longest first. */
  readonly byUse: Set<Lane<A>>;
}

/** Options of a stage with a duration, or without. */
interface LatestOptions<A> extends LaneOptions<A> {
  readonly durationMs?: number | undefined;
  readonly duration?: ((value: A) => Observable<unknown>) | undefined;
}

/** What a lane asks of its stage. */
interface LaneHost<A> {
  durationOver(lane: Lane<A>): void;
  durationSilent(lane: Lane<A>): void;
  error(cause: unknown): void;
}

/** One key of one claim: the latest value, and the duration that runs for it. */
export class Lane<A> implements DurationListener {
  readonly key: Key;
  readonly home: Home<A>;
  kept: Delivery<A> | undefined;
  duration: Duration | undefined;
  readonly clock: Clock;
  private readonly host: LaneHost<A>;

  constructor(key: Key, home: Home<A>, clock: Clock, host: LaneHost<A>) {
    this.key = key;
    this.home = home;
    this.clock = clock;
    this.host = host;
  }

  get runs(): boolean {
    return this.duration?.runs === true;
  }

  onDuration(): void {
    this.host.durationOver(this);
  }

  onSilence(): void {
    this.host.durationSilent(this);
  }

  onBroken(cause: unknown): void {
    this.host.error(cause);
  }
}

export abstract class LatestStage<A> extends ValueStage<A, A> implements Holder, LaneHost<A> {
  private readonly operator: string;
  private readonly options: LatestOptions<A>;
  private readonly maxKeys: number;
  private readonly watch = new HoldWatch(this);
  private readonly claims = new ClaimStates<Home<A>>(() => ({ byKey: new KeyMap(), byUse: new Set() }));
  /** All that keep a value or run, in the order in which they began. */
  private readonly lanes = new Set<Lane<A>>();
  private ending = false;
  private passing = 0;

  constructor(
    out: Subscriber<Delivery<A>>,
    operator: string,
    stage: NamedStage<A>,
    options: LatestOptions<A>,
  ) {
    super(out, stage);
    this.operator = operator;
    this.options = options;
    this.maxKeys = options.maxKeys ?? DEFAULT_MAX_KEYS;
    this.add(() => this.abandon());
  }

  /** A getter, because a stage is announced before its fields are set. */
  get collects(): boolean {
    return true;
  }

  /** A value of the lane, and the duration that {@link durationOf} made for it. */
  protected abstract arrive(
    lane: Lane<A>,
    delivery: Delivery<A>,
    duration: Observable<unknown> | undefined,
  ): void;

  /** The lane's duration is over. */
  protected abstract due(lane: Lane<A>): void;

  /** True where what a lane keeps waits for its duration when the flow is complete, as in RxJS. */
  protected abstract readonly outlastsFlow: boolean;

  override next(delivery: Delivery<A>): void {
    if (this.busy) this.enqueue(delivery);
    else this.process(delivery);
  }

  override keepsSome(test: (delivery: Delivery<unknown>) => boolean): boolean {
    for (const { kept } of this.lanes) if (kept !== undefined && test(kept)) return true;
    return super.keepsSome(test);
  }

  flush(source: PressureSource): void {
    for (const lane of [...this.lanes]) {
      if (lane.kept === undefined || !isBehind(source, lane.kept)) continue;
      this.emitKept(lane);
      this.forgetIdle(lane);
    }
  }

  dropLost(): void {
    for (const lane of [...this.lanes]) {
      if (lane.kept === undefined || !isDead(lane.kept)) continue;
      handleOf(this.takeKept(lane)!).giveUp();
      this.close(lane);
    }
    this.endIfOver();
  }

  durationOver(lane: Lane<A>): void {
    this.due(lane);
    this.forgetIdle(lane);
  }

  durationSilent(lane: Lane<A>): void {
    // Nothing else would ever let it out.
    if (this.ending) this.emitKept(lane);
    this.forgetIdle(lane);
  }

  protected override process(delivery: Delivery<A>): void {
    if (this.closed) {
      handleOf(delivery).giveUp();
      return;
    }
    let lane: Lane<A> | undefined;
    let duration: Observable<unknown> | undefined;
    try {
      lane = this.laneOf(delivery);
      duration = this.durationOf(lane, delivery.value);
    } catch (cause) {
      this.failed(delivery, cause);
      if (lane !== undefined) this.forgetIdle(lane);
      return;
    }
    this.arrive(lane, delivery, duration);
    this.forgetIdle(lane);
  }

  protected override end(): void {
    this.ending = true;
    for (const lane of [...this.lanes]) {
      if (lane.kept !== undefined && this.outlastsFlow && lane.runs) continue;
      lane.duration?.stop();
      this.emitKept(lane);
      this.forgetIdle(lane);
    }
    this.endIfOver();
  }

  /** Makes it the lane's value, and begins its duration if told to; the value before it is passed over. */
  protected keep(
    lane: Lane<A>,
    delivery: Delivery<A>,
    starts: boolean,
    duration: Observable<unknown> | undefined,
  ): void {
    const before = lane.kept;
    if (before !== undefined) this.watch.remove(before);
    const starving = this.watch.add(delivery);
    if (starving === DROPPED) {
      if (before !== undefined) this.watch.add(before);
      return;
    }
    lane.kept = delivery;
    // Before anything is settled, which may bring the next value.
    if (starts) this.startDuration(lane, duration);
    before?.ack();
    if (starving !== undefined) this.flush(starving);
  }

  protected emitKept(lane: Lane<A>): void {
    const kept = this.takeKept(lane);
    if (kept !== undefined) this.pass(kept);
  }

  /** What the lane keeps, for the caller to settle or to pass on. */
  protected takeKept(lane: Lane<A>): Delivery<A> | undefined {
    const { kept } = lane;
    if (kept === undefined) return undefined;
    lane.kept = undefined;
    this.watch.remove(kept);
    return kept;
  }

  protected pass(delivery: Delivery<A>): void {
    if (this.closed || this.out.closed) {
      handleOf(delivery).giveUp();
      return;
    }
    // What it sets off may be the last that was kept: the end comes behind this one.
    this.passing++;
    this.out.next(delivery);
    this.passing--;
  }

  /** The user's duration for a value; undefined for one in milliseconds. Throws what the user's function throws. */
  protected durationOf(_lane: Lane<A>, value: A): Observable<unknown> | undefined {
    const { duration } = this.options;
    return duration === undefined ? undefined : checkObservable(this.operator, duration(value));
  }

  /** Starts what {@link durationOf} answered with. An Observable may end it before this returns. */
  protected startDuration(lane: Lane<A>, duration: Observable<unknown> | undefined): void {
    const { durationMs = 0 } = this.options;
    if (duration === undefined) {
      if (lane.runs && lane.duration instanceof TimedDuration) lane.duration.putOff(durationMs);
      else lane.duration = new TimedDuration(lane.clock, durationMs, lane);
      return;
    }
    lane.duration?.stop();
    const observed = new ObservedDuration(lane);
    lane.duration = observed;
    observed.listenTo(duration);
  }

  protected get isEnding(): boolean {
    return this.ending;
  }

  /** Emits what every lane keeps, in the order in which they began. */
  protected emitAll(): void {
    for (const lane of [...this.lanes]) {
      this.emitKept(lane);
      this.forgetIdle(lane);
    }
  }

  private laneOf(delivery: Delivery<A>): Lane<A> {
    const { key: keyOf } = this.options;
    const key = keyOf === undefined ? undefined : checkKey(this.operator, keyOf(delivery.value));
    const home = this.claims.of(delivery);
    let lane = home.byKey.get(key);
    if (lane === undefined) {
      while (home.byUse.size >= this.maxKeys) this.evict(home);
      lane = home.byKey.get(key);
    }
    if (lane === undefined) {
      const clock = handleOf(delivery).behind.someSettlement()?.clock ?? systemClock;
      lane = new Lane(key, home, clock, this);
      home.byKey.set(key, lane);
      this.lanes.add(lane);
    }
    home.byUse.delete(lane);
    home.byUse.add(lane);
    return lane;
  }

  private evict(home: Home<A>): void {
    for (const lane of home.byUse) {
      // Out of the maps first: what is emitted may bring the next value of this very key.
      this.close(lane);
      this.emitKept(lane);
      return;
    }
  }

  private forgetIdle(lane: Lane<A>): void {
    if (lane.kept === undefined && !lane.runs) this.close(lane);
    this.endIfOver();
  }

  private close(lane: Lane<A>): void {
    lane.duration?.stop();
    this.lanes.delete(lane);
    lane.home.byUse.delete(lane);
    if (lane.home.byKey.get(lane.key) === lane) lane.home.byKey.delete(lane.key);
  }

  private endIfOver(): void {
    if (!this.ending || this.closed || this.passing > 0) return;
    for (const { kept } of this.lanes) if (kept !== undefined) return;
    super.end();
  }

  private abandon(): void {
    this.watch.close();
    for (const lane of this.lanes) {
      lane.duration?.stop();
      if (lane.kept !== undefined) handleOf(lane.kept).giveUp();
      lane.kept = undefined;
    }
    this.lanes.clear();
  }
}
