// One run of the verifiable consumer: a group member that reports what happens to it, and commits batch by batch as Java's poll loop does.

import type {
  ClaimListener,
  FetchedRecord,
  GroupClaim,
  GroupConsumer,
  GroupListener,
  RebalanceEvent,
} from '../core/index.ts';
import type { Clock, Timer } from '../core/clock.ts';
import { BrokerError, type KafkaError } from '../errors.ts';
import type { EventWriter } from './event-writer.ts';

/** How a run behaves. */
export interface ConsumePlan {
  /** Below 0: until it is stopped. */
  readonly maxMessages: number;
  readonly maxPollRecords: number;
  /** An event for each record. */
  readonly verbose: boolean;
  /** The client commits by itself, and no commit is reported. */
  readonly autoCommit: boolean;
}

/** How long a reader that stands still may hold up the end. */
const STALLED_READER_MS = 1_000;

type Committed = Parameters<NonNullable<GroupListener['onCommitted']>>[0];

/** A record that was handed over and not reported yet. */
interface Handed {
  readonly partition: ClaimedPartition;
  readonly record: FetchedRecord;
  readonly sequence: number;
}

/** What one batch has of one partition. */
interface Share {
  readonly partition: ClaimedPartition;
  readonly records: FetchedRecord[];
}

/** Runs a group consumer that it is the listener of. */
export class ConsumeRun implements GroupListener {
  /** The failure that ended the run, if one did. */
  failure: KafkaError | undefined;
  private readonly plan: ConsumePlan;
  private readonly events: EventWriter;
  private readonly clock: Clock;
  private readonly partitions = new Map<string, ClaimedPartition>();
  private fresh: ClaimedPartition[] = [];
  private revoked: ClaimedPartition[] = [];
  private queue: Handed[] = [];
  private consumed = 0;
  private wake: () => void = () => {};

  constructor(plan: ConsumePlan, events: EventWriter, clock: Clock) {
    this.plan = plan;
    this.events = events;
    this.clock = clock;
  }

  /** Resolves when the signal aborts, the plan's messages are consumed, or the group fails; the consumer has left its group then. */
  async run(group: GroupConsumer, stop: AbortSignal): Promise<void> {
    const onStop = (): void => this.wake();
    stop.addEventListener('abort', onStop, { once: true });
    this.events.event('startup_complete');
    group.start();
    try {
      while (!stop.aborted && !this.isFinished && this.failure === undefined) {
        if (this.queue.length === 0) await this.untilWoken();
        else await this.consume(group, stop);
      }
    } finally {
      stop.removeEventListener('abort', onStop);
    }
    // Before the group takes its time to say goodbye.
    if (stop.aborted && !this.events.closed.aborted) this.events.event('shutdown_requested');
    await group.abort(this.isFinished ? 'all messages are consumed' : 'it is stopped');
    this.tellRevoked();
    this.events.event('shutdown_complete');
  }

  onClaim(claim: GroupClaim): void {
    this.fresh.push(new ClaimedPartition(claim, this));
  }

  onAssigned(): void {
    this.tellRevoked();
    const { fresh } = this;
    this.fresh = [];
    for (const partition of fresh) this.partitions.set(partition.key, partition);
    this.events.event('partitions_assigned', { partitions: fresh.map((partition) => partition.name) });
    for (const partition of fresh) partition.claim.start(partition);
  }

  onRebalance({ kind, topic, partition }: RebalanceEvent): void {
    if (kind === 'claimed') return;
    const key = `${topic}-${partition}`;
    const ended = this.partitions.get(key);
    this.fresh = this.fresh.filter((one) => one.key !== key);
    if (ended === undefined) return;
    this.partitions.delete(key);
    ended.isOurs = false;
    // All partitions of one rebalance are given up in one go, and told of as one.
    if (this.revoked.push(ended) === 1) queueMicrotask(() => this.tellRevoked());
  }

  onFailed(error: KafkaError): void {
    this.fail(error);
  }

  onCommitted(points: Committed): void {
    if (this.plan.autoCommit) return;
    // A start that is committed before anything was consumed is the client's own business: Kafka's harness knows no position for it yet.
    const offsets = points
      .filter(({ topic, partition, offset }) => {
        const claimed = this.partitions.get(`${topic}-${partition}`);
        if (claimed === undefined || claimed.consumedTo < 0 || claimed.committed === offset) return false;
        claimed.committed = offset;
        return true;
      })
      .map(({ topic, partition, offset }) => ({ topic, partition, offset }));
    if (offsets.length > 0) this.events.event('offsets_committed', { offsets, success: true });
  }

  handed(partition: ClaimedPartition, record: FetchedRecord, sequence: number): void {
    this.queue.push({ partition, record, sequence });
    this.wake();
  }

  fail(error: KafkaError): void {
    if (this.failure !== undefined) return;
    this.failure = error;
    this.events.event('error', {
      exception: error instanceof BrokerError ? error.errorName : error.name,
      message: error.message,
    });
    this.wake();
  }

