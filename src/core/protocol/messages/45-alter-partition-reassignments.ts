import { api } from '../api.ts';
import { array, bool, int16, int32, nullableArray, nullableString, string } from '../schema.ts';

/** AlterPartitionReassignments: other replicas for partitions. */
export const alterPartitionReassignmentsApi = api(
  { key: 45, name: 'AlterPartitionReassignments', versions: '0-1', flexible: '0+' },
  {
    timeoutMs: int32({ default: 60000 }),
    allowReplicationFactorChange: bool({ versions: '1+', default: true }),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        /** Null cancels one that is going on. */
        replicas: nullableArray(int32(), { default: null }),
      }),
    }),
  },
  {
    throttleTimeMs: int32({ default: 0 }),
    allowReplicationFactorChange: bool({ versions: '1+', default: true, ignorable: true }),
    errorCode: int16(),
    errorMessage: nullableString(),
    responses: array({
      name: string(),
      partitions: array({ partitionIndex: int32(), errorCode: int16(), errorMessage: nullableString() }),
    }),
  },
);
