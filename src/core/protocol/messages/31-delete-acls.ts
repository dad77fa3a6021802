import { api } from '../api.ts';
import { array, int16, int32, int8, nullableString, string } from '../schema.ts';

/** DeleteAcls. */
export const deleteAclsApi = api(
  { key: 31, name: 'DeleteAcls', versions: '1-3', flexible: '2+' },
  {
    filters: array({
      resourceTypeFilter: int8(),
      resourceNameFilter: nullableString(),
      patternTypeFilter: int8({ versions: '1+', default: 3 }),
      principalFilter: nullableString(),
      hostFilter: nullableString(),
      operation: int8(),
      permissionType: int8(),
    }),
  },
  {
    throttleTimeMs: int32({ default: 0 }),
    filterResults: array({
      errorCode: int16(),
      errorMessage: nullableString(),
      matchingAcls: array({
        errorCode: int16(),
        errorMessage: nullableString(),
        resourceType: int8(),
        resourceName: string(),
        patternType: int8({ versions: '1+', default: 3 }),
        principal: string(),
        host: string(),
        operation: int8(),
        permissionType: int8(),
      }),
    }),
  },
);
