// One claim's deliveries on their way through a sink, in order. The collector copies all that is in flight, so a delivery takes a place in a ring
// and no object of its own: the place is the tag of its record, and the lane is the receipt of all of them.
import type { RecordProducer } from '../core/producer/record-producer.ts';
import type { AckedRecords, Receipt, Withdrawal } from '../core/producer/receipt.ts';
import type { ProducerRecord } from '../core/records/types.ts';
import type { KafkaError } from '../errors.ts';
import { handleOf, type Delivery } from '../flow/delivery.ts';
import { applyPolicy, type StageOptions } from '../flow/policy.ts';
import { RetryWait } from '../flow/retry-wait.ts';
import type { Settlement } from '../flow/settlement.ts';
import { StageError } from '../flow/stage-error.ts';
import { Attempt } from './attempt.ts';
import type { Encoder } from './outgoing.ts';

type Project<A> = (
  value: A,
) => ProducerRecord<unknown, unknown> | readonly ProducerRecord<unknown, unknown>[];

/** What a sink does with each delivery. */
export interface Sink<A> {
  readonly topic: string;
  readonly name: string;
  readonly project: Project<A>;
  readonly encoder: Encoder;
  readonly onError: StageOptions<A>['onError'];
}

/** The stage around its lanes. */
export interface LaneStage<A> {
  readonly sink: Sink<A>;
  /** So many records were acknowledged. */
  countOut(records: number): void;
  /** Sends what is at `place` when the producer has room. */
  submit(lane: Lane<A>, place: number): void;
  /** A delivery's way is over, in its order; `passes`: it goes on to the next stage. */
  leave(delivery: Delivery<A>, passes: boolean): void;
  /** Nothing more leaves for now. */
  advanced(): void;
}

const INITIAL = 16;
const KEPT_WHEN_EMPTY = 4_096;
/** Places count up and begin again, so that they stay small integers. */
const LAST_PLACE = 0x3f_ff_ff_ff;

const WAITS = 0;
const PASSES = 1;
/** Settled by its policy, given up, or withdrawn. */
const STAYS = 2;
const DONE = PASSES | STAYS;
/** Has an {@link Attempt}. */
const TRIED = 4;

const isDead = (settlement: Settlement): boolean => settlement.dead ?? settlement.lost.aborted;

/** The deliveries of one claim or plain source, passed on in the order in which they came. */
export class Lane<A> implements Receipt, Withdrawal {
  size = 0;
  private deliveries: (Delivery<A> | undefined)[] = new Array<undefined>(INITIAL).fill(undefined);
  private states = new Uint8Array(INITIAL);
  private mask = INITIAL - 1;
  private head = 0;
  private advancing = false;
  private readonly attempts = new Map<number, Attempt<A>>();
  private readonly stage: LaneStage<A>;
  private readonly settlement: Settlement | undefined;

  constructor(stage: LaneStage<A>, settlement: Settlement | undefined) {
    this.stage = stage;
    this.settlement = settlement;
  }

  /** False while the claim that the lane is for is alive; it is one of those behind each of its deliveries. */
  get isPossible(): boolean {
    return this.settlement === undefined || isDead(this.settlement);
  }

  get withdrawal(): Withdrawal {
    return this;
  }

  /** The last place is taken by `delivery`; returns it. */
  push(delivery: Delivery<A>): number {
    if (this.size > this.mask) this.resize(this.mask * 2 + 2);
    const place = (this.head + this.size) & LAST_PLACE;
    this.size++;
    this.deliveries[place & this.mask] = delivery;
    this.states[place & this.mask] = WAITS;
    return place;
  }

  send(place: number, producer: RecordProducer): void {
    const delivery = this.open(place);
    if (delivery === undefined) return;
    const { sink } = this.stage;
    try {
      const records = sink.project(delivery.value);
      const timestamp = handleOf(delivery).behind.newestTimestamp();
      const stamp = timestamp < 0 ? undefined : timestamp;
      if (Array.isArray(records))
        this.sendAll(place, records as readonly ProducerRecord<unknown, unknown>[], stamp, producer);
      else {
        const record = sink.encoder.encodeShared(records as ProducerRecord<unknown, unknown>, stamp);
        if (this.isTried(place)) this.attempt(place).pending = 1;
        producer.send(sink.topic, record, this, place);
      }
    } catch (cause) {
      this.failed(cause, place);
    }
  }

  onAcked(_partition: number, _offset: number, _timestamp: number, place: number): void {
    this.stage.countOut(1);
    this.answered(place);
  }

  onRunAcked(records: AckedRecords, from: number, to: number): void {
    this.stage.countOut(to - from);
    for (let at = from; at < to; at++) {
      const place = records.tag(at);
      const isOpen = ((place - this.head) & LAST_PLACE) < this.size;
      if (isOpen && this.states[place & this.mask] === WAITS) this.states[place & this.mask] = PASSES;
      else this.answered(place);
    }
    this.advance();
  }

  onFailed(error: KafkaError, place: number): void {
    this.failed(error, place);
  }

  /** It cannot be serialized. */
  refuse(place: number, cause: unknown): void {
    this.failed(cause, place);
  }

  // Asked for every record of a batch; one claim that lives is enough to keep it.
  isWithdrawn(place: number): boolean {
    const delivery = this.open(place);
    return delivery === undefined ? this.isPossible : handleOf(delivery).behind.everySettlement(isDead);
  }

  onWithdrawn(place: number): void {
    if (this.isTried(place)) {
      this.attempt(place).isWithdrawn = true;
      this.answered(place);
    } else this.withdraw(place);
  }

