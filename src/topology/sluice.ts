// What of the public surface touches the cluster, bound to one client and one runtime.
import type { Buffer } from 'node:buffer';
import type { Bytes, ConsumerRecord, ProducerRecord } from '../core/records/types.ts';
import type { StreamClient } from '../core/stream-client.ts';
import type { Claims } from '../flow/claims.ts';
import type { Op } from '../flow/op.ts';
import type { ErrorPolicy, StageOptions } from '../flow/policy.ts';
import type { FlowRuntime } from '../flow/runtime.ts';
import type { Serializer } from '../serdes/serde.ts';
import { deadLetterPolicy, type DeadLetterOptions } from '../sinks/dead-letter.ts';
import { retryTopicsPolicy, type RetryTopics, type RetryTopicsOptions } from '../sinks/retry-topics.ts';
import type { SharedProducer } from '../sinks/shared-producer.ts';
import { toTopicStage } from '../sinks/to-topic.ts';
import type { ClusterRuntime } from '../sources/cluster-runtime.ts';
import { Leaving } from '../sources/leaving.ts';
import { groupClaims, type AnyGroupOptions } from '../sources/group-source.ts';
import { partitionClaims, type AnyPartitionsOptions } from '../sources/partitions-source.ts';
import type { ExactlyOnce } from './exactly-once.ts';
import { warnOfProblem } from './problems.ts';
import type { Formats, GroupOptions, PartitionsOptions, RecordOf } from '../sources/options.ts';

/** Sources, sinks and policies of one cluster: the argument of a topology's builder, or of {@link sluice} in a script. */
export interface Sluice {
  /**
   * A consumer group's claims: as a Flow, the records of all of them merged (in order per partition); through `eachClaim`, one lane per partition.
   * Nothing is asked of the cluster before it is subscribed, which can be once. Starts at the committed offset, else at the earliest. Records are
   * committed when everything made from them is settled, every 5 s or 10,000 records, when a claim is given away, and when the topology drains.
   *
   * @throws UsageError for an empty `groupId` or no topics, at once; on a second subscription (use `fanOut`)
   */
  readonly fromGroup: {
    <K = Buffer | null, V = Buffer | null, const N extends string = string>(
      options: GroupOptions & Formats<K, V> & { readonly topics: readonly N[] | RegExp },
    ): Claims<ConsumerRecord<K, V, N>>;
    <const M extends { readonly [topic: string]: Formats<unknown, unknown> }>(
      options: GroupOptions & { readonly topics: M },
    ): Claims<RecordOf<M>>;
  };
  /** Partitions read without a group: nothing is committed. Completes when every partition has reached `to`; without `to`, never. */
  readonly fromPartitions: <K = Buffer | null, V = Buffer | null, const N extends string = string>(
    options: PartitionsOptions<K, V, N>,
  ) => Claims<ConsumerRecord<K, V, N>>;
  /**
   * Writes what `project` makes of a value (one record, several, or none) to `topic` and passes the value on, in input order, once every record of
   * it is in the log of all in-sync replicas; the delivery is settled downstream of that. The records take the origin's timestamp (the largest of a
   * batch) unless they name one. A record that cannot be written is the stage's error. What is queued for a claim that is lost is withdrawn.
   */
  readonly toTopic: <A, K = Bytes, V = Bytes>(
    topic: string,
    project: (
      value: A,
    ) => ProducerRecord<NoInfer<K>, NoInfer<V>> | readonly ProducerRecord<NoInfer<K>, NoInfer<V>>[],
    options?: { readonly key?: Serializer<K>; readonly value?: Serializer<V> } & StageOptions<NoInfer<A>>,
  ) => Op<A, A>;
  /**
   * A policy that writes the failed delivery's original records to `topic`, with headers that say where they came from and why (KIP-1034 by default), and
   * settles it when they are acknowledged.
   *
   * @throws UsageError for an empty topic, or headers that are none
   * @acks when its letters are acknowledged, in the transaction under exactly-once; a letter that cannot be written is a `fail`
   */
  readonly deadLetter: (topic: string, options?: DeadLetterOptions) => ErrorPolicy;
  /**
   * A policy that writes the failed delivery's original records to the next of several retry topics, behind the last to a dead letter topic, and settles it
   * when they are acknowledged. Given to `fromGroup` as `retryTopics` too, the same topology reads them: each record when its delay is over, without
   * holding up other partitions or memory. Headers carry where the original lies, how often it failed and why; key, value, timestamp and the other
   * headers are the original's. With order 'key' the later records of a key follow it.
   *
   * @throws UsageError naming an option that makes no sense
   * @acks when its letters are acknowledged, in the transaction under exactly-once; a letter that cannot be written is a `fail`
   * @example
   * ```ts
   * const orders = topology('orders', ({ fromGroup, toTopic, retryTopics }) => {
   *   const later = retryTopics({
   *     levels: [
   *       { topic: 'orders.retry.5s', delayMs: 5_000 },
   *       { topic: 'orders.retry.60s', delayMs: 60_000 },
   *     ],
   *     deadLetter: 'orders.dead',
   *     order: 'key',
   *   });
   *   return fromGroup({ groupId: 'orders', topics: ['orders'], value: json(Order), retryTopics: later }).pipe(
   *     mapAsync((order) => price(order.value), { concurrency: 16, order: 'none', onError: later }),
   *     toTopic('priced', (priced) => ({ value: priced }), { value: json(Priced) }),
   *   );
   * });
   * ```
   */
  readonly retryTopics: (options: RetryTopicsOptions) => RetryTopics;
}

/** The surface over one cluster; `flow` is the topology that it runs in, undefined for a script. */
export function bindSluice(
  client: StreamClient,
  flow: FlowRuntime | undefined,
  producer: SharedProducer,
  transactions?: ExactlyOnce,
): Sluice {
  const sources: ClusterRuntime = {
    client,
    flow,
    transactions,
    sent: () => (transactions === undefined ? producer.flush() : transactions.undone()),
    onProblem: warnOfProblem,
    leaving: new Leaving(client),
  };
  const sinks = {
    clock: client.clock,
    producer: () => producer.get(),
    countOut: (records: number) => flow?.countOut(records),
  };
  const bound = {
    fromGroup: (options: AnyGroupOptions) => groupClaims(sources, options),
    fromPartitions: (options: AnyPartitionsOptions) => partitionClaims(sources, options),
    toTopic: (...[topic, project, options]: DropFirst<Parameters<typeof toTopicStage>>) =>
      toTopicStage(sinks, topic, project, options),
    deadLetter: (topic: string, options?: DeadLetterOptions) => deadLetterPolicy(sinks, topic, options),
    retryTopics: (options: RetryTopicsOptions) => retryTopicsPolicy(sinks, options),
  };
  // The overloads above infer what these take and answer; underneath, all of them are the same.
  return bound as unknown as Sluice;
}

type DropFirst<T extends readonly unknown[]> = T extends readonly [unknown, ...infer Rest] ? Rest : never;
