import { api } from '../api.ts';
import { array, bool, int16, int32, nullableArray, nullableString, string } from '../schema.ts';

/** Adds partitions to topics. */
export const createPartitionsApi = api(
  { key: 37, name: 'CreatePartitions', versions: '0-3', flexible: '2+' },
  {
    topics: array({
      name: string(),
      /** The count afterwards, not the increase. */
      count: int32(),
      /** Null for automatic placement. */
      assignments: nullableArray({ brokerIds: array(int32()) }),
    }),
    timeoutMs: int32(),
    /** Check only, add nothing. */
    validateOnly: bool(),
  },
  {
    throttleTimeMs: int32({ default: 0 }),
    results: array({
      name: string(),
      errorCode: int16(),
      errorMessage: nullableString({ default: null }),
    }),
  },
);
