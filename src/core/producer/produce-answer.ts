// What each error code of a Produce answer means for the batch.

/**
 * - `acked`: it is in the log.
 * - `again`: it is not in the log; the same bytes may be accepted later.
 * - `unclear`: the same, but it may be in the log all the same, so that only the same bytes may be sent again.
 * - `sequence`: it was refused because the log expects another sequence number or epoch, or knows nothing of the producer.
 * - `too-large`: it was refused for its size.
 * - `refused`: it is not in the log and never will be.
 * - `broken`: the broker does not know itself; not sent again.
 */
export type ProduceVerdict = 'acked' | 'again' | 'unclear' | 'sequence' | 'too-large' | 'refused' | 'broken';

// CORRUPT_MESSAGE, UNKNOWN_TOPIC_OR_PARTITION, LEADER_NOT_AVAILABLE, NOT_ENOUGH_REPLICAS, THROTTLING_QUOTA_EXCEEDED, UNKNOWN_TOPIC_ID,
// INCONSISTENT_TOPIC_ID, CONCURRENT_TRANSACTIONS (the one before is not finished): all are found before the append, or (a deleted topic) mean that there is no log.
const AGAIN: ReadonlySet<number> = new Set([2, 3, 5, 19, 51, 89, 100, 103]);

// NOT_LEADER_OR_FOLLOWER, REQUEST_TIMED_OUT, NETWORK_EXCEPTION, NOT_ENOUGH_REPLICAS_AFTER_APPEND, KAFKA_STORAGE_ERROR, FENCED_LEADER_EPOCH: a
// leader that had appended the batch and was waiting for its followers answers with these too.
const UNCLEAR: ReadonlySet<number> = new Set([6, 7, 13, 20, 56, 74]);

const UNKNOWN_SERVER_ERROR = -1;
const DUPLICATE_SEQUENCE_NUMBER = 46;

// OUT_OF_ORDER_SEQUENCE_NUMBER, INVALID_PRODUCER_EPOCH, INVALID_PRODUCER_ID_MAPPING, UNKNOWN_PRODUCER_ID, PRODUCER_FENCED.
const SEQUENCE: ReadonlySet<number> = new Set([45, 47, 49, 59, 90]);

// MESSAGE_TOO_LARGE, RECORD_LIST_TOO_LARGE.
const TOO_LARGE: ReadonlySet<number> = new Set([10, 18]);

// After these the leader is probably another one.
const STALE_LEADER: ReadonlySet<number> = new Set([3, 5, 6, 13, 56, 74, 100, 103]);

/** What this error code says of the batch it answers. */
export function produceVerdict(code: number): ProduceVerdict {
  if (code === 0 || code === DUPLICATE_SEQUENCE_NUMBER) return 'acked';
  if (AGAIN.has(code)) return 'again';
  if (UNCLEAR.has(code)) return 'unclear';
  if (SEQUENCE.has(code)) return 'sequence';
  if (TOO_LARGE.has(code)) return 'too-large';
  return code === UNKNOWN_SERVER_ERROR ? 'broken' : 'refused';
}

/** True when the answer calls for fresh metadata. */
export function asksForMetadata(code: number): boolean {
  return STALE_LEADER.has(code);
}
