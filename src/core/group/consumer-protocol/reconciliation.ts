// From what a member owns to what the coordinator wants it to own. Pure.

import type { Assignment } from '../assignors/assignor.ts';
import { minus, plus, type IdAssignment } from './topic-partitions.ts';

/** The next step. Giving up comes first: nobody gets anything of this member's before it is acknowledged. */
export type Step =
  | { readonly kind: 'revoke'; readonly partitions: IdAssignment; readonly left: IdAssignment }
  | { readonly kind: 'claim'; readonly owned: IdAssignment }
  /** Nothing to do, but for topics whose ids have no name yet. */
  | { readonly kind: 'rest' };

/** What is to be done next, and the ids that fresh metadata must name. `isNamed` says whether a topic's name is known. */
export function nextStep(
  owned: IdAssignment,
  target: IdAssignment,
  isNamed: (topicId: string) => boolean,
): { readonly step: Step; readonly unnamed: readonly string[] } {
  const partitions = minus(owned, target);
  if (partitions.size > 0)
    return { step: { kind: 'revoke', partitions, left: minus(owned, partitions) }, unnamed: [] };
  const unnamed: string[] = [];
  const named = new Map<string, readonly number[]>();
  for (const [topicId, added] of minus(target, owned)) {
    if (isNamed(topicId)) named.set(topicId, added);
    else unnamed.push(topicId);
  }
  return { step: named.size > 0 ? { kind: 'claim', owned: plus(owned, named) } : { kind: 'rest' }, unnamed };
}

/** The same partitions by name; every id must have one. A topic and its successor of the same name are one. */
export function byName(assignment: IdAssignment, nameOf: (topicId: string) => string): Assignment {
  const named = new Map<string, readonly number[]>();
  for (const [topicId, partitions] of assignment) {
    const name = nameOf(topicId);
    const merged = new Set([...(named.get(name) ?? []), ...partitions]);
    named.set(
      name,
      [...merged].sort((a, b) => a - b),
    );
  }
  return named;
}
