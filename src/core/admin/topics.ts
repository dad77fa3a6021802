// Topics: create, delete, describe, list, grow.

import { BrokerError, KafkaError, UsageError } from '../../errors.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { TopicMetadata } from '../cluster/metadata.ts';
import { MetadataStore } from '../cluster/metadata-store.ts';
import { brokerError } from '../cluster/retry.ts';
import { ERRORS } from '../protocol/error-codes.ts';
import { metadataApi } from '../protocol/messages/03-metadata.ts';
import { createTopicsApi } from '../protocol/messages/19-create-topics.ts';
import { deleteTopicsApi } from '../protocol/messages/20-delete-topics.ts';
import { createPartitionsApi } from '../protocol/messages/37-create-partitions.ts';
import { ZERO_UUID } from '../protocol/schema.ts';
import type { AdminOptions, Attempt, Outcomes } from './outcomes.ts';
import { settleAll, settleOne } from './outcomes.ts';
import { controllerFor, final, isAmbiguous } from './routing.ts';

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

/** A topic in a listing. */
export interface TopicListing {
  readonly name: string;
  readonly id: string;
  readonly isInternal: boolean;
}

/** How many partitions a topic is to have. */
export interface PartitionGrowth {
  readonly topic: string;
  /** The count afterwards, not the increase. */
  readonly count: number;
}

const BROKER_DEFAULT = -1;
const DELETE_BY_STRUCT_FROM = 6;

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
  await settleAll(cluster, named('Waiting for the leaders of', names), names, options, async (attempt) => {
    const described = await askForTopics(cluster, attempt.pending, attempt);
    return mapEntries(described, (topic) => {
      if (topic instanceof KafkaError) return topic;
      const without = topic.partitions.find(({ leader }) => leader === undefined);
      if (topic.partitions.length > 0 && without === undefined) return topic;
      return brokerError(ERRORS.LEADER_NOT_AVAILABLE, {
        api: metadataApi.name,
        topic: topic.name,
        partition: without?.index,
      });
    });
  });
}

/** Deletes topics through the controller. A topic that is unknown after an attempt nobody answered counts as deleted by that attempt. */
export async function deleteTopics(
  cluster: Cluster,
  names: readonly string[],
  options: AdminOptions,
): Promise<void> {
  nameList(names, 'names');
  let unanswered = false;
  await settleAll<string, object>(cluster, named('Deleting', names), names, options, async (attempt) => {
    const nodeId = await controllerFor(cluster, attempt);
    const { pending, timeoutMs, signal } = attempt;
    const response = await cluster
      .send(
        nodeId,
        deleteTopicsApi,
        (version) =>
          version < DELETE_BY_STRUCT_FROM
            ? { topicNames: [...pending], timeoutMs }
            : { topics: pending.map((name) => ({ name, topicId: ZERO_UUID })), timeoutMs },
        { timeoutMs, signal },
      )
      .catch((error: unknown) => {
        unanswered ||= isAmbiguous(error);
        throw error;
      });
    const outcomes = new Map<string, object>();
    for (const { name, errorCode, errorMessage } of response.responses) {
      if (name === null) continue;
      const gone = errorCode === ERRORS.UNKNOWN_TOPIC_OR_PARTITION;
      if (errorCode === 0 || (gone && unanswered)) outcomes.set(name, {});
      else {
        const error = brokerError(errorCode, {
          api: deleteTopicsApi.name,
          topic: name,
          detail: errorMessage,
        });
        outcomes.set(name, gone ? final(error) : error);
        unanswered ||= errorCode === ERRORS.REQUEST_TIMED_OUT;
      }
    }
    return outcomes;
  });
}

/** The topics as a broker describes them now; an unknown one is an error, never created. */
export async function describeTopics(
  cluster: Cluster,
  names: readonly string[],
  options: AdminOptions,
): Promise<TopicMetadata[]> {
  nameList(names, 'names');
  return settleAll(cluster, named('Describing', names), names, options, async (attempt) =>
    mapEntries(await askForTopics(cluster, attempt.pending, attempt), (topic) =>
      topic instanceof BrokerError && topic.errorName === 'UNKNOWN_TOPIC_OR_PARTITION' ? final(topic) : topic,
    ),
  );
}

