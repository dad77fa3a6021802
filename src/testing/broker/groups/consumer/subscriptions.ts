import type { ConsumerMember } from './consumer-member.ts';
import type { TopicSizes } from './target-assignment.ts';

/** What the members of a group are subscribed to, all in all. */
export interface Subscriptions {
  /** All to the same. */
  readonly isHomogeneous: boolean;
  /** Changes with the topics subscribed to that exist, their ids and their partitions. */
  readonly fingerprint: string;
  readonly topicNames: ReadonlySet<string>;
}

/** `matched`: topics by regular expression, as far as they were looked for. */
export function subscriptionsOf(
  members: readonly ConsumerMember[],
  matched: ReadonlyMap<string, readonly string[]>,
  topics: TopicSizes,
): Subscriptions {
  const byName = new Map<string, number>();
  for (const { topicNames } of members) {
    for (const name of topicNames) byName.set(name, (byName.get(name) ?? 0) + 1);
  }
  const byRegex = new Map<string, number>();
  for (const names of matched.values()) {
    for (const name of names) byRegex.set(name, (byRegex.get(name) ?? 0) + 1);
  }
  const topicNames = new Set([...byName.keys(), ...byRegex.keys()]);
  return {
    isHomogeneous: isHomogeneous(members, byName, byRegex),
    fingerprint: fingerprintOf(topicNames, topics),
    topicNames,
  };
}

function isHomogeneous(
  members: readonly ConsumerMember[],
  byName: ReadonlyMap<string, number>,
  byRegex: ReadonlyMap<string, number>,
): boolean {
  const regexes = new Set(members.map((member) => member.topicRegex));
  if (regexes.size === 1 && !regexes.has('')) {
    return byName.size === 0 && [...byRegex.values()].every((count) => count === 1);
  }
  const hasRegexes = regexes.size > 1 || (regexes.size === 1 && !regexes.has(''));
  return !hasRegexes && [...byName.values()].every((count) => count === members.length);
}

function fingerprintOf(topicNames: ReadonlySet<string>, topics: TopicSizes): string {
  const known = [...topicNames].sort().flatMap((name) => {
    const topic = topics.get(name);
    return topic === undefined ? [] : [`${topic.id}:${topic.partitions.length}`];
  });
  return known.join(' ');
}
