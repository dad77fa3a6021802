// One run of `sluice redrive`: a group member that writes what it reads to where it is from, and commits what is acknowledged.

import type {
  ClaimListener,
  FetchedRecord,
  GroupClaim,
  GroupListener,
  Producer,
  ProducerRecord,
  RecordGroup,
} from '../core/index.ts';
import { delay, type Clock } from '../core/clock.ts';
import type { KafkaError } from '../errors.ts';
import type { EventWriter } from './event-writer.ts';
import { Pacer } from './pacer.ts';

/** Where a record goes, and as what. */
export interface Destination {
  readonly topic: string;
  readonly record: ProducerRecord;
}

/** What becomes of the records. */
export interface RedrivePlan {
  /** Below 0: all there are. */
  readonly maxRecords: number;
  /** Records a second; below 0: as fast as they are taken. */
  readonly rate: number;
  /** Where each partition ended when the run began. */
  readonly ends: ReadonlyMap<number, number>;
  /** Undefined for a record that is left where it is, because it was not asked for. Throws for one that nobody can say where to write. */
  destination(record: FetchedRecord): Destination | undefined;
  /** What the group's log has of each partition: those that other members have are looked up there. */
  committed(): Promise<ReadonlyMap<number, number>>;
}

const LOOK_MS = 200;
const DRAIN_MS = 30_000;

interface Taken {
  readonly claim: ClaimedPartition;
  readonly record: FetchedRecord;
  readonly sequence: number;
}

export class RedriveRun implements GroupListener {
  redriven = 0;
  skipped = 0;
  /** Why the run ended before its time. */
  failure: Error | undefined;
  private readonly plan: RedrivePlan;
  private readonly producer: Producer;
  private readonly events: EventWriter;
  private readonly clock: Clock;
  private readonly claims = new Map<number, ClaimedPartition>();
  private readonly queue: Taken[] = [];
  private sent = 0;
  private unanswered = 0;
  private wake: () => void = () => undefined;

  constructor(plan: RedrivePlan, producer: Producer, events: EventWriter, clock: Clock) {
    this.plan = plan;
    this.producer = producer;
    this.events = events;
    this.clock = clock;
  }

  /** Resolves when everything up to the ends is redriven, the run's number of records is, the signal aborts, or it fails; the group is left then. */
  async run(group: RecordGroup, stop: AbortSignal): Promise<void> {
    const pacer = new Pacer(this.clock, this.plan.rate);
    const onStop = (): void => this.wake();
    stop.addEventListener('abort', onStop, { once: true });
    const offReady = this.producer.onReady(() => this.wake());
    group.start();
    while (!stop.aborted && this.failure === undefined && !this.hasEnough) {
      await this.events.whenRoom();
      const next = this.queue[0];
      if (next === undefined) {
        if (await this.isAllDone()) break;
        await this.untilWoken(LOOK_MS);
      } else if (!this.producer.hasRoom()) await this.untilWoken(LOOK_MS);
      else {
        const waitMs = pacer.waitMs(this.sent);
        if (waitMs > 0) await this.untilWoken(waitMs);
        else {
          this.queue.shift();
          this.redrive(next);
        }
      }
    }
    stop.removeEventListener('abort', onStop);
    // What was only taken is nobody's concern any more.
    for (const { claim, sequence } of this.queue.splice(0)) claim.claim.hold(sequence);
    for (const { claim } of this.claims.values()) claim.pause();
    const { error, committed } = await group.drain(DRAIN_MS);
    offReady();
    if (this.failure === undefined && error !== undefined) this.failure = error;
    else if (this.failure === undefined && !committed && this.unanswered > 0)
      this.failure = new Error(
        `${this.unanswered} records were not acknowledged within ${DRAIN_MS / 1000} s`,
      );
  }

  onClaim(claim: GroupClaim): void {
    const claimed = new ClaimedPartition(claim, this);
    this.claims.set(claim.partition, claimed);
    claim.start(claimed);
  }

