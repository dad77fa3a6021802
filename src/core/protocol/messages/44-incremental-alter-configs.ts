import { api } from '../api.ts';
import { array, bool, int16, int32, int8, nullableString, string } from '../schema.ts';

/** Changes single configurations of topics or brokers and leaves the others alone. */
export const incrementalAlterConfigsApi = api(
  { key: 44, name: 'IncrementalAlterConfigs', versions: '0-1', flexible: '1+' },
  {
    resources: array({
      /** 2: topic; 4: broker. */
      resourceType: int8(),
      resourceName: string(),
      configs: array({
        name: string(),
        /** 0: set; 1: delete; 2: append to a list; 3: subtract from a list. */
        configOperation: int8(),
        value: nullableString(),
      }),
    }),
    /** Check only, change nothing. */
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
