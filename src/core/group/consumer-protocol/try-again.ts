// Failed attempts to join, and what they mean.

import { BrokerError, ConnectionError, TimeoutError, UnsupportedVersionError } from '../../../errors.ts';
import type { KafkaError } from '../../../errors.ts';
import type { EpochVerdict } from './heartbeat-table.ts';

/** The attempt failed, and another one may succeed; the verdict says what has to happen first. */
export class TryAgain {
  readonly cause: KafkaError;
  readonly verdict: EpochVerdict;

  constructor(cause: KafkaError, verdict: EpochVerdict) {
    this.cause = cause;
    this.verdict = verdict;
  }
}

/** The name under which the table knows it: no answer at all counts as a connection's trouble, whatever ended the waiting. */
export function answerName(error: KafkaError): string {
  if (error instanceof ConnectionError || error instanceof TimeoutError) return 'CONNECTION';
  return error instanceof BrokerError ? error.errorName : error.code;
}

/** A broker that never heard of the protocol, told in words that help. */
export function explained(error: KafkaError, groupId: string): KafkaError {
  if (!(error instanceof UnsupportedVersionError)) return error;
  const message = `Group ${groupId}: the cluster does not serve the consumer group protocol (KIP-848), which takes Kafka 4.0: use groupProtocol: 'classic'. ${error.message}`;
  return new UnsupportedVersionError(message, { api: 'ConsumerGroupHeartbeat', cause: error });
}
