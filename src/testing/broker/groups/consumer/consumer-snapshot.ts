import type { Assignment } from '../assignors/assignment.ts';
import type { ConsumerGroup } from './consumer-group.ts';
import type { ConsumerMember } from './consumer-member.ts';

/** A consumer group as plain data. */
export interface ConsumerSnapshot {
  readonly type: 'consumer';
  readonly groupEpoch: number;
  readonly assignmentEpoch: number;
  readonly members: readonly ConsumerMember[];
  readonly targets: ReadonlyMap<string, Assignment>;
  /** Topic names by regular expression. */
  readonly resolved: ReadonlyMap<string, readonly string[]>;
}

export function snapshotConsumers(group: ConsumerGroup): ConsumerSnapshot {
  const { groupEpoch, assignmentEpoch, members, targets, regexes } = group;
  return {
    type: 'consumer',
    groupEpoch,
    assignmentEpoch,
    members: [...members.values()],
    targets: new Map(targets),
    resolved: new Map(regexes.resolved),
  };
}

/** Makes a new group what a snapshot says, with fresh sessions and fresh time to give partitions up. */
export function restoreConsumers(group: ConsumerGroup, from: ConsumerSnapshot): void {
  for (const [regex, names] of from.resolved) group.regexes.resolved.set(regex, names);
  group.resume(from.groupEpoch, from.members, from.targets);
  group.assignmentEpoch = from.assignmentEpoch;
  for (const { id, classic } of from.members) group.keepAlive(id, classic?.sessionTimeoutMs);
}
