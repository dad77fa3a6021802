import { api } from '../api.ts';
import { array, int16, int32, nullableString, string } from '../schema.ts';

/** Leaves a classic group: one member up to version 2, several from version 3. */
export const leaveGroupApi = api(
  { key: 13, name: 'LeaveGroup', versions: '0-5', flexible: '4+' },
  {
    groupId: string(),
    memberId: string({ versions: '0-2' }),
    members: array(
      {
        memberId: string(),
        groupInstanceId: nullableString({ default: null }),
        reason: nullableString({ versions: '5+', default: null, ignorable: true }),
      },
      { versions: '3+' },
    ),
  },
  {
    throttleTimeMs: int32({ versions: '1+', ignorable: true }),
    errorCode: int16(),
    members: array(
      { memberId: string(), groupInstanceId: nullableString(), errorCode: int16() },
      { versions: '3+' },
    ),
  },
);
