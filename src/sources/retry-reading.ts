// What a group source does besides when it reads retry topics.
import type { Clock } from '../core/clock.ts';
import type { Cluster } from '../core/cluster/cluster.ts';
import { listPartitions } from '../core/consumer/listing.ts';
import { openPartitions } from '../core/consumer/open-partitions.ts';
import { resolvePositions } from '../core/consumer/positions.ts';
import type { IsolationLevel } from '../core/consumer/options.ts';
import type { GroupConsumerOptions } from '../core/group/options.ts';
import { UsageError } from '../errors.ts';
import type { SourceClaim } from './claim-source.ts';
import type { Decoder, RecordDecoder } from './decoder.ts';
import type { GroupOptions } from './options.ts';
import { orderPlace, Quarantine, type KeyedClaim, type OrderPlace } from './quarantine.ts';
import { RetriedDecoder } from './retried-record.ts';
import { RetryClaim } from './retry-claim.ts';
import type { RetryPlan } from './retry-plan.ts';

/** What it works for. */
export interface RetryHost {
  readonly clock: Clock;
  /** Undefined where another client reads. */
  readonly cluster: Cluster | undefined;
  readonly isolationLevel: IsolationLevel | undefined;
  fail(cause: unknown): void;
}

/** @throws UsageError where key order cannot be kept, or what is given is no `retryTopics(...)`. */
export function retryPlanOf(options: GroupOptions & { readonly topics: unknown }): RetryPlan {
  const { retryTopics, topics, groupProtocol, assignors, groupRemoteAssignor } = options;
  const plan = retryTopics as unknown as Partial<RetryPlan>;
  if (typeof plan.connect !== 'function')
    throw new UsageError("fromGroup: 'retryTopics' is what retryTopics(...) answers with", 'retryTopics');
  if (topics instanceof RegExp)
    throw new UsageError(
      "fromGroup: with 'retryTopics', 'topics' are names: a pattern might match the retry topics too",
      'topics',
    );
  if (plan.order === 'key') {
    const isRange = (name: unknown): boolean => name === undefined || name === 'range';
    if (groupProtocol === 'consumer' ? !isRange(groupRemoteAssignor) : !isRangeOnly(assignors))
      throw new UsageError(
        `fromGroup: retryTopics with order 'key' needs partitions of the same number to go to the same member: ${groupProtocol === 'consumer' ? "groupRemoteAssignor: 'range'" : "assignors: ['range']"}`,
        groupProtocol === 'consumer' ? 'groupRemoteAssignor' : 'assignors',
      );
  }
  return plan as RetryPlan;
}

/** What the group is to be told besides what the user said. */
export function retryGroupOptions(
  plan: RetryPlan | undefined,
  topics: readonly string[] | RegExp,
  groupProtocol: GroupConsumerOptions['groupProtocol'],
): Pick<GroupConsumerOptions, 'earliestTopics' | 'assignors' | 'groupRemoteAssignor'> & {
  readonly topics?: readonly string[];
} {
  if (plan === undefined || topics instanceof RegExp) return {};
  const levels = plan.levels.map(({ topic }) => topic);
  const all = { topics: [...new Set([...topics, ...levels])], earliestTopics: levels };
  if (plan.order === 'none') return all;
  return groupProtocol === 'consumer'
    ? { ...all, groupRemoteAssignor: 'range' }
    : { ...all, assignors: ['range'] };
}

function isRangeOnly(assignors: GroupOptions['assignors']): boolean {
  return assignors === undefined || (assignors.length === 1 && assignors[0] === 'range');
}

export class RetryReading {
  private readonly host: RetryHost;
  private readonly plan: RetryPlan;
  private readonly levels: ReadonlySet<string>;
  private readonly decoder: RetriedDecoder;
  private readonly quarantine: Quarantine | undefined;

  constructor(
    host: RetryHost,
    plan: RetryPlan,
    topics: readonly string[] | RegExp,
    decoderOf: (topic: string) => Decoder,
  ) {
    this.host = host;
    this.plan = plan;
    this.levels = new Set(plan.levels.map(({ topic }) => topic));
    this.decoder = new RetriedDecoder(decoderOf);
    const fail = (cause: unknown): void => host.fail(cause);
    if (plan.order === 'key') {
      const { cluster } = host;
      if (cluster === undefined)
        throw new UsageError(
          "retryTopics with order 'key' needs this library's own client: run the topology with new Kafka({ brokers }), or with order 'none'",
          'order',
        );
      this.quarantine = new Quarantine(plan.levels.length, plan.maxQuarantined, {
        scan: (claim, onRecord) => this.scan(cluster, claim, onRecord),
        fail,
      });
      this.checkCounts(cluster, topics as readonly string[]).catch(fail);
    }
    plan.connect(this.quarantine);
  }

  claimFor(claim: SourceClaim): SourceClaim {
    if (this.quarantine === undefined && !this.levels.has(claim.topic)) return claim;
    const { host, plan, quarantine } = this;
    return new RetryClaim(claim, {
      clock: host.clock,
      plan,
      quarantine,
      fail: (cause) => host.fail(cause),
    });
  }

  decoderFor(topic: string): RecordDecoder | undefined {
    return this.levels.has(topic) ? this.decoder : undefined;
  }

  // The end is that of everything that was written, so that what is still in a transaction is waited for.
  private async scan(
    cluster: Cluster,
    claim: KeyedClaim,
    onRecord: (offset: number, place: OrderPlace | undefined) => void,
  ): Promise<void> {
    const { isolationLevel } = this.host;
    const { topic, partition, level } = claim;
    const from = claim.position;
    const [end] = await resolvePositions(cluster, topic, [partition], 'latest');
    if (end!.offset <= from) return;
    const open = await openPartitions(cluster, {
      topic,
      partitions: [partition],
      from,
      to: end!.offset,
      isolationLevel,
      outOfRange: 'earliest',
    });
    try {
      await new Promise<void>((resolve, reject) => {
        const reader = open.readers[0]!;
        reader.start({
          onRecord: (record, sequence) => {
            onRecord(record.offset, orderPlace(record, level));
            reader.settle(sequence);
          },
          onPressure: () => undefined,
          onEnd: resolve,
          onError: reject,
        });
      });
    } finally {
      open.close();
    }
  }

  // Partitions of the same number belong together, so there must be as many.
  private async checkCounts(cluster: Cluster, topics: readonly string[]): Promise<void> {
    const names = [...new Set([...topics, ...this.levels])];
    const counts = await Promise.all(names.map(async (name) => (await listPartitions(cluster, name)).length));
    if (new Set(counts).size === 1) return;
    throw new UsageError(
      `retryTopics with order 'key' needs as many partitions in each topic; there are ${names.map((name, at) => `${counts[at]} in '${name}'`).join(', ')}`,
      'order',
    );
  }
}
