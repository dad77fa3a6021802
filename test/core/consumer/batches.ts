// Record batches as a broker would send them.
import { BatchBuilder } from '../../../src/core/records/batch-builder.ts';
import { ATTRIBUTE, HEADER, stampOffsets } from '../../../src/core/records/batch-header.ts';
import { crc32c } from '../../../src/core/records/crc32c.ts';
import type { CodecName } from '../../../src/core/compression/codec.ts';

export interface BatchOptions {
  readonly leaderEpoch?: number;
  readonly codec?: CodecName;
  readonly producerId?: number;
  readonly transactional?: boolean;
}

/** A batch with these values at consecutive offsets. */
export function batch(baseOffset: number, values: readonly string[], options: BatchOptions = {}): Buffer {
  const builder = new BatchBuilder(1 << 30);
  for (const value of values) builder.tryAppend(null, value, undefined, 1000);
  const transactional = options.transactional ?? false;
  const producerId = options.producerId ?? -1;
  const sealed = builder.seal({
    codec: options.codec ?? 'none',
    producerId,
    producerEpoch: producerId < 0 ? -1 : 0,
    baseSequence: producerId < 0 ? -1 : 0,
    transactional,
  });
  stampOffsets(sealed, baseOffset, options.leaderEpoch ?? 0);
  return sealed;
}

/** `count` values 'v0', 'v1', ... numbered by offset. */
export function run(baseOffset: number, count: number, options: BatchOptions = {}): Buffer {
  return batch(
    baseOffset,
    Array.from({ length: count }, (_, at) => `v${baseOffset + at}`),
    options,
  );
}

/** A transaction's end marker. */
export function marker(
  offset: number,
  producerId: number,
  type: 'abort' | 'commit',
  leaderEpoch = 0,
): Buffer {
  const key = Buffer.from([0, 0, 0, type === 'abort' ? 0 : 1]);
  const builder = new BatchBuilder(1 << 20);
  builder.tryAppend(key, Buffer.alloc(6), undefined, 1000);
  const sealed = builder.seal({
    codec: 'none',
    producerId,
    producerEpoch: 0,
    baseSequence: -1,
    transactional: true,
  });
  stampOffsets(sealed, offset, leaderEpoch);
  sealed.writeInt16BE(sealed.readInt16BE(HEADER.attributes) | ATTRIBUTE.control, HEADER.attributes);
  return restamp(sealed);
}

/** Compaction: the batch keeps its span of offsets, its records are gone. */
export function emptied(baseOffset: number, lastOffset: number): Buffer {
  const sealed = Buffer.from(run(baseOffset, 1).subarray(0, 61));
  sealed.writeInt32BE(61 - 12, HEADER.batchLength);
  sealed.writeInt32BE(lastOffset - baseOffset, HEADER.lastOffsetDelta);
  sealed.writeInt32BE(0, HEADER.recordCount);
  return restamp(sealed);
}

/** Makes the CRC right again after a change. */
export function restamp(sealed: Buffer): Buffer {
  sealed.writeUInt32BE(crc32c(sealed, HEADER.attributes, sealed.length), HEADER.crc);
  return sealed;
}
