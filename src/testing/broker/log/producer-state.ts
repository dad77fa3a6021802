import { ERRORS } from '../../../core/protocol/error-codes.ts';
import type { StoredBatch } from './stored-batch.ts';

const WINDOW_BATCHES = 5;
const SEQUENCES = 2 ** 31;
const NO_SEQUENCE = -1;
/** Kafka has no bound; a hostile client must not be able to fill the memory with producer ids. */
const MAX_PRODUCERS = 100_000;
/** How often producers are looked through for ones to forget (`producer.id.expiration.check.interval.ms`). */
const EXPIRATION_CHECK_MS = 600_000;

interface RememberedBatch {
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly timestamp: number;
}

/** What a partition remembers of one producer. */
export interface ProducerEntry {
  readonly producerId: number;
  epoch: number;
  /** The last batches of this epoch, oldest first, at most five. */
  batches: RememberedBatch[];
  /** Of the coordinator that wrote its last marker, -1 before one. */
  coordinatorEpoch: number;
  lastTimestamp: number;
  /** Of its last record or marker. */
  lastOffset: number;
  /** Of the first record of its transaction that is not over; undefined when none is open here. */
  openFrom: number | undefined;
}

interface FirstSeen {
  readonly epoch: number;
  readonly lowest: number;
  readonly startsAtZero: boolean;
}

/** A transaction that a marker has ended. */
export interface CompletedTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
  /** Of the marker. */
  readonly lastOffset: number;
}

/** The part of a batch that its producer's state depends on. */
export interface ProducedBatch {
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly lastOffsetDelta: number;
  readonly isTransactional: boolean;
}

/** What to do with a batch of an idempotent producer. */
export type SequenceVerdict =
  | { readonly kind: 'append' }
  | { readonly kind: 'duplicate'; readonly baseOffset: number; readonly timestamp: number }
  | RefusedSequence;

interface RefusedSequence {
  readonly kind: 'refused';
  readonly code: number;
  readonly message: string | null;
}

const APPEND: SequenceVerdict = { kind: 'append' };

const refused = (code: number, message: string): RefusedSequence => ({ kind: 'refused', code, message });

/** The sequence number of a batch's last record; numbers go round after 2^31 - 1. */
export function lastSequenceOf(batch: ProducedBatch): number {
  return (batch.baseSequence + batch.lastOffsetDelta) % SEQUENCES;
}

/** The sequence number of the last record of a producer's epoch, -1 when there is none. */
export function lastSequenceKnown(entry: ProducerEntry): number {
  return entry.batches.at(-1)?.lastSequence ?? NO_SEQUENCE;
}

/** What one partition remembers of its idempotent and transactional producers, by Kafka's rules (ProducerStateManager, ProducerAppendInfo). */
export class ProducerStates {
  readonly #entries = new Map<number, ProducerEntry>();
  /** The first offset of each open transaction by producer id; the oldest first, since each begins at the end of the log. */
  readonly #open = new Map<number, number>();
  /** By producer id, what was noted of a producer whose transaction has written nothing yet (Kafka's VerificationStateEntry). */
  readonly #firstSeen = new Map<number, FirstSeen>();
  #checkedTicks = 0;

  get count(): number {
    return this.#entries.size;
  }

  get(producerId: number): ProducerEntry | undefined {
    return this.#entries.get(producerId);
  }

  all(): Iterable<ProducerEntry> {
    return this.#entries.values();
  }

