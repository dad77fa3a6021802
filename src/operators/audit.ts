import type { Observable } from 'rxjs';
import type { Delivery } from '../flow/delivery.ts';
import { createFlow } from '../flow/flow.ts';
import type { Op } from '../flow/op.ts';
import { namedStage } from '../flow/value-stage.ts';
import { checkDuration, type DurationOptions } from './lanes/lane-options.ts';
import { LatestStage, type Lane } from './lanes/latest-stage.ts';

class AuditStage<A> extends LatestStage<A> {
  protected readonly outlastsFlow = true;

  protected override durationOf(lane: Lane<A>, value: A): Observable<unknown> | undefined {
    return lane.runs ? undefined : super.durationOf(lane, value);
  }

  protected override arrive(
    lane: Lane<A>,
    delivery: Delivery<A>,
    duration: Observable<unknown> | undefined,
  ): void {
    this.keep(lane, delivery, !lane.runs, duration);
  }

  protected override due(lane: Lane<A>): void {
    this.emitKept(lane);
  }
}

/**
 * Waits for `durationMs` from the first value on, then emits the latest one, as RxJS's `auditTime`; with `duration`, until the Observable that it answers
 * with for the first value emits, as RxJS's `audit`. Apart for each claim, and for each key of it if `key` is given.
 *
 * What waits is emitted early when its claim is given away or drained, and when the source is out of credit and waits for it; a flow that completes waits
 * for it, as in RxJS. A duration that completes without a value emits nothing, as in RxJS, until another value begins the next one; what it leaves at
 * the end is emitted then, and not dropped. One that fails ends the flow; a `duration` or `key` that throws is a failure of its value.
 *
 * @acks A value is acknowledged when a later one of its claim (and key) takes its place, which is unsettled itself; the one that is emitted, by what
 * follows. What waits when its claim is lost, or the flow unsubscribed, stays unsettled.
 *
 * @marbles
 * ```ts
 * const source = flow('ab-----c|');
 * expectFlow(source.pipe(audit({ durationMs: 3 }))).toBe('---b------(c|)');
 * expectAcks(source).toBe('-a-b------c');
 * ```
 *
 * @example
 * ```ts
 * positions.pipe(audit({ durationMs: 1_000, key: (position) => position.key }));
 * ```
 */
export function audit<A>(options: DurationOptions<A>): Op<A, A> {
  checkDuration('audit', options);
  const stage = namedStage('audit', options);
  return (flow) => createFlow((out) => flow.subscribe(new AuditStage(out, 'audit', stage, options)));
}
