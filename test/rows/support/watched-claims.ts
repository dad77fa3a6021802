// A member of a group by the Rx face, and what became of each of its claims.
import type { Subscription } from 'rxjs';
import {
  sluice,
  type Claim,
  type ConsumerRecord,
  type GroupOptions,
  type Rebalance,
} from '../../../src/index.ts';
import { testKafka } from '../../helpers/brokers.ts';

/** Heartbeats often enough that a rebalance is over in a moment; members of the consumer protocol are told theirs by the broker. */
const CLASSIC = { heartbeatIntervalMs: 200, sessionTimeoutMs: 6_000 };

/** Reads and acknowledges everything, claim by claim. */
export class WatchedClaims {
  /** The inner flows that began and that completed, as `topic-partition/claimEpoch`, in order. */
  readonly opened: string[] = [];
  readonly completed: string[] = [];
  readonly rebalances: Rebalance[] = [];
  readonly records: string[] = [];
  readonly errors: unknown[] = [];
  readonly open = new Map<string, Claim<ConsumerRecord>>();
  private readonly kafka = testKafka();
  private readonly subscription: Subscription;

  constructor(topics: readonly string[], options: GroupOptions) {
    const claims = sluice(this.kafka).fromGroup({
      topics,
      ...(options.groupProtocol === 'consumer' ? {} : CLASSIC),
      ...options,
    });
    claims.rebalances.subscribe((event) => this.rebalances.push(event));
    this.subscription = claims.claims.subscribe({
      next: (claim) => this.read(claim),
      error: (error: unknown) => this.errors.push(error),
    });
  }

  /** Partitions that it reads now, as `topic-partition`, sorted. */
  get reads(): string[] {
    return [...this.open.values()].map(({ topic, partition }) => `${topic}-${partition}`).sort();
  }

  /** Of one kind of rebalance, as `topic-partition`, sorted. */
  told(kind: Rebalance['kind'], from = 0): string[] {
    return this.rebalances
      .slice(from)
      .filter((event) => event.kind === kind)
      .map(({ topic, partition }) => `${topic}-${partition}`)
      .sort();
  }

  async leave(): Promise<void> {
    this.subscription.unsubscribe();
    await this.kafka.close();
  }

  private read(claim: Claim<ConsumerRecord>): void {
    const name = `${claim.topic}-${claim.partition}/${claim.claimEpoch}`;
    this.opened.push(name);
    this.open.set(name, claim);
    claim.subscribe({
      next: (delivery) => {
        this.records.push(`${claim.topic}-${claim.partition}@${delivery.value.offset}`);
        delivery.ack();
      },
      error: (error: unknown) => this.errors.push(error),
      complete: () => {
        this.completed.push(name);
        this.open.delete(name);
      },
    });
  }
}
