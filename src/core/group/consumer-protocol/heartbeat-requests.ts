// The one request of a member: joins, keeps alive, acknowledges, leaves.

import type { BrokerError } from '../../../errors.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import { brokerError } from '../../cluster/retry.ts';
import { errorCode } from '../../protocol/error-codes.ts';
import { consumerGroupHeartbeatApi } from '../../protocol/messages/68-consumer-group-heartbeat.ts';
import type { HeartbeatFields } from './heartbeat-fields.ts';
import { readTopics, type IdAssignment } from './topic-partitions.ts';

/** The first with ids that members make, and with patterns. */
export const OWN_ID_SINCE = 1;
/** Member epochs that say more than an epoch. */
export const JOINING = 0;
export const LEAVING = -1;
/** A static member comes back, or its session expires. */
export const LEAVING_FOR_A_WHILE = -2;

/** A heartbeat that was taken. */
export interface HeartbeatAnswer {
  /** Undefined when the answer does not name it. */
  readonly memberId: string | undefined;
  readonly memberEpoch: number;
  readonly intervalMs: number;
  /** Undefined when it did not change. */
  readonly assignment: IdAssignment | undefined;
}

/** Who sends. */
export interface HeartbeatIdentity {
  readonly groupId: string;
  readonly groupInstanceId: string | null;
}

/** How one heartbeat is sent. */
export interface HeartbeatSending {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Every method is one attempt; it rejects with the coordinator's error, which says what to do about it. */
export class HeartbeatRequests {
  private readonly cluster: Cluster;
  private readonly identity: HeartbeatIdentity;

  constructor(cluster: Cluster, identity: HeartbeatIdentity) {
    this.cluster = cluster;
    this.identity = identity;
  }

  coordinator(): Promise<number> {
    return this.cluster.coordinator('group', this.identity.groupId);
  }

  forgetCoordinator(): void {
    this.cluster.forgetCoordinator('group', this.identity.groupId);
  }

  /** Rejects with UnsupportedVersionError where the broker knows nothing of this protocol. */
  version(nodeId: number): Promise<number> {
    return this.cluster.negotiated(nodeId, consumerGroupHeartbeatApi);
  }

  async beat(
    nodeId: number,
    memberId: string,
    memberEpoch: number,
    fields: HeartbeatFields,
    sending: HeartbeatSending,
  ): Promise<HeartbeatAnswer> {
    return this.send(nodeId, { memberId, memberEpoch, ...fields }, sending);
  }

  /** `memberEpoch` says for how long. */
  async leave(
    nodeId: number,
    memberId: string,
    memberEpoch: number,
    sending: HeartbeatSending,
  ): Promise<void> {
    await this.send(nodeId, { memberId, memberEpoch }, sending);
  }

  private async send(
    nodeId: number,
    body: { readonly memberId: string; readonly memberEpoch: number } & Partial<HeartbeatFields>,
    { timeoutMs, signal }: HeartbeatSending,
  ): Promise<HeartbeatAnswer> {
    const { groupId, groupInstanceId: instanceId } = this.identity;
    const answer = await this.cluster.send(
      nodeId,
      consumerGroupHeartbeatApi,
      { groupId, instanceId, ...body },
      { use: 'coordinator', timeoutMs, signal },
    );
    if (answer.errorCode !== 0) throw refusal(answer.errorCode, answer.errorMessage, groupId, instanceId);
    return {
      memberId: answer.memberId ?? undefined,
      memberEpoch: answer.memberEpoch,
      intervalMs: answer.heartbeatIntervalMs,
      assignment: answer.assignment === null ? undefined : readTopics(answer.assignment.topicPartitions),
    };
  }
}

function refusal(
  code: number,
  words: string | null,
  groupId: string,
  instanceId: string | null,
): BrokerError {
  const { name, message } = errorCode(code);
  const who = instanceId === null ? `group ${groupId}` : `member ${instanceId} of group ${groupId}`;
  const advice = ADVICE[name];
  const detail = `${words ?? message} (${who})${advice === undefined ? '' : `. ${advice}`}`;
  return brokerError(code, { api: consumerGroupHeartbeatApi.name, detail });
}

/** What to do about it, where the broker does not say. */
const ADVICE: Readonly<Record<string, string>> = {
  UNSUPPORTED_VERSION: `The cluster has the consumer group protocol switched off (group.version, group.coordinator.rebalance.protocols): use groupProtocol: 'classic', or switch it on`,
  UNSUPPORTED_ASSIGNOR: `groupRemoteAssignor must be one of the broker's group.consumer.assignors`,
  GROUP_MAX_SIZE_REACHED: `Raise the broker's group.consumer.max.size, or start fewer members`,
  UNRELEASED_INSTANCE_ID: `Another running member has this groupInstanceId, or one that was killed and whose session is not over yet`,
  FENCED_INSTANCE_ID: `Another member has come with this groupInstanceId; give each member one of its own`,
  GROUP_ID_NOT_FOUND: `There is a group of the classic protocol with this name that cannot change over (group.consumer.migration.policy): use groupProtocol: 'classic', or another group`,
};
