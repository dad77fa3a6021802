// What each error code means for a transaction, for each request that can be answered with one. One table; what is not in it is fatal for a request
// to a coordinator and abortable for a batch, as in the Java client.

import { KafkaError, BrokerError } from '../../errors.ts';
import type { ERRORS } from '../protocol/error-codes.ts';

/**
 * - `again`: the same request may succeed later.
 * - `elsewhere`: the same, after the coordinator was looked up again.
 * - `abortable`: the transaction must be aborted; then the producer goes on.
 * - `fatal`: the producer cannot go on.
 */
export type TransactionVerdict = 'again' | 'elsewhere' | 'abortable' | 'fatal';

/** The requests of a transaction. */
export type TransactionApi =
  'InitProducerId' | 'AddPartitionsToTxn' | 'AddOffsetsToTxn' | 'TxnOffsetCommit' | 'EndTxn' | 'Produce';

type Name = keyof typeof ERRORS;
type Verdicts = { readonly [code in Name]?: TransactionVerdict };

const COORDINATOR: Verdicts = {
  NOT_COORDINATOR: 'elsewhere',
  COORDINATOR_NOT_AVAILABLE: 'elsewhere',
  COORDINATOR_LOAD_IN_PROGRESS: 'again',
  CONCURRENT_TRANSACTIONS: 'again',
  REQUEST_TIMED_OUT: 'elsewhere',
  NETWORK_EXCEPTION: 'elsewhere',
  // Newer brokers say PRODUCER_FENCED.
  INVALID_PRODUCER_EPOCH: 'fatal',
  PRODUCER_FENCED: 'fatal',
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: 'fatal',
  CLUSTER_AUTHORIZATION_FAILED: 'fatal',
  UNSUPPORTED_VERSION: 'fatal',
  INVALID_TXN_STATE: 'fatal',
  TRANSACTION_ABORTABLE: 'abortable',
  // The coordinator has forgotten the id; a new one can be had.
  UNKNOWN_PRODUCER_ID: 'abortable',
  INVALID_PRODUCER_ID_MAPPING: 'abortable',
};

const TABLE: { readonly [api in TransactionApi]: Verdicts } = {
  InitProducerId: {
    ...COORDINATOR,
    UNKNOWN_PRODUCER_ID: 'fatal',
    INVALID_PRODUCER_ID_MAPPING: 'fatal',
    TRANSACTION_ABORTABLE: 'fatal',
    INVALID_TRANSACTION_TIMEOUT: 'fatal',
  },
  AddPartitionsToTxn: {
    ...COORDINATOR,
    UNKNOWN_TOPIC_OR_PARTITION: 'again',
    TOPIC_AUTHORIZATION_FAILED: 'abortable',
    INVALID_TOPIC_EXCEPTION: 'abortable',
    // Said of the others when one of them is refused, which counts more.
    OPERATION_NOT_ATTEMPTED: 'again',
  },
  AddOffsetsToTxn: { ...COORDINATOR, GROUP_AUTHORIZATION_FAILED: 'abortable' },
  TxnOffsetCommit: {
    ...COORDINATOR,
    UNKNOWN_TOPIC_OR_PARTITION: 'again',
    TOPIC_AUTHORIZATION_FAILED: 'abortable',
    GROUP_AUTHORIZATION_FAILED: 'abortable',
    // The member that the offsets are of has lost its partitions (KIP-447).
    ILLEGAL_GENERATION: 'abortable',
    UNKNOWN_MEMBER_ID: 'abortable',
    FENCED_INSTANCE_ID: 'abortable',
    STALE_MEMBER_EPOCH: 'abortable',
    FENCED_MEMBER_EPOCH: 'abortable',
    REBALANCE_IN_PROGRESS: 'abortable',
    OFFSET_METADATA_TOO_LARGE: 'abortable',
    // Also said by a group coordinator that took over while the transaction was being looked at; the end of the transaction tells whether it is ours.
    INVALID_TXN_STATE: 'abortable',
    INVALID_COMMIT_OFFSET_SIZE: 'abortable',
  },
  EndTxn: COORDINATOR,
  Produce: {
    CLUSTER_AUTHORIZATION_FAILED: 'fatal',
    TRANSACTIONAL_ID_AUTHORIZATION_FAILED: 'fatal',
    PRODUCER_FENCED: 'fatal',
    UNSUPPORTED_VERSION: 'fatal',
    INVALID_PRODUCER_ID_MAPPING: 'fatal',
  },
};

/** What an error by this name means for the transaction, when `api` is answered with it or fails with it. */
export function transactionVerdict(api: TransactionApi, errorName: string): TransactionVerdict {
  const known = TABLE[api][errorName as Name];
  return known ?? (api === 'Produce' ? 'abortable' : 'fatal');
}

/** The same for an error that a batch failed with: of what led to it, the worst counts. */
export function batchVerdict(error: KafkaError): 'abortable' | 'fatal' {
  for (let cause: unknown = error; cause instanceof KafkaError; { cause } = cause) {
    if (cause instanceof BrokerError && transactionVerdict('Produce', cause.errorName) === 'fatal')
      return 'fatal';
  }
  return 'abortable';
}
