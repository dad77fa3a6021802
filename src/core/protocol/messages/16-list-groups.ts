import { api } from '../api.ts';
import { array, int16, int32, string } from '../schema.ts';

/** The groups that one broker coordinates. */
export const listGroupsApi = api(
  { key: 16, name: 'ListGroups', versions: '0-5', flexible: '3+' },
  {
    /** Empty for groups in any state. */
    statesFilter: array(string(), { versions: '4+' }),
    /** Empty for groups of any type. */
    typesFilter: array(string(), { versions: '5+' }),
  },
  {
    throttleTimeMs: int32({ versions: '1+', ignorable: true }),
    errorCode: int16(),
    groups: array({
      groupId: string(),
      protocolType: string(),
      groupState: string({ versions: '4+', ignorable: true }),
      groupType: string({ versions: '5+', ignorable: true }),
    }),
  },
);
