// The sticky division where members subscribe to different topics.

import { compareText } from '../members.ts';
import { removeFrom, type Place, type StickyGroup, type StickyMember } from './group.ts';
import { Movements } from './movements.ts';

/** Keeps what members hold, gives the rest to whoever has least, then moves partitions until no move makes it more even. */
export function divideGenerally(group: StickyGroup): ReadonlyMap<string, readonly Place[]> {
  const division = new GeneralDivision(group);
  division.run();
  return division.shares;
}

class GeneralDivision {
  readonly shares: Map<string, Place[]>;
  private readonly group: StickyGroup;
  private readonly members = new Map<string, StickyMember>();
  /** The existing topics of each member, and the members of each topic. */
  private readonly topicsOf = new Map<string, readonly string[]>();
  private readonly subscribers = new Map<string, string[]>();
  private readonly holder = new Map<Place, string>();
  private readonly all: readonly Place[];
  /** Members that may still get or lose something, those with least first. */
  private ranking: string[] = [];
  private mustMove = false;
  private readonly movements = new Movements();

  constructor(group: StickyGroup) {
    this.group = group;
    const { members, places } = group;
    for (const topic of places.keys()) this.subscribers.set(topic, []);
    for (const member of members) {
      const topics = [...new Set(member.topics)].filter((topic) => places.has(topic));
      this.members.set(member.memberId, member);
      this.topicsOf.set(member.memberId, topics);
      for (const topic of topics) this.subscribers.get(topic)!.push(member.memberId);
    }
    this.shares = new Map([...group.owned].map(([memberId, owned]) => [memberId, [...owned]]));
    this.all = [...places]
      .sort(([a], [b]) => this.countOf(a) - this.countOf(b) || compareText(a, b))
      .flatMap(([, some]) => some);
  }

  run(): void {
    this.keepOwned();
    const unassigned = this.all.filter((place) => !this.holder.has(place));
    this.ranking = [...this.shares.keys()].sort((a, b) => this.compare(a, b));
    const isFirst = this.sizeOf(this.ranking.at(-1)!) === 0;
    this.assign(unassigned);
    const movable = (places: readonly Place[]): Place[] =>
      places.filter(({ topic }) => this.countOf(topic) >= 2);
    const fixed = [...this.shares.keys()].filter((memberId) => !this.canTakePart(memberId));
    for (const memberId of fixed) removeFrom(this.ranking, memberId);
    const before = this.snapshot();
    const score = this.balanceScore();
    if (!this.mustMove) this.even(movable(unassigned));
    if (this.even(movable(this.all)) && !isFirst && this.balanceScore() >= score)
      for (const [memberId, share] of before) this.shares.set(memberId, share);
  }

  private keepOwned(): void {
    for (const [memberId, share] of this.shares) {
      const { topics } = this.members.get(memberId)!;
      const kept = share.filter(
        (place) => topics.includes(place.topic) && !this.group.racks.mismatch(memberId, place),
      );
      if (kept.length < share.length) this.mustMove = true;
      for (const place of kept) this.holder.set(place, memberId);
      this.shares.set(memberId, kept);
    }
  }

  private assign(places: readonly Place[]): void {
    const { racks } = this.group;
    let rest = places;
    if (racks.matter)
      rest = places.filter((place) => !this.giveToLeast(place, (id) => !racks.mismatch(id, place)));
    for (const place of rest) this.giveToLeast(place, () => true);
  }

  private giveToLeast(place: Place, may: (memberId: string) => boolean): boolean {
    const found = this.ranking.find((id) => this.wants(id, place) && may(id));
    if (found === undefined) return false;
    removeFrom(this.ranking, found);
    this.shares.get(found)!.push(place);
    this.holder.set(place, found);
    this.rank(found);
    return true;
  }

  /** Moves partitions from those with more to those with less until it is balanced or nothing can move; returns whether any was moved. */
  private even(places: readonly Place[]): boolean {
    const last = this.lastHolders();
    let moved = false;
    for (let again = true; again;) {
      again = false;
      for (const place of places) {
        if (this.isBalanced()) break;
        const to = this.betterHolder(place, last.get(place));
        if (to === undefined) continue;
        this.move(place, to);
        again = true;
        moved = true;
      }
    }
    return moved;
  }

