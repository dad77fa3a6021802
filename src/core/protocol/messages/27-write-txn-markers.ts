import { api } from '../api.ts';
import { array, bool, int16, int32, int8, offset, string } from '../schema.ts';

/** Writes the markers that end transactions. Coordinators send it to leaders; `kafka-transactions abort` sends it too. */
export const writeTxnMarkersApi = api(
  { key: 27, name: 'WriteTxnMarkers', versions: '1-2', flexible: '1+' },
  {
    markers: array({
      producerId: offset(),
      producerEpoch: int16(),
      /** True: commit. */
      transactionResult: bool(),
      topics: array({ name: string(), partitionIndexes: array(int32()) }),
      coordinatorEpoch: int32(),
      transactionVersion: int8({ versions: '2+', ignorable: true }),
    }),
  },
  {
    markers: array({
      producerId: offset(),
      topics: array({
        name: string(),
        partitions: array({ partitionIndex: int32(), errorCode: int16() }),
      }),
    }),
  },
);
