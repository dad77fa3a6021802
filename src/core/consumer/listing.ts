// Which topics and partitions there are to read.

import { awaitTopics } from '../cluster/await-topics.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { NO_CREATION } from './defaults.ts';

/** How long a listing may take. */
export interface ListingOptions {
  /** Default: the cluster's. */
  readonly deadlineMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The names of the topics that this client may see, sorted; Kafka's own are left out. */
export async function listTopics(cluster: Cluster, signal?: AbortSignal): Promise<string[]> {
  await cluster.refresh(undefined, signal);
  return [...cluster.metadata.topics()]
    .filter(({ errorCode, isInternal }) => errorCode === 0 && !isInternal)
    .map(({ name }) => name)
    .sort();
}

/** The topic's partitions, sorted by id. Waits for a topic that is not there yet; rejects with a coded error at the deadline. */
export async function listPartitions(
  cluster: Cluster,
  topic: string,
  options: ListingOptions = {},
): Promise<number[]> {
  const { signal, deadlineMs = cluster.retry.deadlineMs } = options;
  await awaitTopics(cluster, [topic], { deadlineMs, signal, ...NO_CREATION });
  return cluster.metadata.topic(topic)!.partitions.map(({ index }) => index);
}
