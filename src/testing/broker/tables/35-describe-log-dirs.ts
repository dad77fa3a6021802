import { api } from '../../../core/protocol/api.ts';
import { array, bool, int16, int32, nullableArray, offset, string } from '../../../core/protocol/schema.ts';

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
      totalBytes: offset({ versions: '4+', default: -1, ignorable: true }),
      usableBytes: offset({ versions: '4+', default: -1, ignorable: true }),
      isCordoned: bool({ versions: '5+', default: false, ignorable: true }),
    }),
  },
);
