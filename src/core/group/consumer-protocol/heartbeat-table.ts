// The consumer group protocol (KIP-848) as a table: what each answer means in each state. Pure; the driver is consumer-membership.ts.

import type { AnswerName, MemberState } from '../membership-table.ts';

/** The requests whose answers move a member: the heartbeat that joins, those that follow, and commits. */
export type EpochRequest = 'join' | 'heartbeat' | 'commit';

/**
 * - done: the coordinator took it; it has renewed the session
 * - again: the same later, a heartbeat with everything in it
 * - relocate: the coordinator is elsewhere; look for it, then again
 * - rejoin: the claims are gone already; join from epoch 0 with the same member id
 * - release: a static member's former self still holds the instance id
 * - nameTopics: the broker does not understand the pattern; subscribe to the names of the topics that match it here
 * - newEpoch: the member has a newer epoch, which a heartbeat brings; the claims stay
 * - fail: the claims are gone, and joining again cannot help
 * - ignore: another request will tell, or it is too late to matter
 */
export type EpochVerdict =
  'done' | 'again' | 'relocate' | 'rejoin' | 'release' | 'nameTopics' | 'newEpoch' | 'fail' | 'ignore';

type Row = Readonly<Record<string, EpochVerdict>>;

const COORDINATOR: Row = {
  NONE: 'done',
  CONNECTION: 'relocate',
  NOT_COORDINATOR: 'relocate',
  COORDINATOR_NOT_AVAILABLE: 'relocate',
  COORDINATOR_LOAD_IN_PROGRESS: 'again',
};

/** Java's client ends at the last two as well. */
const HOPELESS: Row = {
  FENCED_INSTANCE_ID: 'fail',
  UNSUPPORTED_ASSIGNOR: 'fail',
  UNSUPPORTED_VERSION: 'fail',
  GROUP_AUTHORIZATION_FAILED: 'fail',
  TOPIC_AUTHORIZATION_FAILED: 'fail',
  INVALID_REQUEST: 'fail',
  GROUP_MAX_SIZE_REACHED: 'fail',
};

const MEMBER: Row = { UNKNOWN_MEMBER_ID: 'rejoin', FENCED_MEMBER_EPOCH: 'rejoin' };

const JOIN: Row = {
  ...COORDINATOR,
  ...HOPELESS,
  ...MEMBER,
  UNRELEASED_INSTANCE_ID: 'release',
  INVALID_REGULAR_EXPRESSION: 'nameTopics',
};

/** A coordinator that forgot the whole group forgot the member; the session's own expiry ends what a server's unknown trouble does not. */
const OWNING: Row = {
  ...COORDINATOR,
  ...HOPELESS,
  ...MEMBER,
  GROUP_ID_NOT_FOUND: 'rejoin',
  UNKNOWN_SERVER_ERROR: 'again',
};

const HEARTBEAT: Row = {
  ...OWNING,
  UNRELEASED_INSTANCE_ID: 'fail',
  INVALID_REGULAR_EXPRESSION: 'nameTopics',
};

/** ILLEGAL_GENERATION is what transactions are told instead of STALE_MEMBER_EPOCH. */
const COMMIT: Row = {
  ...COORDINATOR,
  ...MEMBER,
  FENCED_INSTANCE_ID: 'fail',
  GROUP_ID_NOT_FOUND: 'rejoin',
  UNKNOWN_SERVER_ERROR: 'again',
  STALE_MEMBER_EPOCH: 'newEpoch',
  ILLEGAL_GENERATION: 'newEpoch',
};

/** Requests that a state does not have are ignored when an answer comes late. */
export const HEARTBEAT_TABLE: Readonly<Record<MemberState, Readonly<Partial<Record<EpochRequest, Row>>>>> = {
  unjoined: {},
  joining: { join: JOIN },
  syncing: {},
  stable: { heartbeat: HEARTBEAT, commit: COMMIT },
  revoking: { heartbeat: HEARTBEAT, commit: COMMIT },
  leaving: { heartbeat: { ...HEARTBEAT, INVALID_REGULAR_EXPRESSION: 'again' }, commit: COMMIT },
  left: {},
  failed: {},
};

/** What `answer` to `request` means for a member in `state`; errors that no row names go by whether Kafka calls them retriable. */
export function epochVerdictOf(
  state: MemberState,
  request: EpochRequest,
  answer: AnswerName,
  retriable: boolean,
): EpochVerdict {
  const row = HEARTBEAT_TABLE[state][request];
  if (row === undefined) return 'ignore';
  return row[answer] ?? (retriable ? 'again' : 'fail');
}
