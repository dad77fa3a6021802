// Consumer groups: list, describe, delete, and what they committed.

import type { BrokerError } from '../../errors.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { askCommittedOffsets, type CommittedOffset } from '../cluster/committed-offsets.ts';
import { brokerError } from '../cluster/retry.ts';
import { decodeAssignment } from '../protocol/consumer-protocol.ts';
import type { ResponseOf } from '../protocol/api.ts';
import { describeGroupsApi } from '../protocol/messages/15-describe-groups.ts';
import { listGroupsApi } from '../protocol/messages/16-list-groups.ts';
import { deleteGroupsApi } from '../protocol/messages/42-delete-groups.ts';
import type { AdminOptions } from './outcomes.ts';
import { onCoordinators, onEveryNode } from './routing.ts';

/** A group in a listing. */
export interface GroupListing {
  readonly groupId: string;
  /** 'consumer' for consumer groups. */
  readonly protocolType: string;
  /** 'Stable', 'Empty', ...; empty from brokers that do not say. */
  readonly state: string;
  /** 'classic', 'consumer', ...; empty from brokers that do not say. */
  readonly type: string;
}

/** One member of a group. */
export interface GroupMember {
  readonly memberId: string;
  /** Of a static member. */
  readonly groupInstanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  /** What the member reads; empty for groups of another protocol than 'consumer'. */
  readonly assignment: readonly { readonly topic: string; readonly partitions: readonly number[] }[];
}

/** A group and its members. */
export interface GroupDescription {
  readonly groupId: string;
  /** 'Stable', 'Empty', 'PreparingRebalance', 'CompletingRebalance', 'Dead'. */
  readonly state: string;
  readonly protocolType: string;
  /** The assignor in use; empty while there is none. */
  readonly protocol: string;
  readonly members: readonly GroupMember[];
  /** The node id of its coordinator. */
  readonly coordinator: number;
}

/** Limits of `fetchOffsets`. */
export interface FetchOffsetsOptions extends AdminOptions {
  /** Default every topic the group has committed for. */
  readonly topics?: readonly string[] | undefined;
}

export async function fetchOffsets(
  cluster: Cluster,
  groupId: string,
  options: FetchOffsetsOptions,
): Promise<CommittedOffset[]> {
  const [result] = await onCoordinators<CommittedOffset[]>(
    cluster,
    `Fetching the offsets of group ${groupId}`,
    [groupId],
    options,
    async (nodeId, _, limits) =>
      new Map([[groupId, await askCommittedOffsets(cluster, nodeId, { groupId }, limits)]]),
  );
  const wanted = options.topics;
  return result!
    .filter(({ topic }) => wanted?.includes(topic) ?? true)
    .sort((a, b) => (a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1));
}

export async function listGroups(cluster: Cluster, options: AdminOptions): Promise<GroupListing[]> {
  const found = await onEveryNode(cluster, 'Listing groups', options, async (nodeId, attempt) => {
    const { timeoutMs, signal } = attempt;
    const { errorCode, groups } = await cluster.send(nodeId, listGroupsApi, {}, { timeoutMs, signal });
    if (errorCode !== 0) throw brokerError(errorCode, { api: listGroupsApi.name });
    return groups.map(listing);
  });
  const byId = new Map(found.map((group) => [group.groupId, group]));
  return [...byId.values()].sort((a, b) => (a.groupId < b.groupId ? -1 : 1));
}

function listing(row: ResponseOf<typeof listGroupsApi>['groups'][number]): GroupListing {
  const { groupId, protocolType, groupState: state, groupType: type } = row;
  return { groupId, protocolType, state, type };
}

export async function describeGroups(
  cluster: Cluster,
  groupIds: readonly string[],
  options: AdminOptions,
): Promise<GroupDescription[]> {
  return onCoordinators<GroupDescription>(
    cluster,
    `Describing groups ${groupIds.join(', ')}`,
    groupIds,
    options,
    async (nodeId, some, limits) => {
      const response = await cluster.send(nodeId, describeGroupsApi, { groups: [...some] }, limits);
      return new Map(response.groups.map((row) => [row.groupId, description(row, nodeId)] as const));
    },
  );
}

function description(
  row: ResponseOf<typeof describeGroupsApi>['groups'][number],
  coordinator: number,
): GroupDescription | BrokerError {
  const { groupId, errorCode, errorMessage, groupState: state, protocolType, protocolData: protocol } = row;
  if (errorCode !== 0) {
    return brokerError(errorCode, {
      api: describeGroupsApi.name,
      detail: errorMessage ?? `group ${groupId}`,
    });
  }
  const members = row.members.map(({ memberId, groupInstanceId, clientId, clientHost, memberAssignment }) => {
    const readable = protocolType === 'consumer' && memberAssignment.length > 0;
    const assignment = readable ? decodeAssignment(memberAssignment).assignedPartitions : [];
    return { memberId, groupInstanceId, clientId, clientHost, assignment };
  });
  return { groupId, state, protocolType, protocol, members, coordinator };
}

export async function deleteGroups(
  cluster: Cluster,
  groupIds: readonly string[],
  options: AdminOptions,
): Promise<void> {
  await onCoordinators<object>(
    cluster,
    `Deleting groups ${groupIds.join(', ')}`,
    groupIds,
    options,
    async (nodeId, some, limits) => {
      const { results } = await cluster.send(nodeId, deleteGroupsApi, { groupsNames: [...some] }, limits);
      return new Map(
        results.map(({ groupId, errorCode }) => [
          groupId,
          errorCode === 0
            ? {}
            : brokerError(errorCode, { api: deleteGroupsApi.name, detail: `group ${groupId}` }),
        ]),
      );
    },
  );
}
