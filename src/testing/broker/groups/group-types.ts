import type { ClassicState } from './classic/states.ts';
import type { ConsumerState } from './consumer/consumer-group.ts';

/** States of a group of either protocol, by Kafka's names. */
export type GroupState = ClassicState | ConsumerState;

/** An assignment strategy a member offers, with its subscription. */
export interface MemberProtocol {
  readonly name: string;
  readonly metadata: Buffer;
}

/** A JoinGroup request without its wire form. */
export interface JoinRequest {
  readonly memberId: string;
  readonly instanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly protocolType: string;
  readonly protocols: readonly MemberProtocol[];
  /** v4 and later: a new member is first sent back with its id. */
  readonly needsKnownMemberId: boolean;
  /** v9 and later: the leader can be told that nothing is to be assigned. */
  readonly canSkipAssignment: boolean;
}

/** A member as the leader sees it. */
export interface JoinedMember {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly metadata: Buffer;
}

export interface JoinResult {
  readonly errorCode: number;
  readonly generationId: number;
  readonly protocolType: string | null;
  readonly protocolName: string | null;
  readonly leader: string;
  readonly memberId: string;
  readonly skipAssignment: boolean;
  /** Empty for all but the leader. */
  readonly members: readonly JoinedMember[];
}

/** A SyncGroup request without its wire form. */
export interface SyncRequest {
  readonly memberId: string;
  readonly instanceId: string | null;
  readonly generationId: number;
  readonly protocolType: string | null;
  readonly protocolName: string | null;
  readonly assignments: ReadonlyMap<string, Buffer>;
}

export interface SyncResult {
  readonly errorCode: number;
  readonly protocolType: string | null;
  readonly protocolName: string | null;
  readonly assignment: Buffer;
}

/** Who sends a request and which generation it believes in. */
export interface MemberIdentity {
  readonly memberId: string;
  readonly instanceId: string | null;
  readonly generationId: number;
}

/** Who commits, and how. */
export interface CommitIdentity extends MemberIdentity {
  /** Of the OffsetCommit request; not said of commits of transactions. */
  readonly version?: number;
  readonly isTransactional: boolean;
}

/** A member that a LeaveGroup request names. */
export interface LeavingMember {
  /** May be empty where the instance id is not. */
  readonly memberId: string;
  readonly instanceId: string | null;
}

const NO_ASSIGNMENT = Buffer.alloc(0);

export function failedJoin(errorCode: number, memberId: string): JoinResult {
  return {
    errorCode,
    generationId: -1,
    protocolType: null,
    protocolName: null,
    leader: '',
    memberId,
    skipAssignment: false,
    members: [],
  };
}

export function failedSync(errorCode: number): SyncResult {
  return { errorCode, protocolType: null, protocolName: null, assignment: NO_ASSIGNMENT };
}