  onRebalance({ kind, partition, claimEpoch }: Parameters<GroupListener['onRebalance']>[0]): void {
    if (kind === 'claimed' || this.claims.get(partition)?.claim.claimEpoch !== claimEpoch) return;
    this.claims.delete(partition);
  }

  onFailed(error: KafkaError): void {
    this.fail(error);
  }

  take(claim: ClaimedPartition, record: FetchedRecord, sequence: number): void {
    // What came after the run began stays for the next one.
    if (record.offset >= (this.plan.ends.get(record.partition) ?? 0)) claim.stopAt(record.offset, sequence);
    else this.queue.push({ claim, record, sequence });
    this.wake();
  }

  /** What was taken of it is its next owner's. */
  release(claim: ClaimedPartition): void {
    for (let at = this.queue.length - 1; at >= 0; at--) {
      const { claim: owner, sequence } = this.queue[at]!;
      if (owner !== claim) continue;
      this.queue.splice(at, 1);
      claim.claim.hold(sequence);
    }
    this.wake();
  }

  fail(error: Error): void {
    this.failure ??= error;
    this.wake();
  }

  private get hasEnough(): boolean {
    return this.plan.maxRecords >= 0 && this.sent >= this.plan.maxRecords;
  }

  private redrive({ claim, record, sequence }: Taken): void {
    const { topic, partition, offset } = record;
    const from = { topic, partition, offset };
    const failed = (cause: unknown): void => {
      claim.claim.hold(sequence);
      const error = cause instanceof Error ? cause : new Error(String(cause));
      this.events.event('redrive_failed', { from, message: error.message });
      this.fail(error);
    };
    let destination: Destination | undefined;
    try {
      destination = this.plan.destination(record);
    } catch (cause) {
      failed(cause);
      return;
    }
    if (destination === undefined) {
      this.skipped++;
      claim.claim.settle(sequence);
      return;
    }
    this.sent++;
    this.unanswered++;
    const { topic: to } = destination;
    const answered = (): void => {
      this.unanswered--;
      this.wake();
    };
    try {
      this.producer.send(to, destination.record, {
        onAcked: (toPartition, toOffset) => {
          this.redriven++;
          this.events.event('redriven', {
            from,
            to: { topic: to, partition: toPartition, offset: toOffset },
          });
          claim.claim.settle(sequence);
          answered();
        },
        onFailed: (error) => {
          failed(error);
          answered();
        },
        isWithdrawn: () => claim.claim.dead,
        onWithdrawn: answered,
      });
    } catch (cause) {
      failed(cause);
      answered();
    }
  }

  private async isAllDone(): Promise<boolean> {
    if (this.unanswered > 0) return false;
    const others: [partition: number, end: number][] = [];
    for (const [partition, end] of this.plan.ends) {
      const claim = this.claims.get(partition);
      if (claim === undefined) others.push([partition, end]);
      else if (claim.claim.position < end) return false;
    }
    if (others.length === 0) return true;
    const committed = await this.plan.committed();
    return others.every(([partition, end]) => (committed.get(partition) ?? 0) >= end);
  }

  private async untilWoken(limitMs: number): Promise<void> {
    const woken = new AbortController();
    this.wake = () => woken.abort();
    await delay(this.clock, limitMs, woken.signal).catch(() => undefined);
    this.wake = () => undefined;
  }
}

/** A partition from its assignment to its revocation. */
class ClaimedPartition implements ClaimListener {
  readonly claim: GroupClaim;
  private readonly run: RedriveRun;

  constructor(claim: GroupClaim, run: RedriveRun) {
    this.claim = claim;
    this.run = run;
  }

  /** Hands nothing more over, as if it had not come this far. */
  stopAt(offset: number, sequence: number): void {
    this.claim.pause();
    this.claim.seek(offset);
    this.claim.settle(sequence);
  }

  onRecord(record: FetchedRecord, sequence: number): void {
    this.run.take(this, record, sequence);
  }

  onPressure(): void {}

  onEnd(): void {}

  onRevoking(): void {
    this.run.release(this);
  }

  onLost(): void {
    this.run.release(this);
  }

  onError(error: KafkaError): void {
    this.run.fail(error);
  }
}
