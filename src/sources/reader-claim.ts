// A partition read without a group, in the clothes of a claim: nobody takes it away, but a drain revokes it and a rewind starts it over.
import type { ClaimListener } from '../core/group/claim.ts';
import type { ClaimedReader } from '../core/group/partition-claim.ts';
import { sharedAbort } from '../core/shared-abort.ts';
import { ClaimLostError } from '../errors.ts';
import type { RewindableClaim } from './claim-keeper.ts';

/** What its source does about it. */
export interface ReaderClaimOwner {
  onRewind(claim: ReaderClaim, delayMs: number): void;
  /** Nothing more is handed over: it is read to its end, or nobody reads it any more. */
  onEnd(claim: ReaderClaim): void;
}

/** One reading of a reader, from a start or a rewind to the next. */
export class ReaderClaim implements RewindableClaim {
  readonly topic: string;
  readonly partition: number;
  readonly claimEpoch: number;
  readonly startOffset: number;
  readonly revoking: AbortSignal;
  readonly lost: AbortSignal;
  readonly generation = -1;
  readonly committedOffset = undefined;
  readonly startMetadata = '';
  commitMetadata = '';
  private readonly reader: ClaimedReader;
  private readonly owner: ReaderClaimOwner;
  private readonly revokingController = sharedAbort();
  private readonly lostController = sharedAbort();
  private listener: ClaimListener | undefined;

  constructor(reader: ClaimedReader, owner: ReaderClaimOwner) {
    this.reader = reader;
    this.topic = reader.topic;
    this.partition = reader.partition;
    this.claimEpoch = reader.claimEpoch;
    this.startOffset = reader.startOffset;
    this.owner = owner;
    this.revoking = this.revokingController.signal;
    this.lost = this.lostController.signal;
  }

  get position(): number {
    return this.reader.position;
  }

  get highWatermark(): number {
    return this.reader.highWatermark;
  }

  get lag(): number {
    return this.reader.lag;
  }

  get inFlightRecords(): number {
    return this.isCurrent() ? this.reader.inFlightRecords : 0;
  }

  get dead(): boolean {
    return this.lost.aborted;
  }

  start(listener: ClaimListener): void {
    this.listener = listener;
    this.reader.start({
      onRecord: (record, sequence) => listener.onRecord(record, sequence),
      onPressure: () => listener.onPressure(),
      onError: (error) => listener.onError(error),
      onEnd: () => {
        listener.onEnd();
        this.owner.onEnd(this);
      },
    });
  }

  settle(sequence: number): void {
    this.reader.settle(sequence);
  }

  hold(sequence: number): void {
    this.reader.hold(sequence);
  }

  pause(): void {
    if (this.isCurrent()) this.reader.pause();
  }

  resume(): void {
    if (this.isCurrent()) this.reader.resume();
  }

  leave(): void {
    if (!this.isCurrent()) return;
    this.reader.pause();
    this.owner.onEnd(this);
  }

  seek(offset: number): void {
    if (this.isCurrent()) this.reader.seek(offset);
  }

  rewind(delayMs: number): void {
    if (!this.isCurrent() || this.revoking.aborted) return;
    this.lose('rewound to its first unsettled record');
    this.owner.onRewind(this, delayMs);
  }

  /** Everything sent for it is answered. */
  async sent(): Promise<void> {
    await this.listener?.onRewinding?.();
  }

  revoke(): void {
    if (this.revoking.aborted || this.lost.aborted) return;
    this.reader.closeGate();
    this.revokingController.abort();
    this.listener?.onRevoking();
  }

  lose(why: string): void {
    if (this.lost.aborted) return;
    this.reader.closeGate();
    const { topic, partition } = this;
    const firstUnsettled = this.reader.firstUnsettled() ?? this.reader.position;
    const error = new ClaimLostError(`${topic}-${partition} was ${why}`, {
      topic,
      partition,
      firstUnsettled,
    });
    this.lostController.abort(error);
    this.listener?.onLost(error);
  }

  private isCurrent(): boolean {
    return !this.lost.aborted && this.reader.claimEpoch === this.claimEpoch;
  }
}
