// Options of a group in kafkajs's words, and those that kafkajs cannot have.

import type { ConsumerConfig } from 'kafkajs';
import type { GroupConsumerOptions, GroupTimes } from '../core/group/options.ts';
import { UsageError } from '../errors.ts';

const OWN_CLIENT = 'use new Kafka({ brokers }) of this library for it';

/** Each with what to do instead. */
const IMPOSSIBLE: Partial<Record<keyof GroupConsumerOptions, string>> = {
  groupInstanceId: `kafkajs has no static members; leave it out, or ${OWN_CLIENT}`,
  groupRemoteAssignor: `kafkajs has the classic protocol only; leave it out, or ${OWN_CLIENT}`,
  assignors: `the assigners are kafkajs's: give partitionAssigners to kafkajs(client, { consumer }); retryTopics needs its own, so ${OWN_CLIENT}`,
  committer: `kafkajs commits by its own consumer; ${OWN_CLIENT}`,
  interceptors: `kafkajs has no interceptors; put map or tap first, or ${OWN_CLIENT}`,
  budgetBytes: 'kafkajs has no budget over partitions; prefetchBytes bounds each of them',
  maxBatchBytes: `kafkajs unpacks batches of any size; leave it out, or ${OWN_CLIENT}`,
  replicaLeaseMs: 'kafkajs goes by metadataMaxAgeMs',
  onTrouble: 'kafkajs tells of failed fetches in its log only',
};

/** @throws UsageError for what kafkajs has no counterpart for */
export function checkGroupOptions(options: GroupConsumerOptions): void {
  for (const [name, what] of Object.entries(IMPOSSIBLE))
    if (options[name as keyof GroupConsumerOptions] !== undefined)
      throw new UsageError(`fromGroup over kafkajs: '${name}' is not possible: ${what}`, name);
  if (options.groupProtocol !== undefined && options.groupProtocol !== 'classic')
    throw new UsageError(
      `fromGroup over kafkajs: groupProtocol '${options.groupProtocol}' is not possible, kafkajs has the classic protocol only; leave it out, or ${OWN_CLIENT}`,
      'groupProtocol',
    );
  if (typeof options.outOfRange === 'object')
    throw new UsageError(
      `fromGroup over kafkajs: outOfRange is 'fail', 'earliest' or 'latest'; for a time, ${OWN_CLIENT}`,
      'outOfRange',
    );
}

/** As a retry of a client of this library goes, and often enough for a drain: kafkajs waits for it in its retries. */
const RETRY_MS = 50;
const MAX_RETRY_MS = 500;
const RETRIES_BESIDES = 20;

/** kafkajs's 5,000 would keep a stop, and a partition that is resumed, waiting. */
const MAX_WAIT_MS = 500;

/** What the consumer is made with. */
export function consumerConfig(
  options: GroupConsumerOptions,
  times: GroupTimes,
  given: Omit<ConsumerConfig, 'groupId' | 'retry'>,
): ConsumerConfig {
  const { groupId, isolationLevel, rackId } = options;
  const patienceMs = times.drainTimeoutMs + times.commitTimeoutMs;
  return {
    maxWaitTimeInMs: MAX_WAIT_MS,
    sessionTimeout: times.sessionTimeoutMs,
    rebalanceTimeout: times.rebalanceTimeoutMs,
    heartbeatInterval: times.heartbeatIntervalMs,
    metadataMaxAge: times.metadataMaxAgeMs,
    readUncommitted: isolationLevel !== 'read_committed',
    ...given,
    ...defined({
      sessionTimeout: options.sessionTimeoutMs,
      rebalanceTimeout: options.rebalanceTimeoutMs,
      heartbeatInterval: options.heartbeatIntervalMs,
      metadataMaxAge: options.metadataMaxAgeMs,
      maxWaitTimeInMs: options.fetchMaxWaitMs,
      minBytes: options.fetchMinBytes,
      maxBytesPerPartition: options.partitionFetchBytes,
      readUncommitted: isolationLevel === undefined ? undefined : isolationLevel !== 'read_committed',
      rackId,
    }),
    groupId,
    retry: {
      initialRetryTime: RETRY_MS,
      maxRetryTime: MAX_RETRY_MS,
      multiplier: 2,
      factor: 0.2,
      retries: Math.ceil(patienceMs / (MAX_RETRY_MS / 2)) + RETRIES_BESIDES,
    },
  };
}

/** The times of a group as kafkajs's configuration has them, where the group does not say otherwise. */
export function withGivenTimes(
  options: GroupConsumerOptions,
  given: Omit<ConsumerConfig, 'groupId' | 'retry'>,
): GroupConsumerOptions {
  return {
    ...options,
    ...defined({
      sessionTimeoutMs: options.sessionTimeoutMs ?? given.sessionTimeout,
      rebalanceTimeoutMs: options.rebalanceTimeoutMs ?? given.rebalanceTimeout,
      heartbeatIntervalMs: options.heartbeatIntervalMs ?? given.heartbeatInterval,
    }),
  };
}

function defined<T extends object>(values: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: NonNullable<T[K]>;
  };
}
