// The sink stage: a delivery goes to the producer as records and is passed on when all of them are acknowledged, in input order per claim.
import type { Subscriber } from 'rxjs';
import type { ProducerRecord } from '../core/records/types.ts';
import { UsageError } from '../errors.ts';
import { handleOf, type Delivery } from '../flow/delivery.ts';
import { Fifo } from '../flow/fifo.ts';
import { createFlow } from '../flow/flow.ts';
import { announce, type KeepingStage } from '../flow/keeping-stage.ts';
import type { Op } from '../flow/op.ts';
import { checkOnError, type StageOptions } from '../flow/policy.ts';
import type { Settlement } from '../flow/settlement.ts';
import { StageSubscriber } from '../flow/stage-subscriber.ts';
import type { RecordProducer } from '../core/producer/record-producer.ts';
import type { Serializer } from '../serdes/serde.ts';
import { Lane, type LaneStage, type Sink } from './lane.ts';
import { Encoder } from './outgoing.ts';

/** What a sink needs of the run it is part of. */
export interface SinkRuntime {
  producer(): RecordProducer;
  /** So many records were acknowledged. */
  countOut(records: number): void;
}

/** The third argument of `toTopic`. */
export interface ToTopicOptions<A, K, V> extends StageOptions<A> {
  readonly key?: Serializer<K>;
  readonly value?: Serializer<V>;
}

/** More lanes than this are looked through for those that are over. */
const MANY_LANES = 1_024;

/** A sink in its run. */
interface RunningSink<A> extends Sink<A> {
  readonly runtime: SinkRuntime;
}

/** A place that waits for room in the producer. */
interface Blocked<A> {
  readonly lane: Lane<A>;
  readonly place: number;
}

class ToTopicStage<A>
  extends StageSubscriber<Delivery<A>, Delivery<A>>
  implements KeepingStage, LaneStage<A>
{
  readonly sink: RunningSink<A>;
  private readonly producer: RecordProducer;
  private readonly lanes = new Map<Settlement | undefined, Lane<A>>();
  private readonly blocked = new Fifo<Blocked<A>>();
  private lastSettlement: Settlement | undefined;
  private lastLane: Lane<A> | undefined;
  private under = 0;
  private finished = false;
  private unblocking = false;
  /** The serializers are not ready; what comes is blocked. */
  private preparing = false;

  constructor(out: Subscriber<Delivery<A>>, sink: RunningSink<A>) {
    super(out);
    this.sink = sink;
    this.producer = sink.runtime.producer();
    this.add(this.producer.onReady(() => this.unblock()));
    this.add(() => this.abandon());
    announce(this);
  }

  get stageName(): string {
    return this.sink.name;
  }

  keepsSome(test: (delivery: Delivery<unknown>) => boolean): boolean {
    for (const lane of this.lanes.values()) if (lane.keepsSome(test)) return true;
    return false;
  }

  override next(delivery: Delivery<A>): void {
    if (this.closed) {
      handleOf(delivery).giveUp();
      return;
    }
    const lane = this.laneOf(delivery);
    this.under++;
    this.submit(lane, lane.push(delivery));
  }

  override complete(): void {
    this.finished = true;
    if (this.under === 0) super.complete();
  }

  countOut(records: number): void {
    this.sink.runtime.countOut(records);
  }

  submit(lane: Lane<A>, place: number): void {
    const isBlocked = this.blocked.size > 0 || !this.producer.hasRoom(this.sink.topic) || this.isPreparing();
    if (isBlocked) this.blocked.push({ lane, place });
    else lane.send(place, this.producer);
  }

  leave(delivery: Delivery<A>, passes: boolean): void {
    this.under--;
    if (!passes) return;
    if (this.closed) handleOf(delivery).giveUp();
    else this.out.next(delivery);
  }

  advanced(): void {
    if (this.finished && this.under === 0) super.complete();
  }

  private laneOf(delivery: Delivery<A>): Lane<A> {
    const settlement = handleOf(delivery).behind.someSettlement();
    if (this.lastLane !== undefined && settlement === this.lastSettlement) return this.lastLane;
    let lane = this.lanes.get(settlement);
    if (lane === undefined) {
      if (this.lanes.size >= MANY_LANES) this.prune();
      lane = new Lane(this, settlement);
      this.lanes.set(settlement, lane);
    }
    this.lastSettlement = settlement;
    this.lastLane = lane;
    return lane;
  }

  // Claims come and go; a lane without deliveries can be made again.
  private prune(): void {
    for (const [settlement, lane] of this.lanes) if (lane.size === 0) this.lanes.delete(settlement);
    this.lastLane = undefined;
  }

  private unblock(): void {
    if (this.unblocking) return;
    this.unblocking = true;
    while (this.blocked.size > 0 && this.producer.hasRoom(this.sink.topic) && !this.isPreparing()) {
      const { lane, place } = this.blocked.shift()!;
      lane.send(place, this.producer);
    }
    this.unblocking = false;
  }

  /** Asks the serializers, and goes on when they are ready. */
  private isPreparing(): boolean {
    const { encoder } = this.sink;
    if (!encoder.prepares) return false;
    if (this.preparing) return true;
    const preparation = encoder.prepare();
    if (preparation === undefined) return false;
    this.preparing = true;
    preparation.then(
      () => {
        this.preparing = false;
        this.unblock();
      },
      (cause: unknown) => {
        this.preparing = false;
        this.refuseBlocked(cause);
      },
    );
    return true;
  }

  // All of them waited for it; to ask again for each would make an outage as long as they are many.
  private refuseBlocked(cause: unknown): void {
    for (let left = this.blocked.size; left > 0; left--) {
      const blocked = this.blocked.shift();
      blocked?.lane.refuse(blocked.place, cause);
    }
    this.unblock();
  }

  private abandon(): void {
    for (const lane of this.lanes.values()) lane.abandon();
  }
}

/** The operator behind `toTopic`; see `Sluice.toTopic` for what it promises. */
export function toTopicStage<A, K, V>(
  runtime: SinkRuntime,
  topic: string,
  project: (value: A) => ProducerRecord<K, V> | readonly ProducerRecord<K, V>[],
  options: ToTopicOptions<A, K, V> = {},
): Op<A, A> {
  if (typeof topic !== 'string' || topic === '')
    throw new UsageError(`toTopic: 'topic' is a name, not ${JSON.stringify(topic)}`, 'topic');
  if (typeof project !== 'function')
    throw new UsageError(
      `toTopic '${topic}': the second argument is a function from a value to a record`,
      'project',
    );
  checkOnError('toTopic', options.onError);
  const { key, value, onError } = options;
  const sink: RunningSink<A> = {
    topic,
    name: options.name ?? `toTopic '${topic}'`,
    project,
    encoder: new Encoder(
      topic,
      key as Serializer<unknown> | undefined,
      value as Serializer<unknown> | undefined,
    ),
    onError,
    runtime,
  };
  return (flow) => createFlow((out) => flow.subscribe(new ToTopicStage(out, sink)));
}
