import { api } from '../../../core/protocol/api.ts';
import { array, bool, int16, int32, int8, nullableString, string } from '../../../core/protocol/schema.ts';

/** AlterConfigs: sets all configurations of a resource at once. Older tools use it. */
export const alterConfigsApi = api(
  { key: 33, name: 'AlterConfigs', versions: '0-2', flexible: '2+' },
  {
    resources: array({
      resourceType: int8(),
      resourceName: string(),
      configs: array({ name: string(), value: nullableString() }),
    }),
    validateOnly: bool(),
  },
  {
    throttleTimeMs: int32({ default: 0 }),
    responses: array({
      errorCode: int16(),
      errorMessage: nullableString(),
      resourceType: int8(),
      resourceName: string(),
    }),
  },
);
