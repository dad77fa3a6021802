// Batches that lie: sealed properly, then changed, with a CRC that fits the lie.
import { BATCH_OVERHEAD, HEADER, LENGTH_OVERHEAD } from '../../../src/core/records/batch-header.ts';
import { BatchBuilder } from '../../../src/core/records/batch-builder.ts';
import { crc32c } from '../../../src/core/records/crc32c.ts';
import type { SealOptions } from '../../../src/core/records/batch-builder.ts';

export const plain: SealOptions = { codec: 'none', producerId: -1, producerEpoch: -1, baseSequence: -1 };

/** A sealed batch of `count` records with one-byte keys and values. */
export function sealed(count: number, options: Partial<SealOptions> = {}): Buffer {
  const builder = new BatchBuilder(1 << 20);
  for (let i = 0; i < count; i++) builder.tryAppend('k', 'v', undefined, 1000 + i);
  return builder.seal({ ...plain, ...options });
}

/** A copy of `batch` after `change`, with the CRC of what it then is. */
export function forged(batch: Buffer, change: (batch: Buffer) => void): Buffer {
  const copy = Buffer.from(batch);
  change(copy);
  copy.writeUInt32BE(crc32c(copy, HEADER.attributes, copy.length), HEADER.crc);
  return copy;
}

/** A batch whose records are these bytes, with the header of a batch of `count` records. */
export function batchOf(records: Uint8Array, count: number, codec = 0): Buffer {
  const header = sealed(Math.max(count, 1)).subarray(0, BATCH_OVERHEAD);
  return forged(Buffer.concat([header, records]), (batch) => {
    batch.writeInt32BE(batch.length - LENGTH_OVERHEAD, HEADER.batchLength);
    batch.writeInt32BE(count, HEADER.recordCount);
    batch.writeInt16BE(codec, HEADER.attributes);
  });
}