  /** Where the oldest open transaction begins, undefined when none is open. */
  get firstOpenOffset(): number | undefined {
    if (this.#open.size === 0) return undefined;
    return this.#open.values().next().value;
  }

  /** A transaction of this epoch has written here and is not over. */
  isOpen(producerId: number, epoch: number): boolean {
    const entry = this.#entries.get(producerId);
    return entry?.openFrom !== undefined && entry.epoch === epoch;
  }

  /** Refuses a batch of an epoch that is over. */
  checkEpoch({ producerId, producerEpoch }: ProducedBatch): RefusedSequence | undefined {
    const entry = this.#entries.get(producerId);
    if (entry === undefined || producerEpoch >= entry.epoch) return undefined;
    return refused(
      ERRORS.INVALID_PRODUCER_EPOCH,
      `Epoch of producer ${producerId} is ${producerEpoch}, which is smaller than the last seen epoch ${entry.epoch}`,
    );
  }

  /**
   * Notes the first sequence of a batch, before its transaction is asked for. Clients that end each transaction with a new epoch start at
   * 0 where nothing is known of them (`startsAtZero`); the first batch that is noted says which kind of client it is.
   */
  noteFirst({ producerId, producerEpoch: epoch, baseSequence }: ProducedBatch, startsAtZero: boolean): void {
    const seen = this.#firstSeen.get(producerId);
    if (seen === undefined) {
      this.#firstSeen.set(producerId, { epoch, lowest: baseSequence, startsAtZero });
      if (this.#firstSeen.size > MAX_PRODUCERS) this.#firstSeen.delete(this.#firstSeen.keys().next().value!);
    } else if (epoch > seen.epoch) {
      this.#firstSeen.set(producerId, { ...seen, epoch, lowest: baseSequence });
    } else if (epoch === seen.epoch && baseSequence < seen.lowest) {
      this.#firstSeen.set(producerId, { ...seen, lowest: baseSequence });
    }
  }

  /** Checks the first batch of a transaction here: none that came before it may be missing. */
  checkFirst({ producerId, baseSequence }: ProducedBatch): SequenceVerdict {
    const seen = this.#firstSeen.get(producerId);
    if (seen === undefined) return APPEND;
    const isUnknown = (this.#entries.get(producerId)?.batches.length ?? 0) === 0;
    const expected = seen.startsAtZero && isUnknown ? 0 : seen.lowest;
    if (baseSequence <= expected) return APPEND;
    return refused(
      ERRORS.OUT_OF_ORDER_SEQUENCE_NUMBER,
      `Out of order sequence number for producer ${producerId}: incoming ${baseSequence}, expected ${expected}`,
    );
  }

  /** Whether a batch may be appended; `isVerified` when its transaction was asked for. */
  check(batch: ProducedBatch, isVerified = false): SequenceVerdict {
    if (batch.producerId < 0) return APPEND;
    const entry = this.#entries.get(batch.producerId);
    if (batch.isTransactional && !isVerified && !this.isOpen(batch.producerId, batch.producerEpoch)) {
      return (
        this.duplicateOf(batch) ??
        refused(ERRORS.INVALID_TXN_STATE, 'Record was not part of an ongoing transaction')
      );
    }
    // A producer nobody remembers may start anywhere: its records may have been removed by retention.
    if (entry === undefined) return APPEND;
    const verdict = this.#checkSequence(entry, batch);
    if (verdict.kind === 'append' && entry.openFrom !== undefined && !batch.isTransactional) {
      return refused(
        ERRORS.INVALID_TXN_STATE,
        `Expected transactional write from producer ${batch.producerId}`,
      );
    }
    return verdict;
  }

  /** The answer to a batch that is in the log already, undefined when it is not among the last five. */
  duplicateOf(batch: ProducedBatch): (SequenceVerdict & { readonly kind: 'duplicate' }) | undefined {
    const entry = this.#entries.get(batch.producerId);
    if (entry?.epoch !== batch.producerEpoch) return undefined;
    const last = lastSequenceOf(batch);
    for (const known of entry.batches) {
      if (known.firstSequence === batch.baseSequence && known.lastSequence === last) {
        return { kind: 'duplicate', baseOffset: known.baseOffset, timestamp: known.timestamp };
      }
    }
    return undefined;
  }

  /** Remembers an appended batch. */
  record(batch: ProducedBatch, baseOffset: number, timestamp: number): void {
    const { producerId } = batch;
    if (producerId < 0) return;
    const entry = this.#entry(producerId, batch.producerEpoch);
    const lastOffset = baseOffset + batch.lastOffsetDelta;
    const firstSequence = batch.baseSequence;
    const remembered = {
      firstSequence,
      lastSequence: lastSequenceOf(batch),
      baseOffset,
      lastOffset,
      timestamp,
    };
    if (entry.batches.push(remembered) > WINDOW_BATCHES) entry.batches.shift();
    entry.lastTimestamp = timestamp;
    entry.lastOffset = lastOffset;
    if (!batch.isTransactional) return;
    this.#firstSeen.delete(producerId);
    if (entry.openFrom !== undefined) return;
    entry.openFrom = baseOffset;
    this.#open.set(producerId, baseOffset);
  }

  /** Why a marker may not be written, 0 when it may. `isStrict` where every marker must bring a new epoch. */
  checkMarker(
    marker: {
      readonly producerId: number;
      readonly producerEpoch: number;
      readonly coordinatorEpoch: number;
    },
    isStrict: boolean,
  ): number {
    const entry = this.#entries.get(marker.producerId);
    if (entry === undefined) return ERRORS.NONE;
    const isOlder = isStrict ? marker.producerEpoch <= entry.epoch : marker.producerEpoch < entry.epoch;
    if (isOlder) return ERRORS.INVALID_PRODUCER_EPOCH;
    const isZombie = marker.coordinatorEpoch < entry.coordinatorEpoch;
    return isZombie ? ERRORS.TRANSACTION_COORDINATOR_FENCED : ERRORS.NONE;
  }

  /** Remembers a marker; the transaction that it ends, undefined when it ends none. */
  recordMarker(
    marker: {
      readonly producerId: number;
      readonly producerEpoch: number;
      readonly coordinatorEpoch: number;
      readonly timestamp: number;
    },
    offset: number,
  ): CompletedTransaction | undefined {
    const { producerId } = marker;
    const entry = this.#entry(producerId, marker.producerEpoch);
    entry.coordinatorEpoch = marker.coordinatorEpoch;
    entry.lastTimestamp = marker.timestamp;
    entry.lastOffset = offset;
    const firstOffset = entry.openFrom;
    entry.openFrom = undefined;
    this.#open.delete(producerId);
    return firstOffset === undefined ? undefined : { producerId, firstOffset, lastOffset: offset };
  }

  /** Forgets producers without an open transaction whose last record is older than `expirationMs`, as often as Kafka looks. */
  expire(wallNowMs: number, expirationMs: number): void {
    const ticks = Math.floor(wallNowMs / EXPIRATION_CHECK_MS);
    if (ticks === this.#checkedTicks) return;
    this.#checkedTicks = ticks;
    const oldest = ticks * EXPIRATION_CHECK_MS - expirationMs;
    for (const [id, entry] of this.#entries) {
      if (entry.openFrom === undefined && entry.lastTimestamp <= oldest) this.#entries.delete(id);
    }
  }

  /** The log ends at `offset` now; `batches` are those it still has. What is only known from removed records stays known. */
  truncateTo(offset: number, batches: Iterable<StoredBatch>): void {
    const changed = new Set<number>();
    for (const entry of this.#entries.values()) {
      if (entry.lastOffset >= offset || entry.openFrom !== undefined) changed.add(entry.producerId);
    }
    for (const id of changed) this.#entries.delete(id);
    this.#firstSeen.clear();
    for (const id of changed) this.#open.delete(id);
    for (const batch of batches) if (changed.has(batch.producerId)) this.replay(batch);
  }

  /** Remembers a batch that is in the log. */
  replay(batch: StoredBatch): void {
    const { marker, producerId, producerEpoch, maxTimestamp: timestamp } = batch;
    if (producerId < 0) return;
    if (marker !== undefined) {
      const { coordinatorEpoch } = marker;
      this.recordMarker({ producerId, producerEpoch, coordinatorEpoch, timestamp }, batch.baseOffset);
      return;
    }
    const lastOffsetDelta = batch.lastOffset - batch.baseOffset;
    const { baseSequence, isTransactional } = batch;
    this.record(
      { producerId, producerEpoch, baseSequence, lastOffsetDelta, isTransactional },
      batch.baseOffset,
      timestamp,
    );
  }

  /** Puts back what another log of the same records knew. */
  restore(entries: Iterable<ProducerEntry>): void {
    for (const entry of entries) {
      this.#entries.set(entry.producerId, { ...entry, batches: [...entry.batches] });
    }
    const open = [...this.#entries.values()].filter(({ openFrom }) => openFrom !== undefined);
    open.sort((a, b) => a.openFrom! - b.openFrom!);
    for (const { producerId, openFrom } of open) this.#open.set(producerId, openFrom!);
  }

  #checkSequence(entry: ProducerEntry, batch: ProducedBatch): SequenceVerdict {
    const { producerId, producerEpoch, baseSequence } = batch;
    const duplicate = this.duplicateOf(batch);
    if (duplicate !== undefined) return duplicate;
    const fenced = this.checkEpoch(batch);
    if (fenced !== undefined) return fenced;
    const isNewEpoch = producerEpoch > entry.epoch;
    const expected = isNewEpoch ? 0 : (lastSequenceKnown(entry) + 1) % SEQUENCES;
    if (baseSequence === expected) return APPEND;
    const why = isNewEpoch ? 'a new epoch must start with sequence 0' : `expected sequence ${expected}`;
    return refused(
      ERRORS.OUT_OF_ORDER_SEQUENCE_NUMBER,
      `Out of order sequence number for producer ${producerId}: incoming ${baseSequence}, ${why}`,
    );
  }

  /** The producer's entry under this epoch; what belonged to an older one is forgotten. */
  #entry(producerId: number, epoch: number): ProducerEntry {
    let entry = this.#entries.get(producerId);
    if (entry === undefined) {
      entry = {
        producerId,
        epoch,
        batches: [],
        coordinatorEpoch: -1,
        lastTimestamp: -1,
        lastOffset: -1,
        openFrom: undefined,
      };
      this.#entries.set(producerId, entry);
      if (this.#entries.size > MAX_PRODUCERS) this.#forgetOldest();
    }
    if (entry.epoch !== epoch) {
      entry.epoch = epoch;
      entry.batches = [];
    }
    return entry;
  }

  #forgetOldest(): void {
    for (const entry of this.#entries.values()) {
      if (entry.openFrom !== undefined) continue;
      this.#entries.delete(entry.producerId);
      return;
    }
  }
}
