// The directories of brokers, and which replicas lie where.

import type { KafkaError } from '../../errors.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { brokerError } from '../cluster/retry.ts';
import type { ResponseOf } from '../protocol/api.ts';
import { alterReplicaLogDirsApi } from '../protocol/messages/34-alter-replica-log-dirs.ts';
import { describeLogDirsApi } from '../protocol/messages/35-describe-log-dirs.ts';
import { list, nonEmpty } from './checks.ts';
import type { AdminOptions } from './outcomes.ts';
import { settleAll } from './outcomes.ts';
import { byTopic } from './partition-rows.ts';
import type { TopicPartition } from './routing.ts';
import { append, askEach, nodesFor } from './routing.ts';

/** A replica in a directory. */
export interface LogDirReplica extends TopicPartition {
  /** In bytes. */
  readonly size: number;
  /** How far behind it is: for a replica that moves here, behind the one it will replace. */
  readonly offsetLag: number;
  /** True while it is being moved here. */
  readonly isFuture: boolean;
}

/** A directory of a broker. */
export interface LogDir {
  readonly brokerId: number;
  readonly logDir: string;
  /** Why it cannot be used (`KAFKA_STORAGE_ERROR`); undefined where it can. */
  readonly error: KafkaError | undefined;
  /** Of its volume, in bytes, exact; undefined from brokers that do not say. */
  readonly totalBytes: bigint | undefined;
  readonly usableBytes: bigint | undefined;
  readonly replicas: readonly LogDirReplica[];
}

/** Which directories. */
export interface DescribeLogDirsOptions extends AdminOptions {
  /** Default every broker. */
  readonly brokers?: readonly number[] | undefined;
  /** Default every topic. */
  readonly partitions?: readonly TopicPartition[] | undefined;
}

/** Where the replica of a broker is to lie. */
export interface ReplicaMove extends TopicPartition {
  readonly brokerId: number;
  /** Absolute, one of the broker's own. */
  readonly logDir: string;
}

const NOT_KNOWN = -1n;

export async function describeLogDirs(cluster: Cluster, options: DescribeLogDirsOptions): Promise<LogDir[]> {
  const { partitions } = options;
  const brokers = options.brokers ?? (await nodesFor(cluster, 'Describing log directories', options));
  const topics =
    partitions === undefined
      ? null
      : [...byTopic(partitions)].map(([topic, items]) => ({
          topic,
          partitions: items.map(({ partition }) => partition),
        }));
  const api = describeLogDirsApi;
  const found = await settleAll<number, LogDir[]>(
    cluster,
    'Describing log directories',
    brokers,
    options,
    async ({ pending, n, timeoutMs, signal }) => {
      if (n > 1) await cluster.refresh([], signal);
      const outcomes = new Map<number, LogDir[] | KafkaError>();
      await askEach(
        new Map(pending.map((nodeId) => [nodeId, [nodeId]])),
        async (nodeId) => {
          const { errorCode, results } = await cluster.send(nodeId, api, { topics }, { timeoutMs, signal });
          if (errorCode !== 0) throw brokerError(errorCode, { api: api.name });
          return new Map([[nodeId, results.map((row) => logDir(nodeId, row))]]);
        },
        outcomes,
      );
      return outcomes;
    },
  );
  return found.flat();
}

function logDir(brokerId: number, row: ResponseOf<typeof describeLogDirsApi>['results'][number]): LogDir {
  const { errorCode, totalBytes, usableBytes } = row;
  return {
    brokerId,
    logDir: row.logDir,
    error:
      errorCode === 0
        ? undefined
        : brokerError(errorCode, { api: describeLogDirsApi.name, detail: row.logDir }),
    totalBytes: totalBytes === NOT_KNOWN ? undefined : totalBytes,
    usableBytes: usableBytes === NOT_KNOWN ? undefined : usableBytes,
    replicas: row.topics.flatMap(({ name: topic, partitions }) =>
      partitions.map(
        ({ partitionIndex: partition, partitionSize: size, offsetLag, isFutureKey: isFuture }) => ({
          topic,
          partition,
          size,
          offsetLag,
          isFuture,
        }),
      ),
    ),
  };
}

export async function alterReplicaLogDirs(
  cluster: Cluster,
  moves: readonly ReplicaMove[],
  options: AdminOptions,
): Promise<void> {
  list(moves, 'moves');
  moves.forEach(({ logDir: dir }, at) => nonEmpty(dir, `moves[${at}].logDir`));
  const api = alterReplicaLogDirsApi;
  await settleAll<ReplicaMove, object>(
    cluster,
    'Moving replicas',
    moves,
    options,
    async ({ pending, timeoutMs, signal }) => {
      if (cluster.nodeIds().length === 0) await cluster.refresh([], signal);
      const byNode = new Map<number, ReplicaMove[]>();
      for (const move of pending) append(byNode, move.brokerId, move);
      const outcomes = new Map<ReplicaMove, object | KafkaError>();
      await askEach(
        byNode,
        async (nodeId, some) => {
          const { results } = await cluster.send(nodeId, api, { dirs: dirsOf(some) }, { timeoutMs, signal });
          const answered = new Map<ReplicaMove, object>();
          for (const move of some) {
            const { topic, partition } = move;
            const row = results
              .find(({ topicName }) => topicName === topic)
              ?.partitions.find(({ partitionIndex }) => partitionIndex === partition);
            if (row === undefined) continue;
            const { errorCode } = row;
            const error = brokerError(errorCode, { api: api.name, topic, partition });
            answered.set(move, errorCode === 0 ? {} : error);
          }
          return answered;
        },
        outcomes,
      );
      return outcomes;
    },
  );
}

function dirsOf(moves: readonly ReplicaMove[]) {
  const byDir = new Map<string, ReplicaMove[]>();
  for (const move of moves) append(byDir, move.logDir, move);
  return [...byDir].map(([path, some]) => ({
    path,
    topics: [...byTopic(some)].map(([name, items]) => ({
      name,
      partitions: items.map(({ partition }) => partition),
    })),
  }));
}
