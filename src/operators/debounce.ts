import type { Observable } from 'rxjs';
import type { Delivery } from '../flow/delivery.ts';
import { createFlow } from '../flow/flow.ts';
import type { Op } from '../flow/op.ts';
import { namedStage } from '../flow/value-stage.ts';
import { checkDuration, type DurationOptions } from './lanes/lane-options.ts';
import { LatestStage, type Lane } from './lanes/latest-stage.ts';

class DebounceStage<A> extends LatestStage<A> {
  protected readonly outlastsFlow = false;

  protected override arrive(
    lane: Lane<A>,
    delivery: Delivery<A>,
    duration: Observable<unknown> | undefined,
  ): void {
    this.keep(lane, delivery, true, duration);
  }

  protected override due(lane: Lane<A>): void {
    this.emitKept(lane);
  }
}

/**
 * Emits a value when no other followed it for `durationMs`, as RxJS's `debounceTime`; with `duration`, until the Observable it answers with emits, as
 * RxJS's `debounce`. Apart for each claim, and for each key of it if `key` is given: that makes one update of a burst of updates.
 *
 * What waits is emitted early when the flow completes, when its claim is given away or drained, and when the source is out of credit and waits for it. A
 * duration that fails ends the flow; a `duration` or `key` that throws is a failure of its value.
 *
 * @acks A value is acknowledged when a later one of its claim (and key) takes its place, which is unsettled itself; the one that is emitted, by what
 * follows. What waits when its claim is lost, or the flow unsubscribed, stays unsettled.
 *
 * @marbles
 * ```ts
 * const source = flow('ab-----c|');
 * expectFlow(source.pipe(debounce({ durationMs: 3 }))).toBe('----b---(c|)');
 * expectAcks(source).toBe('-a--b---c');
 * ```
 *
 * @example
 * ```ts
 * updates.pipe(debounce({ durationMs: 500, key: (update) => update.key }));
 * ```
 */
export function debounce<A>(options: DurationOptions<A>): Op<A, A> {
  checkDuration('debounce', options);
  const stage = namedStage('debounce', options);
  return (flow) => createFlow((out) => flow.subscribe(new DebounceStage(out, 'debounce', stage, options)));
}
