import { ClassicMember } from './classic-member.ts';
import type { ClassicGroup } from './classic-group.ts';
import type { MemberProtocol } from '../group-types.ts';

/** A member of a classic group as plain data. */
export interface ClassicMemberSnapshot {
  readonly id: string;
  readonly instanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly protocols: readonly MemberProtocol[];
  readonly assignment: Buffer;
}

/** A classic group as plain data. As in Kafka's own log there is nothing of a rebalance that is under way: it is the generation before. */
export interface ClassicSnapshot {
  readonly type: 'classic';
  readonly generationId: number;
  readonly protocolType: string | null;
  readonly leaderId: string;
  readonly members: readonly ClassicMemberSnapshot[];
  /** How long it is what it is. */
  readonly forMs: number;
}

export function snapshotClassic(group: ClassicGroup, nowMs: number): ClassicSnapshot {
  const { members, generationId, state } = group;
  return {
    type: 'classic',
    generationId: state === 'CompletingRebalance' ? generationId - 1 : generationId,
    protocolType: members.protocolType,
    leaderId: members.leaderId,
    members: members
      .all()
      .filter((member) => !member.isNew)
      .map(
        ({
          id,
          instanceId,
          clientId,
          clientHost,
          sessionTimeoutMs,
          rebalanceTimeoutMs,
          protocols,
          assignment,
        }) => ({
          ...{ id, instanceId, clientId, clientHost, sessionTimeoutMs, rebalanceTimeoutMs },
          protocols,
          assignment,
        }),
      ),
    forMs: nowMs - group.stateSinceMs,
  };
}

/** Makes a new group what a snapshot says, with fresh sessions. */
export function restoreClassic(group: ClassicGroup, from: ClassicSnapshot, nowMs: number): void {
  const members = from.members.map(({ id, assignment, protocols, ...rest }) => {
    const copies = protocols.map(({ name, metadata }) => ({ name, metadata: Buffer.from(metadata) }));
    const member = new ClassicMember(id, { ...rest, protocols: copies });
    member.assignment = Buffer.from(assignment);
    member.isNew = false;
    return member;
  });
  group.members.protocolType = from.protocolType;
  group.members.leaderId = members.some(({ id }) => id === from.leaderId) ? from.leaderId : '';
  group.resume(from.generationId, members, nowMs - from.forMs);
}
