import { putInto, shareOf, takeFrom } from './assignment.ts';
import type { Share } from './assignment.ts';
import type { GroupSpec } from './group-spec.ts';
import { capacityOfCopy, JavaHashMap, uuidHash } from './java-hash-map.ts';

type Place = readonly [topicId: string, partition: number];

/** `uniform` where all members are subscribed to the same topics: everyone keeps what fits into its quota, the rest goes to those below theirs. */
export function assignAlike(group: GroupSpec): ReadonlyMap<string, Share> {
  const topicIds = topicsOf(group);
  const shares = new Map<string, Share>();
  if (topicIds.size === 0) return shares;
  const total = topicIds.keys().reduce((sum, topicId) => sum + group.partitionsOf(topicId), 0);
  const free = unassigned(group, topicIds);
  const quotas = new Quotas(total, group.members.size);
  const below: { readonly share: Share; readonly room: number }[] = [];
  for (const [memberId, { assignment }] of group.members) {
    const share = shareOf(assignment);
    shares.set(memberId, share);
    let room = quotas.next();
    for (const [topicId, partitions] of assignment) {
      if (!topicIds.has(topicId)) {
        share.delete(topicId);
        continue;
      }
      for (const partition of partitions.slice(room)) {
        takeFrom(share, topicId, partition);
        free.push([topicId, partition]);
      }
      room -= Math.min(room, partitions.length);
    }
    room = quotas.settle(room);
    if (room > 0) below.push({ share, room });
  }
  let at = 0;
  for (const { share, room } of below) {
    for (const [topicId, partition] of free.slice(at, at + room)) putInto(share, topicId, partition);
    at += room;
  }
  return shares;
}

function topicsOf(group: GroupSpec): JavaHashMap<string, true> {
  const [first] = group.members.values();
  const topicIds = new JavaHashMap<string, true>(uuidHash, capacityOfCopy(first?.topicIds.length ?? 0));
  for (const topicId of first?.topicIds ?? []) topicIds.set(topicId, true);
  return topicIds;
}

function unassigned(group: GroupSpec, topicIds: JavaHashMap<string, true>): Place[] {
  const taken = new Map<string, Set<number>>();
  for (const { assignment } of group.members.values()) {
    for (const [topicId, partitions] of assignment) {
      const known = taken.get(topicId) ?? new Set();
      for (const partition of partitions) known.add(partition);
      taken.set(topicId, known);
    }
  }
  const free: Place[] = [];
  for (const topicId of topicIds.keys()) {
    for (let partition = 0; partition < group.partitionsOf(topicId); partition++) {
      if (taken.get(topicId)?.has(partition) !== true) free.push([topicId, partition]);
    }
  }
  return free;
}

/** How many partitions each member may have, asked for one member after the other. Extra ones go first to members that use them already. */
class Quotas {
  readonly #least: number;
  #extras: number;
  #membersLeft: number;
  #hasExtra = false;

  constructor(partitions: number, members: number) {
    this.#least = Math.floor(partitions / members);
    this.#extras = partitions % members;
    this.#membersLeft = members;
  }

  next(): number {
    this.#hasExtra = this.#extras > 0;
    return this.#least + (this.#hasExtra ? 1 : 0);
  }

  /** The room that stays for the member, which had `room` left of its quota. */
  settle(room: number): number {
    // It has no use for the extra partition yet, and there are members left for all of them.
    const gives = this.#hasExtra && room > 0 && this.#membersLeft > this.#extras;
    if (this.#hasExtra && !gives) this.#extras--;
    this.#membersLeft--;
    return gives ? room - 1 : room;
  }
}
