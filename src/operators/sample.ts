import { isObservable, type Observable, type Subscriber } from 'rxjs';
import type { Clock, Timer } from '../core/clock.ts';
import { UsageError } from '../errors.ts';
import type { Delivery } from '../flow/delivery.ts';
import { createFlow } from '../flow/flow.ts';
import type { Op } from '../flow/op.ts';
import { InnerSubscriber } from '../flow/stage-subscriber.ts';
import { namedStage, type NamedStage } from '../flow/value-stage.ts';
import { checkLaneOptions, type LaneOptions } from './lanes/lane-options.ts';
import { LatestStage, type Lane } from './lanes/latest-stage.ts';

/** Options of {@link sample}. */
export type SampleOptions<A> = LaneOptions<A> &
  (
    | {
        /** Values are looked at so often, in ms: at the multiples of it on the process's clock. */
        readonly periodMs: number;
        readonly notifier?: undefined;
      }
    | {
        /** Values are looked at whenever this emits. */
        readonly notifier: Observable<unknown>;
        readonly periodMs?: undefined;
      }
  );

class SampleStage<A> extends LatestStage<A> {
  protected readonly outlastsFlow = false;
  private readonly periodMs: number | undefined;
  private timer: Timer | undefined;

  constructor(out: Subscriber<Delivery<A>>, stage: NamedStage<A>, options: SampleOptions<A>) {
    super(out, 'sample', stage, options);
    this.periodMs = options.periodMs;
    this.add(() => this.timer?.cancel());
  }

  listenTo(notifier: Observable<unknown>): void {
    if (this.closed) return;
    const notified = new Notified(
      () => this.emitAll(),
      (cause) => this.error(cause),
    );
    this.add(notified);
    notifier.subscribe(notified);
  }

  protected override arrive(lane: Lane<A>, delivery: Delivery<A>): void {
    this.keep(lane, delivery, false, undefined);
    // What starves its source was emitted at once.
    if (lane.kept !== undefined && this.periodMs !== undefined) this.tickLater(lane.clock, this.periodMs);
  }

  protected override due(): void {
    // Lanes of this stage have no duration of their own.
  }

  private tickLater(clock: Clock, periodMs: number): void {
    if (this.timer !== undefined) return;
    const nowMs = clock.now();
    const tickMs = Math.max(1, Math.ceil(nowMs / periodMs)) * periodMs;
    this.timer = clock.setTimeout(() => {
      this.timer = undefined;
      this.emitAll();
    }, tickMs - nowMs);
  }
}

class Notified extends InnerSubscriber<unknown> {
  private readonly onNext: () => void;
  private readonly onError: (cause: unknown) => void;

  constructor(onNext: () => void, onError: (cause: unknown) => void) {
    super();
    this.onNext = onNext;
    this.onError = onError;
  }

  override next(): void {
    if (!this.closed) this.onNext();
  }

  override error(cause: unknown): void {
    if (this.closed) return;
    this.unsubscribe();
    this.onError(cause);
  }

  // As in RxJS: the flow goes on.
  override complete(): void {
    this.unsubscribe();
  }
}

/**
 * Emits the latest value every `periodMs`, as RxJS's `sampleTime`, or whenever `notifier` emits, as RxJS's `sample`; nothing when there was none since the
 * last time. Apart for each claim, and for each key of it if `key` is given.
 *
 * What waits is emitted early when its claim is given away or drained, when the source is out of credit and waits for it, and when the flow completes:
 * RxJS drops it then, and here no later value took its place. A notifier that fails ends the flow; a `key` that throws is a failure of its value.
 *
 * @acks A value is acknowledged when a later one of its claim (and key) takes its place, which is unsettled itself; the one that is emitted, by what
 * follows. What waits when its claim is lost, or the flow unsubscribed, stays unsettled.
 *
 * @marbles
 * ```ts
 * const source = flow('ab-----c|');
 * expectFlow(source.pipe(sample({ periodMs: 3 }))).toBe('---b----(c|)');
 * expectAcks(source).toBe('-a-b----c');
 * ```
 *
 * @example
 * ```ts
 * readings.pipe(sample({ periodMs: 1_000, key: (reading) => reading.key }));
 * ```
 */
export function sample<A>(options: SampleOptions<A>): Op<A, A> {
  checkLaneOptions('sample', options);
  const { periodMs, notifier } = options;
  if (notifier === undefined) {
    if (!(periodMs > 0 && periodMs < Infinity))
      throw new UsageError(
        `sample: periodMs is a number of milliseconds above zero, not ${String(periodMs)}`,
        'periodMs',
      );
  } else if (!isObservable(notifier)) throw new UsageError('sample: notifier is an Observable', 'notifier');
  else if ((periodMs as unknown) !== undefined)
    throw new UsageError('sample: give periodMs or notifier, not both', 'notifier');
  const stage = namedStage('sample', options);
  return (flow) =>
    createFlow((out) => {
      const sampled = new SampleStage(out, stage, options);
      flow.subscribe(sampled);
      if (notifier !== undefined) sampled.listenTo(notifier);
    });
}
