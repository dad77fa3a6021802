import { api } from '../api.ts';
import { array, int16, int32, int8, nullableArray, nullableString, string } from '../schema.ts';

/** ElectLeaders. */
export const electLeadersApi = api(
  { key: 43, name: 'ElectLeaders', versions: '0-2', flexible: '2+' },
  {
    /** 0: the preferred replica, the first one; 1: any that is up. */
    electionType: int8({ versions: '1+' }),
    /** Null asks for all. */
    topicPartitions: nullableArray({ topic: string(), partitions: array(int32()) }),
    timeoutMs: int32({ default: 60000 }),
  },
  {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16({ versions: '1+' }),
    replicaElectionResults: array({
      topic: string(),
      partitionResult: array({ partitionId: int32(), errorCode: int16(), errorMessage: nullableString() }),
    }),
  },
);
