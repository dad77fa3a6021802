import { api } from '../api.ts';
import { array, int16, int32, offset, string } from '../schema.ts';

/** Removes records below an offset. */
export const deleteRecordsApi = api(
  { key: 21, name: 'DeleteRecords', versions: '0-2', flexible: '2+' },
  {
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        /** The first offset to keep; -1 for the high watermark. */
        offset: offset(),
      }),
    }),
    timeoutMs: int32(),
  },
  {
    throttleTimeMs: int32({ default: 0 }),
    topics: array({
      name: string(),
      partitions: array({ partitionIndex: int32(), lowWatermark: offset(), errorCode: int16() }),
    }),
  },
);
