// Writing the records of a batch again: without those that were withdrawn, or as smaller batches. Rare, so it goes through the reader of the
// records layer and needs nothing kept on the fast path.

import type { CodecName } from '../compression/codec.ts';
import { BatchCursor } from '../records/batch-cursor.ts';
import { BatchBuilder } from '../records/batch-builder.ts';
import type { FetchedRecord } from '../records/fetched-record.ts';
import { parseBatches } from '../records/record-batch.ts';
import { Batch } from './batch.ts';
import type { Place } from './flight.ts';
import { sequenceAfter, type Sequence } from './sequence.ts';

const UNSEQUENCED = { codec: 'none', producerId: -1, producerEpoch: -1, baseSequence: -1 } as const;

function* recordsOf(bytes: Buffer, { topic, partition }: Place): Generator<FetchedRecord, void, undefined> {
  for (const parsed of parseBatches(bytes, { topic, partition })) {
    const cursor = new BatchCursor(parsed, topic, partition);
    for (let record = cursor.next(); record !== undefined; record = cursor.next()) yield record;
  }
}

/** Takes the withdrawn records out of an unsealed batch and tells their receipts; returns how many there were. */
export function dropWithdrawn(batch: Batch, place: Place): number {
  const { receipts, timestamps } = batch;
  if (!batch.mayBeWithdrawn || !receipts.some(isWithdrawn)) return 0;
  const whole = batch.builder!.seal(UNSEQUENCED);
  const kept = new BatchBuilder(batch.bytes, batch.bytes);
  const out: typeof receipts = [];
  batch.builder = kept;
  batch.receipts = [];
  batch.timestamps = [];
  let index = 0;
  for (const record of recordsOf(whole, place)) {
    const receipt = receipts[index]!;
    const timestamp = timestamps[index]!;
    index += 1;
    if (isWithdrawn(receipt)) out.push(receipt);
    else batch.tryAppend(record.key, record.value, record.headers, timestamp, receipt);
  }
  for (const receipt of out) receipt.onWithdrawn?.();
  return out.length;
}

function isWithdrawn(receipt: Batch['receipts'][number]): boolean {
  return receipt.isWithdrawn?.() === true;
}

/**
 * The records of a sealed batch as batches of at most `maxBytes` each (one record at least). Together they keep the sequence numbers of the
 * original, so the batches behind it stay as they are.
 */
export function splitBatch(
  batch: Batch,
  place: Place,
  maxBytes: number,
  codec: CodecName,
  sequence: Sequence,
): Batch[] {
  const parts: Batch[] = [];
  let part: Batch | undefined;
  let index = 0;
  for (const record of recordsOf(batch.sealed!, place)) {
    const receipt = batch.receipts[index]!;
    const timestamp = batch.timestamps[index]!;
    index += 1;
    if (part?.tryAppend(record.key, record.value, record.headers, timestamp, receipt) === true) continue;
    part = new Batch(new BatchBuilder(maxBytes), batch.createdAt, batch.deadlineAt);
    part.tryAppend(record.key, record.value, record.headers, timestamp, receipt);
    parts.push(part);
  }
  let baseSequence = batch.baseSequence;
  for (const each of parts) {
    each.baseSequence = baseSequence;
    each.sealed = each.builder!.seal({
      codec,
      producerId: sequence.producerId,
      producerEpoch: sequence.producerEpoch,
      baseSequence,
    });
    each.builder = undefined;
    each.state = 'waiting';
    each.sends = batch.sends;
    each.maybeAppended = batch.maybeAppended;
    baseSequence = sequenceAfter(baseSequence, each.count);
  }
  return parts;
}
