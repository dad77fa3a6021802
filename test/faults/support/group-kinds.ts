// The ways of being in a group that the long runs go through.
import type { GroupOptions } from '../../../src/index.ts';

export const GROUP_KINDS = ['range', 'cooperative-sticky', 'consumer', 'static'] as const;

/** `consumer` is the protocol of KIP-848; `static` is range with names that outlive the process. */
export type GroupKind = (typeof GROUP_KINDS)[number];

/** What a member of this kind is told besides its group and topics. */
export function kindOptions(kind: GroupKind, instance: string): Partial<GroupOptions> {
  switch (kind) {
    case 'range':
      return {};
    case 'static':
      return { groupInstanceId: instance } as Partial<GroupOptions>;
    default:
      throw new Error(`${kind} is not there yet`);
  }
}
