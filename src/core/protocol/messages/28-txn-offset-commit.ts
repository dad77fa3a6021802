import { api } from '../api.ts';
import { array, int16, int32, nullableString, offset, string } from '../schema.ts';

/** Commits a group's offsets as part of a transaction: they hold when it is committed. */
export const txnOffsetCommitApi = api(
  { key: 28, name: 'TxnOffsetCommit', versions: '0-5', flexible: '3+' },
  {
    transactionalId: string(),
    groupId: string(),
    producerId: offset(),
    producerEpoch: int16(),
    generationId: int32({ versions: '3+', default: -1 }),
    memberId: string({ versions: '3+', default: '' }),
    groupInstanceId: nullableString({ versions: '3+', default: null }),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        committedOffset: offset(),
        committedLeaderEpoch: int32({ versions: '2+', default: -1, ignorable: true }),
        committedMetadata: nullableString(),
      }),
    }),
  },
  {
    throttleTimeMs: int32({ default: 0 }),
    topics: array({
      name: string(),
      partitions: array({ partitionIndex: int32(), errorCode: int16() }),
    }),
  },
);
