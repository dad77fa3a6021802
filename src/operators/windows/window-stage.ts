import { Subject, type Subscriber } from 'rxjs';
import { UsageError } from '../../errors.ts';
import { handleOf, type Delivery } from '../../flow/delivery.ts';
import { createFlow } from '../../flow/flow.ts';
import type { Key } from '../../flow/key.ts';
import type { Op } from '../../flow/op.ts';
import type { Settlement } from '../../flow/settlement.ts';
import { ValueStage, type NamedStage } from '../../flow/value-stage.ts';
import type { LaneStage } from './lane-config.ts';
import { isOver, type WindowLane } from './window-lane.ts';
import type { Windowed } from './windowed.ts';

/** What the kinds of event-time windows differ in. */
export interface StageConfig<A, K extends Key, R> {
  readonly operator: string;
  readonly onFull: 'emit-partial' | 'fail';
  readonly late: Op<A, unknown> | 'drop' | undefined;
  /** How long a window is at least, for messages. */
  readonly describe: string;
  lane(settlement: Settlement | undefined, stage: LaneStage<A, K, R>): WindowLane<A, K, R>;
}

/** The windows of all claims of a flow, a lane for each claim, and the stages for late values. */
export class WindowStage<A, K extends Key, R>
  extends ValueStage<A, Windowed<K, R>>
  implements LaneStage<A, K, R>
{
  readonly collects = true;
  private readonly config: StageConfig<A, K, R>;
  private readonly lanes = new Map<Settlement | undefined, WindowLane<A, K, R>>();
  private readonly late: Subject<Delivery<A>> | undefined;
  private lastSettlement: Settlement | undefined;
  private lastLane: WindowLane<A, K, R> | undefined;
  private lateIsOver = false;
  private ending = false;
  private folding = false;

  constructor(out: Subscriber<Delivery<Windowed<K, R>>>, stage: NamedStage<A>, config: StageConfig<A, K, R>) {
    super(out, stage);
    this.config = config;
    this.late = this.openLate(config.late);
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

  emit(row: Delivery<Windowed<K, R>>): void {
    if (this.out.closed) handleOf(row).giveUp();
    else this.out.next(row);
  }

  tooLate(delivery: Delivery<A>): void {
    if (this.late === undefined || this.lateIsOver) delivery.ack();
    else this.late.next(delivery);
  }

  onFull(lane: WindowLane<A, K, R>): void {
    if (this.config.onFull === 'emit-partial') {
      lane.close(false);
      return;
    }
    const { operator, describe } = this.config;
    lane.refuse(
      new UsageError(
        `${operator}: the span of the claim is full of open windows (${describe}); raise credit.span or the byte budget, shorten the windows, or ` +
          `choose onFull 'emit-partial'`,
        'onFull',
      ),
    );
  }

  gone(lane: WindowLane<A, K, R>): void {
    if (this.lastLane === lane) this.lastLane = undefined;
    for (const [settlement, one] of this.lanes) if (one === lane) this.lanes.delete(settlement);
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
    try {
      this.laneOf(settlement).take(delivery);
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
    if (this.lastLane !== undefined && settlement === this.lastSettlement) return this.lastLane;
    let lane = this.lanes.get(settlement);
    if (lane === undefined) {
      lane = this.config.lane(settlement, this);
      this.lanes.set(settlement, lane);
    }
    this.lastSettlement = settlement;
    this.lastLane = lane;
    return lane;
  }

  private abandon(): void {
    for (const lane of this.lanes.values()) lane.abandon();
    this.lanes.clear();
    this.lastLane = undefined;
  }
}

/** The windows of a flow. */
export function inWindows<A, K extends Key, R>(
  stage: NamedStage<A>,
  config: StageConfig<A, K, R>,
): Op<A, Windowed<K, R>> {
  return (flow) => createFlow((out) => flow.subscribe(new WindowStage<A, K, R>(out, stage, config)));
}
