import { api } from '../api.ts';
import { array, int16, int32, int8, nullableString, string } from '../schema.ts';

/** DescribeAcls. */
export const describeAclsApi = api(
  { key: 29, name: 'DescribeAcls', versions: '1-3', flexible: '2+' },
  {
    resourceTypeFilter: int8(),
    resourceNameFilter: nullableString(),
    patternTypeFilter: int8({ versions: '1+', default: 3 }),
    principalFilter: nullableString(),
    hostFilter: nullableString(),
    operation: int8(),
    permissionType: int8(),
  },
  {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16(),
    errorMessage: nullableString(),
    resources: array({
      resourceType: int8(),
      resourceName: string(),
      patternType: int8({ versions: '1+', default: 3 }),
      acls: array({ principal: string(), host: string(), operation: int8(), permissionType: int8() }),
    }),
  },
);