  private betterHolder(place: Place, last: string | undefined): string | undefined {
    const size = this.sizeOf(this.holder.get(place)!);
    const isBetter = (memberId: string): boolean => size > this.sizeOf(memberId) + 1;
    if (last !== undefined && this.ranking.includes(last) && this.wants(last, place) && isBetter(last))
      return last;
    if (!this.subscribers.get(place.topic)!.some(isBetter)) return undefined;
    return this.ranking.find((memberId) => this.wants(memberId, place));
  }

  private move(wanted: Place, to: string): void {
    const place = this.movements.insteadOf(wanted, this.holder.get(wanted)!, to);
    const from = this.holder.get(place)!;
    removeFrom(this.ranking, from);
    removeFrom(this.ranking, to);
    this.movements.record(place, from, to);
    removeFrom(this.shares.get(from)!, place);
    this.shares.get(to)!.push(place);
    this.holder.set(place, to);
    this.rank(to);
    if (from !== to) this.rank(from);
  }

  /** Whose a partition was in an earlier generation than the newest. */
  private lastHolders(): ReadonlyMap<Place, string> {
    const last = new Map<Place, { readonly memberId: string; readonly generationId: number }>();
    for (const { memberId, holding } of this.group.members) {
      const { generationId, partitions } = holding;
      if (generationId >= this.group.maxGeneration) continue;
      for (const place of partitions) {
        if (generationId > (last.get(place)?.generationId ?? -2)) last.set(place, { memberId, generationId });
      }
    }
    return new Map([...last].map(([place, { memberId }]) => [place, memberId]));
  }

  /** No member could take a partition from one that has at least two more. */
  private isBalanced(): boolean {
    const { ranking } = this;
    if (ranking.length === 0 || this.sizeOf(ranking[0]!) >= this.sizeOf(ranking.at(-1)!) - 1) return true;
    const most = new Map<string, number>();
    for (const memberId of ranking) {
      const size = this.sizeOf(memberId);
      for (const { topic } of this.shares.get(memberId)!)
        if (size > (most.get(topic) ?? 0)) most.set(topic, size);
    }
    return ranking.every((memberId) => {
      const size = this.sizeOf(memberId);
      if (size === this.potentialOf(memberId)) return true;
      return this.topicsOf.get(memberId)!.every((topic) => size + 1 >= (most.get(topic) ?? 0));
    });
  }

  private canTakePart(memberId: string): boolean {
    const share = this.shares.get(memberId)!;
    return share.length < this.potentialOf(memberId) || share.some(({ topic }) => this.countOf(topic) >= 2);
  }

  private potentialOf(memberId: string): number {
    let sum = 0;
    for (const topic of this.topicsOf.get(memberId)!) sum += this.group.places.get(topic)!.length;
    return sum;
  }

  private snapshot(): ReadonlyMap<string, Place[]> {
    return new Map(this.ranking.map((memberId) => [memberId, [...this.shares.get(memberId)!]]));
  }

  /** The sum of all differences between two members; 0 is perfect. */
  private balanceScore(): number {
    const sizes = this.ranking.map((memberId) => this.sizeOf(memberId)).sort((a, b) => a - b);
    return sizes.reduce((score, size, at) => score + size * (2 * at - sizes.length + 1), 0);
  }

  private wants(memberId: string, { topic }: Place): boolean {
    return this.topicsOf.get(memberId)!.includes(topic);
  }

  private countOf(topic: string): number {
    return this.subscribers.get(topic)!.length;
  }

  private sizeOf(memberId: string): number {
    return this.shares.get(memberId)!.length;
  }

  private compare(a: string, b: string): number {
    return this.sizeOf(a) - this.sizeOf(b) || compareText(a, b);
  }

  private rank(memberId: string): void {
    const at = this.ranking.findIndex((other) => this.compare(memberId, other) < 0);
    this.ranking.splice(at < 0 ? this.ranking.length : at, 0, memberId);
  }
}
