// What a test does to the groups of a topology, by Kafka's own means.
import type { Cluster } from '../../core/cluster/cluster.ts';
import { leaveGroupApi } from '../../core/protocol/messages/13-leave-group.ts';
import type { BrokerBox } from '../broker/broker-box.ts';
import { fault } from '../broker/faults/fault.ts';

export class GroupActs {
  private readonly box: BrokerBox;
  private readonly cluster: Cluster;

  constructor(box: BrokerBox, cluster: Cluster) {
    this.box = box;
    this.cluster = cluster;
  }

  isStable(groupId: string): boolean {
    return this.box.group(groupId)?.state === 'Stable';
  }

  generation(groupId: string): number {
    return this.box.group(groupId)?.generationId ?? -1;
  }

  size(groupId: string): number {
    return this.box.group(groupId)?.members.length ?? 0;
  }

  /** Ids of the members that a client has, or had and nobody has missed yet. */
  memberIds(groupId: string, clientId: string): string[] {
    const members = this.box.group(groupId)?.members ?? [];
    return members.filter((member) => member.clientId === clientId).map(({ memberId }) => memberId);
  }

  /** Its next heartbeat is told that the group rebalances. It joins again, and a leader that does so makes the whole group do it. */
  askLeaderToRejoin(groupId: string): void {
    const leaderId = this.box.group(groupId)?.leaderId;
    this.box.fault({
      match: {
        api: 'Heartbeat',
        group: groupId,
        where: ({ body }) => (body as { readonly memberId: string }).memberId === leaderId,
      },
      do: fault.error('REBALANCE_IN_PROGRESS'),
    });
  }

  /** As an administrator removes members: they learn it from the answer to their next heartbeat. */
  async expel(groupId: string, memberIds: readonly string[]): Promise<void> {
    const node = await this.cluster.coordinator('group', groupId);
    const members = memberIds.map((memberId) => ({
      memberId,
      groupInstanceId: null,
      reason: 'removed by the test',
    }));
    await this.cluster.send(node, leaveGroupApi, { groupId, memberId: '', members });
  }
}
