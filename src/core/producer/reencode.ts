// Writing the records of a batch again: without those that were withdrawn, or as smaller batches. Rare, so it goes through the reader of the
// records layer and needs nothing kept on the fast path.

import { BatchCursor } from '../records/batch-cursor.ts';
import { BatchBuilder } from '../records/batch-builder.ts';
import type { FetchedRecord } from '../records/fetched-record.ts';
import { parseBatches } from '../records/record-batch.ts';
import { Batch } from './batch.ts';
import { BatchEntries } from './batch-entries.ts';
import type { Place } from './flight.ts';
import type { ProducerSettings } from './options.ts';
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
  const { entries } = batch;
  if (!batch.mayBeWithdrawn || !hasWithdrawn(entries)) return 0;
  const whole = batch.builder!.seal(UNSEQUENCED);
  const kept = new BatchBuilder(batch.bytes, batch.bytes);
  const out: number[] = [];
  batch.builder = kept;
  batch.entries = new BatchEntries();
  let index = 0;
  for (const record of recordsOf(whole, place)) {
    if (isWithdrawn(entries, index)) out.push(index);
    else takeOver(batch, record, entries, index);
    index += 1;
  }
  for (const at of out) entries.receipt(at).onWithdrawn?.(entries.tag(at));
  return out.length;
}

function hasWithdrawn(entries: BatchEntries): boolean {
  for (let index = 0; index < entries.count; index += 1) if (isWithdrawn(entries, index)) return true;
  return false;
}

function isWithdrawn(entries: BatchEntries, index: number): boolean {
  return entries.receipt(index).isWithdrawn?.(entries.tag(index)) === true;
}

/** Appends a record with the entry it had; false where it does not fit. */
function takeOver(into: Batch, record: FetchedRecord, entries: BatchEntries, index: number): boolean {
  const { key, value, headers } = record;
  return into.tryAppend(
    key,
    value,
    headers,
    entries.timestamp(index),
    entries.receipt(index),
    entries.tag(index),
  );
}

/**
 * The records of a sealed batch as batches of at most `maxBytes` each (one record at least). Together they keep the sequence numbers of the
 * original, so the batches behind it stay as they are.
 */
export function splitBatch(
  batch: Batch,
  place: Place,
  maxBytes: number,
  { compression: codec, compressionLevel: level }: Pick<ProducerSettings, 'compression' | 'compressionLevel'>,
  sequence: Sequence,
): Batch[] {
  const parts: Batch[] = [];
  let part: Batch | undefined;
  let index = 0;
  for (const record of recordsOf(batch.sealed!, place)) {
    if (part === undefined || !takeOver(part, record, batch.entries, index)) {
      part = new Batch(new BatchBuilder(maxBytes), batch.createdAt, batch.deadlineAt);
      takeOver(part, record, batch.entries, index);
      parts.push(part);
    }
    index += 1;
  }
  let baseSequence = batch.baseSequence;
  for (const each of parts) {
    each.baseSequence = baseSequence;
    each.sealed = each.builder!.seal({
      codec,
      level,
      producerId: sequence.producerId,
      producerEpoch: sequence.producerEpoch,
      baseSequence,
      transactional: sequence.numbering === 'given',
    });
    each.builder = undefined;
    each.state = 'waiting';
    each.sends = batch.sends;
    each.maybeAppended = batch.maybeAppended;
    if (baseSequence >= 0) baseSequence = sequenceAfter(baseSequence, each.count);
  }
  return parts;
}
