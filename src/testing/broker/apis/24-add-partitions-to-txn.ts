import type { RequestRead, ResponseInit } from '../../../core/protocol/api.ts';
import { ERRORS } from '../../../core/protocol/error-codes.ts';
import { addPartitionsToTxnApi } from '../../../core/protocol/messages/24-add-partitions-to-txn.ts';
import { serve } from '../handler.ts';
import type { RequestContext } from '../handler.ts';
import type { TransactionClient } from '../txn/transaction-coordinator.ts';
import type { TransactionPartition } from '../txn/transaction-state.ts';
import { coordinatorError } from './lookup.ts';
import { asOlder } from './producer-fenced.ts';

type Request = RequestRead<typeof addPartitionsToTxnApi>;
type Response = ResponseInit<typeof addPartitionsToTxnApi>;
type Topics = Request['v3AndBelowTopics'];
type TopicResults = NonNullable<Response['resultsByTopicV3AndBelow']>;
type ErrorOf = (partition: TransactionPartition) => number;

interface Wanted extends TransactionClient {
  readonly topics: Topics;
  readonly verifyOnly: boolean;
}

const SEVERAL_FROM = 4;
const FENCED_FROM = 2;

export const addPartitionsToTxnHandler = serve(addPartitionsToTxnApi, {
  handle(request, context) {
    if (context.version < SEVERAL_FROM) {
      return { resultsByTopicV3AndBelow: add(ofOne(request), context) };
    }
    const resultsByTransaction = request.transactions.map((one) => ({
      transactionalId: one.transactionalId,
      topicResults: add({ ...one, epoch: one.producerEpoch }, context),
    }));
    return { errorCode: ERRORS.NONE, resultsByTransaction };
  },
  refuse(request, errorCode, version) {
    if (version >= SEVERAL_FROM) return { errorCode, resultsByTransaction: [] };
    return { resultsByTopicV3AndBelow: results(request.v3AndBelowTopics, () => errorCode) };
  },
});

function ofOne(request: Request): Wanted {
  return {
    transactionalId: request.v3AndBelowTransactionalId,
    producerId: request.v3AndBelowProducerId,
    epoch: request.v3AndBelowProducerEpoch,
    topics: request.v3AndBelowTopics,
    verifyOnly: false,
  };
}

function add(wanted: Wanted, context: RequestContext): TopicResults {
  const { topics, transactions } = context.cluster;
  const partitions = wanted.topics.flatMap(({ name: topic, partitions: indexes }) =>
    indexes.map((partition) => ({ topic, partition })),
  );
  const isUnknown = ({ topic, partition }: TransactionPartition): boolean =>
    topics.get(topic)?.partitions[partition] === undefined;
  if (partitions.some(isUnknown)) {
    // All or nothing: those that exist are not added either.
    return results(wanted.topics, (partition) =>
      isUnknown(partition) ? ERRORS.UNKNOWN_TOPIC_OR_PARTITION : ERRORS.OPERATION_NOT_ATTEMPTED,
    );
  }
  const error = coordinatorError(wanted.transactionalId, context);
  if (error !== ERRORS.NONE) return results(wanted.topics, () => error);
  if (wanted.verifyOnly) {
    return results(wanted.topics, (partition) => transactions.verify(wanted, partition));
  }
  const clientVersion = context.version >= SEVERAL_FROM ? 2 : 0;
  const code = asOlder(transactions.add(wanted, partitions, clientVersion), context.version < FENCED_FROM);
  return results(wanted.topics, () => code);
}

function results(topics: Topics, errorOf: ErrorOf): TopicResults {
  return topics.map(({ name, partitions }) => ({
    name,
    resultsByPartition: partitions.map((partitionIndex) => ({
      partitionIndex,
      partitionErrorCode: errorOf({ topic: name, partition: partitionIndex }),
    })),
  }));
}
