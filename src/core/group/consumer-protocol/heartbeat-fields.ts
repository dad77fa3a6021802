// What a heartbeat says: everything when it joins and after trouble, else only what the coordinator does not know yet.

import { isSame, OWNS_NOTHING, writeTopics, type IdAssignment, type WireTopics } from './topic-partitions.ts';

/** What a member says of itself. */
export interface MemberFacts {
  readonly rackId: string | null;
  readonly rebalanceTimeoutMs: number;
  /** Sorted. */
  readonly topicNames: readonly string[];
  /** In the syntax of RE2; '' for none, null where the request has no such field. */
  readonly topicRegex: string | null;
  /** Null leaves the choice to the broker. */
  readonly serverAssignor: string | null;
  /** What it owns now, what it is giving up included. */
  readonly owned: IdAssignment;
}

/** The part of a request that may be left out. */
export interface HeartbeatFields {
  readonly rackId: string | null;
  readonly rebalanceTimeoutMs: number;
  readonly subscribedTopicNames: readonly string[] | null;
  readonly subscribedTopicRegex: string | null;
  readonly serverAssignor: string | null;
  readonly topicPartitions: WireTopics | null;
}

/** Remembers what was sent. Any request that was not answered well may not have come through: then `forget`. */
export class SentFields {
  private known: MemberFacts | undefined;

  /** The next request says everything. */
  forget(): void {
    this.known = undefined;
  }

  /** Who joins owns nothing, whatever it had. */
  join(facts: MemberFacts): HeartbeatFields {
    this.forget();
    return this.next({ ...facts, owned: OWNS_NOTHING });
  }

  next(facts: MemberFacts): HeartbeatFields {
    const { known } = this;
    this.known = facts;
    const { rackId, rebalanceTimeoutMs, topicNames, topicRegex, serverAssignor, owned } = facts;
    if (known === undefined) {
      return {
        rackId,
        rebalanceTimeoutMs,
        subscribedTopicNames: topicNames,
        // Also where it is none: a static member takes over what its former self said.
        subscribedTopicRegex: topicRegex,
        serverAssignor,
        topicPartitions: writeTopics(owned),
      };
    }
    return {
      rackId: null,
      rebalanceTimeoutMs: rebalanceTimeoutMs === known.rebalanceTimeoutMs ? -1 : rebalanceTimeoutMs,
      subscribedTopicNames: isSameNames(topicNames, known.topicNames) ? null : topicNames,
      subscribedTopicRegex: topicRegex === known.topicRegex ? null : topicRegex,
      serverAssignor: serverAssignor === known.serverAssignor ? null : serverAssignor,
      topicPartitions: isSame(owned, known.owned) ? null : writeTopics(owned),
    };
  }
}

function isSameNames(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((name, at) => name === other[at]);
}
