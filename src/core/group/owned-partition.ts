// One partition while this member owns it: its reader, its claims one after another, its commit point.

import { delay, type Clock } from '../clock.ts';
import { unlessLate } from '../cluster/waiting.ts';
import type { GroupClaim } from './claim.ts';
import type { CommitSource } from './commit-schedule.ts';
import type { OffsetPoint } from './committer.ts';
import type { PartitionSummary } from './listener.ts';
import { PartitionClaim, type ClaimedReader, type ClaimOwner } from './partition-claim.ts';

/** What an owned partition needs from, and tells, the consumer around it. */
export interface PartitionHost {
  readonly clock: Clock;
  checkSession(): boolean;
  generation(): number;
  onClaim(claim: GroupClaim): void;
  /** As `Committer.undoes`. */
  readonly undoes?: boolean;
}

/** Moves the claims of one partition through revoke, loss and rewind. */
export class OwnedPartition implements CommitSource, ClaimOwner {
  readonly reader: ClaimedReader;
  claim: PartitionClaim;
  committedOffset: number | undefined;
  private readonly host: PartitionHost;
  /** It is being given up: nothing of it starts over. */
  private closing = false;
  /** A rewind that is under way. */
  private rewinding: { readonly stop: AbortController; readonly sent: Promise<void> } | undefined;
  /** What is not committed was undone: it counts as never done. */
  private undone = false;
  private readonly firstOffset: number;
  /** How it stood when it ended. */
  private ending:
    { readonly point: OffsetPoint; readonly summary: Omit<PartitionSummary, 'committedOffset'> } | undefined;

  constructor(reader: ClaimedReader, committedOffset: number | undefined, host: PartitionHost) {
    this.reader = reader;
    this.committedOffset = committedOffset;
    this.host = host;
    this.firstOffset = reader.startOffset;
    this.claim = new PartitionClaim(reader, this);
  }

  /** It is being given up. */
  get isClosing(): boolean {
    return this.closing;
  }

  get isOver(): boolean {
    return this.ending !== undefined;
  }

  /** Where it may be committed; stands still once the partition is given up. */
  point(): OffsetPoint {
    const { topic, partition } = this.reader;
    if (this.undone)
      return { topic, partition, offset: this.undoneTo, leaderEpoch: -1, metadata: this.claim.startMetadata };
    if (this.ending !== undefined) return this.ending.point;
    const { offset, leaderEpoch } = this.reader.commitPoint();
    return { topic, partition, offset, leaderEpoch, metadata: this.claim.metadataAt(offset) };
  }

  /** Nothing behind what is committed is ever committed, unless it is read again: the transaction it belongs to is undone. */
  undo(): void {
    this.undone = true;
  }

  private get undoneTo(): number {
    return this.committedOffset ?? this.firstOffset;
  }

  checkSession(): boolean {
    return this.host.checkSession();
  }

  get generation(): number {
    return this.host.generation();
  }

  /** The first part of giving up: nothing more is handed over. For all partitions, before any of them flushes. */
  closeGate(): void {
    this.closing = true;
    this.reader.closeGate();
    this.rewinding?.stop.abort();
  }

  /** The second: the layers above complete and flush. */
  revoke(reason: string): void {
    if (this.claim.phase === 'open') this.claim.toRevoking(reason);
  }

  /**
   * Resolves true when nothing is in flight any more (what is held may be unsettled), false when the signal came first. Of a claim that is
   * being rewound only what was already sent is waited for: the rest comes again anyway.
   */
  async whenDrained(signal: AbortSignal): Promise<boolean> {
    const drained = this.rewinding?.sent ?? this.reader.whenIdle(signal);
    return (await this.unlessAborted(drained, signal)) && !this.isOver;
  }

  /** It is committed, and another member's from now on. */
  release(): void {
    if (this.isOver) return;
    this.end(false);
    this.claim.toReleased();
    this.reader.close();
  }

  /**
   * Dead at once. Its commit point stands still; whether that may still be committed is the caller's to know. `toGroup` says whether the
   * group has taken the partition away.
   */
  lose(why: string, toGroup: boolean, cause?: unknown): void {
    if (this.isOver) return;
    this.reader.closeGate();
    this.rewinding?.stop.abort();
    this.end(toGroup);
    this.claim.toLost(why, cause);
    this.reader.close();
  }

  /** What was already sent may still be answered and settled; then the partition starts over at its commit point with a new claim. */
  rewind(claim: PartitionClaim, delayMs: number): void {
    if (this.isOver || this.closing || claim !== this.claim || this.rewinding !== undefined) return;
    const stop = new AbortController();
    let tellSent: (sent: Promise<void> | undefined) => void = () => undefined;
    const sent = new Promise<void>((resolve) => {
      tellSent = resolve;
    }).catch(() => undefined);
    // Under way before anybody hears of it: what the loss sets off may be the end of the whole partition.
    this.rewinding = { stop, sent };
    this.reader.closeGate();
    claim.toLost(`it starts over at its commit point in ${delayMs} ms`, undefined);
    // A sink that cannot tell what became of what it sent has nothing to wait for.
    tellSent(claim.listener?.onRewinding?.());
    void this.startOver(sent, delayMs, stop.signal);
  }

  summary(): PartitionSummary {
    const standing = this.ending?.summary ?? this.standing(false);
    return { ...standing, committedOffset: this.committedOffset };
  }

  private async startOver(sent: Promise<void>, delayMs: number, signal: AbortSignal): Promise<void> {
    await sent;
    if (signal.aborted || !(await this.unlessAborted(delay(this.host.clock, delayMs, signal), signal)))
      return;
    this.rewinding = undefined;
    const { offset } = this.reader.commitPoint();
    this.reader.commitMetadata = this.claim.metadataAt(offset);
    this.reader.reset(this.host.undoes === true ? this.undoneTo : offset);
    this.undone = false;
    this.claim = new PartitionClaim(this.reader, this);
    this.host.onClaim(this.claim);
  }

  /** True when the promise resolved, false when it rejected or the signal came first. */
  private unlessAborted(promise: Promise<void>, signal: AbortSignal): Promise<boolean> {
    return unlessLate(this.host.clock, promise, Infinity, signal, () => undefined).then(
      () => true,
      () => false,
    );
  }

  private end(lost: boolean): void {
    this.ending = { point: this.point(), summary: this.standing(lost) };
  }

  private standing(lost: boolean): Omit<PartitionSummary, 'committedOffset'> {
    const { reader } = this;
    return {
      topic: reader.topic,
      partition: reader.partition,
      claimEpoch: reader.claimEpoch,
      commitPoint: reader.commitPoint().offset,
      unsettled: reader.inFlightRecords,
      held: reader.unsettledCount - reader.inFlightRecords,
      firstUnsettled: reader.firstUnsettled(),
      lost,
    };
  }
}
