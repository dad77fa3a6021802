import { api } from '../api.ts';
import { array, bool, int16, int32, nullableArray, nullableString, offset, string, uuid } from '../schema.ts';

/** Reads committed offsets: of one group up to version 7, of several (`groups`) from version 8; by topic id from version 10. */
export const offsetFetchApi = api(
  { key: 9, name: 'OffsetFetch', versions: '1-10', flexible: '6+' },
  {
    groupId: string({ versions: '0-7' }),
    /** Null for all topics of the group. */
    topics: nullableArray(
      { name: string(), partitionIndexes: array(int32()) },
      { versions: '0-7', nullable: '2-7' },
    ),
    groups: array(
      {
        groupId: string(),
        memberId: nullableString({ versions: '9+', default: null, ignorable: true }),
        memberEpoch: int32({ versions: '9+', default: -1, ignorable: true }),
        /** Null for all topics of the group. */
        topics: nullableArray({
          name: string({ versions: '8-9', ignorable: true }),
          topicId: uuid({ versions: '10+', ignorable: true }),
          partitionIndexes: array(int32()),
        }),
      },
      { versions: '8+' },
    ),
    /** Answer UNSTABLE_OFFSET_COMMIT, retriable, while a transaction over these offsets is open (KIP-447). */
    requireStable: bool({ versions: '7+', default: false }),
  },
  {
    throttleTimeMs: int32({ versions: '3+', ignorable: true }),
    topics: array(
      {
        name: string(),
        partitions: array({
          partitionIndex: int32(),
          /** -1 when nothing is committed. */
          committedOffset: offset(),
          committedLeaderEpoch: int32({ versions: '5-7', default: -1, ignorable: true }),
          metadata: nullableString(),
          errorCode: int16(),
        }),
      },
      { versions: '0-7' },
    ),
    errorCode: int16({ versions: '2-7', default: 0, ignorable: true }),
    groups: array(
      {
        groupId: string(),
        topics: array({
          name: string({ versions: '8-9', ignorable: true }),
          topicId: uuid({ versions: '10+', ignorable: true }),
          partitions: array({
            partitionIndex: int32(),
            /** -1 when nothing is committed. */
            committedOffset: offset(),
            committedLeaderEpoch: int32({ default: -1, ignorable: true }),
            metadata: nullableString(),
            errorCode: int16(),
          }),
        }),
        errorCode: int16({ default: 0 }),
      },
      { versions: '8+' },
    ),
  },
);
