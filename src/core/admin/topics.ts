// Topics: delete, describe, list.

import type { KafkaError } from '../../errors.ts';
import { BrokerError } from '../../errors.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { TopicMetadata } from '../cluster/metadata.ts';
import { MetadataStore } from '../cluster/metadata-store.ts';
import { brokerError } from '../cluster/retry.ts';
import { ERRORS } from '../protocol/error-codes.ts';
import { metadataApi } from '../protocol/messages/03-metadata.ts';
import { deleteTopicsApi } from '../protocol/messages/20-delete-topics.ts';
import { ZERO_UUID } from '../protocol/schema.ts';
import { named, nameList } from './checks.ts';
import type { AdminOptions, Attempt, Outcomes } from './outcomes.ts';
import { settleAll, settleOne } from './outcomes.ts';
import { controllerFor, final, isAmbiguous } from './routing.ts';

/** A topic in a listing. */
export interface TopicListing {
  readonly name: string;
  readonly id: string;
  readonly isInternal: boolean;
}

const DELETE_BY_STRUCT_FROM = 6;

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
  cluster.forgetTopics(names);
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

/** What one broker answers about these topics now; creates none. */
export async function askForTopics(
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

/** The same keys with other values. */
export function mapEntries<K, A, B>(map: ReadonlyMap<K, A>, change: (value: A) => B): Map<K, B> {
  return new Map([...map].map(([key, value]) => [key, change(value)]));
}
