// One claim as a Flow: records come in from the client under credit, go out as root deliveries, and their settling goes back.
import type { Subscriber } from 'rxjs';
import { UsageError, type KafkaError } from '../errors.ts';
import type { Clock } from '../core/clock.ts';
import type { ClaimListener } from '../core/group/claim.ts';
import type { FetchedRecord } from '../core/records/fetched-record.ts';
import type { ConsumerRecord } from '../core/records/types.ts';
import { createClaim, type Claim, type ClaimControls } from '../flow/claim.ts';
import { recordDelivery, type Delivery } from '../flow/delivery.ts';
import type { DeliveryProblem, Settlement, SourceCommitter, Verdict } from '../flow/settlement.ts';
import type { RecordDecoder } from './decoder.ts';
import { WaitingRecords, type Prepared } from './waiting-records.ts';

/** What a claim of the client offers, with a group or without. */
export interface SourceClaim extends ClaimControls {
  readonly revoking: AbortSignal;
  readonly lost: AbortSignal;
  /** Reads the clock, see `GroupClaim.dead`. */
  readonly dead: boolean;
  readonly inFlightRecords: number;
  readonly startMetadata: string;
  commitMetadata: string;
  /** Undefined where nothing is committed. */
  readonly describeCommits?: ((describe: (offset: number) => string) => void) | undefined;
  unsettledBetween?(from: number, to: number): readonly number[];
  start(listener: ClaimListener): void;
  settle(sequence: number): void;
  hold(sequence: number): void;
  /** Nobody reads it any more, though it goes on; without it, it is paused. */
  leave?(): void;
}

/** What the source that a claim belongs to decides. */
export interface ClaimOwner {
  readonly clock: Clock;
  /** Undefined where nothing is committed. */
  readonly committer: SourceCommitter | undefined;
  countIn(): void;
  /** A record is left unsettled though nobody holds it: refused, or given up. */
  countLeft(): void;
  /** A delivery was refused and no stage's policy took it. */
  onRejected(cause: unknown, verdict: Verdict, rewindDelayMs: number | undefined): void;
  /** How often the partition was rewound since its commit point last moved. */
  readonly rewinds: number;
  onProblem(problem: DeliveryProblem): void;
  /** The claim cannot read on. */
  onBroken(error: KafkaError): void;
  /** A record that does not decode, as a raw delivery for the decode policy. */
  onUndecodable(delivery: Delivery<ConsumerRecord>, cause: unknown): void;
  /** Resolves when everything sent for this claim is answered. */
  sent(): Promise<void>;
}

class ClaimSource implements Settlement, ClaimControls, Prepared {
  readonly source: string;
  readonly claimEpoch: number;
  readonly clock: Clock;
  readonly committer: SourceCommitter | undefined;
  readonly describeCommits: Settlement['describeCommits'];
  pressed = false;
  refused = false;
  subscriber: Subscriber<Delivery<ConsumerRecord<unknown, unknown>>> | undefined;
  private readonly claim: SourceClaim;
  private readonly owner: ClaimOwner;
  private readonly decoder: RecordDecoder;
  private readonly pressureListeners = new Set<() => void>();
  private readonly waiting: WaitingRecords;
  private paused = false;
  private atEnd = false;
  private over = false;
  private handing = false;
  private completing = false;
  private wasDead = false;
  private lookedWhetherDead = false;
  private readonly lookAgain = (): void => {
    this.lookedWhetherDead = false;
  };

  constructor(claim: SourceClaim, decoder: RecordDecoder, owner: ClaimOwner) {
    this.claim = claim;
    this.owner = owner;
    this.decoder = decoder;
    this.clock = owner.clock;
    this.committer = owner.committer;
    this.describeCommits = claim.describeCommits?.bind(claim);
    this.waiting = new WaitingRecords(this, owner.clock);
    this.claimEpoch = claim.claimEpoch;
    this.source = `${claim.topic}-${claim.partition}`;
  }

  get topic(): string {
    return this.claim.topic;
  }

  get partition(): number {
    return this.claim.partition;
  }

  get generation(): number {
    return this.claim.generation;
  }

  get startOffset(): number {
    return this.claim.startOffset;
  }

  get position(): number {
    return this.claim.position;
  }

  get committedOffset(): number | undefined {
    return this.claim.committedOffset;
  }

  get highWatermark(): number {
    return this.claim.highWatermark;
  }

  get lag(): number {
    return this.claim.lag;
  }

  get revoking(): AbortSignal {
    return this.claim.revoking;
  }

  get lost(): AbortSignal {
    return this.claim.lost;
  }

  // Reads the clock once per run of code: a sink asks for each record of a batch.
  get dead(): boolean {
    if (this.lookedWhetherDead) return this.wasDead;
    this.wasDead = this.claim.dead;
    this.lookedWhetherDead = true;
    queueMicrotask(this.lookAgain);
    return this.wasDead;
  }

  get inFlight(): number {
    return this.claim.inFlightRecords;
  }

  get startMetadata(): string {
    return this.claim.startMetadata;
  }

  get caughtUp(): boolean {
    const { highWatermark, position } = this.claim;
    const isReading = !this.paused && !this.pressed && this.waiting.size === 0;
    return isReading && highWatermark >= 0 && position >= highWatermark;
  }

