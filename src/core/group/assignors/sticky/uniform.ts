// The sticky division where all members subscribe to the same topics.

import { compareText } from '../members.ts';
import { removeFrom, type Place, type StickyGroup } from './group.ts';

/** Who gets what, and which partitions change hands while their holders are alive. */
export interface StickyDivision {
  readonly shares: ReadonlyMap<string, readonly Place[]>;
  readonly moving: ReadonlyMap<Place, string>;
}

/** Keeps what members hold up to their quota, then fills them up in turn; members beside a replica come first where racks matter. */
export function divideUniformly(group: StickyGroup): StickyDivision {
  const division = new UniformDivision(group);
  division.keepOwned();
  division.fill();
  return division;
}

class UniformDivision implements StickyDivision {
  readonly shares = new Map<string, Place[]>();
  readonly moving = new Map<Place, string>();
  private readonly group: StickyGroup;
  private readonly min: number;
  private readonly max: number;
  /** How many members get `max`, where that is more than `min`. */
  private readonly mayHaveMax: number;
  private haveMax = 0;
  private readonly kept = new Set<Place>();
  /** What a member held and may not keep. */
  private readonly givenUp = new Map<Place, string>();
  private readonly belowMin: string[] = [];
  private atMin: string[] = [];

  constructor(group: StickyGroup) {
    this.group = group;
    const { members, total } = group;
    this.min = Math.floor(total / members.length);
    this.max = Math.ceil(total / members.length);
    this.mayHaveMax = total % members.length;
    for (const { memberId } of members) this.shares.set(memberId, []);
  }

  keepOwned(): void {
    const { racks, contested } = this.group;
    for (const [memberId, holding] of this.group.owned) {
      const owned: Place[] = [];
      for (const place of holding) {
        if (racks.mismatch(memberId, place)) this.givenUp.set(place, memberId);
        else if (!contested.has(place)) owned.push(place);
      }
      owned.sort((a, b) => a.partition - b.partition || compareText(a.topic, b.topic));
      if (owned.length < this.min) {
        this.keep(memberId, owned, owned.length);
        this.belowMin.push(memberId);
      } else if (owned.length >= this.max && this.haveMax < this.mayHaveMax) {
        this.addMax();
        this.keep(memberId, owned, this.max);
      } else {
        this.keep(memberId, owned, this.min);
        if (this.haveMax < this.mayHaveMax) this.atMin.push(memberId);
      }
    }
  }

  fill(): void {
    const rest: Place[] = [];
    for (const places of this.group.places.values())
      rest.push(...places.filter((place) => !this.kept.has(place)));
    this.belowMin.sort(compareText);
    this.atMin.sort(compareText);
    const sorted = this.group.racks.sorted(rest);
    this.fillInTurn(this.group.racks.matter ? this.fillBesideReplicas(sorted) : sorted);
  }

  private keep(memberId: string, owned: readonly Place[], count: number): void {
    owned.forEach((place, at) => {
      if (at < count) {
        this.shares.get(memberId)!.push(place);
        this.kept.add(place);
      } else this.givenUp.set(place, memberId);
    });
  }

  /** One more member has `max`; when all have that may, those at `min` are full. */
  private addMax(): void {
    this.haveMax += 1;
    if (this.haveMax === this.mayHaveMax) this.atMin = [];
  }

  /** Returns what no member beside a replica has room for. */
  private fillBesideReplicas(places: readonly Place[]): Place[] {
    const left: Place[] = [];
    let next = 0;
    for (const place of places) {
      const at = this.nextBeside(place, this.belowMin, next);
      const spare = at < 0 ? this.nextBeside(place, this.atMin, 0) : -1;
      const memberId = at >= 0 ? this.belowMin[at]! : this.atMin[spare];
      if (memberId === undefined) {
        left.push(place);
        continue;
      }
      const count = this.shares.get(memberId)!.length + 1;
      if (at >= 0) {
        if (count >= this.min) {
          removeFrom(this.belowMin, memberId);
          if (count < this.max && this.haveMax < this.mayHaveMax) this.atMin.push(memberId);
        }
        const following = count >= this.min ? at : at + 1;
        next = this.belowMin.length === 0 ? 0 : following % this.belowMin.length;
      } else if (count === this.max) {
        this.atMin.splice(spare, 1);
        this.addMax();
      }
      this.give(place, memberId);
    }
    return left;
  }

  private nextBeside(place: Place, members: readonly string[], from: number): number {
    for (let step = 0; step < members.length; step += 1) {
      const at = (from + step) % members.length;
      if (this.group.racks.isBeside(members[at]!, place)) return at;
    }
    return -1;
  }

  private fillInTurn(places: readonly Place[]): void {
    let turn = 0;
    for (const place of places) {
      const fromBelow = this.belowMin.length > 0;
      if (fromBelow && turn >= this.belowMin.length) turn = 0;
      const memberId = fromBelow ? this.belowMin[turn]! : this.atMin.shift();
      if (memberId === undefined) throw new Error('the sticky division has partitions left over');
      const count = this.give(place, memberId);
      if (!fromBelow) continue;
      if (count === this.min) {
        this.belowMin.splice(turn, 1);
        this.atMin.push(memberId);
      } else turn += 1;
    }
  }

  private give(place: Place, memberId: string): number {
    const share = this.shares.get(memberId)!;
    share.push(place);
    const holder = this.givenUp.get(place);
    if ((holder !== undefined && holder !== memberId) || this.group.contested.has(place))
      this.moving.set(place, memberId);
    return share.length;
  }
}
