// The claim object that the layers above hold; owned-partition.ts moves it through its life.

import { ClaimLostError } from '../../errors.ts';
import type { PartitionReader } from '../consumer/partition-reader.ts';
import { sharedAbort } from '../shared-abort.ts';
import type { ClaimListener, GroupClaim } from './claim.ts';

/** What a claim asks of the one who owns it. */
export interface ClaimOwner {
  /** True when the session is over by the clock; the claims are lost by then. */
  checkSession(): boolean;
  readonly generation: number;
  readonly committedOffset: number | undefined;
  rewind(claim: PartitionClaim, delayMs: number): void;
}

/** What of a reader its claims need: a double has no more. */
export type ClaimedReader = Pick<
  PartitionReader,
  | 'topic'
  | 'partition'
  | 'claimEpoch'
  | 'startOffset'
  | 'commitMetadata'
  | 'position'
  | 'highWatermark'
  | 'lag'
  | 'inFlightRecords'
  | 'inFlightBytes'
  | 'unsettledCount'
  | 'lateSettles'
  | 'start'
  | 'settle'
  | 'hold'
  | 'pause'
  | 'resume'
  | 'seek'
  | 'firstUnsettled'
  | 'oldestUnsettledAgeMs'
  | 'commitPoint'
  | 'whenIdle'
  | 'closeGate'
  | 'reset'
  | 'close'
> &
  Partial<Pick<PartitionReader, 'unsettledBetween'>>;

/** 'open' until it is told otherwise; 'revoking' while what is in flight may still settle. */
export type ClaimPhase = 'open' | 'revoking' | 'released' | 'lost';

/** One claim epoch of one partition. */
export class PartitionClaim implements GroupClaim {
  readonly topic: string;
  readonly partition: number;
  readonly claimEpoch: number;
  readonly startOffset: number;
  readonly startMetadata: string;
  phase: ClaimPhase = 'open';
  listener: ClaimListener | undefined;
  private readonly reader: ClaimedReader;
  private readonly owner: ClaimOwner;
  private describe: ((offset: number) => string) | undefined;
  private readonly revokingController = sharedAbort();
  private readonly lostController = sharedAbort();

  constructor(reader: ClaimedReader, owner: ClaimOwner) {
    this.reader = reader;
    this.owner = owner;
    this.topic = reader.topic;
    this.partition = reader.partition;
    this.claimEpoch = reader.claimEpoch;
    this.startOffset = reader.startOffset;
    this.startMetadata = reader.commitMetadata;
  }

  get generation(): number {
    return this.owner.generation;
  }

  get committedOffset(): number | undefined {
    return this.owner.committedOffset;
  }

  get commitMetadata(): string {
    return this.reader.commitMetadata;
  }

  set commitMetadata(metadata: string) {
    if (this.phase === 'open' || this.phase === 'revoking') this.reader.commitMetadata = metadata;
  }

  describeCommits(describe: (offset: number) => string): void {
    this.describe = describe;
  }

  /** The metadata of a commit of `offset`. */
  metadataAt(offset: number): string {
    return this.describe?.(offset) ?? this.reader.commitMetadata;
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
    return this.reader.inFlightRecords;
  }

  get inFlightBytes(): number {
    return this.reader.inFlightBytes;
  }

  get unsettledRecords(): number {
    return this.reader.unsettledCount;
  }

  get lateSettles(): number {
    return this.reader.lateSettles;
  }

  get revoking(): AbortSignal {
    return this.revokingController.signal;
  }

  get lost(): AbortSignal {
    return this.lostController.signal;
  }

  get dead(): boolean {
    if (this.phase === 'open' || this.phase === 'revoking') return this.owner.checkSession();
    return true;
  }

  start(listener: ClaimListener): void {
    this.listener = listener;
    if (this.phase === 'open') this.reader.start(listener);
  }

  settle(sequence: number): void {
    this.reader.settle(sequence);
  }

  hold(sequence: number): void {
    this.reader.hold(sequence);
  }

  pause(): void {
    if (this.phase === 'open') this.reader.pause();
  }

  resume(): void {
    if (this.phase === 'open') this.reader.resume();
  }

  seek(offset: number): void {
    if (this.phase === 'open') this.reader.seek(offset);
  }

  rewind(delayMs: number): void {
    if (this.phase === 'open') this.owner.rewind(this, delayMs);
  }

  oldestUnsettledAgeMs(): number {
    return this.reader.oldestUnsettledAgeMs();
  }

  unsettledBetween(from: number, to: number): readonly number[] {
    return this.reader.unsettledBetween?.(from, to) ?? [];
  }

  firstUnsettled(): number | undefined {
    return this.reader.firstUnsettled();
  }

  /** The gate is closed by now. */
  toRevoking(reason: string): void {
    this.phase = 'revoking';
    this.revokingController.abort(reason);
    this.listener?.onRevoking();
  }

  toReleased(): void {
    if (this.phase !== 'lost') this.phase = 'released';
  }

  toLost(why: string, cause: unknown): void {
    if (this.phase === 'lost' || this.phase === 'released') return;
    this.phase = 'lost';
    const { topic, partition } = this;
    const firstUnsettled = this.firstUnsettled() ?? this.position;
    const error = new ClaimLostError(
      `The claim on ${topic}-${partition} (claim epoch ${this.claimEpoch}) ended: ${why}; the first unsettled offset is ${firstUnsettled}`,
      { topic, partition, firstUnsettled, cause },
    );
    this.lostController.abort(error);
    this.listener?.onLost(error);
  }
}
