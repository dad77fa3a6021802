// A group goes from one protocol to the other while it has members, as Kafka's `group.consumer.migration.policy` allows.

import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
} from '../../../core/protocol/consumer-protocol.ts';
import { asKept } from './assignors/assignment.ts';
import type { Assignment } from './assignors/assignment.ts';
import { ClassicMember } from './classic/classic-member.ts';
import type { ClassicGroup } from './classic/classic-group.ts';
import { protocolVersion } from './consumer/classic-members.ts';
import type { ConsumerGroup } from './consumer/consumer-group.ts';
import type { ClusterTopics } from './consumer/group-environment.ts';
import { asKeptNames, newMember } from './consumer/consumer-member.ts';
import type { ConsumerMember } from './consumer/consumer-member.ts';
import { isRefusal, refuse } from './refusal.ts';
import type { Refusal } from './refusal.ts';
import type { GroupTimings } from '../options.ts';

/** A member of a classic group as one of a consumer group, with its target. */
export interface ConvertedMember {
  readonly member: ConsumerMember;
  readonly target: Assignment;
}

const NOTHING_YET = { assignedPartitions: [], userData: null };

const cannot = (groupId: string, why: string): Refusal =>
  refuse('GROUP_ID_NOT_FOUND', `Cannot upgrade classic group ${groupId} to consumer group because ${why}.`);

/** The members of a classic group for a consumer group, or why that cannot be. */
export function consumerMembersOf(
  group: ClassicGroup,
  timings: GroupTimings,
  topics: ClusterTopics,
): readonly ConvertedMember[] | Refusal {
  const policy = timings.migrationPolicy;
  if (policy !== 'bidirectional' && policy !== 'upgrade') {
    return cannot(group.id, 'online upgrade is disabled');
  }
  if (group.members.protocolType !== 'consumer') {
    return cannot(group.id, 'the group does not use the consumer embedded protocol');
  }
  if (group.members.size > timings.consumerMaxSize) {
    return cannot(group.id, 'the group size exceeds the consumer group maximum size');
  }
  const converted: ConvertedMember[] = [];
  for (const member of group.members.all()) {
    const one = convertMember(group, member, topics);
    if (isRefusal(one)) return one;
    converted.push(one);
  }
  return converted;
}

function convertMember(
  group: ClassicGroup,
  classic: ClassicMember,
  topics: ClusterTopics,
): ConvertedMember | Refusal {
  const { generationId: epoch } = group;
  try {
    const subscription = decodeSubscription(
      classic.metadataOf(group.protocolName ?? classic.protocols[0]?.name ?? ''),
    );
    // Before its group was stable for the first time a member has none.
    const { assignedPartitions, userData } =
      classic.assignment.length === 0 ? NOTHING_YET : decodeAssignment(classic.assignment);
    if (userData !== null && userData.length > 0) {
      const why =
        'an unsupported custom assignor is in use. Please refer to the documentation or switch to a default assignor before re-attempting the upgrade';
      return cannot(group.id, why);
    }
    const target = new Map<string, readonly number[]>();
    for (const { topic, partitions } of assignedPartitions) {
      const known = topics.get(topic);
      if (known === undefined) continue;
      // What the leader wrote is bytes of a client: only what is there is taken over.
      const real = partitions.filter((partition) => partition >= 0 && partition < known.partitions.length);
      target.set(known.id, asKept(real));
    }
    const member: ConsumerMember = {
      ...newMember(classic.id),
      epoch,
      previousEpoch: epoch,
      instanceId: classic.instanceId,
      rackId: subscription.rackId,
      rebalanceTimeoutMs: classic.rebalanceTimeoutMs,
      clientId: classic.clientId,
      clientHost: classic.clientHost,
      topicNames: asKeptNames(subscription.topics),
      assigned: new Map(
        Array.from(target, ([topicId, partitions]) => [
          topicId,
          new Map(partitions.map((partition) => [partition, epoch])),
        ]),
      ),
      classic: { sessionTimeoutMs: classic.sessionTimeoutMs, protocols: classic.protocols },
    };
    return { member, target };
  } catch {
    return cannot(group.id, 'the embedded consumer protocol is malformed');
  }
}

/** Whether a consumer group may become a classic one when these members are gone. */
export function mayDowngrade(group: ConsumerGroup, leaving: ReadonlySet<string>): boolean {
  const { migrationPolicy, maxSize } = group.environment.timings;
  const staying = [...group.members.values()].filter((member) => !leaving.has(member.id));
  return (
    staying.length > 0 &&
    staying.length <= maxSize &&
    staying.every((member) => member.classic !== null) &&
    (migrationPolicy === 'bidirectional' || migrationPolicy === 'downgrade')
  );
}

/** The classic members of a consumer group for a classic group, each with its target as its assignment. */
export function classicMembersOf(group: ConsumerGroup, leaving: ReadonlySet<string>): ClassicMember[] {
  const members: ClassicMember[] = [];
  for (const member of group.members.values()) {
    const { classic } = member;
    if (classic === null || leaving.has(member.id)) continue;
    const converted = new ClassicMember(member.id, {
      instanceId: member.instanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      sessionTimeoutMs: classic.sessionTimeoutMs,
      rebalanceTimeoutMs: member.rebalanceTimeoutMs,
      protocols: classic.protocols,
    });
    converted.isNew = false;
    const assignedPartitions = Array.from(group.targets.get(member.id) ?? []).flatMap(
      ([topicId, partitions]) => {
        const topic = group.environment.topics.byId(topicId)?.name;
        return topic === undefined ? [] : [{ topic, partitions }];
      },
    );
    const version = protocolVersion(classic.protocols[0]!.metadata);
    converted.assignment = encodeAssignment({ assignedPartitions }, version);
    members.push(converted);
  }
  return members;
}
