// Members of groups, from outside.

import type { BrokerError } from '../../errors.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { brokerError } from '../cluster/retry.ts';
import type { ResponseOf } from '../protocol/api.ts';
import { ERRORS } from '../protocol/error-codes.ts';
import { leaveGroupApi } from '../protocol/messages/13-leave-group.ts';
import { consumerGroupDescribeApi } from '../protocol/messages/69-consumer-group-describe.ts';
import { list, nameList, nonEmpty } from './checks.ts';
import { describeGroups } from './groups.ts';
import type { AdminOptions } from './outcomes.ts';
import { onCoordinators } from './routing.ts';

/** A member to remove: a static one by its instance id, any other by its member id. */
export type MemberToRemove = { readonly groupInstanceId: string } | { readonly memberId: string };

/** Limits of `removeMembers`. */
export interface RemoveMembersOptions extends AdminOptions {
  /** Written to the broker's log. */
  readonly reason?: string | undefined;
}

/** What a member of a consumer group (KIP-848) reads. */
export type MemberAssignment = readonly {
  readonly topic: string;
  readonly partitions: readonly number[];
}[];

/** A member of a consumer group. */
export interface ConsumerGroupMember {
  readonly memberId: string;
  /** Of a static member. */
  readonly groupInstanceId: string | null;
  readonly rackId: string | null;
  readonly memberEpoch: number;
  readonly clientId: string;
  readonly clientHost: string;
  readonly subscribedTopicNames: readonly string[];
  readonly subscribedTopicRegex: string | null;
  readonly assignment: MemberAssignment;
  /** What it is to read once it has given up the rest. */
  readonly targetAssignment: MemberAssignment;
}

/** A consumer group (KIP-848) and its members. */
export interface ConsumerGroupDescription {
  readonly groupId: string;
  /** 'Empty', 'Assigning', 'Reconciling', 'Stable', 'Dead'. */
  readonly state: string;
  readonly groupEpoch: number;
  readonly assignmentEpoch: number;
  /** The server's assignor. */
  readonly assignor: string;
  readonly members: readonly ConsumerGroupMember[];
  /** The node id of its coordinator. */
  readonly coordinator: number;
}

const SEVERAL_MEMBERS_FROM = 3;
const REASON_FROM = 5;

/** Makes members leave; they may join again. Without a list, all members there are now. A member that is gone counts as removed. */
export async function removeMembers(
  cluster: Cluster,
  groupId: string,
  members: readonly MemberToRemove[] | undefined,
  options: RemoveMembersOptions,
): Promise<void> {
  nonEmpty(groupId, 'groupId');
  if (members !== undefined) list(members, 'members');
  const leaving = members ?? (await membersOf(cluster, groupId, options));
  const { reason = 'removed by the administrator' } = options;
  for (const member of leaving) {
    const memberId = 'memberId' in member ? member.memberId : '';
    const groupInstanceId = 'groupInstanceId' in member ? member.groupInstanceId : null;
    await onCoordinators<object>(
      cluster,
      `Removing ${groupInstanceId ?? memberId} from group ${groupId}`,
      [groupId],
      options,
      async (nodeId, _, limits) => {
        const response = await cluster.send(
          nodeId,
          leaveGroupApi,
          (version) =>
            version < SEVERAL_MEMBERS_FROM
              ? { groupId, memberId }
              : {
                  groupId,
                  members: [{ memberId, groupInstanceId, ...(version >= REASON_FROM && { reason }) }],
                },
          limits,
        );
        const code = response.errorCode || (response.members[0]?.errorCode ?? 0);
        const isGone = code === 0 || code === ERRORS.UNKNOWN_MEMBER_ID;
        const detail = `group ${groupId}`;
        return new Map([[groupId, isGone ? {} : brokerError(code, { api: leaveGroupApi.name, detail })]]);
      },
    );
  }
}

async function membersOf(
  cluster: Cluster,
  groupId: string,
  options: AdminOptions,
): Promise<MemberToRemove[]> {
  const [group] = await describeGroups(cluster, [groupId], options);
  return group!.members.map(({ memberId, groupInstanceId }) =>
    groupInstanceId === null ? { memberId } : { groupInstanceId },
  );
}

/** Groups of the consumer protocol, in the order asked for; a classic group is GROUP_ID_NOT_FOUND. */
export async function describeConsumerGroups(
  cluster: Cluster,
  groupIds: readonly string[],
  options: AdminOptions,
): Promise<ConsumerGroupDescription[]> {
  nameList(groupIds, 'groupIds');
  return onCoordinators<ConsumerGroupDescription>(
    cluster,
    `Describing consumer groups ${groupIds.join(', ')}`,
    groupIds,
    options,
    async (nodeId, some, limits) => {
      const response = await cluster.send(
        nodeId,
        consumerGroupDescribeApi,
        { groupIds: some, includeAuthorizedOperations: false },
        limits,
      );
      return new Map(response.groups.map((row) => [row.groupId, description(row, nodeId)] as const));
    },
  );
}

type Row = ResponseOf<typeof consumerGroupDescribeApi>['groups'][number];
type MemberRow = Row['members'][number];

function description(row: Row, coordinator: number): ConsumerGroupDescription | BrokerError {
  const { groupId, errorCode, errorMessage } = row;
  if (errorCode !== 0)
    return brokerError(errorCode, {
      api: consumerGroupDescribeApi.name,
      detail: errorMessage ?? `group ${groupId}`,
    });
  return {
    groupId,
    state: row.groupState,
    groupEpoch: row.groupEpoch,
    assignmentEpoch: row.assignmentEpoch,
    assignor: row.assignorName,
    members: row.members.map(member),
    coordinator,
  };
}

function member({ instanceId, assignment, targetAssignment, ...row }: MemberRow): ConsumerGroupMember {
  const { memberId, rackId, memberEpoch, clientId, clientHost, subscribedTopicNames } = row;
  return {
    memberId,
    groupInstanceId: instanceId,
    rackId,
    memberEpoch,
    clientId,
    clientHost,
    subscribedTopicNames,
    subscribedTopicRegex: row.subscribedTopicRegex,
    assignment: partitionsOf(assignment),
    targetAssignment: partitionsOf(targetAssignment),
  };
}

function partitionsOf({ topicPartitions }: MemberRow['assignment']): MemberAssignment {
  return topicPartitions.map(({ topicName: topic, partitions }) => ({ topic, partitions }));
}
