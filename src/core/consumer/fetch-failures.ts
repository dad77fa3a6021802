// Which failures of a fetch a repetition may help, and for how long.

import { BrokerError, KafkaError, ProtocolError } from '../../errors.ts';
import { isBrokenPeer } from '../network/broken-peer.ts';
import type { FetchPosition } from './fetch-position.ts';
import type { PartitionReader } from './partition-reader.ts';

/** Fewer broken answers in a row may be bad luck. */
const MIN_BROKEN_ANSWERS = 5;

/** Counts a failed fetch of one partition; true when no repetition helps. Answers that were cut off may go on for `patienceMs`. */
export function isHopeless(fetch: FetchPosition, error: unknown, nowMs: number, patienceMs: number): boolean {
  if (!(error instanceof KafkaError)) return true;
  if (!isBroken(error)) {
    fetch.brokenAnswers = 0;
    return !error.retriable;
  }
  if (fetch.brokenAnswers === 0) fetch.brokenSinceMs = nowMs;
  fetch.brokenAnswers += 1;
  if (fetch.brokenAnswers < MIN_BROKEN_ANSWERS) return false;
  return !isCutOff(error) || nowMs - fetch.brokenSinceMs >= patienceMs;
}

/** What ends the reader after a failure that is hopeless. */
export function asFailure(error: unknown, { topic, partition, feed }: PartitionReader): KafkaError {
  const broken = isBrokenPeer(error);
  if (error instanceof KafkaError && !broken) return error;
  const times = broken ? ` ${feed.fetch.brokenAnswers} times in a row` : '';
  const why = error instanceof Error ? error.message : String(error);
  return new ProtocolError(`Fetch for ${topic}-${partition} failed${times}: ${why}`, {
    api: 'Fetch',
    topic,
    partition,
    cause: error,
  });
}

/** Answers that make no sense: once may be bad luck. */
function isBroken(error: KafkaError): boolean {
  return isBrokenPeer(error) || (error instanceof BrokerError && error.errorName === 'UNKNOWN_SERVER_ERROR');
}

/** The connection ended in the middle of an answer: what had come may well have been right, so a path that is cut again and again may get better. */
function isCutOff(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    if (cause instanceof ProtocolError && cause.retriable) return true;
  return false;
}
