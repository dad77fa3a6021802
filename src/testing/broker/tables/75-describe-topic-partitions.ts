import { api } from '../../../core/protocol/api.ts';
import {
  array,
  bool,
  int16,
  int32,
  nullableArray,
  nullableString,
  nullableStruct,
  string,
  uuid,
} from '../../../core/protocol/schema.ts';

/** DescribeTopicPartitions: as Metadata, in pages (KIP-966). */
export const describeTopicPartitionsApi = api(
  { key: 75, name: 'DescribeTopicPartitions', versions: '0-0', flexible: '0+' },
  {
    /** None asks for all. */
    topics: array({ name: string() }),
    responsePartitionLimit: int32({ default: 2000 }),
    /** Where the page begins. */
    cursor: nullableStruct({ topicName: string(), partitionIndex: int32() }, { default: null }),
  },
  {
    throttleTimeMs: int32({ default: 0, ignorable: true }),
    topics: array({
      errorCode: int16(),
      name: nullableString(),
      topicId: uuid({ ignorable: true }),
      isInternal: bool({ default: false, ignorable: true }),
      partitions: array({
        errorCode: int16(),
        partitionIndex: int32(),
        leaderId: int32(),
        leaderEpoch: int32({ default: -1, ignorable: true }),
        replicaNodes: array(int32()),
        isrNodes: array(int32()),
        eligibleLeaderReplicas: nullableArray(int32(), { default: null }),
        lastKnownElr: nullableArray(int32(), { default: null }),
        offlineReplicas: array(int32(), { ignorable: true }),
      }),
      topicAuthorizedOperations: int32({ default: -2147483648 }),
    }),
    nextCursor: nullableStruct({ topicName: string(), partitionIndex: int32() }, { default: null }),
  },
);
