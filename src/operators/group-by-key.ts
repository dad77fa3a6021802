import type { Subscriber, TeardownLogic } from 'rxjs';
import { systemClock } from '../core/clock.ts';
import { UsageError } from '../errors.ts';
import { ClaimStates } from '../flow/claim-states.ts';
import { handleOf, type Delivery } from '../flow/delivery.ts';
import { createFlow, Flow } from '../flow/flow.ts';
import { checkKey, KeyMap, type Key } from '../flow/key.ts';
import { onAbort } from '../core/on-abort.ts';
import type { Op } from '../flow/op.ts';
import type { StageOptions } from '../flow/policy.ts';
import { currentRuntime, withRuntime } from '../flow/runtime.ts';
import { isFlow } from '../flow/stage-guard.ts';
import { namedStage, ValueStage, type NamedStage } from '../flow/value-stage.ts';
import { KeyLane, type KeyLaneHost, type KeyLanes } from './lanes/key-lane.ts';
import { checkMs } from './lanes/lane-options.ts';

/** The values of one key of one claim, as a Flow; it can be subscribed once. */
export class KeyGroup<out A, out K = Key> extends Flow<A> {
  readonly key: K;

  protected constructor(key: K, subscribe: (subscriber: Subscriber<Delivery<A>>) => TeardownLogic) {
    super(subscribe);
    this.key = key;
  }
}

class OpenedGroup<out A, out K> extends KeyGroup<A, K> {
  // eslint-disable-next-line @typescript-eslint/no-useless-constructor -- the inherited one is protected
  constructor(key: K, subscribe: (subscriber: Subscriber<Delivery<A>>) => TeardownLogic) {
    super(key, subscribe);
  }
}

/** Options of {@link groupByKey}. */
export interface GroupByKeyOptions<A> extends StageOptions<A> {
  /**
   * How many lanes one claim may have open at once. Beyond, the one that was quiet for longest is ended: its flow completes, and the key's next value opens a
   * new one.
   */
  readonly maxKeys: number;
  /** A lane that was given no value for so long is ended, in ms. Default: never. */
  readonly idleMs?: number | undefined;
}

class GroupStage<A, K extends Key, B> extends ValueStage<A, B> implements KeyLaneHost<A, B> {
  private readonly keyOf: (value: A) => K;
  private readonly lane: (group: KeyGroup<A, K>) => Flow<B>;
  private readonly options: GroupByKeyOptions<A>;
  // Keys come long after the topology subscribed; what is made in their lanes still belongs to it.
  private readonly runtime = currentRuntime();
  private readonly claims = new ClaimStates<KeyLanes<A, B>>(() => ({
    settlement: undefined,
    byKey: new KeyMap(),
    open: new Set(),
    timer: undefined,
    stops: [],
  }));
  /** Of claims that have lanes. */
  private readonly homes = new Set<KeyLanes<A, B>>();
  private running = 0;
  private giving = false;
  private finishing = false;

  constructor(
    out: Subscriber<Delivery<B>>,
    stage: NamedStage<A>,
    keyOf: (value: A) => K,
    lane: (group: KeyGroup<A, K>) => Flow<B>,
    options: GroupByKeyOptions<A>,
  ) {
    super(out, stage);
    this.keyOf = keyOf;
    this.lane = lane;
    this.options = options;
    this.add(() => this.abandon());
  }

  override next(delivery: Delivery<A>): void {
    if (this.busy) this.enqueue(delivery);
    else this.process(delivery);
  }

  override keepsSome(test: (delivery: Delivery<unknown>) => boolean): boolean {
    for (const { byKey } of this.homes) {
      for (const { waiting } of byKey.values()) if (waiting.some(test)) return true;
    }
    return super.keepsSome(test);
  }

  passOn(delivery: Delivery<B>): void {
    if (this.closed || this.out.closed) handleOf(delivery).giveUp();
    else this.out.next(delivery);
  }

  laneOver(lane: KeyLane<A, B>): void {
    this.running--;
    this.remove(lane);
    // One that ended by itself stays, so that it is not opened again with the next value.
    if (lane.isEnding) this.close(lane);
    this.endIfOver();
  }

