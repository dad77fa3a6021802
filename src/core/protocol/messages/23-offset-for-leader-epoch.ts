import { api } from '../api.ts';
import { array, int16, int32, offset, string } from '../schema.ts';

/** Finds where a leader epoch ended, to tell after a change of leader whether what was read is still in the log (KIP-320). */
export const offsetForLeaderEpochApi = api(
  { key: 23, name: 'OffsetForLeaderEpoch', versions: '2-4', flexible: '4+' },
  {
    /** -1 for a consumer; -2 (the default) for one that debugs. */
    replicaId: int32({ versions: '3+', default: -2, ignorable: true }),
    topics: array({
      topic: string(),
      partitions: array({
        partition: int32(),
        /** The epoch the client believes current, so that stale clients are fenced; -1 for none. */
        currentLeaderEpoch: int32({ default: -1, ignorable: true }),
        /** The epoch whose end is asked for. */
        leaderEpoch: int32(),
      }),
    }),
  },
  {
    throttleTimeMs: int32({ default: 0, ignorable: true }),
    topics: array({
      topic: string(),
      partitions: array({
        errorCode: int16(),
        partition: int32(),
        leaderEpoch: int32({ default: -1, ignorable: true }),
        endOffset: offset({ default: -1 }),
      }),
    }),
  },
);
