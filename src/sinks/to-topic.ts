// The sink stage: a delivery goes to the producer as records and is passed on when all of them are acknowledged, in input order per claim.
import type { Subscriber } from 'rxjs';
import type { ProducerRecord } from '../core/records/types.ts';
import { UsageError, type KafkaError } from '../errors.ts';
import { handleOf, type Delivery } from '../flow/delivery.ts';
import { Fifo } from '../flow/fifo.ts';
import { createFlow } from '../flow/flow.ts';
import { announce, type KeepingStage } from '../flow/keeping-stage.ts';
import type { Op } from '../flow/op.ts';
import { applyPolicy, checkOnError, type StageOptions } from '../flow/policy.ts';
import { RetryWait, type Waiter } from '../flow/retry-wait.ts';
import type { Settlement } from '../flow/settlement.ts';
import { StageError } from '../flow/stage-error.ts';
import { StageSubscriber } from '../flow/stage-subscriber.ts';
import type { Producer } from '../core/producer/producer.ts';
import type { Receipt, Withdrawal } from '../core/producer/receipt.ts';
import type { Serializer } from '../serdes/serde.ts';
import { Encoder, type OutgoingRecord } from './outgoing.ts';

/** What a sink needs of the run it is part of. */
export interface SinkRuntime {
  producer(): Producer;
  /** A record was acknowledged. */
  countOut(): void;
}

/** The third argument of `toTopic`. */
export interface ToTopicOptions<A, K, V> extends StageOptions<A> {
  readonly key?: Serializer<K>;
  readonly value?: Serializer<V>;
}

type Project<A> = (
  value: A,
) => ProducerRecord<unknown, unknown> | readonly ProducerRecord<unknown, unknown>[];

interface Sink<A> {
  readonly topic: string;
  readonly name: string;
  readonly project: Project<A>;
  readonly encoder: Encoder;
  readonly onError: StageOptions<A>['onError'];
  readonly runtime: SinkRuntime;
}

/** More lanes than this are looked through for those that are over. */
const MANY_LANES = 1_024;

const isDead = (settlement: Settlement): boolean => settlement.dead ?? settlement.lost.aborted;

const DONE = 1;
/** It is not to be passed on: settled by its policy, given up, or withdrawn. */
const STAYS = 2;
const WITHDRAWN = 4;

/** What a passage needs only when something went wrong. */
interface Trouble<A> {
  failures: number;
  error: unknown;
  wait: RetryWait<A> | undefined;
}

/**
 * A delivery on its way through the producer; the records' receipt and the place in its lane, in one object. It has few fields on purpose: the
 * collector copies all that are in flight.
 */
class Passage<A> implements Receipt, Waiter<A> {
  readonly delivery: Delivery<A>;
  private readonly lane: Lane<A>;
  private state = 0;
  private pending = 0;
  private trouble: Trouble<A> | undefined = undefined;

  constructor(delivery: Delivery<A>, lane: Lane<A>) {
    this.delivery = delivery;
    this.lane = lane;
  }

  get done(): boolean {
    return (this.state & DONE) !== 0;
  }

  get passes(): boolean {
    return (this.state & STAYS) === 0;
  }

  send(producer: Producer, sink: Sink<A>): void {
    let records: ProducerRecord<unknown, unknown> | readonly ProducerRecord<unknown, unknown>[];
    if (this.trouble !== undefined) this.trouble.error = undefined;
    // One more than there are records, until all of them are handed over: an answer may come at once.
    this.pending = 1;
    try {
      records = sink.project(this.delivery.value);
      const timestamp = handleOf(this.delivery).behind.newestTimestamp();
      const stamp = timestamp < 0 ? undefined : timestamp;
      if (Array.isArray(records)) {
        const encoded = (records as readonly ProducerRecord<unknown, unknown>[]).map((record) =>
          sink.encoder.encode(record, stamp),
        );
        for (const record of encoded) {
          this.handOver(producer, sink.topic, record);
        }
      } else {
        const encoded = sink.encoder.encodeShared(records as ProducerRecord<unknown, unknown>, stamp);
        this.handOver(producer, sink.topic, encoded);
      }
    } catch (cause) {
      // What was handed over before is awaited first: its answers belong to this attempt.
      this.troubled().error ??= cause;
    }
    this.answered();
  }

  onAcked(): void {
    this.lane.stage.countOut();
    this.answered();
  }

  onFailed(error: KafkaError): void {
    this.troubled().error ??= error;
    this.answered();
  }

  // Asked for every record of a batch; one claim that lives is enough to keep it.
  isWithdrawn(): boolean {
    return handleOf(this.delivery).behind.everySettlement(isDead);
  }

  get withdrawal(): Withdrawal {
    return this.lane;
  }

  onWithdrawn(): void {
    this.state |= WITHDRAWN;
    this.answered();
  }

