import { DEFAULT_MAX_DECOMPRESSED_BYTES } from '../../../core/compression/codec.ts';
import { codecById, prepareCodec } from '../../../core/compression/registry.ts';
import { BATCH_OVERHEAD, HEADER, LENGTH_OVERHEAD } from '../../../core/records/batch-header.ts';
import { crc32c } from '../../../core/records/crc32c.ts';
import { readInt64, writeInt64 } from '../../../core/records/int64.ts';
import type { AbortedTransaction } from './aborted-index.ts';
import { readBatchHeader } from './batch-header.ts';
import type { BatchHeader } from './batch-header.ts';
import type { PartitionLog } from './partition-log.ts';
import { RecordWalk } from './record-walk.ts';
import { batchBytes } from './stored-batch.ts';
import type { CompactedBatch, StoredBatch } from './stored-batch.ts';

const APPEND_TIME = 0x08;

/** A batch of records with what is needed to look into it. */
interface OpenBatch {
  readonly stored: StoredBatch;
  readonly header: BatchHeader;
  readonly bytes: Buffer;
  readonly payload: Buffer;
}

/**
 * Does what Kafka's log cleaner does, to everything below the last stable offset: of each key the last record is kept, at its offset; what
 * was aborted goes; tombstones and the markers of transactions that have no records left go too, but only `deleteRetentionMs` after the
 * first compaction that saw them.
 */
export async function compactLog(
  log: PartitionLog,
  wallNowMs: number,
  deleteRetentionMs: number,
): Promise<void> {
  const stored = log.batches.filter((batch) => batch.lastOffset < log.lastStableOffset);
  const aborted = byProducer(log.aborted.all());
  const isAborted = (batch: StoredBatch): boolean =>
    batch.isTransactional &&
    (aborted.get(batch.producerId) ?? []).some(
      ({ firstOffset, lastOffset }) => batch.baseOffset >= firstOffset && batch.lastOffset <= lastOffset,
    );
  const open: OpenBatch[] = [];
  for (const batch of stored) {
    if (batch.marker === undefined && !isAborted(batch)) open.push(await openBatch(batch));
  }
  const lastOffsets = lastOffsetByKey(open);
  const compacted = new Map<StoredBatch, CompactedBatch | undefined>();
  const horizon = wallNowMs + deleteRetentionMs;
  for (const batch of open) {
    const mayDropTombstones = (batch.stored.deleteHorizonMs ?? Infinity) <= wallNowMs;
    const kept = keep(batch, lastOffsets, mayDropTombstones);
    compacted.set(batch.stored, rewrite(batch, kept, horizon));
  }
  /** Producers of which a record is kept since their last marker. */
  const withRecords = new Set<number>();
  for (const batch of stored) {
    if (batch.marker !== undefined) {
      const hasRecords = withRecords.delete(batch.producerId);
      if (hasRecords) continue;
      if ((batch.deleteHorizonMs ?? Infinity) <= wallNowMs) compacted.set(batch, undefined);
      else if (batch.deleteHorizonMs === undefined) compacted.set(batch, withHorizon(batch, horizon));
    } else if (isAborted(batch)) {
      compacted.set(batch, undefined);
    } else if (batch.isTransactional && compacted.get(batch) !== undefined) {
      withRecords.add(batch.producerId);
    }
  }
  log.replace(compacted);
}

function byProducer(aborted: readonly AbortedTransaction[]): ReadonlyMap<number, AbortedTransaction[]> {
  const found = new Map<number, AbortedTransaction[]>();
  for (const entry of aborted) {
    const known = found.get(entry.producerId);
    if (known === undefined) found.set(entry.producerId, [entry]);
    else known.push(entry);
  }
  return found;
}

