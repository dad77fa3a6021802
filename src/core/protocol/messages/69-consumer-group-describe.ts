import { api } from '../api.ts';
import { array, bool, int16, int32, int8, nullableString, string, struct, uuid } from '../schema.ts';

const assignment = struct({
  topicPartitions: array({ topicId: uuid(), topicName: string(), partitions: array(int32()) }),
});

/** State and members of consumer groups (KIP-848). */
export const consumerGroupDescribeApi = api(
  { key: 69, name: 'ConsumerGroupDescribe', versions: '0-1', flexible: '0+' },
  {
    groupIds: array(string()),
    includeAuthorizedOperations: bool(),
  },
  {
    throttleTimeMs: int32(),
    groups: array({
      errorCode: int16(),
      errorMessage: nullableString({ default: null }),
      groupId: string(),
      /** 'Empty', 'Assigning', 'Reconciling', 'Stable', 'Dead'. */
      groupState: string(),
      groupEpoch: int32(),
      assignmentEpoch: int32(),
      assignorName: string(),
      members: array({
        memberId: string(),
        instanceId: nullableString({ default: null }),
        rackId: nullableString({ default: null }),
        memberEpoch: int32(),
        clientId: string(),
        clientHost: string(),
        subscribedTopicNames: array(string()),
        subscribedTopicRegex: nullableString({ default: null }),
        assignment,
        targetAssignment: assignment,
        /** 0: of the classic protocol; 1: of the consumer protocol; -1: not known. */
        memberType: int8({ versions: '1+', default: -1, ignorable: true }),
      }),
      authorizedOperations: int32({ default: -2147483648 }),
    }),
  },
);
