import { api } from '../api.ts';
import { array, int16, int32, offset, string, timestamp } from '../schema.ts';

/** State of transactional ids. */
export const describeTransactionsApi = api(
  { key: 65, name: 'DescribeTransactions', versions: '0', flexible: '0+' },
  { transactionalIds: array(string()) },
  {
    throttleTimeMs: int32({ default: 0 }),
    transactionStates: array({
      errorCode: int16(),
      transactionalId: string(),
      /** 'Empty', 'Ongoing', 'PrepareCommit', 'PrepareAbort', 'CompleteCommit', 'CompleteAbort', 'Dead', 'PrepareEpochFence'. */
      transactionState: string(),
      transactionTimeoutMs: int32(),
      transactionStartTimeMs: timestamp(),
      producerId: offset(),
      producerEpoch: int16(),
      topics: array({ topic: string(), partitions: array(int32()) }),
    }),
  },
);