/** Every topic of the cluster, Kafka's own included. */
export async function listTopics(cluster: Cluster, options: AdminOptions): Promise<TopicListing[]> {
  return settleOne(cluster, 'Listing topics', options, async ({ timeoutMs, signal }) => {
    const request = { topics: null, allowAutoTopicCreation: false };
    const response = await cluster.send(await cluster.anyNode(), metadataApi, request, { timeoutMs, signal });
    return response.topics
      .flatMap(({ name, topicId: id, isInternal }) => (name === null ? [] : [{ name, id, isInternal }]))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  });
}

async function askForTopics(
  cluster: Cluster,
  names: readonly string[],
  { timeoutMs, signal }: Attempt<unknown>,
): Promise<Outcomes<string, TopicMetadata>> {
  const request = { topics: names.map((name) => ({ name })), allowAutoTopicCreation: false };
  const response = await cluster.send(await cluster.anyNode(), metadataApi, request, { timeoutMs, signal });
  const view = new MetadataStore();
  view.apply(response, false);
  const outcomes = new Map<string, TopicMetadata | KafkaError>();
  for (const topic of view.topics()) {
    const { name, errorCode } = topic;
    outcomes.set(
      name,
      errorCode === 0 ? topic : brokerError(errorCode, { api: metadataApi.name, topic: name }),
    );
  }
  return outcomes;
}

/** Adds partitions to topics through the controller. Records with keys go to other partitions from then on. */
export async function createPartitions(
  cluster: Cluster,
  growth: readonly PartitionGrowth[],
  options: AdminOptions,
): Promise<void> {
  list(growth, 'growth');
  growth.forEach(({ topic, count }, at) => {
    nonEmpty(topic, `growth[${at}].topic`);
    atLeastOne(count, `growth[${at}].count`);
  });
  await settleAll<PartitionGrowth, object>(
    cluster,
    named(
      'Adding partitions to',
      growth.map(({ topic }) => topic),
    ),
    growth,
    options,
    async (attempt) => {
      const nodeId = await controllerFor(cluster, attempt);
      const { pending, timeoutMs, signal } = attempt;
      const topics = pending.map(({ topic, count }) => ({ name: topic, count, assignments: null }));
      const request = { topics, timeoutMs, validateOnly: false };
      const { results } = await cluster.send(nodeId, createPartitionsApi, request, { timeoutMs, signal });
      const outcomes = new Map<PartitionGrowth, object>();
      for (const item of pending) {
        const row = results.find(({ name }) => name === item.topic);
        if (row === undefined) continue;
        const { errorCode, errorMessage: detail } = row;
        const error = brokerError(errorCode, { api: createPartitionsApi.name, topic: item.topic, detail });
        if (errorCode === 0) outcomes.set(item, {});
        else outcomes.set(item, errorCode === ERRORS.UNKNOWN_TOPIC_OR_PARTITION ? final(error) : error);
      }
      return outcomes;
    },
  );
}

function mapEntries<K, A, B>(map: ReadonlyMap<K, A>, change: (value: A) => B): Map<K, B> {
  return new Map([...map].map(([key, value]) => [key, change(value)]));
}

function named(what: string, names: readonly string[]): string {
  const shown = names.slice(0, 3).join(', ');
  return names.length > 3 ? `${what} ${shown} and ${names.length - 3} more topics` : `${what} ${shown}`;
}

function list(value: unknown, option: string): void {
  if (!Array.isArray(value)) throw new UsageError(`${option} must be a list, not ${typeof value}`, option);
}

function nameList(names: readonly string[], option: string): void {
  list(names, option);
  names.forEach((name: unknown, at) => nonEmpty(name, `${option}[${at}]`));
}

function nonEmpty(value: unknown, option: string): void {
  if (typeof value === 'string' && value !== '') return;
  throw new UsageError(
    `${option} must be a string that is not empty, not ${JSON.stringify(value)} (${typeof value})`,
    option,
  );
}

function atLeastOne(value: unknown, option: string): void {
  if (value === undefined || (typeof value === 'number' && Number.isInteger(value) && value >= 1)) return;
  throw new UsageError(
    `${option} must be an integer of at least 1, not ${JSON.stringify(value)} (${typeof value})`,
    option,
  );
}
