// What one fetch brought for one partition.

import { BATCH_OVERHEAD, HEADER, LENGTH_OVERHEAD } from '../records/batch-header.ts';
import { readInt64 } from '../records/int64.ts';
import type { AbortedTransactions } from './aborted-transactions.ts';
import type { FramePin } from './frame-pin.ts';

/** Record bytes and what is needed to read them; bytes are counted down as batches are taken out. */
export class FetchedData {
  readonly records: Buffer;
  readonly aborted: AbortedTransactions | undefined;
  /** Of the answer that `records` is a view of; undefined when it has memory of its own. Retained by this object. */
  readonly pin: FramePin | undefined;
  bytesLeft: number;

  constructor(records: Buffer, aborted?: AbortedTransactions, pin?: FramePin) {
    this.records = records;
    this.aborted = aborted;
    this.pin = pin?.retain();
    this.bytesLeft = records.length;
  }
}

/** Where the complete batches of an answer end. */
export interface BatchesEnd {
  /** One past the last offset of the last complete batch; -1 when there is none. */
  readonly nextOffset: number;
  readonly leaderEpoch: number;
  readonly largestBatchBytes: number;
}

/**
 * Steps over the batch headers so that the next fetch can go out before anything is checked. Trusts nothing: a length that does not fit ends
 * the walk, and a wrong offset only misleads a fetch whose answer is dropped when the batch fails its check.
 */
export function findEnd(records: Buffer): BatchesEnd {
  let nextOffset = -1;
  let leaderEpoch = -1;
  let largestBatchBytes = 0;
  let at = 0;
  while (records.length - at >= BATCH_OVERHEAD) {
    const bytes = records.readInt32BE(at + HEADER.batchLength) + LENGTH_OVERHEAD;
    if (bytes < BATCH_OVERHEAD || bytes > records.length - at) break;
    nextOffset = readInt64(records, at) + records.readInt32BE(at + HEADER.lastOffsetDelta) + 1;
    leaderEpoch = records.readInt32BE(at + HEADER.partitionLeaderEpoch);
    if (bytes > largestBatchBytes) largestBatchBytes = bytes;
    at += bytes;
  }
  return { nextOffset, leaderEpoch, largestBatchBytes };
}

/** True when keeping `records` keeps a much larger answer alive. */
export function isSmallPart(records: Buffer): boolean {
  return records.buffer.byteLength > records.length * 2;
}

export function copyOf(records: Buffer): Buffer {
  const own = Buffer.allocUnsafeSlow(records.length);
  records.copy(own);
  return own;
}
