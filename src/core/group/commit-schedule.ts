// When commit points are committed: at an interval, after so many records, and when a claim ends.

import { BrokerError, ConnectionError, TimeoutError, type KafkaError } from '../../errors.ts';
import { delay, type Clock, type Timer } from '../clock.ts';
import { unlessLate } from '../cluster/waiting.ts';
import type { Committer, Generation, OffsetPoint } from './committer.ts';
import type { Verdict } from './membership-table.ts';
import { asKafkaError } from './unexpected.ts';

/** A partition whose commit point may move. */
export interface CommitSource {
  /** What the group's log has, as far as we know; undefined for nothing. Set by the schedule. */
  committedOffset: number | undefined;
  /** Where it may be committed now. */
  point(): OffsetPoint;
}

/** What a schedule needs from, and tells, the consumer around it. */
export interface CommitHost {
  /** Asked right before each commit; undefined when nothing may be committed. */
  current(): Generation | undefined;
  /** A commit of that generation failed; where that means that the generation is gone, the sources are removed by the time it returns. */
  refused(error: KafkaError, generationId: number): Verdict;
  onCommitted(points: readonly OffsetPoint[]): void;
  onCommitFailed(error: KafkaError): void;
}

/** Limits of a {@link CommitSchedule}. */
export interface CommitLimits {
  readonly commitIntervalMs: number;
  readonly commitEveryRecords: number;
  readonly commitTimeoutMs: number;
}

const RETRY_PAUSE_MS = 100;
/** How late a commit that had no answer may still arrive on the old connection; as long as a request of Java's client may take. */
const DOUBT_MS = 30_000;
/** Where commits are further apart than that. */
const COMMITS_AGAIN = 2;

/** What a commit is answered that comes between two generations. */
const STALE: ReadonlySet<string> = new Set([
  'ILLEGAL_GENERATION',
  'REBALANCE_IN_PROGRESS',
  'STALE_MEMBER_EPOCH',
]);
/** What ends the claims. */
const ENDS: ReadonlySet<Verdict> = new Set(['loseGeneration', 'loseMember', 'loseClaims', 'fail']);

interface Target {
  readonly source: CommitSource;
  readonly offset: number;
}

/** One commit is under way at a time; what moves meanwhile goes with the next one. */
export class CommitSchedule {
  private readonly clock: Clock;
  private readonly committer: Committer;
  private readonly limits: CommitLimits;
  private readonly host: CommitHost;
  private readonly sources = new Set<CommitSource>();
  private settledRecords = 0;
  private timer: Timer | undefined;
  private underWay: Promise<KafkaError | undefined> | undefined;
  private abandoned = new AbortController();
  /** Until then everything is committed again and again: a commit without an answer may arrive behind later ones, on another connection. */
  private doubtfulUntilMs = -Infinity;
  /** A commit came between two generations: it goes again with the next one. */
  private postponed = false;
  /** While it is not 0, only the flush begins commits. */
  private flushing = 0;

  constructor(clock: Clock, committer: Committer, limits: CommitLimits, host: CommitHost) {
    this.clock = clock;
    this.committer = committer;
    this.limits = limits;
    this.host = host;
  }

  add(source: CommitSource): void {
    this.sources.add(source);
    this.timer ??= this.commitLater();
  }

  /** Nothing of this source is committed any more; what is on its way already cannot be called back. */
  remove(source: CommitSource): void {
    this.sources.delete(source);
    if (this.sources.size > 0) return;
    this.timer?.cancel();
    this.timer = undefined;
    this.settledRecords = 0;
    this.postponed = false;
    // A doubt outlives the claims: a member of the consumer protocol that lost them may be given them again in the epoch that it had, in which the
    // coordinator takes the late commit of the old claim for one of the new.
  }

  /** The generation is gone: no commit of it is repeated. The sources are to be removed as well. */
  abandon(): void {
    this.abandoned.abort(noGeneration());
    this.abandoned = new AbortController();
  }

  /** The member has a generation again: what was refused between two of them is committed now. */
  resume(): void {
    if (!this.postponed || this.underWay !== undefined) return;
    this.postponed = false;
    if (this.flushing === 0) void this.commitMoved(this.limits.commitTimeoutMs);
  }

  /** So many records were settled in order. */
  settled(records: number): void {
    this.settledRecords += records;
    this.commitIfMany();
  }

  /**
   * Commits until these sources, all without a choice, stand in the log at their commit points of the call, or the commit timeout is over,
   * a commit under way included. Resolves with the error when it did not come to that. Never rejects.
   */
  async flush(chosen: Iterable<CommitSource> = this.sources): Promise<KafkaError | undefined> {
    const targets: Target[] = [];
    for (const source of chosen)
      if (this.sources.has(source)) targets.push({ source, offset: source.point().offset });
    this.flushing += 1;
    const untilMs = this.clock.now() + this.limits.commitTimeoutMs;
    // What came late may have taken the offset back; nobody looks at it any more after this.
    if (this.isDoubtful && this.underWay === undefined)
      void this.commitMoved(this.limits.commitTimeoutMs, true);
    const error = await this.reach(targets, untilMs);
    this.flushing -= 1;
    if (error !== undefined) this.abandon();
    return error;
  }

