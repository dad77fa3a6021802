import { api } from '../api.ts';
import { array, int16, int32, nullableArray, nullableString, string } from '../schema.ts';

/** ListPartitionReassignments: those that are going on. */
export const listPartitionReassignmentsApi = api(
  { key: 46, name: 'ListPartitionReassignments', versions: '0-0', flexible: '0+' },
  {
    timeoutMs: int32({ default: 60000 }),
    /** Null asks for all. */
    topics: nullableArray({ name: string(), partitionIndexes: array(int32()) }, { default: null }),
  },
  {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16(),
    errorMessage: nullableString(),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        replicas: array(int32()),
        addingReplicas: array(int32()),
        removingReplicas: array(int32()),
      }),
    }),
  },
);
