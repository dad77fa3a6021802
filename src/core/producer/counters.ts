// What a producer has done so far, as plain numbers.

/** Counts since the producer was made. Records are counted once, however often their batch was sent. */
export interface ProducerCounters {
  /** Records acknowledged. */
  recordsSent: number;
  /** Bytes of acknowledged batches as they went over the wire, after compression. */
  bytesSent: number;
  /** Batches acknowledged. */
  batchesSent: number;
  /** Produce requests, repeated ones included. */
  requests: number;
  /** Batches sent again. */
  retries: number;
  /** Records whose receipt was told of an error. */
  recordsFailed: number;
  /** Records left out because their receipt had withdrawn them. */
  recordsWithdrawn: number;
  /** Batches split because a broker found them too large. */
  splits: number;
  /** Times a partition went on under a new epoch or producer id. */
  epochBumps: number;
}

export function newCounters(): ProducerCounters {
  return {
    recordsSent: 0,
    bytesSent: 0,
    batchesSent: 0,
    requests: 0,
    retries: 0,
    recordsFailed: 0,
    recordsWithdrawn: 0,
    splits: 0,
    epochBumps: 0,
  };
}