  /** Commits points that no source stands for yet. Resolves with the error when they are not in the log. Never rejects. */
  async commitPoints(points: readonly OffsetPoint[]): Promise<KafkaError | undefined> {
    while (this.underWay !== undefined) await this.underWay;
    return this.send(points, this.limits.commitTimeoutMs);
  }

  private async reach(targets: readonly Target[], untilMs: number): Promise<KafkaError | undefined> {
    let error: KafkaError | undefined;
    for (;;) {
      if (this.underWay !== undefined) error = await this.inTime(this.underWay, untilMs);
      if (targets.every(({ source, offset }) => !isBehind(source, offset))) return undefined;
      const lost = targets.some(({ source }) => !this.sources.has(source));
      if (lost || this.host.current() === undefined) return error ?? noGeneration();
      if (error !== undefined) await delay(this.clock, RETRY_PAUSE_MS);
      const remainingMs = untilMs - this.clock.now();
      if (remainingMs <= 0) return error ?? this.outOfTime();
      error = undefined;
      if (this.underWay !== undefined) continue;
      void this.commitMoved(remainingMs);
      // A point can go back where a transaction is undone; then there is nothing to commit, and the target is not reached.
      if (this.underWay === undefined) return noGeneration();
    }
  }

  private inTime(commit: Promise<KafkaError | undefined>, untilMs: number): Promise<KafkaError | undefined> {
    const leftMs = Math.max(0, untilMs - this.clock.now());
    return unlessLate(this.clock, commit, leftMs, undefined, () => undefined).catch(() => this.outOfTime());
  }

  private outOfTime(): KafkaError {
    const { commitTimeoutMs } = this.limits;
    const message = `The commit points were not committed within ${commitTimeoutMs} ms`;
    return new TimeoutError(message, { afterMs: commitTimeoutMs, sent: true, api: 'OffsetCommit' });
  }

  private commitLater(): Timer {
    return this.clock.setTimeout(() => {
      this.timer = this.commitLater();
      if (this.underWay !== undefined || this.flushing > 0) return;
      void this.commitMoved(this.limits.commitTimeoutMs, this.isDoubtful);
    }, this.limits.commitIntervalMs);
  }

  private get isDoubtful(): boolean {
    return this.clock.now() < this.doubtfulUntilMs;
  }

  private doubt(): void {
    const { commitIntervalMs } = this.limits;
    this.doubtfulUntilMs = this.clock.now() + Math.max(DOUBT_MS, (COMMITS_AGAIN + 0.5) * commitIntervalMs);
  }

  private commitIfMany(): void {
    const { settledRecords, limits, underWay, flushing } = this;
    if (settledRecords < limits.commitEveryRecords || underWay !== undefined || flushing > 0) return;
    void this.commitMoved(this.limits.commitTimeoutMs);
  }

  /** With `again`, also what is in the log already. */
  private async commitMoved(timeoutMs: number, again = false): Promise<KafkaError | undefined> {
    this.settledRecords = 0;
    const moved = [...this.sources]
      .map((source) => ({ source, point: source.point() }))
      .filter(({ source, point }) => {
        return isBehind(source, point.offset) || (again && source.committedOffset === point.offset);
      });
    if (moved.length === 0) return undefined;
    return this.send(
      moved.map(({ point }) => point),
      timeoutMs,
      () => {
        // A transaction may have committed more by now.
        for (const { source, point } of moved)
          source.committedOffset = Math.max(source.committedOffset ?? 0, point.offset);
      },
    );
  }

  private send(
    points: readonly OffsetPoint[],
    deadlineMs: number,
    onDone?: () => void,
  ): Promise<KafkaError | undefined> {
    const generation = this.host.current();
    if (generation === undefined) return Promise.resolve(noGeneration());
    const sending = this.attempt(points, generation, deadlineMs, onDone).finally(() => {
      this.underWay = undefined;
      if (this.host.current()?.generationId !== generation.generationId) this.resume();
      this.commitIfMany();
    });
    this.underWay = sending;
    return sending;
  }

  private async attempt(
    points: readonly OffsetPoint[],
    generation: Generation,
    deadlineMs: number,
    onDone: (() => void) | undefined,
  ): Promise<KafkaError | undefined> {
    const { signal } = this.abandoned;
    try {
      await this.committer.commit(points, generation, {
        deadlineMs,
        signal,
        onUnanswered: () => this.doubt(),
      });
    } catch (cause) {
      const error = asKafkaError(cause);
      if (signal.aborted) return error;
      if (error instanceof TimeoutError || error instanceof ConnectionError) this.doubt();
      if (!isStale(error)) this.host.onCommitFailed(error);
      const verdict = this.host.refused(error, generation.generationId);
      if (!isStale(error)) return error;
      if (ENDS.has(verdict)) this.host.onCommitFailed(error);
      else this.postponed = true;
      return error;
    }
    onDone?.();
    this.host.onCommitted(points);
    return undefined;
  }
}

/** The commit was between two generations, or the member has none any more. */
function isStale(error: KafkaError): boolean {
  return error instanceof BrokerError && STALE.has(error.errorName);
}

/** Commits never go back: a claim that was sought backwards is behind again only beyond what it had committed. */
function isBehind(source: CommitSource, offset: number): boolean {
  return source.committedOffset === undefined || offset > source.committedOffset;
}

function noGeneration(): KafkaError {
  return new BrokerError('ILLEGAL_GENERATION', 'The member has no generation to commit with', {
    retriable: false,
    api: 'OffsetCommit',
  });
}
