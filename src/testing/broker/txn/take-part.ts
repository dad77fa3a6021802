import { ERRORS } from '../../../core/protocol/error-codes.ts';
import type { RequestContext } from '../handler.ts';
import type { TransactionClient } from './transaction-coordinator.ts';
import type { TransactionPartition } from './transaction-state.ts';

/** What a request's version can do about a partition that is not part of the transaction: nothing, be told that it may abort, or add it. */
export type TransactionSupport = 'none' | 'abortable' | 'add';

export function supportOfProduce(version: number): TransactionSupport {
  if (version >= 12) return 'add';
  return version === 11 ? 'abortable' : 'none';
}

export function supportOfOffsetCommit(version: number): TransactionSupport {
  if (version >= 5) return 'add';
  return version === 4 ? 'abortable' : 'none';
}

/** What the coordinator said, as the writer's client is told. */
export interface Participation {
  readonly code: number;
  readonly message: string | null;
}

const TAKES_PART: Participation = { code: ERRORS.NONE, message: null };

/** Asks the coordinator whether what is about to be written is part of the transaction, or adds it where the client counts on that. */
export function takePart(
  { cluster }: RequestContext,
  client: TransactionClient,
  partition: TransactionPartition,
  support: TransactionSupport,
  groupId?: string,
): Participation {
  const { transactions } = cluster;
  if (cluster.coordinatorOf(client.transactionalId) === undefined) {
    return unverified(ERRORS.NOT_ENOUGH_REPLICAS, 'COORDINATOR_NOT_AVAILABLE');
  }
  const code =
    support === 'add'
      ? transactions.add(client, [partition], 2, groupId)
      : transactions.verify(client, partition);
  switch (code) {
    case ERRORS.NONE:
      return TAKES_PART;
    case ERRORS.PRODUCER_FENCED:
      return { code: ERRORS.INVALID_PRODUCER_EPOCH, message: null };
    case ERRORS.TRANSACTION_ABORTABLE:
      return support === 'none'
        ? { code: ERRORS.INVALID_TXN_STATE, message: 'Partition was not added to the transaction' }
        : { code, message: null };
    case ERRORS.CONCURRENT_TRANSACTIONS:
      return support === 'add'
        ? { code, message: null }
        : unverified(ERRORS.NOT_ENOUGH_REPLICAS, 'CONCURRENT_TRANSACTIONS');
    default:
      return { code, message: null };
  }
}

function unverified(code: number, underlying: string): Participation {
  const message = `Unable to verify the partition has been added to the transaction. Underlying error: ${underlying}`;
  return { code, message };
}
