import { api } from '../api.ts';
import { array, int16, int32, string } from '../schema.ts';

/** Deletes committed offsets of topics that the group is not subscribed to. */
export const offsetDeleteApi = api(
  { key: 47, name: 'OffsetDelete', versions: '0' },
  {
    groupId: string(),
    topics: array({ name: string(), partitions: array({ partitionIndex: int32() }) }),
  },
  {
    errorCode: int16(),
    throttleTimeMs: int32({ ignorable: true }),
    topics: array({ name: string(), partitions: array({ partitionIndex: int32(), errorCode: int16() }) }),
  },
);