  // Busy at once: what a lane sets off may bring the next value of its key before it has its own.
  protected override process(delivery: Delivery<A>): void {
    if (this.closed) {
      handleOf(delivery).giveUp();
      return;
    }
    this.busy = true;
    this.giving = true;
    this.give(delivery);
    this.giving = false;
    this.goOn();
  }

  protected override working(): boolean {
    return this.giving;
  }

  protected override end(): void {
    this.finishing = true;
    for (const home of [...this.homes]) this.endLanes(home);
    this.endIfOver();
  }

  private give(delivery: Delivery<A>): void {
    let key: K;
    try {
      key = checkKey('groupByKey', this.keyOf(delivery.value)) as K;
    } catch (cause) {
      this.failed(delivery, cause);
      return;
    }
    const home = this.claims.of(delivery);
    home.settlement ??= handleOf(delivery).behind.someSettlement();
    this.put(home, key, delivery);
  }

  private put(home: KeyLanes<A, B>, key: K, delivery: Delivery<A>): void {
    const lane = home.byKey.get(key) ?? this.open(home, key);
    if (lane === undefined) {
      handleOf(delivery).giveUp();
      return;
    }
    if (!lane.isEnding) this.touch(home, lane);
    lane.take(delivery);
    if (this.finishing || isOver(home)) this.endLane(lane);
  }

  /** Undefined where the user's function failed, which ends the flow as a failure in a lane does. */
  private open(home: KeyLanes<A, B>, key: K): KeyLane<A, B> | undefined {
    while (home.open.size >= this.options.maxKeys) this.endLane(home.open.values().next().value!);
    const lane = new KeyLane<A, B>(key, home, this);
    const group = new OpenedGroup<A, K>(key, (subscriber) => {
      if (lane.input !== undefined)
        throw new UsageError(
          'groupByKey: a lane subscribes its group once; inside it, fanOut sends it several ways',
        );
      lane.input = subscriber;
    });
    this.settleIn(home);
    home.byKey.set(key, lane);
    this.running++;
    this.add(lane);
    const subscribe = (): void => {
      const flow: unknown = this.lane(group);
      if (!isFlow(flow)) throw new UsageError('groupByKey: the lane did not answer with a Flow');
      (flow as Flow<B>).subscribe(lane);
    };
    try {
      if (this.runtime === undefined) subscribe();
      else withRuntime(this.runtime, subscribe);
    } catch (cause) {
      this.error(cause);
    }
    return this.closed ? undefined : lane;
  }

  private touch(home: KeyLanes<A, B>, lane: KeyLane<A, B>): void {
    home.open.delete(lane);
    home.open.add(lane);
    const { idleMs } = this.options;
    if (idleMs === undefined) return;
    const clock = home.settlement?.clock ?? systemClock;
    lane.usedAtMs = clock.now();
    home.timer ??= clock.setTimeout(() => this.endIdle(home, idleMs), idleMs);
  }

  private endIdle(home: KeyLanes<A, B>, idleMs: number): void {
    const clock = home.settlement?.clock ?? systemClock;
    const nowMs = clock.now();
    home.timer = undefined;
    for (const lane of [...home.open]) {
      const restMs = lane.usedAtMs + idleMs - nowMs;
      if (restMs > 0) {
        home.timer ??= clock.setTimeout(() => this.endIdle(home, idleMs), restMs);
        return;
      }
      this.endLane(lane);
    }
  }

  private endLanes(home: KeyLanes<A, B>): void {
    for (const lane of [...home.byKey.values()]) this.endLane(lane);
  }

  /** Completes its input. It is over when its flow is. */
  private endLane(lane: KeyLane<A, B>): void {
    if (lane.isEnding) return;
    lane.isEnding = true;
    lane.home.open.delete(lane);
    if (lane.closed) this.close(lane);
    else if (lane.input !== undefined) lane.input.complete();
    else {
      // It reads something else, which need not end.
      lane.unsubscribe();
      this.laneOver(lane);
    }
  }

  /** Of a lost claim nothing is wanted: what its lanes keep is left unsettled, and their calls are aborted. */
  private dropLanes(home: KeyLanes<A, B>): void {
    for (const lane of [...home.byKey.values()]) {
      lane.isEnding = true;
      lane.giveUpWaiting();
      if (lane.closed) this.close(lane);
      else {
        lane.unsubscribe();
        this.laneOver(lane);
      }
    }
  }

