// A claim of the client driven by hand, and a source that notes what it is told.
import type { ClaimListener } from '../../src/core/group/claim.ts';
import type { FetchedRecord } from '../../src/core/records/fetched-record.ts';
import type { ConsumerRecord } from '../../src/core/records/types.ts';
import { BatchCursor } from '../../src/core/records/batch-cursor.ts';
import { parseBatches } from '../../src/core/records/record-batch.ts';
import { ClaimLostError, type KafkaError } from '../../src/errors.ts';
import type { Delivery } from '../../src/flow/delivery.ts';
import type { DeliveryProblem, Verdict } from '../../src/flow/settlement.ts';
import type { ClaimOwner, SourceClaim } from '../../src/sources/claim-source.ts';
import { VirtualClock } from '../../src/testing/simulation/virtual-clock.ts';
import { batch } from '../core/consumer/batches.ts';

const TOPIC = 'orders';
const PARTITION = 3;

function recordsOf(values: readonly string[]): FetchedRecord[] {
  const [parsed] = [...parseBatches(batch(0, values), { topic: TOPIC, partition: PARTITION })];
  const cursor = new BatchCursor(parsed!, TOPIC, PARTITION);
  return values.map(() => cursor.next()!);
}

/** Hands over what the test says; a record's sequence is its place among all of them. */
export class FakeClaim implements SourceClaim {
  readonly topic = TOPIC;
  readonly partition = PARTITION;
  readonly claimEpoch = 1;
  readonly generation = 1;
  readonly startOffset = 0;
  readonly position = 0;
  readonly committedOffset = undefined;
  readonly highWatermark = 0;
  readonly lag = 0;
  readonly startMetadata = '';
  commitMetadata = '';
  /** Each call with its argument, in order. */
  readonly calls: string[] = [];
  readonly settled: number[] = [];
  readonly held: number[] = [];
  private readonly revokingController = new AbortController();
  private readonly lostController = new AbortController();
  private listener: ClaimListener | undefined;
  private next = 0;

  get revoking(): AbortSignal {
    return this.revokingController.signal;
  }

  get lost(): AbortSignal {
    return this.lostController.signal;
  }

  get dead(): boolean {
    return this.lost.aborted;
  }

  get inFlightRecords(): number {
    return this.next - this.settled.length - this.held.length;
  }

  start(listener: ClaimListener): void {
    this.listener = listener;
  }

  settle(sequence: number): void {
    this.settled.push(sequence);
  }

  hold(sequence: number): void {
    this.held.push(sequence);
  }

  pause(): void {
    this.calls.push('pause');
  }

  resume(): void {
    this.calls.push('resume');
  }

  seek(offset: number): void {
    if (offset < 0) throw new RangeError(`${offset} is not an offset to seek to`);
    this.calls.push(`seek ${offset}`);
  }

  hand(...values: readonly string[]): void {
    for (const record of recordsOf(values)) this.listener!.onRecord(record, this.next++);
  }

  end(): void {
    this.listener!.onEnd();
  }

  revoke(): void {
    this.revokingController.abort();
    this.listener?.onRevoking();
  }

  lose(): void {
    const error = new ClaimLostError('taken', { topic: TOPIC, partition: PARTITION, firstUnsettled: 0 });
    this.lostController.abort(error);
    this.listener?.onLost(error);
  }
}

/** Keeps what it is told; acknowledges what does not decode. */
export class FakeOwner implements ClaimOwner {
  readonly clock = new VirtualClock();
  readonly committer = undefined;
  readonly rewinds = 0;
  in = 0;
  left = 0;
  readonly rejected: unknown[] = [];
  readonly problems: DeliveryProblem[] = [];
  readonly broken: KafkaError[] = [];
  onUndecodable: (delivery: Delivery<ConsumerRecord>, cause: unknown) => void = (delivery) => delivery.ack();

  countIn(): void {
    this.in++;
  }

  countLeft(): void {
    this.left++;
  }

  onRejected(cause: unknown, verdict: Verdict): void {
    this.rejected.push([cause, verdict]);
  }

  onProblem(problem: DeliveryProblem): void {
    this.problems.push(problem);
  }

  onBroken(error: KafkaError): void {
    this.broken.push(error);
  }

  sent(): Promise<void> {
    return Promise.resolve();
  }
}
