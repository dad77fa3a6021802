import { Subject, type Subscriber } from 'rxjs';
import { UsageError } from '../errors.ts';
import { handleOf, type Delivery } from '../flow/delivery.ts';
import { createFlow } from '../flow/flow.ts';
import { checkKey, type Key } from '../flow/key.ts';
import type { Op } from '../flow/op.ts';
import type { StageOptions } from '../flow/policy.ts';
import type { Settlement } from '../flow/settlement.ts';
import { namedStage, ValueStage, type NamedStage } from '../flow/value-stage.ts';
import { isOver, WindowLane, type Fold, type Windowed } from './windows/window-lane.ts';

export type { Windowed } from './windows/window-lane.ts';

/** Options of {@link tumblingWindow}. */
export interface WindowOptions<in A, out K extends Key> extends StageOptions<A> {
  readonly sizeMs: number;
  /** How much later than the newest record a record may come and still be counted. */
  readonly graceMs: number;
  readonly key: (value: A) => K;
  /** Event time, milliseconds since 1970. */
  readonly timestamp: (value: A) => number;
  /** When the source's span is full of what open windows hold: emit them early (`final: false`), or fail. */
  readonly onFull: 'emit-partial' | 'fail';
  /** What becomes of a record whose window is closed; default 'drop', which settles it. */
  readonly late?: Op<A, unknown> | 'drop' | undefined;
}

type AllOptions<A, K extends Key, R> = WindowOptions<A, K> & {
  readonly seed: () => R;
  readonly add: (row: R, value: A) => R;
};

class TumblingStage<A, K extends Key, R> extends ValueStage<A, Windowed<K, R>> {
  readonly collects = true;
  private readonly options: AllOptions<A, K, R>;
  private readonly fold: Fold<A, K, R>;
  private readonly lanes = new Map<Settlement | undefined, WindowLane<A, K, R>>();
  private readonly late: Subject<Delivery<A>> | undefined;
  private lateIsOver = false;
  private ending = false;
  private folding = false;

  constructor(out: Subscriber<Delivery<Windowed<K, R>>>, stage: NamedStage<A>, options: AllOptions<A, K, R>) {
    super(out, stage);
    this.options = options;
    const { sizeMs, graceMs, seed, add, onFull } = options;
    this.fold = {
      stage: stage.name,
      sizeMs,
      graceMs,
      seed,
      add,
      emit: (row) => (out.closed ? handleOf(row).giveUp() : out.next(row)),
      onFull: (lane) => (onFull === 'emit-partial' ? lane.close(false) : this.refuse(lane)),
    };
    this.late = this.openLate(options.late);
    this.add(() => this.abandon());
  }

  /** A getter, because a stage is announced before its fields are set. */
  get holdsAcks(): boolean {
    return true;
  }

  override next(delivery: Delivery<A>): void {
    if (this.busy) this.enqueue(delivery);
    else this.process(delivery);
  }

  override keepsSome(test: (delivery: Delivery<unknown>) => boolean): boolean {
    for (const lane of this.lanes.values()) if (lane.keepsSome(test)) return true;
    return super.keepsSome(test);
  }

  // Busy at once: what a user's function sets off may bring the next value before its own is folded in.
  protected override process(delivery: Delivery<A>): void {
    this.busy = true;
    this.folding = true;
    this.put(delivery);
    this.folding = false;
    this.goOn();
  }

  protected override working(): boolean {
    return this.folding;
  }

  private put(delivery: Delivery<A>): void {
    const settlement = handleOf(delivery).behind.someSettlement();
    if (settlement !== undefined && isOver(settlement)) {
      handleOf(delivery).giveUp();
      return;
    }
    const lane = this.laneOf(settlement);
    try {
      const { value } = delivery;
      const timestamp = this.options.timestamp(value);
      if (!Number.isFinite(timestamp)) {
        throw new UsageError(
          `tumblingWindow: 'timestamp' answers with milliseconds since 1970, not ${String(timestamp)}`,
          'timestamp',
        );
      }
      const start = lane.startOf(timestamp);
      if (lane.isDone(start)) delivery.ack();
      else if (lane.isLate(start)) this.tooLate(delivery);
      else lane.put(delivery, checkKey('tumblingWindow', this.options.key(value)) as K, start, timestamp);
    } catch (cause) {
      this.failed(delivery, cause);
    }
  }

