// One division by Kafka's sticky algorithm.

import type { Assignment, MemberSubscription } from '../assignor.ts';
import { Shares } from '../members.ts';
import { divideGenerally } from './general.ts';
import type { Place, StickyGroup } from './group.ts';
import { divideUniformly } from './uniform.ts';

/** Who gets what, and which partitions go to another member while the one that holds them is alive. */
export interface StickyResult {
  readonly shares: ReadonlyMap<string, readonly Place[]>;
  readonly moving: ReadonlyMap<Place, string>;
}

/** As even as it can be, and of all such divisions one that moves little. */
export function divideSticky(group: StickyGroup): StickyResult {
  if (group.isUniform) return divideUniformly(group);
  const shares = divideGenerally(group);
  return { shares, moving: handedOver(group, shares) };
}

/** As members' assignments, without the partitions in `except`. */
export function sharesOf(
  members: readonly MemberSubscription[],
  shares: ReadonlyMap<string, readonly Place[]>,
  except?: ReadonlyMap<Place, string>,
): ReadonlyMap<string, Assignment> {
  const result = new Shares(members);
  for (const [memberId, places] of shares) {
    for (const place of places) {
      if (except?.get(place) !== memberId) result.give(memberId, place.topic, place.partition);
    }
  }
  return result.finish();
}

function handedOver(
  { members }: StickyGroup,
  shares: ReadonlyMap<string, readonly Place[]>,
): ReadonlyMap<Place, string> {
  const revoked = new Set<Place>();
  const added = new Map<Place, string>();
  for (const { memberId, holding } of members) {
    const held = new Set(holding.partitions);
    const given = new Set(shares.get(memberId));
    for (const place of held) if (!given.has(place)) revoked.add(place);
    for (const place of given) if (!held.has(place)) added.set(place, memberId);
  }
  return new Map([...added].filter(([place]) => revoked.has(place)));
}
