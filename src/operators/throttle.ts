import type { Observable, Subscriber } from 'rxjs';
import { UsageError } from '../errors.ts';
import type { Delivery } from '../flow/delivery.ts';
import { createFlow } from '../flow/flow.ts';
import type { Op } from '../flow/op.ts';
import { namedStage, type NamedStage } from '../flow/value-stage.ts';
import { checkDuration, type DurationOptions } from './lanes/lane-options.ts';
import { LatestStage, type Lane } from './lanes/latest-stage.ts';

/** Options of {@link throttle}; `leading` and `trailing` as in RxJS. */
export type ThrottleOptions<A> = DurationOptions<A> & {
  /** The first value passes at once. Default true. */
  readonly leading?: boolean | undefined;
  /** The latest value is emitted when the duration is over, and begins the next one. Default false. */
  readonly trailing?: boolean | undefined;
};

class ThrottleStage<A> extends LatestStage<A> {
  protected readonly outlastsFlow = true;
  private readonly leading: boolean;
  private readonly trailing: boolean;

  constructor(out: Subscriber<Delivery<A>>, stage: NamedStage<A>, options: ThrottleOptions<A>) {
    super(out, 'throttle', stage, options);
    this.leading = options.leading ?? true;
    this.trailing = options.trailing ?? false;
  }

  protected override durationOf(lane: Lane<A>, value: A): Observable<unknown> | undefined {
    return lane.runs ? undefined : super.durationOf(lane, value);
  }

  protected override arrive(
    lane: Lane<A>,
    delivery: Delivery<A>,
    duration: Observable<unknown> | undefined,
  ): void {
    if (!this.leading) this.keep(lane, delivery, !lane.runs, duration);
    else if (!lane.runs) {
      this.startDuration(lane, duration);
      this.pass(delivery);
    } else if (this.trailing) this.keep(lane, delivery, false, undefined);
    else delivery.ack();
  }

  protected override due(lane: Lane<A>): void {
    const { kept } = lane;
    if (kept === undefined) return;
    let duration: Observable<unknown> | undefined;
    try {
      duration = super.durationOf(lane, kept.value);
    } catch (cause) {
      this.failed(this.takeKept(lane)!, cause);
      return;
    }
    this.takeKept(lane);
    if (!this.isEnding) this.startDuration(lane, duration);
    this.pass(kept);
  }
}

/**
 * Lets a value pass and then none for `durationMs`, as RxJS's `throttleTime`; with `duration`, until the Observable that it answers with for the value
 * emits, as RxJS's `throttle`. With `trailing` the latest of those is emitted at the end of the duration. Apart for each claim, and for each key of it if
 * `key` is given.
 *
 * What `trailing` keeps is emitted early when its claim is given away or drained, and when the source is out of credit and waits for it; a flow that
 * completes waits for it, as in RxJS. A duration that fails ends the flow; a `duration` or `key` that throws is a failure of its value.
 *
 * @acks A value that does not pass is acknowledged at once; with `trailing`, when a later one of its claim (and key) takes its place, which is unsettled
 * itself. One that passes is settled by what follows. What waits when its claim is lost, or the flow unsubscribed, stays unsettled.
 *
 * @marbles
 * ```ts
 * const source = flow('abc---d|');
 * expectFlow(source.pipe(throttle({ durationMs: 4 }))).toBe('a-----d|');
 * expectAcks(source).toBe('abc---d');
 * const both = flow('abc---d|');
 * expectFlow(both.pipe(throttle({ durationMs: 4, trailing: true }))).toBe('a---c---(d|)');
 * expectAcks(both).toBe('a-b-c---d');
 * ```
 *
 * @example
 * ```ts
 * alarms.pipe(throttle({ durationMs: 60_000, key: (alarm) => alarm.key }));
 * ```
 */
export function throttle<A>(options: ThrottleOptions<A>): Op<A, A> {
  checkDuration('throttle', options);
  if (options.leading === false && options.trailing !== true)
    throw new UsageError('throttle: without leading and trailing it would emit nothing', 'trailing');
  const stage = namedStage('throttle', options);
  return (flow) => createFlow((out) => flow.subscribe(new ThrottleStage(out, stage, options)));
}
