// A group as the sticky algorithm sees it: its partitions, who held which, where they are.

import type { MemberSubscription, PartitionRacks } from '../assignor.ts';
import { compareText } from '../members.ts';
import { rackOf, racksMatter } from '../racks.ts';
import { hashOrder, textHash } from './hash-order.ts';

/** One partition; there is one object for each. */
export interface Place {
  readonly topic: string;
  readonly partition: number;
}

/** What a member says that it holds, and since when. */
export interface Holding {
  readonly partitions: readonly Place[];
  /** -1 when it is too old to say. */
  readonly generationId: number;
}

/** What of a member's subscription the algorithm goes by. */
export interface StickyMember extends MemberSubscription {
  readonly holding: Holding;
}

/** The group before it is divided. */
export interface StickyGroup {
  /** In the order of Java's hash tables. */
  readonly members: readonly StickyMember[];
  /** By topic, in the order of the names. */
  readonly places: ReadonlyMap<string, readonly Place[]>;
  readonly total: number;
  /** All members subscribe to the same topics. */
  readonly isUniform: boolean;
  /** What each member still holds by right: of two that hold one partition, the one of the newer generation. */
  readonly owned: ReadonlyMap<string, Place[]>;
  /** Held by several members of one generation: nobody's. */
  readonly contested: ReadonlySet<Place>;
  readonly maxGeneration: number;
  readonly racks: StickyRacks;
}

/** Puts the group together; `holdingOf` reads what a member says that it holds. */
export function stickyGroup(
  partitionCounts: ReadonlyMap<string, number>,
  joined: readonly MemberSubscription[],
  racks: PartitionRacks,
  holdingOf: (member: MemberSubscription) => {
    readonly partitions: ReadonlyMap<string, readonly number[]>;
    readonly generationId: number;
  },
): StickyGroup {
  const places = new Map<string, readonly Place[]>();
  for (const topic of [...partitionCounts.keys()].sort(compareText)) {
    const count = partitionCounts.get(topic)!;
    places.set(
      topic,
      Array.from({ length: count }, (_, partition) => ({ topic, partition })),
    );
  }
  const members = hashOrder(joined, ({ memberId }) => textHash(memberId)).map((member) => {
    const { partitions, generationId } = holdingOf(member);
    const held = [...partitions].flatMap(([topic, some]) =>
      some.map((partition) => places.get(topic)?.[partition]).filter((place) => place !== undefined),
    );
    return { ...member, holding: { partitions: [...new Set(held)], generationId } };
  });
  const first = new Set(members[0]?.topics);
  return {
    members,
    places,
    total: [...places.values()].reduce((sum, { length }) => sum + length, 0),
    isUniform: members.every(
      ({ topics }) => topics.length === first.size && topics.every((topic) => first.has(topic)),
    ),
    ...ownersOf(members),
    maxGeneration: Math.max(-1, ...members.map(({ holding }) => holding.generationId)),
    racks: new StickyRacks(places, members, racks),
  };
}

function ownersOf(members: readonly StickyMember[]): Pick<StickyGroup, 'owned' | 'contested'> {
  const owned = new Map<string, Place[]>(members.map(({ memberId }) => [memberId, []]));
  const contested = new Set<Place>();
  const holders = new Map<Place, StickyMember>();
  for (const member of members) {
    for (const place of member.holding.partitions) {
      const other = holders.get(place);
      // As Kafka's: of the other, only what its subscription itself says.
      const age = other === undefined ? 1 : member.holding.generationId - other.generationId;
      if (age < 0) continue;
      if (age > 0) owned.get(member.memberId)!.push(place);
      else contested.add(place);
      if (other !== undefined) removeFrom(owned.get(other.memberId)!, place);
      holders.set(place, member);
    }
  }
  return { owned, contested };
}

/** Takes one out of a list, if it is in it. */
export function removeFrom<T>(list: T[], one: T): void {
  const at = list.indexOf(one);
  if (at >= 0) list.splice(at, 1);
}

/** Which members are beside which replicas; nobody is beside anything where racks do not matter. */
export class StickyRacks {
  readonly matter: boolean;
  private readonly memberRack = new Map<string, string>();
  private readonly placeRacks = new Map<Place, readonly string[]>();
  private readonly nearby = new Map<Place, number>();

  constructor(
    places: ReadonlyMap<string, readonly Place[]>,
    members: readonly MemberSubscription[],
    racks: PartitionRacks,
  ) {
    const perRack = new Map<string, number>();
    for (const member of members) {
      const rack = rackOf(member);
      if (rack !== undefined) perRack.set(rack, (perRack.get(rack) ?? 0) + 1);
    }
    this.matter = false;
    if (perRack.size === 0) return;
    for (const [topic, some] of places) {
      for (const place of some) {
        const replicas = racks.get(topic)?.[place.partition] ?? [];
        this.placeRacks.set(place, replicas);
        this.nearby.set(
          place,
          replicas.reduce((sum, rack) => sum + (perRack.get(rack) ?? 0), 0),
        );
      }
    }
    this.matter = racksMatter(perRack.keys(), [...this.placeRacks.values()]);
    if (!this.matter) return;
    for (const member of members) {
      const rack = rackOf(member);
      if (rack !== undefined) this.memberRack.set(member.memberId, rack);
    }
  }

  /** The member has a rack, and no replica is there. */
  mismatch(memberId: string, place: Place): boolean {
    const rack = this.memberRack.get(memberId);
    return rack !== undefined && !this.placeRacks.get(place)!.includes(rack);
  }

  /** The member has a rack, and a replica is there. */
  isBeside(memberId: string, place: Place): boolean {
    const rack = this.memberRack.get(memberId);
    return rack !== undefined && this.placeRacks.get(place)!.includes(rack);
  }

  /** Those with the fewest members beside them first. */
  sorted(places: readonly Place[]): Place[] {
    return [...places].sort((a, b) => (this.nearby.get(a) ?? 0) - (this.nearby.get(b) ?? 0));
  }
}
