import { ERRORS } from '../../../core/protocol/error-codes.ts';
import { endTxnApi } from '../../../core/protocol/messages/26-end-txn.ts';
import { serve } from '../handler.ts';
import { coordinatorError } from './lookup.ts';
import { asOlder } from './producer-fenced.ts';

const FENCED_FROM = 2;
const EPOCH_BUMP_FROM = 5;

export const endTxnHandler = serve(endTxnApi, {
  handle(request, context) {
    const { transactionalId, producerId, producerEpoch: epoch, committed } = request;
    const error = coordinatorError(transactionalId, context);
    if (error !== ERRORS.NONE) return { errorCode: error };
    const clientVersion = context.version >= EPOCH_BUMP_FROM ? 2 : 0;
    const client = { transactionalId, producerId, epoch };
    const ended = context.cluster.transactions.end(client, committed, clientVersion);
    return {
      errorCode: asOlder(ended.errorCode, context.version < FENCED_FROM),
      producerId: ended.producerId,
      producerEpoch: ended.epoch,
    };
  },
  refuse: (_request, errorCode) => ({ errorCode }),
});
