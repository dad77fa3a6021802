import { api } from '../api.ts';
import { array, bool, float64, int16, int32, nullableString, string } from '../schema.ts';

/** Sets and removes quotas. */
export const alterClientQuotasApi = api(
  { key: 49, name: 'AlterClientQuotas', versions: '0-1', flexible: '1+' },
  {
    entries: array({
      entity: array({ entityType: string(), entityName: nullableString() }),
      ops: array({ key: string(), value: float64(), remove: bool() }),
    }),
    validateOnly: bool(),
  },
  {
    throttleTimeMs: int32({ default: 0 }),
    entries: array({
      errorCode: int16(),
      errorMessage: nullableString(),
      entity: array({ entityType: string(), entityName: nullableString() }),
    }),
  },
);