  private get isFinished(): boolean {
    return this.plan.maxMessages >= 0 && this.consumed >= this.plan.maxMessages;
  }

  private untilWoken(): Promise<void> {
    return new Promise((resolve) => {
      this.wake = resolve;
    });
  }

  /** One turn of the poll loop: report, then commit, then the next one. */
  private async consume(group: GroupConsumer, stop: AbortSignal): Promise<void> {
    // All that comes in the same turn of the event loop is one batch.
    await new Promise<void>((resolve) => this.clock.defer(resolve));
    if (!(await this.unlessStalled(this.events.whenRoom(), stop))) return;
    if (stop.aborted) return;
    const batch = this.take();
    if (batch.length === 0) return;
    const shares = this.report(batch);
    // What is committed must have been reported, even if this process is killed in between.
    if (!(await this.unlessStalled(this.events.flushed(), stop))) return;
    for (const { partition, sequence } of batch) partition.claim.settle(sequence);
    if (!this.plan.autoCommit) await this.commit(group, shares);
  }

  private take(): Handed[] {
    const { maxMessages, maxPollRecords } = this.plan;
    const most = maxMessages < 0 ? maxPollRecords : Math.min(maxPollRecords, maxMessages - this.consumed);
    const queue = this.queue.filter(({ partition }) => partition.isOurs);
    this.queue = queue.slice(most);
    return queue.slice(0, most);
  }

  private report(batch: readonly Handed[]): Share[] {
    const byPartition = new Map<ClaimedPartition, Share>();
    for (const { partition, record } of batch) {
      const share = byPartition.get(partition);
      if (share === undefined) byPartition.set(partition, { partition, records: [record] });
      else share.records.push(record);
    }
    const shares = [...byPartition.values()];
    for (const { partition, records } of shares) {
      partition.consumedTo = records.at(-1)!.offset;
      if (this.plan.verbose) for (const record of records) this.events.event('record_data', dataOf(record));
    }
    this.consumed += batch.length;
    this.events.event('records_consumed', {
      count: batch.length,
      partitions: shares.map(({ partition, records }) => ({
        ...partition.name,
        count: records.length,
        minOffset: records[0]!.offset,
        maxOffset: records.at(-1)!.offset,
      })),
    });
    return shares;
  }

  private async commit(group: GroupConsumer, shares: readonly Share[]): Promise<void> {
    let error: unknown;
    try {
      await group.commit();
    } catch (cause) {
      error = cause;
    }
    const missing = shares
      .map(({ partition, records }) => ({ partition, offset: records.at(-1)!.offset + 1 }))
      .filter(({ partition, offset }) => partition.committed < offset);
    if (missing.length === 0) return;
    this.events.event('offsets_committed', {
      offsets: missing.map(({ partition, offset }) => ({ ...partition.name, offset })),
      error:
        error instanceof Error
          ? error.message
          : 'The partitions were lost before their offsets were committed',
      success: false,
    });
  }

  private tellRevoked(): void {
    if (this.revoked.length === 0) return;
    const partitions = this.revoked.map((partition) => partition.name);
    this.revoked = [];
    this.events.event('partitions_revoked', { partitions });
  }

  /** False when the run is to stop and the promise is not resolved soon after. */
  private unlessStalled(promise: Promise<void>, stop: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      let timer: Timer | undefined;
      const end = (isDone: boolean): void => {
        stop.removeEventListener('abort', onStop);
        timer?.cancel();
        resolve(isDone);
      };
      const onStop = (): void => {
        timer = this.clock.setTimeout(() => end(false), STALLED_READER_MS);
      };
      if (stop.aborted) onStop();
      else stop.addEventListener('abort', onStop, { once: true });
      void promise.then(() => end(true));
    });
  }
}

/** A partition from its assignment to its revocation. */
class ClaimedPartition implements ClaimListener {
  readonly claim: GroupClaim;
  readonly key: string;
  readonly name: { readonly topic: string; readonly partition: number };
  isOurs = true;
  /** The last offset that was reported; -1 for none. */
  consumedTo = -1;
  /** What is in the group's log of it, as far as was reported; -1 for nothing. */
  committed = -1;
  private readonly run: ConsumeRun;

  constructor(claim: GroupClaim, run: ConsumeRun) {
    const { topic, partition } = claim;
    this.claim = claim;
    this.run = run;
    this.key = `${topic}-${partition}`;
    this.name = { topic, partition };
  }

  onRecord(record: FetchedRecord, sequence: number): void {
    this.run.handed(this, record, sequence);
  }

  onPressure(): void {}

  onEnd(): void {}

  onRevoking(): void {}

  onLost(): void {
    this.isOurs = false;
  }

  onError(error: KafkaError): void {
    this.run.fail(error);
  }
}

function dataOf(record: FetchedRecord): object {
  const { topic, partition, offset } = record;
  return { key: record.keyText, value: record.valueText, topic, partition, offset };
}
