import { api } from '../api.ts';
import { array, int16, int32, string } from '../schema.ts';

/** Deletes empty groups and what they committed. */
export const deleteGroupsApi = api(
  { key: 42, name: 'DeleteGroups', versions: '0-2', flexible: '2+' },
  { groupsNames: array(string()) },
  {
    throttleTimeMs: int32({ default: 0 }),
    results: array({ groupId: string(), errorCode: int16() }),
  },
);
