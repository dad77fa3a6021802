import type { ResponseInit } from '../../../core/protocol/api.ts';
import { ERRORS } from '../../../core/protocol/error-codes.ts';
import { describeTransactionsApi } from '../../../core/protocol/messages/65-describe-transactions.ts';
import { serve } from '../handler.ts';
import type { RequestContext } from '../handler.ts';
import { coordinatorError } from './lookup.ts';

type Described = ResponseInit<typeof describeTransactionsApi>['transactionStates'][number];

export const describeTransactionsHandler = serve(describeTransactionsApi, {
  handle: (request, context) => ({
    transactionStates: request.transactionalIds.map((id) => describe(id, context)),
  }),
});

function describe(transactionalId: string, context: RequestContext): Described {
  const injected = context.injected();
  if (injected !== ERRORS.NONE) return failure(transactionalId, injected);
  if (transactionalId === '') return failure(transactionalId, ERRORS.INVALID_REQUEST);
  const error = coordinatorError(transactionalId, context);
  if (error !== ERRORS.NONE) return failure(transactionalId, error);
  const transaction = context.cluster.transactions.get(transactionalId);
  if (transaction === undefined) return failure(transactionalId, ERRORS.TRANSACTIONAL_ID_NOT_FOUND);
  return {
    errorCode: ERRORS.NONE,
    transactionalId,
    transactionState: transaction.state,
    transactionTimeoutMs: transaction.timeoutMs,
    transactionStartTimeMs: transaction.startMs,
    producerId: transaction.producerId,
    producerEpoch: transaction.epoch,
    topics: Array.from(transaction.partitions.topics(), ([topic, partitions]) => ({
      topic,
      partitions: [...partitions],
    })),
  };
}

function failure(transactionalId: string, errorCode: number): Described {
  return {
    errorCode,
    transactionalId,
    transactionState: '',
    transactionTimeoutMs: 0,
    transactionStartTimeMs: 0,
    producerId: 0,
    producerEpoch: 0,
    topics: [],
  };
}
