// To which broker a question of the admin goes: the controller, the leaders, the coordinators.

import { BrokerError, ConnectionError, KafkaError, TimeoutError } from '../../errors.ts';
import type { Cluster, CoordinatorKind, SendOptions } from '../cluster/cluster.ts';
import { brokerError } from '../cluster/retry.ts';
import { ERRORS } from '../protocol/error-codes.ts';
import type { AdminOptions, Attempt, Outcomes } from './outcomes.ts';
import { allFailed, settleAll, settleOne } from './outcomes.ts';

/** A partition by name. */
export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** For so long a broker that does not know a topic may only be late to hear of it. */
const UNKNOWN_TOPIC_PATIENCE_MS = 2000;

/** The controller, looked up again before each repetition. */
export async function controllerFor(cluster: Cluster, { n, signal }: Attempt<unknown>): Promise<number> {
  if (n > 1) await cluster.refresh([], signal);
  return cluster.controller();
}

/** Asks the leader of each partition about the partitions it leads, all leaders at once. */
export async function onLeaders<I extends TopicPartition, V extends object>(
  cluster: Cluster,
  attempt: Attempt<I>,
  ask: (nodeId: number, items: readonly I[]) => Promise<Outcomes<I, V>>,
): Promise<Outcomes<I, V>> {
  const { pending, n, elapsedMs, signal } = attempt;
  const { metadata } = cluster;
  const unknown = pending.filter(({ topic, partition }) => metadata.leader(topic, partition) === undefined);
  const stale = n > 1 ? pending : unknown;
  if (stale.length > 0) {
    const topics = new Set(stale.map(({ topic }) => topic));
    await cluster.refresh([...topics], signal, { allowAutoTopicCreation: false });
  }

  const outcomes = new Map<I, V | KafkaError>();
  const byLeader = new Map<number, I[]>();
  for (const item of pending) {
    const leader = metadata.leader(item.topic, item.partition);
    if (leader === undefined) outcomes.set(item, leaderless(cluster, item));
    else append(byLeader, leader.nodeId, item);
  }
  await askEach(byLeader, ask, outcomes);
  for (const [item, outcome] of outcomes) {
    if (!(outcome instanceof BrokerError) || outcome.errorName !== 'UNKNOWN_TOPIC_OR_PARTITION') continue;
    if (elapsedMs >= UNKNOWN_TOPIC_PATIENCE_MS) outcomes.set(item, final(outcome));
  }
  return outcomes;
}

/** Of one request to a coordinator. */
export type CoordinatorLimits = Pick<SendOptions, 'timeoutMs' | 'signal' | 'use'>;

/** Asks the coordinator of each group (or transactional id) about those it coordinates, all coordinators at once, until each has an outcome. */
export function onCoordinators<V extends object>(
  cluster: Cluster,
  what: string,
  keys: readonly string[],
  options: AdminOptions,
  ask: (nodeId: number, keys: readonly string[], limits: CoordinatorLimits) => Promise<Outcomes<string, V>>,
  kind: CoordinatorKind = 'group',
): Promise<V[]> {
  return settleAll<string, V>(cluster, what, keys, options, ({ pending, timeoutMs, signal }) =>
    askCoordinators(cluster, pending, kind, (nodeId, some) =>
      ask(nodeId, some, { timeoutMs, signal, use: 'coordinator' }),
    ),
  );
}

async function askCoordinators<V extends object>(
  cluster: Cluster,
  keys: readonly string[],
  kind: CoordinatorKind,
  ask: (nodeId: number, keys: readonly string[]) => Promise<Outcomes<string, V>>,
): Promise<Outcomes<string, V>> {
  const outcomes = new Map<string, V | KafkaError>();
  const byNode = new Map<number, string[]>();
  const located = keys.map(async (key) => {
    try {
      append(byNode, await cluster.coordinator(kind, key), key);
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error;
      outcomes.set(key, error);
    }
  });
  await Promise.all(located);
  await askEach(byNode, ask, outcomes);
  for (const [key, outcome] of outcomes) {
    if (outcome instanceof KafkaError && moved(outcome)) cluster.forgetCoordinator(kind, key);
  }
  return outcomes;
}

