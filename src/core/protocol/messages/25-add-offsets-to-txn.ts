import { api } from '../api.ts';
import { int16, int32, offset, string } from '../schema.ts';

/** Adds a group's offsets to a transaction, before TxnOffsetCommit; with `transaction.version` 2 that is done implicitly. */
export const addOffsetsToTxnApi = api(
  { key: 25, name: 'AddOffsetsToTxn', versions: '0-4', flexible: '3+' },
  { transactionalId: string(), producerId: offset(), producerEpoch: int16(), groupId: string() },
  { throttleTimeMs: int32({ default: 0 }), errorCode: int16() },
);
