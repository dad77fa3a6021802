import { api } from '../api.ts';
import { array, bool, bytes, int16, int32, nullableString, string } from '../schema.ts';

/** State and members of classic groups. */
export const describeGroupsApi = api(
  { key: 15, name: 'DescribeGroups', versions: '0-6', flexible: '5+' },
  {
    groups: array(string()),
    includeAuthorizedOperations: bool({ versions: '3+' }),
  },
  {
    throttleTimeMs: int32({ versions: '1+', ignorable: true }),
    groups: array({
      errorCode: int16(),
      errorMessage: nullableString({ versions: '6+', default: null }),
      groupId: string(),
      /** 'Stable', 'Empty', 'PreparingRebalance', 'CompletingRebalance', 'Dead'. */
      groupState: string(),
      protocolType: string(),
      /** The assignor in use. */
      protocolData: string(),
      members: array({
        memberId: string(),
        groupInstanceId: nullableString({ versions: '4+', default: null, ignorable: true }),
        clientId: string(),
        clientHost: string(),
        memberMetadata: bytes(),
        memberAssignment: bytes(),
      }),
      authorizedOperations: int32({ versions: '3+', default: -2147483648 }),
    }),
  },
);
