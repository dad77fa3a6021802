import { api } from '../api.ts';
import { int16, int32, nullableString, string } from '../schema.ts';

/** Keeps a member of a classic group alive; REBALANCE_IN_PROGRESS tells it to rejoin. */
export const heartbeatApi = api(
  { key: 12, name: 'Heartbeat', versions: '0-4', flexible: '4+' },
  {
    groupId: string(),
    generationId: int32(),
    memberId: string(),
    groupInstanceId: nullableString({ versions: '3+', default: null }),
  },
  {
    throttleTimeMs: int32({ versions: '1+', ignorable: true }),
    errorCode: int16(),
  },
);
