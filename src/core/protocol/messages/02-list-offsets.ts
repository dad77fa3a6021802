import { api } from '../api.ts';
import { array, int16, int32, int8, offset, string, timestamp } from '../schema.ts';

/** Finds offsets by time. Special timestamps: -1 latest, -2 earliest, -3 largest timestamp (7+), -4 earliest local (8+), -5 last tiered (9+). */
export const listOffsetsApi = api(
  { key: 2, name: 'ListOffsets', versions: '1-11', flexible: '6+' },
  {
    /** -1 for a consumer. */
    replicaId: int32(),
    /** 0: read uncommitted; 1: read committed, where "latest" is the last stable offset. */
    isolationLevel: int8({ versions: '2+' }),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        currentLeaderEpoch: int32({ versions: '4+', default: -1, ignorable: true }),
        timestamp: timestamp(),
      }),
    }),
    timeoutMs: int32({ versions: '10+', ignorable: true }),
  },
  {
    throttleTimeMs: int32({ versions: '2+', ignorable: true }),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        /** Of the record found, or -1. */
        timestamp: timestamp({ default: -1 }),
        /** -1 when no record is that young. */
        offset: offset({ default: -1 }),
        leaderEpoch: int32({ versions: '4+', default: -1 }),
      }),
    }),
  },
);