/** The brokers that are alive, as one of them says now. */
export function nodesFor(cluster: Cluster, what: string, options: AdminOptions): Promise<readonly number[]> {
  return settleOne(cluster, what, options, async ({ signal }) => {
    await cluster.refresh([], signal);
    return cluster.nodeIds();
  });
}

/** Asks every broker for its part of a listing. One that leaves meanwhile has no part any more: what it had is with others. */
export async function onEveryNode<V extends object>(
  cluster: Cluster,
  what: string,
  options: AdminOptions,
  ask: (nodeId: number, attempt: Attempt<number>) => Promise<readonly V[]>,
): Promise<V[]> {
  const startedAt = cluster.clock.now();
  const nodeIds = await nodesFor(cluster, what, options);
  const spentMs = cluster.clock.now() - startedAt;
  const timeoutMs = Math.max(1, (options.timeoutMs ?? cluster.retry.deadlineMs) - spentMs);
  const answers = await settleAll<number, readonly V[]>(
    cluster,
    what,
    nodeIds,
    { ...options, timeoutMs },
    async (attempt) => {
      if (attempt.n > 1) await cluster.refresh([], attempt.signal);
      const alive = cluster.nodeIds();
      const outcomes = new Map<number, readonly V[] | KafkaError>();
      await askEach(
        new Map(attempt.pending.map((nodeId) => [nodeId, [nodeId]])),
        async (nodeId) => new Map([[nodeId, alive.includes(nodeId) ? await ask(nodeId, attempt) : []]]),
        outcomes,
      );
      return outcomes;
    },
  );
  return answers.flat();
}

/** The same error, not to be retried. */
export function final(error: BrokerError): BrokerError {
  const { errorName, message, api, topic, partition } = error;
  return new BrokerError(errorName, message, { retriable: false, api, topic, partition, cause: error });
}

/** True when nobody knows whether the request was carried out. */
export function isAmbiguous(error: unknown): boolean {
  if (error instanceof TimeoutError) return error.sent;
  if (error instanceof ConnectionError) return error.phase === 'io';
  return error instanceof BrokerError && error.errorName === 'REQUEST_TIMED_OUT';
}

/** True when another coordinator may have to be asked. */
function moved(error: KafkaError): boolean {
  if (error instanceof ConnectionError || error instanceof TimeoutError) return true;
  return (
    error instanceof BrokerError &&
    (error.errorName === 'NOT_COORDINATOR' || error.errorName === 'COORDINATOR_NOT_AVAILABLE')
  );
}

/** Asks several brokers at once; what fails is the outcome of all that this broker was asked about. */
export async function askEach<I, V extends object>(
  byNode: ReadonlyMap<number, readonly I[]>,
  ask: (nodeId: number, items: readonly I[]) => Promise<Outcomes<I, V>>,
  outcomes: Map<I, V | KafkaError>,
): Promise<void> {
  const asked = [...byNode].map(async ([nodeId, items]) => {
    try {
      return await ask(nodeId, items);
    } catch (error) {
      if (error instanceof KafkaError) return allFailed(items, error);
      throw error;
    }
  });
  for (const answers of await Promise.all(asked)) {
    for (const [item, outcome] of answers) outcomes.set(item, outcome);
  }
}

function leaderless(cluster: Cluster, { topic, partition }: TopicPartition): BrokerError {
  const known = cluster.metadata.topic(topic);
  const code = known === undefined ? ERRORS.UNKNOWN_TOPIC_OR_PARTITION : known.errorCode;
  if (code !== 0) return brokerError(code, { api: 'Metadata', topic });
  const count = known?.partitions.length ?? 0;
  if (known?.partitions.some(({ index }) => index === partition) === true) {
    return brokerError(ERRORS.LEADER_NOT_AVAILABLE, { api: 'Metadata', topic, partition });
  }
  const detail = `the topic has ${count} partitions, and none of that number`;
  return brokerError(ERRORS.UNKNOWN_TOPIC_OR_PARTITION, { api: 'Metadata', topic, partition, detail });
}

/** Adds to the list of a key. */
export function append<K, T>(groups: Map<K, T[]>, key: K, item: T): void {
  const group = groups.get(key);
  if (group === undefined) groups.set(key, [item]);
  else group.push(item);
}
