// The requests of a classic member. JoinGroup and SyncGroup may be held for a minute, so every member has a connection of its own for them.

import type { Cluster } from '../cluster/cluster.ts';
import { ConnectionLease } from '../cluster/connection-lease.ts';
import type { ResponseOf } from '../protocol/api.ts';
import { joinGroupApi } from '../protocol/messages/11-join-group.ts';
import { heartbeatApi } from '../protocol/messages/12-heartbeat.ts';
import { leaveGroupApi } from '../protocol/messages/13-leave-group.ts';
import { syncGroupApi } from '../protocol/messages/14-sync-group.ts';
import type { Generation } from './committer.ts';

/** Kafka's protocol type of consumers. */
export const PROTOCOL_TYPE = 'consumer';
/** Beyond the rebalance timeout, for the way there and back. */
const HELD_SLACK_MS = 5_000;

/** Who asks, and how long the coordinator may take. */
export interface MemberSettings {
  readonly groupId: string;
  readonly groupInstanceId: string | null;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
}

/** An assignor's name with the subscription for it. */
export interface OfferedProtocol {
  readonly name: string;
  readonly metadata: Buffer;
}

/** What SyncGroup carries from the leader; empty from the others. */
export type MemberAssignments = readonly { readonly memberId: string; readonly assignment: Buffer }[];

/** Sends what a member of one group sends. Every method is one attempt; error codes are in the answers. */
export class MemberRequests {
  private readonly cluster: Cluster;
  private readonly settings: MemberSettings;
  private readonly lease: ConnectionLease;

  constructor(cluster: Cluster, settings: MemberSettings) {
    this.cluster = cluster;
    this.settings = settings;
    this.lease = new ConnectionLease(cluster, 'join');
  }

  join(
    nodeId: number,
    memberId: string,
    protocols: readonly OfferedProtocol[],
    reason: string,
    signal: AbortSignal,
  ): Promise<ResponseOf<typeof joinGroupApi>> {
    const { groupId, groupInstanceId, sessionTimeoutMs, rebalanceTimeoutMs } = this.settings;
    return this.cluster.send(
      nodeId,
      joinGroupApi,
      {
        groupId,
        sessionTimeoutMs,
        rebalanceTimeoutMs,
        memberId,
        groupInstanceId,
        protocolType: PROTOCOL_TYPE,
        protocols,
        reason,
      },
      { use: `join-${this.lease.number}`, timeoutMs: rebalanceTimeoutMs + HELD_SLACK_MS, signal },
    );
  }

  sync(
    nodeId: number,
    generation: Generation,
    protocolName: string,
    assignments: MemberAssignments,
    signal: AbortSignal,
  ): Promise<ResponseOf<typeof syncGroupApi>> {
    return this.cluster.send(
      nodeId,
      syncGroupApi,
      { ...generation, protocolType: PROTOCOL_TYPE, protocolName, assignments },
      {
        use: `join-${this.lease.number}`,
        timeoutMs: this.settings.rebalanceTimeoutMs + HELD_SLACK_MS,
        signal,
      },
    );
  }

  heartbeat(nodeId: number, generation: Generation): Promise<ResponseOf<typeof heartbeatApi>> {
    const timeoutMs = Math.min(this.cluster.requestTimeoutMs, Math.ceil(this.settings.sessionTimeoutMs / 3));
    return this.cluster.send(nodeId, heartbeatApi, generation, { use: 'coordinator', timeoutMs });
  }

  leave(
    nodeId: number,
    memberId: string,
    reason: string,
    timeoutMs: number,
  ): Promise<ResponseOf<typeof leaveGroupApi>> {
    const { groupId, groupInstanceId } = this.settings;
    return this.cluster.send(
      nodeId,
      leaveGroupApi,
      (version) =>
        version < 3
          ? { groupId, memberId, members: [] }
          : { groupId, memberId: '', members: [{ memberId, groupInstanceId, reason }] },
      { use: 'coordinator', timeoutMs },
    );
  }

  /** No more joins; one that was given up may still be held back by the coordinator. */
  end(isHeld: boolean): void {
    const heldMs = isHeld ? this.settings.rebalanceTimeoutMs + HELD_SLACK_MS : 0;
    this.lease.release(this.cluster.clock.now() + heldMs);
  }
}