async function openBatch(stored: StoredBatch): Promise<OpenBatch> {
  const bytes = batchBytes(stored);
  const header = readBatchHeader(bytes);
  await prepareCodec(header.codecId);
  const packed = bytes.subarray(BATCH_OVERHEAD);
  const payload =
    header.codecId === 0
      ? packed
      : codecById(header.codecId).decompress(packed, DEFAULT_MAX_DECOMPRESSED_BYTES);
  return { stored, header, bytes, payload };
}

function keyOf(payload: Buffer, walk: RecordWalk): string {
  return payload.toString('latin1', walk.keyStart, walk.keyStart + walk.keyLength);
}

function lastOffsetByKey(batches: readonly OpenBatch[]): ReadonlyMap<string, number> {
  const last = new Map<string, number>();
  for (const { stored, payload, header } of batches) {
    const walk = new RecordWalk(payload, header.recordCount);
    while (walk.next()) {
      if (walk.keyLength >= 0) last.set(keyOf(payload, walk), stored.baseOffset + walk.offsetDelta);
    }
  }
  return last;
}

/** What is left of a batch's records. */
interface KeptRecords {
  readonly parts: readonly Buffer[];
  readonly hasTombstones: boolean;
  readonly maxTimestamp: number;
}

function keep(
  { stored, header, bytes, payload }: OpenBatch,
  lastOffsets: ReadonlyMap<string, number>,
  mayDropTombstones: boolean,
): KeptRecords {
  const baseTimestamp = readInt64(bytes, HEADER.baseTimestamp);
  const parts: Buffer[] = [];
  let hasTombstones = false;
  let maxTimestamp = -1;
  const walk = new RecordWalk(payload, header.recordCount);
  while (walk.next()) {
    if (walk.keyLength < 0) continue;
    if (lastOffsets.get(keyOf(payload, walk)) !== stored.baseOffset + walk.offsetDelta) continue;
    const isTombstone = walk.valueLength < 0;
    if (isTombstone && mayDropTombstones) continue;
    hasTombstones ||= isTombstone;
    maxTimestamp = Math.max(maxTimestamp, baseTimestamp + walk.timestampDelta);
    parts.push(payload.subarray(walk.start, walk.end));
  }
  return { parts, hasTombstones, maxTimestamp };
}

/** The batch with only the kept records; the same where all are kept, undefined where none is. */
function rewrite(batch: OpenBatch, kept: KeptRecords, horizon: number): CompactedBatch | undefined {
  const { stored, header, bytes } = batch;
  const recordCount = kept.parts.length;
  if (recordCount === 0) return undefined;
  const deleteHorizonMs = stored.deleteHorizonMs ?? (kept.hasTombstones ? horizon : undefined);
  const mark = deleteHorizonMs === undefined ? {} : { deleteHorizonMs };
  if (recordCount === header.recordCount) {
    return { bytes, maxTimestamp: stored.maxTimestamp, recordCount, ...mark };
  }
  const records = Buffer.concat(kept.parts);
  const packed = header.codecId === 0 ? records : codecById(header.codecId).compress(records);
  const written = Buffer.concat([bytes.subarray(0, BATCH_OVERHEAD), packed]);
  const isAppendTime = (written.readInt16BE(HEADER.attributes) & APPEND_TIME) !== 0;
  const maxTimestamp = isAppendTime ? stored.maxTimestamp : kept.maxTimestamp;
  written.writeInt32BE(written.length - LENGTH_OVERHEAD, HEADER.batchLength);
  writeInt64(written, HEADER.maxTimestamp, maxTimestamp);
  written.writeInt32BE(recordCount, HEADER.recordCount);
  written.writeUInt32BE(crc32c(written, HEADER.attributes, written.length), HEADER.crc);
  return { bytes: written, maxTimestamp, recordCount, ...mark };
}

function withHorizon(batch: StoredBatch, deleteHorizonMs: number): CompactedBatch {
  const { maxTimestamp, recordCount } = batch;
  return { bytes: batchBytes(batch), maxTimestamp, recordCount, deleteHorizonMs };
}
