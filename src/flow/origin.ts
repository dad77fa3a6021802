import type { ConsumerRecord } from '../core/records/types.ts';
import type { Settlement, SourceCommitter } from './settlement.ts';

/** A record behind a delivery, with the claim it belongs to. */
export interface Origin {
  /** Undefined for a value of a plain source. */
  readonly record: ConsumerRecord | undefined;
  readonly source: string;
  /** The record's number within its claim epoch. */
  readonly sequence: number;
  readonly claimEpoch: number;
  /** The record's size on the wire. */
  readonly bytes: number;
  /** Aborted when the claim is being given away or drained: finish soon. */
  readonly revoking: AbortSignal;
  /** Aborted when the claim is gone: nothing of it can be committed any more. */
  readonly lost: AbortSignal;
}

/** Made when `origins` is read: no delivery carries it, and it keeps none alive. */
export class OriginView implements Origin {
  readonly record: ConsumerRecord | undefined;
  readonly sequence: number;
  readonly bytes: number;
  private readonly settlement: Settlement;

  constructor(settlement: Settlement, sequence: number, bytes: number, record: ConsumerRecord | undefined) {
    this.settlement = settlement;
    this.sequence = sequence;
    this.bytes = bytes;
    this.record = record;
  }

  get source(): string {
    return this.settlement.source;
  }

  /** Its commits; undefined where nothing is committed. */
  get committer(): SourceCommitter | undefined {
    return this.settlement.committer;
  }

  /** A commit covers it: it is not read again from there. */
  get isCommitted(): boolean {
    const { committedOffset } = this.settlement;
    return this.record !== undefined && committedOffset !== undefined && this.record.offset < committedOffset;
  }

  /** Nothing of its claim is committed any more. */
  get isDead(): boolean {
    return this.settlement.dead ?? this.settlement.lost.aborted;
  }

  get claimEpoch(): number {
    return this.settlement.claimEpoch;
  }

  get revoking(): AbortSignal {
    return this.settlement.revoking;
  }

  get lost(): AbortSignal {
    return this.settlement.lost;
  }
}