  /** After a wait. */
  again(place: number): void {
    this.stage.submit(this, place);
  }

  /** Its way is over. */
  end(place: number, passes: boolean): void {
    if (this.open(place) === undefined) return;
    if (this.isTried(place)) this.attempts.delete(place);
    this.states[place & this.mask] = passes ? PASSES : STAYS;
    this.advance();
  }

  /** True when `test` holds for one of them, from the first on. */
  keepsSome(test: (delivery: Delivery<unknown>) => boolean): boolean {
    for (let at = 0; at < this.size; at++)
      if (test(this.deliveries[(this.head + at) & this.mask]!)) return true;
    return false;
  }

  /** Nobody is interested any more. */
  abandon(): void {
    const attempts = new Map(this.attempts);
    this.attempts.clear();
    const { deliveries, head, mask, size } = this;
    this.size = 0;
    this.head = (head + size) & LAST_PLACE;
    for (let at = 0; at < size; at++) {
      const index = (head + at) & mask;
      const delivery = deliveries[index]!;
      deliveries[index] = undefined;
      attempts.get((head + at) & LAST_PLACE)?.wait?.cancel();
      handleOf(delivery).giveUp();
    }
  }

  private sendAll(
    place: number,
    records: readonly ProducerRecord<unknown, unknown>[],
    stamp: number | undefined,
    producer: RecordProducer,
  ): void {
    const { topic, encoder } = this.stage.sink;
    const attempt = this.attempt(place);
    // One more than there are records, until all of them are handed over: an answer may come at once.
    attempt.pending = 1;
    try {
      const encoded = records.map((record) => encoder.encode(record, stamp));
      for (const record of encoded) {
        attempt.pending++;
        try {
          producer.send(topic, record, this, place);
        } catch (cause) {
          attempt.pending--;
          throw cause;
        }
      }
    } catch (cause) {
      // What was handed over before is awaited first: its answers belong to this attempt.
      attempt.error ??= cause;
    }
    this.answered(place);
  }

  private failed(cause: unknown, place: number): void {
    if (this.open(place) === undefined) return;
    const attempt = this.attempt(place);
    if (attempt.pending === 0) attempt.pending = 1;
    attempt.error ??= cause;
    this.answered(place);
  }

  private answered(place: number): void {
    const delivery = this.open(place);
    if (delivery === undefined) return;
    if (!this.isTried(place)) {
      this.end(place, true);
      return;
    }
    const attempt = this.attempt(place);
    if (--attempt.pending > 0) return;
    const { error } = attempt;
    attempt.error = undefined;
    if (attempt.isWithdrawn) this.withdraw(place);
    else if (error !== undefined) this.judge(place, delivery, attempt, error);
    else this.end(place, true);
  }

  private judge(place: number, delivery: Delivery<A>, attempt: Attempt<A>, cause: unknown): void {
    const { name, onError } = this.stage.sink;
    const { value, origins } = delivery;
    const error = new StageError<A>({ stage: name, value, attempt: ++attempt.failures, origins, cause });
    const delayMs = applyPolicy(onError, delivery, error);
    if (delayMs === undefined) this.end(place, false);
    else attempt.wait = new RetryWait(delivery, delayMs, attempt);
  }

  private withdraw(place: number): void {
    const delivery = this.open(place);
    if (delivery !== undefined) handleOf(delivery).giveUp();
    this.end(place, false);
  }

  // Passing one on may settle it, emit the next one and come back here.
  private advance(): void {
    if (this.advancing) return;
    this.advancing = true;
    while (this.size > 0) {
      const at = this.head & this.mask;
      const state = this.states[at]!;
      if ((state & DONE) === 0) break;
      const delivery = this.deliveries[at]!;
      this.deliveries[at] = undefined;
      this.head = (this.head + 1) & LAST_PLACE;
      this.size--;
      this.stage.leave(delivery, (state & STAYS) === 0);
    }
    this.advancing = false;
    if (this.size === 0 && this.mask >= KEPT_WHEN_EMPTY) this.resize(KEPT_WHEN_EMPTY);
    this.stage.advanced();
  }

  /** The delivery at `place`; undefined when its way is over. */
  private open(place: number): Delivery<A> | undefined {
    if (((place - this.head) & LAST_PLACE) >= this.size) return undefined;
    const at = place & this.mask;
    return (this.states[at]! & DONE) === 0 ? this.deliveries[at] : undefined;
  }

  private isTried(place: number): boolean {
    return ((place - this.head) & LAST_PLACE) < this.size && (this.states[place & this.mask]! & TRIED) !== 0;
  }

  private attempt(place: number): Attempt<A> {
    const known = this.attempts.get(place);
    if (known !== undefined) return known;
    const attempt = new Attempt<A>(this, place);
    this.attempts.set(place, attempt);
    this.states[place & this.mask]! |= TRIED;
    return attempt;
  }

  // Capacities are powers of two, so that an index is a mask away.
  private resize(capacity: number): void {
    const deliveries = new Array<Delivery<A> | undefined>(capacity).fill(undefined);
    const states = new Uint8Array(capacity);
    const mask = capacity - 1;
    for (let at = 0; at < this.size; at++) {
      const place = this.head + at;
      deliveries[place & mask] = this.deliveries[place & this.mask];
      states[place & mask] = this.states[place & this.mask]!;
    }
    this.deliveries = deliveries;
    this.states = states;
    this.mask = mask;
  }
}
