import { ERRORS } from '../../../core/protocol/error-codes.ts';
import { initProducerIdApi } from '../../../core/protocol/messages/22-init-producer-id.ts';
import { serve } from '../handler.ts';
import { NO_PRODUCER } from '../txn/transaction-state.ts';
import { coordinatorError } from './lookup.ts';
import { asOlder } from './producer-fenced.ts';

const FENCED_FROM = 4;

/**
 * Without a transactional id every request gets a producer id of its own with epoch 0, whatever id and epoch it names: as in Kafka, an
 * idempotent producer bumps its epoch by itself.
 */
export const initProducerIdHandler = serve(initProducerIdApi, {
  handle(request, context) {
    const { cluster } = context;
    const { transactionalId, producerId, producerEpoch: epoch } = request;
    if (producerId < 0 !== epoch < 0) return answer(ERRORS.INVALID_REQUEST);
    if (transactionalId === null)
      return answer(ERRORS.NONE, { producerId: cluster.takeProducerId(), epoch: 0 });
    const error = coordinatorError(transactionalId, context);
    if (error !== ERRORS.NONE) return answer(error);
    const expected = producerId < 0 ? undefined : { producerId, epoch };
    const given = cluster.transactions.init(transactionalId, request.transactionTimeoutMs, expected);
    return answer(asOlder(given.errorCode, context.version < FENCED_FROM), given);
  },
  refuse: (_request, errorCode) => answer(errorCode),
});

function answer(
  errorCode: number,
  { producerId, epoch: producerEpoch } = NO_PRODUCER,
): { errorCode: number; producerId: number; producerEpoch: number } {
  return { errorCode, producerId, producerEpoch };
}
