import { api } from '../api.ts';
import { array, bool, int16, int32, int64, nullableArray, offset, string } from '../schema.ts';

/** DescribeLogDirs. */
export const describeLogDirsApi = api(
  { key: 35, name: 'DescribeLogDirs', versions: '1-5', flexible: '2+' },
  {
    /** Null asks for all. */
    topics: nullableArray({ topic: string(), partitions: array(int32()) }),
  },
  {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16({ versions: '3+', ignorable: true }),
    results: array({
      errorCode: int16(),
      logDir: string(),
      topics: array({
        name: string(),
        partitions: array({
          partitionIndex: int32(),
          /** In bytes. */
          partitionSize: offset(),
          offsetLag: offset(),
          isFutureKey: bool(),
        }),
      }),
      /** In bytes; network file systems tell more than 2^53. */
      totalBytes: int64({ versions: '4+', default: -1n, ignorable: true }),
      usableBytes: int64({ versions: '4+', default: -1n, ignorable: true }),
      isCordoned: bool({ versions: '5+', default: false, ignorable: true }),
    }),
  },
);
