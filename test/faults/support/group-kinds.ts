// The ways of being in a group that the long runs go through.
import type { GroupOptions } from '../../../src/index.ts';

export const GROUP_KINDS: readonly GroupKind[] = ['range', 'static'];
export const STATIC_KINDS: readonly GroupKind[] = ['static'];
export const COOPERATIVE_KINDS: readonly GroupKind[] = [];

/** `consumer` is the protocol of KIP-848; a static member has a name that outlives its process, and `static` alone is range. */
export type GroupKind =
  'range' | 'cooperative-sticky' | 'consumer' | 'static' | 'static cooperative-sticky' | 'static consumer';

/** What a member of this kind is told besides its group and topics. */
export function kindOptions(kind: GroupKind, instance: string): Partial<GroupOptions> {
  const identity = kind.startsWith('static') ? { groupInstanceId: instance } : {};
  const protocol = kind.endsWith('consumer') ? { groupProtocol: 'consumer' as const } : {};
  if (kind.endsWith('cooperative-sticky')) throw new Error(`${kind} is not there yet`);
  return { ...identity, ...protocol };
}
