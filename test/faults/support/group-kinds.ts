// The ways of being in a group that the long runs go through.
import type { GroupOptions } from '../../../src/index.ts';

/** `consumer` is the protocol of KIP-848; a static member has a name that outlives its process, and `static` alone is range. */
export type GroupKind =
  'range' | 'cooperative-sticky' | 'consumer' | 'static' | 'static cooperative-sticky' | 'static consumer';

export const GROUP_KINDS: readonly GroupKind[] = ['range', 'cooperative-sticky', 'consumer', 'static'];
export const STATIC_KINDS: readonly GroupKind[] = ['static', 'static cooperative-sticky', 'static consumer'];
export const COOPERATIVE_KINDS: readonly GroupKind[] = ['cooperative-sticky', 'consumer'];

/** Of members of the classic protocol; for the others the broker sets them. */
export interface SessionTimes {
  readonly sessionTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
}

/** What a member of this kind is told besides its group and topics. */
export function kindOptions(kind: GroupKind, instance: string, times: SessionTimes): Partial<GroupOptions> {
  const groupInstanceId = kind.startsWith('static') ? instance : undefined;
  if (kind.endsWith('consumer')) return { groupInstanceId, groupProtocol: 'consumer' };
  const assignor = kind.endsWith('cooperative-sticky') ? 'cooperative-sticky' : 'range';
  const { sessionTimeoutMs, heartbeatIntervalMs } = times;
  return { groupInstanceId, assignors: [assignor], sessionTimeoutMs, heartbeatIntervalMs };
}
