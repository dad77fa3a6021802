import { api } from '../api.ts';
import {
  array,
  bool,
  float64,
  int16,
  int32,
  int8,
  nullableArray,
  nullableString,
  string,
} from '../schema.ts';

/** The quotas of users, client ids and addresses. */
export const describeClientQuotasApi = api(
  { key: 48, name: 'DescribeClientQuotas', versions: '0-1', flexible: '1+' },
  {
    components: array({
      /** 'user', 'client-id' or 'ip'. */
      entityType: string(),
      /** 0: this name; 1: the default; 2: any name. */
      matchType: int8(),
      match: nullableString(),
    }),
    /** Leave out entities that have parts of other types too. */
    strict: bool(),
  },
  {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16(),
    errorMessage: nullableString(),
    entries: nullableArray({
      /** A name of null is the default. */
      entity: array({ entityType: string(), entityName: nullableString() }),
      values: array({ key: string(), value: float64() }),
    }),
  },
);
