import { api } from '../api.ts';
import { array, bool, int16, int32, offset, string } from '../schema.ts';

const topics = { name: string(), partitions: array(int32()) };
const results = {
  name: string(),
  resultsByPartition: array({ partitionIndex: int32(), partitionErrorCode: int16() }),
};

/** Adds partitions to a transaction. Clients use versions up to 3; from version 4 brokers ask for several transactions at once. */
export const addPartitionsToTxnApi = api(
  { key: 24, name: 'AddPartitionsToTxn', versions: '0-5', flexible: '3+' },
  {
    transactions: array(
      {
        transactionalId: string(),
        producerId: offset(),
        producerEpoch: int16(),
        /** Only ask whether the partitions are in the transaction. */
        verifyOnly: bool({ default: false }),
        topics: array(topics),
      },
      { versions: '4+' },
    ),
    v3AndBelowTransactionalId: string({ versions: '0-3' }),
    v3AndBelowProducerId: offset({ versions: '0-3' }),
    v3AndBelowProducerEpoch: int16({ versions: '0-3' }),
    v3AndBelowTopics: array(topics, { versions: '0-3' }),
  },
  {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16({ versions: '4+', ignorable: true }),
    resultsByTransaction: array(
      { transactionalId: string(), topicResults: array(results) },
      { versions: '4+' },
    ),
    resultsByTopicV3AndBelow: array(results, { versions: '0-3' }),
  },
);
