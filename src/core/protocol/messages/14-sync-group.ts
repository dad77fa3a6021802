import { api } from '../api.ts';
import { array, bytes, int16, int32, nullableString, string } from '../schema.ts';

/** The leader of a classic group hands in the assignment, every member receives its own. */
export const syncGroupApi = api(
  { key: 14, name: 'SyncGroup', versions: '0-5', flexible: '4+' },
  {
    groupId: string(),
    generationId: int32(),
    memberId: string(),
    groupInstanceId: nullableString({ versions: '3+', default: null }),
    protocolType: nullableString({ versions: '5+', default: null, ignorable: true }),
    protocolName: nullableString({ versions: '5+', default: null, ignorable: true }),
    /** Empty from everyone but the leader. */
    assignments: array({ memberId: string(), assignment: bytes() }),
  },
  {
    throttleTimeMs: int32({ versions: '1+', ignorable: true }),
    errorCode: int16(),
    protocolType: nullableString({ versions: '5+', default: null, ignorable: true }),
    protocolName: nullableString({ versions: '5+', default: null, ignorable: true }),
    assignment: bytes(),
  },
);
