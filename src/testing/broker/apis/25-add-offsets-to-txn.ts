import { ERRORS } from '../../../core/protocol/error-codes.ts';
import { addOffsetsToTxnApi } from '../../../core/protocol/messages/25-add-offsets-to-txn.ts';
import { serve } from '../handler.ts';
import { OFFSETS_TOPIC, offsetsPartitionOf } from '../txn/transaction-state.ts';
import { coordinatorError } from './lookup.ts';
import { asOlder } from './producer-fenced.ts';

const FENCED_FROM = 2;

export const addOffsetsToTxnHandler = serve(addOffsetsToTxnApi, {
  handle(request, context) {
    const { transactionalId, producerId, producerEpoch: epoch, groupId } = request;
    const error = coordinatorError(transactionalId, context);
    if (error !== ERRORS.NONE) return { errorCode: error };
    const partition = { topic: OFFSETS_TOPIC, partition: offsetsPartitionOf(groupId) };
    const client = { transactionalId, producerId, epoch };
    const errorCode = context.cluster.transactions.add(client, [partition], 0, groupId);
    return { errorCode: asOlder(errorCode, context.version < FENCED_FROM) };
  },
  refuse: (_request, errorCode) => ({ errorCode }),
});
