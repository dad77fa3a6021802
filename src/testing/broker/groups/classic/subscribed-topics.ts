import { decodeSubscription } from '../../../../core/protocol/consumer-protocol.ts';
import type { ClassicGroup } from './classic-group.ts';

/** True when some member reads the topic, or may, as what the members say cannot be read. */
export function isSubscribedTo(group: ClassicGroup, topic: string): boolean {
  const { members, protocolName } = group;
  if (members.protocolType !== 'consumer') return false;
  return members.all().some((member) => {
    try {
      return decodeSubscription(member.metadataOf(protocolName ?? '')).topics.includes(topic);
    } catch {
      return true;
    }
  });
}
