import { api } from '../api.ts';
import { array, int16, int32, nullableString, offset, string, timestamp, uuid } from '../schema.ts';

/** Commits offsets of a group. Topics go by name up to version 9, by id from version 10. */
export const offsetCommitApi = api(
  { key: 8, name: 'OffsetCommit', versions: '2-10', flexible: '8+' },
  {
    groupId: string(),
    /** The generation (classic groups) or the member epoch (KIP-848); -1 from outside the group. */
    generationIdOrMemberEpoch: int32({ default: -1, ignorable: true }),
    memberId: string({ ignorable: true }),
    groupInstanceId: nullableString({ versions: '7+', default: null }),
    /** A duration; -1 for the broker's. */
    retentionTimeMs: timestamp({ versions: '2-4', default: -1, ignorable: true }),
    topics: array({
      name: string({ versions: '0-9', ignorable: true }),
      topicId: uuid({ versions: '10+', ignorable: true }),
      partitions: array({
        partitionIndex: int32(),
        /** The next offset to read. */
        committedOffset: offset(),
        /** The epoch of the last record read, or -1. */
        committedLeaderEpoch: int32({ versions: '6+', default: -1, ignorable: true }),
        committedMetadata: nullableString(),
      }),
    }),
  },
  {
    throttleTimeMs: int32({ versions: '3+', ignorable: true }),
    topics: array({
      name: string({ versions: '0-9', ignorable: true }),
      topicId: uuid({ versions: '10+', ignorable: true }),
      partitions: array({ partitionIndex: int32(), errorCode: int16() }),
    }),
  },
);
