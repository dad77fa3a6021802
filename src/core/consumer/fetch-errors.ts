// What an error code in a fetch answer means for the reader.

import { BrokerError, OffsetRangeError } from '../../errors.ts';
import { errorCode } from '../protocol/error-codes.ts';

/**
 * - 'moved': ask elsewhere, after a look at the metadata. - 'identity': the broker does not know this topic (any more).
 * - 'range': the log does not hold the position. - 'again': the same question later. - 'fatal': no repetition helps.
 */
export type FetchVerdict = 'moved' | 'identity' | 'range' | 'again' | 'fatal';

const VERDICTS = new Map<string, FetchVerdict>([
  ['OFFSET_OUT_OF_RANGE', 'range'],
  ['NOT_LEADER_OR_FOLLOWER', 'moved'],
  ['LEADER_NOT_AVAILABLE', 'moved'],
  ['REPLICA_NOT_AVAILABLE', 'moved'],
  ['BROKER_NOT_AVAILABLE', 'moved'],
  ['KAFKA_STORAGE_ERROR', 'moved'],
  ['FENCED_LEADER_EPOCH', 'moved'],
  ['UNKNOWN_LEADER_EPOCH', 'moved'],
  ['UNKNOWN_TOPIC_OR_PARTITION', 'identity'],
  ['UNKNOWN_TOPIC_ID', 'identity'],
  ['INCONSISTENT_TOPIC_ID', 'identity'],
  ['UNKNOWN_SERVER_ERROR', 'again'],
  ['CORRUPT_MESSAGE', 'fatal'],
]);

export function fetchVerdict(code: number): FetchVerdict {
  const { name, retriable } = errorCode(code);
  return VERDICTS.get(name) ?? (retriable ? 'again' : 'fatal');
}

interface Place {
  readonly topic: string;
  readonly partition: number;
}

/** The topic of this name is not the one that was being read. */
export function recreatedError({ topic, partition }: Place, was: string, is: string): BrokerError {
  return new BrokerError(
    'INCONSISTENT_TOPIC_ID',
    `Topic ${topic} was deleted and created again while ${topic}-${partition} was read (its id was ${was} and is ${is}); ` +
      'its offsets mean other records now: start again from a position in the new topic',
    { retriable: false, api: 'Fetch', topic, partition },
  );
}

/** The cluster has not known the topic for a while. */
export function deletedError({ topic, partition }: Place, sinceMs: number): BrokerError {
  return new BrokerError(
    'UNKNOWN_TOPIC_OR_PARTITION',
    `Topic ${topic}, of which ${topic}-${partition} was read, has not been known to the cluster for ${Math.round(sinceMs)} ms: it was deleted`,
    { retriable: false, api: 'Fetch', topic, partition },
  );
}

/** The log does not hold the position, and nothing was said about where to go on. */
export function rangeError(
  { topic, partition }: Place,
  offset: number,
  earliest: number,
  latest: number,
): OffsetRangeError {
  const holds =
    earliest === latest ? `nothing (next: ${latest})` : `${earliest} to ${latest - 1} (next: ${latest})`;
  const message =
    `Offset ${offset} of ${topic}-${partition} is outside the log, which holds ${holds}; ` +
    "seek into that range, or set outOfRange to 'earliest', 'latest' or { byMs }";
  return new OffsetRangeError(message, { topic, partition, offset, earliest, latest });
}

/** The log was cut off and written anew below the position (unclean leader election). */
export function truncatedError(
  { topic, partition }: Place,
  offset: number,
  truncatedTo: number,
): OffsetRangeError {
  const message =
    `The log of ${topic}-${partition} was truncated to ${truncatedTo}, before the position ${offset}: records read from there on are not in it any more; ` +
    "seek to a position you trust, or set outOfRange to 'earliest', 'latest' or { byMs } to go on from the cut";
  return new OffsetRangeError(message, { topic, partition, offset, truncatedTo });
}
