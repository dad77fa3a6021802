import { api } from '../api.ts';
import { array, int16, int32, nullableString, offset, string, timestamp } from '../schema.ts';

/** What the leaders of partitions remember of producers. */
export const describeProducersApi = api(
  { key: 61, name: 'DescribeProducers', versions: '0', flexible: '0+' },
  { topics: array({ name: string(), partitionIndexes: array(int32()) }) },
  {
    throttleTimeMs: int32({ default: 0 }),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        errorMessage: nullableString({ default: null }),
        activeProducers: array({
          producerId: offset(),
          producerEpoch: int32(),
          lastSequence: int32({ default: -1 }),
          lastTimestamp: timestamp({ default: -1 }),
          /** Of the coordinator that wrote the last marker. */
          coordinatorEpoch: int32(),
          /** -1 when the producer has no open transaction there. */
          currentTxnStartOffset: offset({ default: -1 }),
        }),
      }),
    }),
  },
);
