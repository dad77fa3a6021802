import { api } from '../api.ts';
import { array, bool, bytes, int16, int32, nullableString, string } from '../schema.ts';

/** Joins a classic group. From version 4 the first join is answered MEMBER_ID_REQUIRED with the member id to use. */
export const joinGroupApi = api(
  { key: 11, name: 'JoinGroup', versions: '0-9', flexible: '6+' },
  {
    groupId: string(),
    /** Without a heartbeat for so long the member counts as dead. */
    sessionTimeoutMs: int32(),
    /** How long the coordinator waits for members to rejoin; -1: the session timeout. */
    rebalanceTimeoutMs: int32({ versions: '1+', default: -1, ignorable: true }),
    /** Empty on the first join. */
    memberId: string(),
    /** Static membership (KIP-345). */
    groupInstanceId: nullableString({ versions: '5+', default: null }),
    /** 'consumer'. */
    protocolType: string(),
    /** Assignors in order of preference, each with its subscription. */
    protocols: array({ name: string(), metadata: bytes() }),
    /** Why the member joins or rejoins, for the broker's log (KIP-800). */
    reason: nullableString({ versions: '8+', default: null, ignorable: true }),
  },
  {
    throttleTimeMs: int32({ versions: '2+', ignorable: true }),
    errorCode: int16(),
    generationId: int32({ default: -1 }),
    protocolType: nullableString({ versions: '7+', default: null, ignorable: true }),
    protocolName: nullableString({ nullable: '7+' }),
    leader: string(),
    /** True when the leader keeps the assignment as it is (KIP-814). */
    skipAssignment: bool({ versions: '9+', default: false }),
    memberId: string(),
    /** For the leader only. */
    members: array({
      memberId: string(),
      groupInstanceId: nullableString({ versions: '5+', default: null, ignorable: true }),
      metadata: bytes(),
    }),
  },
);
