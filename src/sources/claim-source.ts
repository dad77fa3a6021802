// One claim as a Flow: records come in from the client under credit, go out as root deliveries, and their settling goes back.
import type { Subscriber } from 'rxjs';
import type { KafkaError } from '../errors.ts';
import type { Clock } from '../core/clock.ts';
import type { ClaimListener } from '../core/group/claim.ts';
import type { FetchedRecord } from '../core/records/fetched-record.ts';
import type { ConsumerRecord } from '../core/records/types.ts';
import { createClaim, type Claim, type ClaimControls } from '../flow/claim.ts';
import { rootDelivery, type Delivery } from '../flow/delivery.ts';
import type { DeliveryProblem, Settlement, Verdict } from '../flow/settlement.ts';
import type { Decoder } from './decoder.ts';

/** What a claim of the client offers, with a group or without. */
export interface SourceClaim extends ClaimControls {
  readonly revoking: AbortSignal;
  readonly lost: AbortSignal;
  /** Reads the clock, see `GroupClaim.dead`. */
  readonly dead: boolean;
  readonly inFlightRecords: number;
  readonly startMetadata: string;
  commitMetadata: string;
  start(listener: ClaimListener): void;
  settle(sequence: number): void;
  hold(sequence: number): void;
}

/** What the source that a claim belongs to decides. */
export interface ClaimOwner {
  readonly clock: Clock;
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

interface Waiting {
  readonly record: FetchedRecord;
  readonly sequence: number;
  readonly ready: Promise<unknown> | undefined;
}

class ClaimSource implements Settlement, ClaimControls {
  readonly source: string;
  readonly claimEpoch: number;
  readonly clock: Clock;
  pressed = false;
  subscriber: Subscriber<Delivery<ConsumerRecord<unknown, unknown>>> | undefined;
  private readonly claim: SourceClaim;
  private readonly owner: ClaimOwner;
  private readonly decoder: Decoder;
  private readonly pressureListeners = new Set<() => void>();
  private waiting: Waiting[] = [];
  private paused = false;
  private wasDead = false;
  private lookedWhetherDead = false;
  private readonly lookAgain = (): void => {
    this.lookedWhetherDead = false;
  };

  constructor(claim: SourceClaim, decoder: Decoder, owner: ClaimOwner) {
    this.claim = claim;
    this.owner = owner;
    this.decoder = decoder;
    this.clock = owner.clock;
    this.claimEpoch = claim.claimEpoch;
    this.source = `${claim.topic}-${claim.partition}`;
  }

  get topic(): string {
    return this.claim.topic;
  }

  get partition(): number {
    return this.claim.partition;
  }

  get startOffset(): number {
    return this.claim.startOffset;
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

  get commitMetadata(): string {
    return this.claim.commitMetadata;
  }

  set commitMetadata(metadata: string) {
    this.claim.commitMetadata = metadata;
  }

  get rewinds(): number {
    return this.owner.rewinds;
  }

  pause(): void {
    this.paused = true;
    this.claim.pause();
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    this.claim.resume();
    // Not now: a stage may be calling, with its record still on the way.
    queueMicrotask(() => this.awaitFirst());
  }

  // Records that wait for their deserializer are gone past, like those not read yet: settled, or they would pin the commit point.
  seek(offset: number): void {
    this.claim.seek(offset);
    const { waiting } = this;
    this.waiting = [];
    for (const { sequence } of waiting) this.settle(sequence);
  }

  settle(sequence: number): void {
    this.claim.settle(sequence);
  }

  hold(sequence: number): void {
    this.claim.hold(sequence);
  }

  // A held record pins the commit point and is not waited for: just what is wanted of one that nobody is going to settle.
  giveUp(sequence: number, held: boolean): void {
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
      onEnd: () => this.complete(),
      onError: (error) => this.owner.onBroken(error),
      onRewinding: () => this.owner.sent(),
    });
  }

  private take(record: FetchedRecord, sequence: number): void {
    this.pressed = false;
    this.owner.countIn();
    if (!this.decoder.needed) {
      this.subscriber?.next(rootDelivery(record, this, sequence, record.bytes, record));
      return;
    }
    const ready = this.decoder.prepare(record);
    if (ready === undefined && this.waiting.length === 0) this.handOver(record, sequence);
    else this.await({ record, sequence, ready });
  }

  private press(): void {
    this.pressed = true;
    for (const listener of this.pressureListeners) listener();
  }

  private complete(): void {
    // Records that wait for their deserializer were not handed over to anyone: they stay unsettled and are read again by the next owner.
    for (const { sequence } of this.waiting) this.giveUp(sequence, false);
    this.waiting = [];
    this.subscriber?.complete();
  }

  private handOver(record: FetchedRecord, sequence: number): void {
    let value: ConsumerRecord<unknown, unknown>;
    try {
      value = this.decoder.decode(record);
    } catch (cause) {
      this.refuse(record, sequence, cause);
      return;
    }
    this.subscriber?.next(rootDelivery(value, this, sequence, record.bytes, record));
  }

  private refuse(record: FetchedRecord, sequence: number, cause: unknown): void {
    const delivery = rootDelivery<ConsumerRecord>(record, this, sequence, record.bytes, record);
    this.owner.onUndecodable(delivery, cause);
  }

  private await(waiting: Waiting): void {
    this.waiting.push(waiting);
    if (this.waiting.length === 1) this.awaitFirst();
  }

  /** Hands over, in order, what waits, up to the first record that is not ready. */
  private awaitFirst(): void {
    while (!this.paused) {
      const first = this.waiting[0];
      if (first === undefined) return;
      if (first.ready !== undefined) {
        first.ready.then(
          () => this.takeFirst(first, () => this.handOver(first.record, first.sequence)),
          (cause: unknown) => this.takeFirst(first, () => this.refuse(first.record, first.sequence, cause)),
        );
        return;
      }
      this.waiting.shift();
      this.handOver(first.record, first.sequence);
    }
  }

  /** Nothing when it is not the first any more, or the claim is paused: `resume()` asks again. */
  private takeFirst(first: Waiting, take: () => void): void {
    if (this.paused || this.waiting[0] !== first) return;
    this.waiting.shift();
    take();
    this.awaitFirst();
  }
}

/** The Flow of one claim; it starts to read when it is subscribed. */
export function claimFlow(
  claim: SourceClaim,
  decoder: Decoder,
  owner: ClaimOwner,
): Claim<ConsumerRecord<unknown, unknown>> {
  const source = new ClaimSource(claim, decoder, owner);
  return createClaim<ConsumerRecord<unknown, unknown>>(source, (subscriber) => {
    source.subscriber = subscriber;
    subscriber.add(() => {
      source.subscriber = undefined;
    });
    source.start();
  });
}
