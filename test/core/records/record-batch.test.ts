import { describe, expect, it } from '@jest/globals';
import { ATTRIBUTE, BATCH_OVERHEAD, HEADER } from '../../../src/core/records/batch-header.ts';
import { stampAppendTime, stampOffsets, stampProducer } from '../../../src/core/records/batch-header.ts';
import { BatchCursor } from '../../../src/core/records/batch-cursor.ts';
import { parseBatches } from '../../../src/core/records/record-batch.ts';
import { CompressionError, CorruptRecordError } from '../../../src/errors.ts';
import { recordsOf } from './describe.ts';
import { batchOf, forged, sealed } from './forge.ts';

const origin = { topic: 'orders', partition: 3 };

function parse(bytes: Buffer) {
  return [...parseBatches(bytes, origin)];
}

function refusal(bytes: Buffer): CorruptRecordError {
  try {
    for (const batch of parseBatches(bytes, origin)) recordsOf(batch);
  } catch (error) {
    if (error instanceof CorruptRecordError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

describe('parseBatches', () => {
  it('reads no batch in no bytes', () => {
    expect(parse(Buffer.alloc(0))).toEqual([]);
  });

  it('gives the fields of a header', () => {
    const bytes = sealed(3, {
      producerId: 2 ** 40 + 7,
      producerEpoch: 5,
      baseSequence: 9,
      transactional: true,
    });
    stampOffsets(bytes, 2 ** 33 + 1, 12);
    const [batch] = parse(bytes);
    expect(batch).toMatchObject({
      topic: 'orders',
      partition: 3,
      baseOffset: 2 ** 33 + 1,
      lastOffset: 2 ** 33 + 3,
      leaderEpoch: 12,
      count: 3,
      codec: 'none',
      timestampType: 'create',
      maxTimestamp: 1002,
      producerId: 2 ** 40 + 7,
      producerEpoch: 5,
      baseSequence: 9,
      isControl: false,
      isTransactional: true,
      wireBytes: bytes.length,
      bytes: bytes.length,
    });
  });

  it('takes a new producer and an append time, and keeps the CRC right', () => {
    const bytes = sealed(2);
    stampProducer(bytes, 77, 1, 100);
    stampAppendTime(bytes, 5000);
    const [batch] = parse(bytes);
    expect(batch).toMatchObject({
      producerId: 77,
      producerEpoch: 1,
      baseSequence: 100,
      timestampType: 'append',
    });
    expect(recordsOf(batch!).map((record) => record.timestamp)).toEqual([5000, 5000]);
  });

  it('refuses a wrong CRC, whichever byte after it is changed', () => {
    const bytes = sealed(2);
    for (let at = HEADER.crc; at < bytes.length; at++) {
      const copy = Buffer.from(bytes);
      copy[at]! ^= 0x40;
      expect(refusal(copy).message).toMatch(/batch at offset 0 of orders-3 is corrupt: its CRC is/);
    }
  });

  it('drops a batch cut off at any point when another one comes before it', () => {
    const first = sealed(1);
    const second = sealed(2);
    for (let length = 0; length < second.length; length++)
      expect(parse(Buffer.concat([first, second.subarray(0, length)]))).toHaveLength(1);
    expect(parse(Buffer.concat([first, second]))).toHaveLength(2);
  });

  it('refuses a first batch that is cut off at any point, so that no reader asks for it for ever', () => {
    const bytes = sealed(2);
    for (let length = 1; length < bytes.length; length++)
      expect(refusal(bytes.subarray(0, length)).message).toMatch(/only \d+ (bytes of it )?were sent/);
  });

  it('leaves the batches before a bad one usable', () => {
    const bad = forged(sealed(1), (batch) => batch.writeInt32BE(-5, HEADER.recordCount));
    stampOffsets(bad, 2, 0);
    const batches = parseBatches(Buffer.concat([sealed(2), bad]), origin);
    const first = batches.next().value!;
    expect(recordsOf(first)).toHaveLength(2);
    expect(() => batches.next()).toThrow(/offset 2 of orders-3 is corrupt: it claims -5 records/);
  });

  it.each([-1, 0, 48, -(2 ** 31)])('refuses a batch length of %i', (length) => {
    const bytes = sealed(1);
    bytes.writeInt32BE(length, HEADER.batchLength);
    expect(refusal(bytes).message).toContain(`length ${length} is impossible`);
  });

  it('refuses a batch length of 2 GB without taking memory', () => {
    const bytes = sealed(1);
    bytes.writeInt32BE(2 ** 31 - 1, HEADER.batchLength);
    expect(refusal(bytes).message).toContain('it claims 2147483659 bytes, but only');
  });

  it.each([3, 127, -1])('refuses magic %i', (magic) => {
    const bytes = sealed(1);
    bytes.writeInt8(magic, HEADER.magic);
    expect(refusal(bytes).message).toContain(`format version is ${magic}`);
  });

  it('refuses more records than offsets, and last offsets before the first', () => {
    const many = forged(sealed(2), (batch) => batch.writeInt32BE(3, HEADER.recordCount));
    expect(refusal(many).message).toContain('it claims 3 records between offsets 0 and 1');
    const backwards = forged(sealed(2), (batch) => batch.writeInt32BE(-1, HEADER.lastOffsetDelta));
    expect(refusal(backwards).message).toContain('before its first');
  });

  it('refuses more records than its bytes can hold', () => {
    const lie = forged(sealed(2), (batch) => {
      batch.writeInt32BE(2 ** 31 - 1, HEADER.recordCount);
      batch.writeInt32BE(2 ** 31 - 1, HEADER.lastOffsetDelta);
    });
    expect(refusal(lie).message).toContain('it claims 2147483647 records in');
  });

  it('refuses offsets below 0 and past 2^53-1', () => {
    const negative = sealed(1);
    stampOffsets(negative, -1, 0);
    expect(refusal(negative).message).toContain('outside 0 to 2^53-1');
    const huge = sealed(2);
    stampOffsets(huge, Number.MAX_SAFE_INTEGER, 0);
    expect(refusal(huge).message).toContain('outside 0 to 2^53-1');
    const largest = sealed(1);
    stampOffsets(largest, Number.MAX_SAFE_INTEGER, 0);
    expect(parse(largest)[0]!.lastOffset).toBe(Number.MAX_SAFE_INTEGER);
  });

  it('reads a batch that compaction has emptied', () => {
    const [batch] = parse(
      forged(batchOf(Buffer.alloc(0), 0), (bytes) => bytes.writeInt32BE(9, HEADER.lastOffsetDelta)),
    );
    expect(batch).toMatchObject({ count: 0, lastOffset: 9, wireBytes: BATCH_OVERHEAD });
    expect(recordsOf(batch!)).toEqual([]);
  });

  it('names a compression type that does not exist', () => {
    const [batch] = parse(batchOf(Buffer.alloc(20), 1, ATTRIBUTE.codecMask));
    expect(batch!.codec).toBeUndefined();
    expect(() => new BatchCursor(batch!, 'orders', 3)).toThrow(CompressionError);
    expect(() => new BatchCursor(batch!, 'orders', 3)).toThrow('compression type 7');
  });

  it('carries topic and partition in its errors, and is not retriable', () => {
    expect(refusal(sealed(1).subarray(0, 5))).toMatchObject({
      topic: 'orders',
      partition: 3,
      retriable: false,
      errorName: 'CORRUPT_MESSAGE',
    });
  });
});