  get rewinds(): number {
    return this.owner.rewinds;
  }

  unsettledBetween(from: number, to: number): readonly number[] {
    return this.claim.unsettledBetween?.(from, to) ?? [];
  }

  pause(): void {
    this.paused = true;
    this.waiting.pause();
    this.claim.pause();
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    this.claim.resume();
    this.waiting.resume();
  }

  // Records that wait for their deserializer are gone past, like those not read yet: settled, or they would pin the commit point.
  seek(offset: number): void {
    this.claim.seek(offset);
    this.atEnd = false;
    this.waiting.clear((sequence) => this.settle(sequence));
  }

  settle(sequence: number): void {
    this.claim.settle(sequence);
  }

  hold(sequence: number): void {
    this.claim.hold(sequence);
  }

  // A held record pins the commit point and is not waited for: just what is wanted of one that nobody is going to settle.
  giveUp(sequence: number, held: boolean): void {
    this.refused = true;
    if (held) return;
    // What is left of a lost claim is its next owner's.
    if (!this.claim.lost.aborted) this.owner.countLeft();
    this.claim.hold(sequence);
  }

  reject(sequence: number, cause: unknown, verdict: Verdict, rewindDelayMs?: number): void {
    this.giveUp(sequence, false);
    this.owner.onRejected(cause, verdict, rewindDelayMs);
  }

  report(problem: DeliveryProblem): void {
    this.owner.onProblem(problem);
  }

  onPressure(listener: () => void): () => void {
    this.pressureListeners.add(listener);
    return () => this.pressureListeners.delete(listener);
  }

  start(): void {
    this.claim.start({
      onRecord: (record, sequence) => this.take(record, sequence),
      onPressure: () => this.press(),
      onRevoking: () => this.complete(),
      onLost: () => this.complete(),
      onEnd: () => this.end(),
      onError: (error) => this.owner.onBroken(error),
      onRewinding: () => this.owner.sent(),
    });
  }

  /** Nobody listens any more: what is still read is left to the next owner. */
  leave(): void {
    this.subscriber = undefined;
    this.giveUpWaiting();
    if (this.over) return;
    this.over = true;
    if (this.claim.leave === undefined) this.claim.pause();
    else this.claim.leave();
  }

  handOver(record: FetchedRecord, sequence: number): void {
    let value: ConsumerRecord<unknown, unknown>;
    try {
      value = this.decoder.decode(record);
    } catch (cause) {
      this.refuse(record, sequence, cause);
      return;
    }
    this.hand(recordDelivery(value, this, sequence, record));
  }

  onNoneWaiting(): void {
    if (this.atEnd) this.complete();
  }

  refuse(record: FetchedRecord, sequence: number, cause: unknown): void {
    const delivery = recordDelivery<ConsumerRecord>(record, this, sequence, record);
    this.owner.onUndecodable(delivery, cause);
  }

  private take(record: FetchedRecord, sequence: number): void {
    this.pressed = false;
    this.owner.countIn();
    if (this.subscriber === undefined) {
      this.giveUp(sequence, false);
      return;
    }
    if (!this.decoder.needed) {
      this.hand(recordDelivery(record, this, sequence, record));
      return;
    }
    const ready = this.decoder.prepare(record);
    if (ready === undefined && this.waiting.size === 0) this.handOver(record, sequence);
    else this.waiting.push(record, sequence, ready);
  }

  // A stage may end the claim from within, by a drain or a failure: its own record is still on its way then, and the end comes behind it.
  private hand(delivery: Delivery<ConsumerRecord<unknown, unknown>>): void {
    this.handing = true;
    this.subscriber?.next(delivery);
    this.handing = false;
    if (this.completing) this.subscriber?.complete();
  }

  private press(): void {
    this.pressed = true;
    for (const listener of this.pressureListeners) listener();
  }

  /** All was read; what waits is still to be handed over. */
  private end(): void {
    this.atEnd = true;
    if (this.waiting.size === 0) this.complete();
  }

  private complete(): void {
    this.over = true;
    this.completing = true;
    this.giveUpWaiting();
    if (!this.handing) this.subscriber?.complete();
  }

  // Records that wait for their deserializer were not handed over to anyone: they stay unsettled and are read again by the next owner.
  private giveUpWaiting(): void {
    this.waiting.clear((sequence) => this.giveUp(sequence, false));
  }
}

/** The Flow of one claim; it starts to read when it is subscribed. */
export function claimFlow(
  claim: SourceClaim,
  decoder: RecordDecoder,
  owner: ClaimOwner,
): Claim<ConsumerRecord<unknown, unknown>> {
  const source = new ClaimSource(claim, decoder, owner);
  let subscribed = false;
  return createClaim<ConsumerRecord<unknown, unknown>>(source, (subscriber) => {
    if (subscribed) {
      throw new UsageError(
        `the claim of ${source.source} is subscribed a second time: its records can be settled only once. Use fanOut(...) to send them several ways`,
      );
    }
    subscribed = true;
    // Taken by its reader only after it was over.
    if (claim.revoking.aborted || claim.lost.aborted) {
      subscriber.complete();
      return;
    }
    source.subscriber = subscriber;
    subscriber.add(() => source.leave());
    source.start();
  });
}
