// The identity under which a partition's batches are sent: producer id, epoch and the next sequence number.
//
// An epoch is bumped here and not by a request: for a producer without a transactional id a broker learns of an epoch from the first batch that
// carries it (KIP-360), and refuses the older epoch on that partition from then on. So a copy of a given-up batch that is still on its way can
// come before what follows it, never after or between. Each partition has its own epoch, so no partition waits for another.

/** What InitProducerId gives. */
export interface ProducerIdentity {
  readonly producerId: number;
  readonly producerEpoch: number;
}

/**
 * - `own`: each partition counts its own epochs, see above.
 * - `given`: epochs come from a transaction coordinator; a partition that cannot go on under its own waits for the next.
 * - `none`: no producer id, no sequence: the producer is not idempotent.
 */
export type Numbering = 'own' | 'given' | 'none';

const MAX_EPOCH = 0x7fff;
const SEQUENCE_MASK = 0x7fffffff;

/** Hands out the sequence numbers of one partition. */
export class Sequence {
  /** -1 until assigned. */
  producerId = -1;
  producerEpoch = -1;
  /** The producer id that must not be used here any more; -1 when none. */
  retiredId = -1;
  /** The number the next batch begins with. */
  next = 0;
  readonly numbering: Numbering;
  private keptId = -1;
  private keptEpoch = -1;

  constructor(numbering: Numbering = 'own') {
    this.numbering = numbering;
  }

  get assigned(): boolean {
    return this.producerId >= 0 || this.numbering === 'none';
  }

  /** True when the log has not heard of this identity: it is another than the one that was put away. */
  assign(identity: ProducerIdentity): boolean {
    const { producerId, producerEpoch } = identity;
    const isNew = producerId !== this.keptId || producerEpoch !== this.keptEpoch;
    if (isNew) this.next = 0;
    this.producerId = producerId;
    this.producerEpoch = producerEpoch;
    this.keptId = -1;
    return isNew;
  }

  /** Puts the identity away until it is assigned again: then the numbers go on, under any other they start at 0. */
  putAway(): void {
    this.keptId = this.producerId;
    this.keptEpoch = this.producerEpoch;
    this.producerId = -1;
    this.producerEpoch = -1;
  }

  /** The first of `count` numbers, which go from 0 to 2^31-1 and round. */
  take(count: number): number {
    if (this.numbering === 'none') return -1;
    const first = this.next;
    this.next = sequenceAfter(first, count);
    return first;
  }

  /** Starts again at 0 under the next epoch; with no epoch left (after 32,767 gaps), a new producer id is needed, which shuts nothing out. */
  bump(): void {
    if (this.numbering === 'none') return;
    if (this.producerEpoch >= MAX_EPOCH || this.numbering === 'given') this.retire();
    else this.producerEpoch += 1;
    this.next = 0;
  }

  /**
   * Goes on where the numbers of another log by the same name end, under the next epoch: a broker that is written to by name may have taken some of
   * those for this log, and would take the same numbers again for repetitions.
   */
  succeed(former: Sequence): void {
    if (this.numbering !== 'own' || !former.assigned) return;
    this.producerId = former.producerId;
    this.producerEpoch = former.producerEpoch;
    this.bump();
  }

  /** Gives the producer id up; another one must be assigned. */
  retire(): void {
    this.retiredId = this.producerId;
    this.producerId = -1;
    this.producerEpoch = -1;
    this.next = 0;
  }
}

/** The sequence number `count` after `first`, as Kafka wraps it. */
export function sequenceAfter(first: number, count: number): number {
  return (first + count) & SEQUENCE_MASK;
}
