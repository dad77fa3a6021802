// Create topics, and wait until they can be used.

import { KafkaError } from '../../errors.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { brokerError } from '../cluster/retry.ts';
import { ERRORS } from '../protocol/error-codes.ts';
import { metadataApi } from '../protocol/messages/03-metadata.ts';
import { createTopicsApi } from '../protocol/messages/19-create-topics.ts';
import { ZERO_UUID } from '../protocol/schema.ts';
import { atLeastOne, list, named, nonEmpty } from './checks.ts';
import type { AdminOptions } from './outcomes.ts';
import { settleAll } from './outcomes.ts';
import { controllerFor, isAmbiguous } from './routing.ts';
import { askForTopics, mapEntries } from './topics.ts';

/** A topic to create. */
export interface NewTopic {
  readonly name: string;
  /** Default the cluster's (`num.partitions`). */
  readonly partitions?: number | undefined;
  /** Default the cluster's (`default.replication.factor`). */
  readonly replicationFactor?: number | undefined;
  /** Topic settings by Kafka's names: `{ 'retention.ms': '3600000' }`. */
  readonly configs?: { readonly [name: string]: string | null } | undefined;
}

/** Limits of `createTopics`. */
export interface CreateTopicsOptions extends AdminOptions {
  /** Resolve only when every partition has a leader; default true. */
  readonly waitForLeaders?: boolean | undefined;
  /** Check only, create nothing. */
  readonly validateOnly?: boolean | undefined;
}

/** A topic that was created. */
export interface CreatedTopic {
  readonly name: string;
  /** Kafka's topic id. */
  readonly id: string;
  /** -1 from brokers that do not say. */
  readonly partitions: number;
  readonly replicationFactor: number;
}

const BROKER_DEFAULT = -1;

/**
 * Creates topics through the controller. A topic that turns out to exist after an attempt nobody answered counts as created by that attempt.
 */
export async function createTopics(
  cluster: Cluster,
  topics: readonly NewTopic[],
  options: CreateTopicsOptions,
): Promise<CreatedTopic[]> {
  list(topics, 'topics');
  topics.forEach((topic, at) => {
    nonEmpty(topic.name, `topics[${at}].name`);
    atLeastOne(topic.partitions, `topics[${at}].partitions`);
    atLeastOne(topic.replicationFactor, `topics[${at}].replicationFactor`);
  });
  const validateOnly = options.validateOnly === true;
  const startedAt = cluster.clock.now();
  let unanswered = false;
  const created = await settleAll<NewTopic, CreatedTopic>(
    cluster,
    named(
      'Creating',
      topics.map(({ name }) => name),
    ),
    topics,
    options,
    async (attempt) => {
      const nodeId = await controllerFor(cluster, attempt);
      const { pending, timeoutMs, signal } = attempt;
      const outcomes = new Map<NewTopic, CreatedTopic | KafkaError>();
      const request = { topics: pending.map(creation), timeoutMs, validateOnly };
      const response = await cluster
        .send(nodeId, createTopicsApi, request, { timeoutMs, signal })
        .catch((error: unknown) => {
          unanswered ||= isAmbiguous(error);
          throw error;
        });
      for (const topic of pending) {
        const row = response.topics.find(({ name }) => name === topic.name);
        if (row === undefined) continue;
        const { errorCode, errorMessage, topicId: id, numPartitions, replicationFactor } = row;
        const existed = errorCode === ERRORS.TOPIC_ALREADY_EXISTS && unanswered;
        if (errorCode === 0 || existed) {
          outcomes.set(topic, { name: topic.name, id, partitions: numPartitions, replicationFactor });
        } else {
          outcomes.set(
            topic,
            brokerError(errorCode, { api: createTopicsApi.name, topic: topic.name, detail: errorMessage }),
          );
          unanswered ||= errorCode === ERRORS.REQUEST_TIMED_OUT;
        }
      }
      return outcomes;
    },
  );
  if (options.waitForLeaders !== false && !validateOnly) {
    const spentMs = cluster.clock.now() - startedAt;
    const leftMs = (options.timeoutMs ?? cluster.retry.deadlineMs) - spentMs;
    await awaitLeaders(cluster, created, { ...options, timeoutMs: Math.max(1, leftMs) });
  }
  // One of these names may have been another topic's.
  if (!validateOnly) cluster.forgetTopics(created.map(({ name }) => name));
  return created;
}

function creation({ name, partitions, replicationFactor, configs }: NewTopic) {
  return {
    name,
    numPartitions: partitions ?? BROKER_DEFAULT,
    replicationFactor: replicationFactor ?? BROKER_DEFAULT,
    assignments: [],
    configs: Object.entries(configs ?? {}).map(([key, value]) => ({ name: key, value })),
  };
}

async function awaitLeaders(
  cluster: Cluster,
  created: readonly CreatedTopic[],
  options: AdminOptions,
): Promise<void> {
  const names = created.map(({ name }) => name);
  const ids = new Map(created.map(({ name, id }) => [name, id]));
  await settleAll(cluster, named('Waiting for the leaders of', names), names, options, async (attempt) => {
    const described = await askForTopics(cluster, attempt.pending, attempt);
    return mapEntries(described, (topic) => {
      if (topic instanceof KafkaError) return topic;
      const without = topic.partitions.find(({ leader }) => leader === undefined);
      const id = ids.get(topic.name);
      // A broker that lags behind describes the topic that had this name before.
      const isIt = id === undefined || id === ZERO_UUID || id === topic.id;
      if (isIt && topic.partitions.length > 0 && without === undefined) return topic;
      return brokerError(ERRORS.LEADER_NOT_AVAILABLE, {
        api: metadataApi.name,
        topic: topic.name,
        partition: without?.index,
      });
    });
  });
}
