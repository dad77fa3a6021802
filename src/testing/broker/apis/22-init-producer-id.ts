import { ERRORS } from '../../../core/protocol/error-codes.ts';
import { initProducerIdApi } from '../../../core/protocol/messages/22-init-producer-id.ts';
import { serve } from '../handler.ts';

/**
 * Without a transactional id every request gets a producer id of its own with epoch 0, whatever id and epoch it names: as in Kafka, an
 * idempotent producer bumps its epoch by itself. Transactions are not served.
 */
export const initProducerIdHandler = serve(initProducerIdApi, {
  handle(request, context) {
    if (request.transactionalId !== null) return refusal(ERRORS.TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
    return { errorCode: ERRORS.NONE, producerId: context.cluster.takeProducerId(), producerEpoch: 0 };
  },
  refuse: (_request, errorCode) => refusal(errorCode),
});

function refusal(errorCode: number): { errorCode: number; producerId: number; producerEpoch: number } {
  return { errorCode, producerId: -1, producerEpoch: -1 };
}
