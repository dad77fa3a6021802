// What no code foresaw, as an error of ours.

import { BrokerError, KafkaError } from '../../errors.ts';

/** Our own errors as they are, anything else as the cause of an UNKNOWN_SERVER_ERROR. */
export function asKafkaError(error: unknown): KafkaError {
  if (error instanceof KafkaError) return error;
  const message = `The group consumer met an unexpected error: ${error instanceof Error ? error.message : String(error)}`;
  return new BrokerError('UNKNOWN_SERVER_ERROR', message, { retriable: false, cause: error });
}
