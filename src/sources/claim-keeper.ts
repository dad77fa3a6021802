// What a source keeps per partition across its claims: rewinds without progress, and what was left unsettled.
import type { Clock } from '../core/clock.ts';
import type { KafkaError } from '../errors.ts';
import type { ConsumerRecord } from '../core/records/types.ts';
import type { Delivery } from '../flow/delivery.ts';
import { applyPolicy, fail, type ErrorPolicy } from '../flow/policy.ts';
import type { DeliveryProblem, SourceCommitter, Verdict } from '../flow/settlement.ts';
import { StageError } from '../flow/stage-error.ts';
import type { ClaimOwner, SourceClaim } from './claim-source.ts';

/** Wait before a claim is read again when the user's own `nack` asked for it. */
const RETRY_DELAY_MS = 1_000;

/** What a keeper asks of the source it works for. */
export interface KeeperSource {
  readonly clock: Clock;
  readonly onDecodeError: ErrorPolicy | undefined;
  /** Undefined where nothing is committed. */
  readonly committer: SourceCommitter | undefined;
  countIn(): void;
  /** False once the flow of claims is complete: a claim that starts over would have nobody to read it. */
  readonly canRewind: boolean;
  /** A failure that no policy took. */
  fail(cause: unknown): void;
  onProblem(problem: DeliveryProblem & { readonly topic: string; readonly partition: number }): void;
  sent(): Promise<void>;
}

/** A claim that can start over. */
export interface RewindableClaim extends SourceClaim {
  rewind(delayMs: number): void;
}

/** One partition of one source. */
export class ClaimKeeper implements ClaimOwner {
  readonly clock: Clock;
  readonly committer: SourceCommitter | undefined;
  rewinds = 0;
  /** Records of the present claim that nobody holds and nobody will settle. */
  left = 0;
  private readonly source: KeeperSource;
  private claim: RewindableClaim | undefined;
  private startedAt = -1;

  constructor(source: KeeperSource) {
    this.source = source;
    this.clock = source.clock;
    this.committer = source.committer;
  }

  /** A new claim of the partition begins. */
  begin(claim: RewindableClaim): void {
    this.claim = claim;
    // What the claim before it left is read again by this one.
    this.left = 0;
    if (claim.startOffset !== this.startedAt) this.rewinds = 0;
    this.startedAt = claim.startOffset;
  }

  /** The claim went to another member, and with it what was left of it. */
  handedOn(): void {
    this.left = 0;
  }

  countIn(): void {
    this.source.countIn();
  }

  countLeft(): void {
    this.left++;
  }

  onRejected(cause: unknown, verdict: Verdict, rewindDelayMs: number = RETRY_DELAY_MS): void {
    const { claim } = this;
    if (claim === undefined || claim.lost.aborted) return;
    if (verdict !== 'rewind' || !this.source.canRewind) {
      this.source.fail(cause);
      return;
    }
    this.rewinds++;
    claim.rewind(rewindDelayMs);
  }

  onProblem(problem: DeliveryProblem): void {
    const { claim } = this;
    if (claim !== undefined)
      this.source.onProblem({ ...problem, topic: claim.topic, partition: claim.partition });
  }

  onBroken(error: KafkaError): void {
    this.source.fail(error);
  }

  onUndecodable(delivery: Delivery<ConsumerRecord>, cause: unknown): void {
    const { origins, value } = delivery;
    const error = new StageError<ConsumerRecord>({ stage: 'decode', value, attempt: 1, origins, cause });
    // The bytes stay the same however often they are read: a policy that asks for another attempt gets its last word at once.
    for (let attempt = 1; ; attempt++) {
      const again = applyPolicy<ConsumerRecord>(
        this.source.onDecodeError ?? fail,
        delivery,
        attempt === 1
          ? error
          : new StageError<ConsumerRecord>({ stage: 'decode', value, attempt, origins, cause }),
      );
      if (again === undefined) return;
    }
  }

  sent(): Promise<void> {
    return this.source.sent();
  }
}
