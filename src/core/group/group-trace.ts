// What those who listen are told of a member. Nothing is made while nobody does.

import type { KafkaError } from '../../errors.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { blockedEvents, groupEvents } from '../events/channels.ts';
import type { MemberPlace } from '../events/group-events.ts';
import type { BlockedEvent, RebalanceEvent } from './listener.ts';
import type { MemberState } from './membership-table.ts';
import { asKafkaError } from './unexpected.ts';

/** A member as it stands. */
export interface TracedMember {
  readonly groupId: string;
  readonly memberId: string;
  readonly generationId: number;
}

/** It is in a generation. */
export function tellJoined(cluster: Cluster, member: TracedMember, isLeader: boolean, sinceMs: number): void {
  const durationMs = cluster.clock.now() - sinceMs;
  groupEvents.publish({ ...placeOf(cluster.clientId, member), kind: 'joined', isLeader, durationMs });
}

/** It knows its part of it. */
export function tellSynced(
  cluster: Cluster,
  member: TracedMember,
  partitions: number,
  { startedAt, sentMs }: { readonly startedAt: number; readonly sentMs: number },
): void {
  const nowMs = cluster.clock.now();
  const durationMs = nowMs - sentMs;
  const rebalanceMs = nowMs - startedAt;
  const place = placeOf(cluster.clientId, member);
  groupEvents.publish({ ...place, kind: 'synced', partitions, durationMs, rebalanceMs });
}

/** An attempt to get in failed; `thrown` is the error, or has it as its cause. */
export function tellAttemptFailed(
  clientId: string,
  member: TracedMember & { readonly state: MemberState },
  thrown: unknown,
): void {
  const kind = member.state === 'syncing' ? 'sync-failed' : 'join-failed';
  const isError = thrown instanceof Error;
  const error = asKafkaError(isError ? thrown : (thrown as { readonly cause: KafkaError }).cause);
  groupEvents.publish({ ...placeOf(clientId, member), kind, error });
}

/** A claim was taken, or is over. */
export function tellClaim(
  clientId: string,
  member: TracedMember,
  { kind, topic, partition, claimEpoch }: RebalanceEvent,
  drainMs: number,
): void {
  const place = { ...placeOf(clientId, member), topic, partition, claimEpoch };
  groupEvents.publish(kind === 'claimed' ? { ...place, kind } : { ...place, kind, drainMs });
}

/** Nothing could run for a while. */
export function tellBlocked(clientId: string, member: TracedMember, event: BlockedEvent): void {
  const { blockedMs, sessionTimeoutMs, isSessionOver } = event;
  blockedEvents.publish({ ...placeOf(clientId, member), blockedMs, sessionTimeoutMs, isSessionOver });
}

function placeOf(clientId: string, { groupId, memberId, generationId }: TracedMember): MemberPlace {
  return { clientId, groupId, memberId, generationId };
}
