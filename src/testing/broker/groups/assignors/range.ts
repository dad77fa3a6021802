import type { Share } from './assignment.ts';
import type { GroupSpec, MemberSpec } from './group-spec.ts';
import { capacityOfCopy, intHash, JavaHashMap, uuidHash } from './java-hash-map.ts';

/** Kafka's server-side `range`: of each topic every subscriber gets a run of partitions, the first ones a partition more. */
export function assignRange(group: GroupSpec): ReadonlyMap<string, Share> {
  const members = [...group.members].sort(([aId, a], [bId, b]) => compare(aId, a, bId, b));
  const subscribers = new Map<string, number>();
  for (const [, { topicIds }] of members) {
    for (const topicId of topicIds) subscribers.set(topicId, (subscribers.get(topicId) ?? 0) + 1);
  }
  const served = new Map<string, number>();
  const shares = new Map<string, Share>();
  for (const [memberId, { topicIds }] of members) {
    const share: Share = new JavaHashMap(uuidHash, Math.floor(topicIds.length / 0.75 + 1));
    for (const topicId of topicIds) {
      const place = served.get(topicId) ?? 0;
      served.set(topicId, place + 1);
      const [from, to] = rangeOf(place, subscribers.get(topicId)!, group.partitionsOf(topicId));
      if (from < to) share.set(topicId, run(from, to));
    }
    shares.set(memberId, share);
  }
  return shares;
}

/** The run of the subscriber at `place`. */
function rangeOf(place: number, subscribers: number, partitions: number): [from: number, to: number] {
  const each = Math.floor(partitions / subscribers);
  const extra = partitions % subscribers;
  const from = place * each + Math.min(place, extra);
  return [from, from + each + (place < extra ? 1 : 0)];
}

function run(from: number, to: number): JavaHashMap<number, true> {
  const partitions = new JavaHashMap<number, true>(intHash, capacityOfCopy(to - from));
  for (let partition = from; partition < to; partition++) partitions.set(partition, true);
  return partitions;
}

/** Static members first, by their instance ids; then the others by their member ids. */
function compare(aId: string, a: MemberSpec, bId: string, b: MemberSpec): number {
  if (a.instanceId !== null && b.instanceId !== null) return byText(a.instanceId, b.instanceId);
  if (a.instanceId !== null) return -1;
  if (b.instanceId !== null) return 1;
  return byText(aId, bId);
}

function byText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