  // A flow that comes to its end closes its windows; a claim that is given away has left its own to the next owner by then.
  protected override end(): void {
    for (const lane of this.lanes.values()) lane.close(true);
    if (this.late === undefined || this.lateIsOver) {
      super.end();
      return;
    }
    // What is late is still on its way through stages of its own; their end is the end of this one.
    this.ending = true;
    this.late.complete();
  }

  private tooLate(delivery: Delivery<A>): void {
    if (this.late === undefined || this.lateIsOver) delivery.ack();
    else this.late.next(delivery);
  }

  private refuse(lane: WindowLane<A, K, R>): void {
    const oldest = lane.oldest();
    if (oldest === undefined) return;
    const { sizeMs, graceMs } = this.options;
    oldest.nack(
      new UsageError(
        `tumblingWindow: the span of the claim is full of open windows (${sizeMs} ms and ${graceMs} ms of grace); raise credit.span or the byte ` +
          `budget, shorten the windows, or choose onFull 'emit-partial'`,
        'onFull',
      ),
    );
  }

  private openLate(late: Op<A, unknown> | 'drop' | undefined): Subject<Delivery<A>> | undefined {
    if (late === undefined || late === 'drop') return undefined;
    const deliveries = new Subject<Delivery<A>>();
    const flow = createFlow<A>((subscriber) => deliveries.subscribe(subscriber));
    this.add(
      late(flow).subscribe({
        next: (delivery) => delivery.ack(),
        error: (cause: unknown) => this.error(cause),
        complete: () => this.lateEnded(),
      }),
    );
    return deliveries;
  }

  // What comes when `late` has ended by itself is settled, as without one.
  private lateEnded(): void {
    this.lateIsOver = true;
    if (this.ending) super.end();
  }

  private laneOf(settlement: Settlement | undefined): WindowLane<A, K, R> {
    let lane = this.lanes.get(settlement);
    if (lane === undefined) {
      lane = new WindowLane<A, K, R>(settlement, this.fold, () => this.lanes.delete(settlement));
      this.lanes.set(settlement, lane);
    }
    return lane;
  }

  private abandon(): void {
    for (const lane of this.lanes.values()) lane.abandon();
    this.lanes.clear();
  }
}

/**
 * Folds the values of each key into windows of `sizeMs`, by event time, apart for each partition. A window holds its deliveries until a record
 * `graceMs` or more past its end arrives in the same partition; then its row is emitted, and settling the row settles them. When a claim is given
 * away its open windows are dropped unsettled, so that the next owner folds them whole; what is closed and settled is marked in the commit's
 * metadata, so that nobody folds it again. The end of a finite flow closes all windows.
 *
 * Give stages of one flow different `name`s when there are several windows on the same claim.
 *
 * @example
 * ```ts
 * hits.pipe(
 *   tumblingWindow({ sizeMs: 60_000, graceMs: 5_000, key: (h) => h.page, timestamp: (h) => h.at, onFull: 'emit-partial', seed: () => 0, add: (n) => n + 1 }),
 * );
 * ```
 */
export function tumblingWindow<A, K extends Key, R>(
  options: WindowOptions<A, K> & {
    readonly seed: () => R;
    readonly add: (row: NoInfer<R>, value: A) => NoInfer<R>;
  },
): Op<A, Windowed<K, R>> {
  const { sizeMs, graceMs, onFull } = options;
  if (!(sizeMs > 0))
    throw new UsageError(
      `tumblingWindow: 'sizeMs' is a number of milliseconds above zero, not ${String(sizeMs)}`,
      'sizeMs',
    );
  if (!(graceMs >= 0))
    throw new UsageError(
      `tumblingWindow: 'graceMs' is a number of milliseconds from zero, not ${String(graceMs)}`,
      'graceMs',
    );
  if (!['emit-partial', 'fail'].includes(onFull)) {
    throw new UsageError(
      `tumblingWindow: 'onFull' is 'emit-partial' or 'fail', not ${JSON.stringify(onFull)}`,
      'onFull',
    );
  }
  const stage = namedStage<A>('tumblingWindow', options);
  return (flow) => createFlow((out) => flow.subscribe(new TumblingStage<A, K, R>(out, stage, options)));
}
