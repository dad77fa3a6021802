// By which protocol the members of a scenario are in their group: the classic one, that of KIP-848, or each its own, so that the group changes over while
// it runs.
import type { GroupProtocol } from '../../../src/core/group/options.ts';
import type { Act, ErrorName } from './scenario.ts';

export type GroupPlan = GroupProtocol | 'mixed';

/** Times of members of the consumer protocol, which the cluster sets. */
export const CONSUMER_TIMES = { consumerSessionTimeoutMs: 8_000, consumerHeartbeatIntervalMs: 1_500 };

/** In a mixed group every other member is of the new protocol. */
export function protocolOf(plan: GroupPlan, name: string): GroupProtocol {
  if (plan !== 'mixed') return plan;
  return Number(name.split('-').at(-1)) % 2 === 0 ? 'classic' : 'consumer';
}

const CLASSIC_APIS = new Set(['Heartbeat', 'JoinGroup', 'SyncGroup', 'LeaveGroup']);
/** What the new protocol answers where the classic one answers this. */
const ERRORS_FOR: Readonly<Partial<Record<ErrorName, ErrorName>>> = {
  ILLEGAL_GENERATION: 'FENCED_MEMBER_EPOCH',
  REBALANCE_IN_PROGRESS: 'COORDINATOR_LOAD_IN_PROGRESS',
};
const COMMIT_ERRORS_FOR: Readonly<Partial<Record<ErrorName, ErrorName>>> = {
  ILLEGAL_GENERATION: 'STALE_MEMBER_EPOCH',
  REBALANCE_IN_PROGRESS: 'COORDINATOR_LOAD_IN_PROGRESS',
};

/** Answers to commits that members of either protocol may get. */
export function forMixedGroup(acts: readonly Act[]): Act[] {
  return acts.map((act) =>
    act.act === 'fault' && act.api === 'OffsetCommit' && act.error in COMMIT_ERRORS_FOR
      ? { ...act, error: 'COORDINATOR_LOAD_IN_PROGRESS' }
      : act,
  );
}

/** The same faults for members that say everything with one request. */
export function forConsumerProtocol(acts: readonly Act[]): Act[] {
  return acts.map((act) => {
    if (act.act !== 'fault') return act;
    const { api, error } = act;
    if (api === 'OffsetCommit') return { ...act, error: COMMIT_ERRORS_FOR[error] ?? error };
    if (!CLASSIC_APIS.has(api)) return act;
    return { ...act, api: 'ConsumerGroupHeartbeat', error: ERRORS_FOR[error] ?? error };
  });
}
