import { api } from '../api.ts';
import {
  array,
  int16,
  int32,
  nullableArray,
  nullableString,
  nullableStruct,
  string,
  uuid,
} from '../schema.ts';

/** Joins, keeps alive, reconciles and leaves a consumer group (KIP-848): the one request of its members. */
export const consumerGroupHeartbeatApi = api(
  { key: 68, name: 'ConsumerGroupHeartbeat', versions: '0-1', flexible: '0+' },
  {
    groupId: string(),
    /** From version 1 made by the member itself, before its first heartbeat. */
    memberId: string(),
    /** 0 joins; -1 leaves; -2 leaves for a while (static members). */
    memberEpoch: int32(),
    /** Static membership. As below: null when it did not change since the last heartbeat. */
    instanceId: nullableString({ default: null }),
    rackId: nullableString({ default: null }),
    /** How long the coordinator waits for this member to give partitions up; -1 when it did not change. */
    rebalanceTimeoutMs: int32({ default: -1 }),
    subscribedTopicNames: nullableArray(string(), { default: null }),
    /** In the syntax of RE2. */
    subscribedTopicRegex: nullableString({ versions: '1+', default: null }),
    /** 'uniform' or 'range'. */
    serverAssignor: nullableString({ default: null }),
    /** What the member owns now. */
    topicPartitions: nullableArray({ topicId: uuid(), partitions: array(int32()) }, { default: null }),
  },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: nullableString({ default: null }),
    memberId: nullableString({ default: null }),
    memberEpoch: int32(),
    heartbeatIntervalMs: int32(),
    /** Null when it did not change. */
    assignment: nullableStruct(
      { topicPartitions: array({ topicId: uuid(), partitions: array(int32()) }) },
      { default: null },
    ),
  },
);