  /** The key has no lane any more; what waited for that opens the next one. */
  private close(lane: KeyLane<A, B>): void {
    const { home, key, waiting } = lane;
    home.open.delete(lane);
    if (home.byKey.get(key) === lane) home.byKey.delete(key);
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      if (this.closed) handleOf(next).giveUp();
      else this.put(home, key as K, next);
    }
    if (home.byKey.size === 0) this.moveOut(home);
  }

  private settleIn(home: KeyLanes<A, B>): void {
    if (this.homes.has(home)) return;
    this.homes.add(home);
    const { settlement } = home;
    if (settlement === undefined) return;
    home.stops.push(
      onAbort(settlement.revoking, () => this.endLanes(home)),
      onAbort(settlement.lost, () => this.dropLanes(home)),
    );
  }

  private moveOut(home: KeyLanes<A, B>): void {
    this.homes.delete(home);
    home.timer?.cancel();
    home.timer = undefined;
    for (const stop of home.stops.splice(0)) stop();
  }

  private endIfOver(): void {
    if (this.finishing && this.running === 0 && !this.closed) super.end();
  }

  private abandon(): void {
    for (const home of [...this.homes]) {
      for (const lane of home.byKey.values()) lane.giveUpWaiting();
      this.moveOut(home);
    }
  }
}

function isOver({ settlement }: KeyLanes<unknown, unknown>): boolean {
  return settlement !== undefined && (settlement.revoking.aborted || settlement.lost.aborted);
}

/**
 * Opens one lane for each key of each claim: `lane` is called with the key's values as a Flow, so that batches, counts and calls in it belong to one key. What
 * the lanes emit is merged. RxJS's `groupBy` and `mergeMap` in one, with a bound.
 *
 * A lane is ended, by completing its group, when there are more than `maxKeys` and it was quiet for longest, after `idleMs`, and with its claim: batches in it
 * flush, calls come to their end; those of a lost claim are unsubscribed. Values of its key that come before it is over wait for that, so a key keeps its order; the next one opens a new lane, with
 * new state. A lane that ends by itself wants no more values, until its end is forgotten in the same way. An error in a lane, or in `lane`, is an error of the
 * flow; a `key` that throws is a failure of its value.
 *
 * @acks Settles nothing itself: a lane's stages do. What comes to a lane that ended by itself is acknowledged. What waits when the flow is unsubscribed stays
 * unsettled.
 *
 * @marbles
 * ```ts
 * const source = flow('ab----a----b|');
 * const pairs = groupByKey((value: string) => value, (group) => group.pipe(countWindow({ records: 2 })), { maxKeys: 100 });
 * expectFlow(source.pipe(pairs, map((values) => values.join('')))).toBe('------x----y|', { x: 'aa', y: 'bb' });
 * expectAcks(source).toBe('------(aa)-(bb)');
 * ```
 *
 * @example
 * ```ts
 * readings.pipe(groupByKey((reading) => reading.key, (device) => device.pipe(batch({ maxRecords: 100, withinMs: 1_000 })), { maxKeys: 10_000 }));
 * ```
 */
export function groupByKey<A, K extends Key, B>(
  key: (value: A) => K,
  lane: (group: KeyGroup<A, K>) => Flow<B>,
  options: GroupByKeyOptions<NoInfer<A>>,
): Op<A, B> {
  if (typeof key !== 'function') throw new UsageError('groupByKey: the first argument is a function', 'key');
  if (typeof lane !== 'function')
    throw new UsageError('groupByKey: the second argument is a function', 'lane');
  const stage = namedStage<A>('groupByKey', options);
  const { maxKeys, idleMs } = options;
  if (!Number.isInteger(maxKeys) || maxKeys < 1)
    throw new UsageError(`groupByKey: maxKeys is a whole number from 1, not ${maxKeys}`, 'maxKeys');
  if (idleMs !== undefined) checkMs('groupByKey', 'idleMs', idleMs);
  return (flow) => createFlow((out) => flow.subscribe(new GroupStage(out, stage, key, lane, options)));
}
