import { api } from '../api.ts';
import { array, int16, int32, int8, nullableString, string } from '../schema.ts';

/** CreateAcls. */
export const createAclsApi = api(
  { key: 30, name: 'CreateAcls', versions: '1-3', flexible: '2+' },
  {
    creations: array({
      resourceType: int8(),
      resourceName: string(),
      resourcePatternType: int8({ versions: '1+', default: 3 }),
      principal: string(),
      host: string(),
      operation: int8(),
      permissionType: int8(),
    }),
  },
  {
    throttleTimeMs: int32({ default: 0 }),
    results: array({ errorCode: int16(), errorMessage: nullableString() }),
  },
);