  onDue(): void {
    this.troubled().wait = undefined;
    this.lane.stage.sendAgain(this);
  }

  onGivenUp(): void {
    this.end(STAYS);
  }

  /** Nobody is interested any more. */
  giveUp(): void {
    this.trouble?.wait?.cancel();
    if (!this.done) handleOf(this.delivery).giveUp();
    this.state |= DONE | STAYS;
  }

  private handOver(producer: Producer, topic: string, record: OutgoingRecord): void {
    this.pending++;
    try {
      producer.send(topic, record, this);
    } catch (cause) {
      this.pending--;
      throw cause;
    }
  }

  private answered(): void {
    if (--this.pending > 0 || this.done) return;
    const error = this.trouble?.error;
    if ((this.state & WITHDRAWN) !== 0) {
      handleOf(this.delivery).giveUp();
      this.end(STAYS);
    } else if (error !== undefined) this.fail(error);
    else this.end(0);
  }

  private fail(cause: unknown): void {
    const { value, origins } = this.delivery;
    const { name, onError } = this.lane.stage.sink;
    const trouble = this.troubled();
    const attempt = ++trouble.failures;
    const error = new StageError<A>({ stage: name, value, attempt, origins, cause });
    const delayMs = applyPolicy(onError, this.delivery, error);
    if (delayMs === undefined) this.end(STAYS);
    else trouble.wait = new RetryWait(this.delivery, delayMs, this);
  }

  private troubled(): Trouble<A> {
    this.trouble ??= { failures: 0, error: undefined, wait: undefined };
    return this.trouble;
  }

  private end(stays: number): void {
    this.state |= DONE | stays;
    this.lane.advance();
  }
}

/** The deliveries of one claim or plain source, passed on in the order in which they came. */
class Lane<A> implements Withdrawal {
  readonly queue = new Fifo<Passage<A>>();
  readonly stage: ToTopicStage<A>;
  private readonly settlement: Settlement | undefined;
  private advancing = false;

  constructor(stage: ToTopicStage<A>, settlement: Settlement | undefined) {
    this.stage = stage;
    this.settlement = settlement;
  }

  /** False while the claim that the lane is for is alive; it is one of those behind each of its deliveries. */
  get isPossible(): boolean {
    return this.settlement === undefined || isDead(this.settlement);
  }

  // Passing one on may settle it, emit the next one and come back here.
  advance(): void {
    if (this.advancing) return;
    this.advancing = true;
    for (let first = this.queue.peek(); first?.done === true; first = this.queue.peek()) {
      this.queue.shift();
      this.stage.leave(first);
    }
    this.advancing = false;
    this.stage.advanced();
  }
}

class ToTopicStage<A> extends StageSubscriber<Delivery<A>, Delivery<A>> implements KeepingStage {
  readonly sink: Sink<A>;
  private readonly producer: Producer;
  private readonly lanes = new Map<Settlement | undefined, Lane<A>>();
  private readonly blocked = new Fifo<Passage<A>>();
  private lastSettlement: Settlement | undefined;
  private lastLane: Lane<A> | undefined;
  private under = 0;
  private finished = false;
  private unblocking = false;

  constructor(out: Subscriber<Delivery<A>>, sink: Sink<A>) {
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
    for (const { queue } of this.lanes.values())
      if (queue.some(({ delivery }) => test(delivery))) return true;
    return false;
  }

  override next(delivery: Delivery<A>): void {
    if (this.closed) {
      handleOf(delivery).giveUp();
      return;
    }
    const lane = this.laneOf(delivery);
    const passage = new Passage(delivery, lane);
    this.under++;
    lane.queue.push(passage);
    this.sendAgain(passage);
  }

  override complete(): void {
    this.finished = true;
    if (this.under === 0) super.complete();
  }

  countOut(): void {
    this.sink.runtime.countOut();
  }

  sendAgain(passage: Passage<A>): void {
    if (this.blocked.size > 0 || !this.producer.hasRoom(this.sink.topic)) this.blocked.push(passage);
    else passage.send(this.producer, this.sink);
  }

  leave(passage: Passage<A>): void {
    this.under--;
    if (!passage.passes) return;
    if (this.closed) handleOf(passage.delivery).giveUp();
    else this.out.next(passage.delivery);
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
    for (const [settlement, lane] of this.lanes) if (lane.queue.size === 0) this.lanes.delete(settlement);
    this.lastLane = undefined;
  }

  private unblock(): void {
    if (this.unblocking) return;
    this.unblocking = true;
    while (this.blocked.size > 0 && this.producer.hasRoom(this.sink.topic))
      this.blocked.shift()!.send(this.producer, this.sink);
    this.unblocking = false;
  }

  private abandon(): void {
    for (const lane of this.lanes.values()) {
      for (let left = lane.queue.shift(); left !== undefined; left = lane.queue.shift()) left.giveUp();
    }
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
  const sink: Sink<A> = {
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
