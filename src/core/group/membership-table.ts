// The classic membership protocol as a table: what each answer means in each state. Pure; the driver is membership.ts.

/**
 * - unjoined: no request is out; looking for the coordinator, or waiting before the next attempt
 * - joining: JoinGroup is out. Nothing is claimed, or by a cooperative member what it keeps.
 * - syncing: SyncGroup is out. Likewise.
 * - stable: claims are (being) opened and read
 * - revoking: the group rebalances; claims drain (of a cooperative member only those that it gives up), and are committed with the generation
 *   that is still owned
 * - leaving: claims drain for good; rebalances of the others do not matter any more
 * - left, failed: over
 */
export type MemberState =
  'unjoined' | 'joining' | 'syncing' | 'stable' | 'revoking' | 'leaving' | 'left' | 'failed';

/** The requests whose answers move a member. */
export type MemberRequest = 'join' | 'sync' | 'heartbeat' | 'commit';

/**
 * - done: the request did what it is for; a heartbeat has renewed the session
 * - useMemberId: join again at once with the member id in the answer
 * - again: the same later
 * - relocate: the coordinator is elsewhere; look for it, then the same
 * - rejoin: give up the claims in order, then join with the same identity
 * - loseGeneration: the claims are gone already; join with the same member id
 * - loseMember: the claims are gone already; join as a new member
 * - loseClaims: the claims are gone; the join that is under way will tell what became of the identity
 * - fail: the claims are gone, and joining again cannot help
 * - ignore: another request will tell, or it is too late to matter
 */
export type Verdict =
  | 'done'
  | 'useMemberId'
  | 'again'
  | 'relocate'
  | 'rejoin'
  | 'loseGeneration'
  | 'loseMember'
  | 'loseClaims'
  | 'fail'
  | 'ignore';

/** An answer: Kafka's error name, or 'CONNECTION' when there was none. */
export type AnswerName = string;

type Row = Readonly<Record<string, Verdict>>;

const COORDINATOR: Row = {
  NONE: 'done',
  CONNECTION: 'relocate',
  NOT_COORDINATOR: 'relocate',
  COORDINATOR_NOT_AVAILABLE: 'relocate',
  COORDINATOR_LOAD_IN_PROGRESS: 'again',
};

const IDENTITY: Row = {
  ILLEGAL_GENERATION: 'loseGeneration',
  UNKNOWN_MEMBER_ID: 'loseMember',
  FENCED_INSTANCE_ID: 'fail',
};

const JOIN: Row = {
  ...COORDINATOR,
  ...IDENTITY,
  MEMBER_ID_REQUIRED: 'useMemberId',
  REBALANCE_IN_PROGRESS: 'again',
};

/** Joining anew is what helps after any lost SyncGroup: the group may have moved on. */
const SYNC: Row = { ...COORDINATOR, ...IDENTITY, REBALANCE_IN_PROGRESS: 'rejoin' };

/** The session's own expiry ends what a server's unknown trouble does not. */
const OWNING: Row = { ...COORDINATOR, ...IDENTITY, UNKNOWN_SERVER_ERROR: 'again' };

/**
 * While a member is between two generations, the answers to join and sync tell what became of its identity: heartbeats of the old generation only
 * keep the session. But a coordinator that does not know the member has given away what a cooperative one still holds.
 */
const BETWEEN: Row = {
  ...COORDINATOR,
  REBALANCE_IN_PROGRESS: 'done',
  ILLEGAL_GENERATION: 'ignore',
  UNKNOWN_MEMBER_ID: 'loseClaims',
  FENCED_INSTANCE_ID: 'fail',
  UNKNOWN_SERVER_ERROR: 'ignore',
};

/** Claims that are kept go on committing: with the generation that is still owned, and again with the next one. */
const COMMIT_BETWEEN: Row = {
  ...BETWEEN,
  REBALANCE_IN_PROGRESS: 'again',
  UNKNOWN_SERVER_ERROR: 'again',
  GROUP_ID_NOT_FOUND: 'loseClaims',
  STALE_MEMBER_EPOCH: 'ignore',
};

const HEARTBEAT_DRAINING: Row = { ...OWNING, REBALANCE_IN_PROGRESS: 'done' };

/** A coordinator that forgot the whole group forgot the member. */
const COMMIT: Row = { ...OWNING, GROUP_ID_NOT_FOUND: 'loseMember', STALE_MEMBER_EPOCH: 'loseGeneration' };
const COMMIT_DRAINING: Row = { ...COMMIT, REBALANCE_IN_PROGRESS: 'again' };

/** Requests that a state does not have are ignored when an answer comes late. */
export const MEMBERSHIP_TABLE: Readonly<Record<MemberState, Readonly<Partial<Record<MemberRequest, Row>>>>> =
  {
    unjoined: { heartbeat: BETWEEN, commit: COMMIT_BETWEEN },
    joining: { join: JOIN, heartbeat: BETWEEN, commit: COMMIT_BETWEEN },
    syncing: { sync: SYNC, heartbeat: BETWEEN, commit: COMMIT_BETWEEN },
    stable: {
      heartbeat: { ...OWNING, REBALANCE_IN_PROGRESS: 'rejoin' },
      commit: { ...COMMIT, REBALANCE_IN_PROGRESS: 'rejoin' },
    },
    revoking: { heartbeat: HEARTBEAT_DRAINING, commit: COMMIT_DRAINING },
    leaving: { heartbeat: HEARTBEAT_DRAINING, commit: COMMIT_DRAINING },
    left: {},
    failed: {},
  };

/** What `answer` to `request` means for a member in `state`; errors that no row names go by whether Kafka calls them retriable. */
export function verdictOf(
  state: MemberState,
  request: MemberRequest,
  answer: AnswerName,
  retriable: boolean,
): Verdict {
  const row = MEMBERSHIP_TABLE[state][request];
  if (row === undefined) return 'ignore';
  return row[answer] ?? (retriable ? 'again' : 'fail');
}
