import { beforeAll, describe, expect, it } from '@jest/globals';
import { fc } from '../../helpers/fast-check.ts';
import { CODEC_NAMES } from '../../../src/core/compression/codec.ts';
import { codecId, prepareCodec } from '../../../src/core/compression/registry.ts';
import { BatchBuilder } from '../../../src/core/records/batch-builder.ts';
import { BATCH_OVERHEAD } from '../../../src/core/records/batch-header.ts';
import { parseBatches } from '../../../src/core/records/record-batch.ts';
import { recordSize, singleRecordBatchSize } from '../../../src/core/records/record-size.ts';
import type { Bytes } from '../../../src/core/records/types.ts';
import { UsageError } from '../../../src/errors.ts';
import { recordsOf } from './describe.ts';
import { plain } from './forge.ts';

const origin = { topic: 'topic', partition: 0 };

interface Written {
  key: Bytes | null;
  value: Bytes | null;
  headers: [string, Bytes | null][] | undefined;
  timestamp: number;
}

function read(batch: Buffer) {
  return [...parseBatches(batch, origin)].flatMap((parsed) => recordsOf(parsed));
}

function asBuffer(bytes: Bytes | null): Buffer | null {
  return bytes === null ? null : Buffer.from(bytes as string);
}

/** What a record looks like once read; the same for what was written and what came back. */
function asRead(record: {
  key: Bytes | null;
  value: Bytes | null;
  headers: Iterable<readonly [string, Bytes | null]> | undefined;
  timestamp: number;
}) {
  return {
    key: asBuffer(record.key)?.toString('hex') ?? null,
    value: asBuffer(record.value)?.toString('hex') ?? null,
    headers: [...(record.headers ?? [])].map(([name, value]) => [
      name,
      asBuffer(value)?.toString('hex') ?? null,
    ]),
    timestamp: record.timestamp,
  };
}

// Lone surrogates become U+FFFD in UTF-8, so they would not come back as they were.
const text = fc
  .string({ unit: 'binary', maxLength: 60 })
  .filter((value) => Buffer.from(value).toString() === value);
const bytes: fc.Arbitrary<Bytes | null> = fc.oneof(
  fc.constant(null),
  fc.constant(''),
  fc.string({ maxLength: 40 }),
  text,
  fc.uint8Array({ maxLength: 100 }),
  fc.uint8Array({ maxLength: 100 }).map((value) => Buffer.from(value)),
  fc.constantFrom(23, 24, 25, 500, 1024, 1025, 3000).map((length) => 'é'.repeat(length)),
  fc.constantFrom(23, 24, 25, 500, 1024, 1025, 3000).map((length) => 'a'.repeat(length)),
);
const timestamp = fc.oneof(
  fc.integer({ min: 1_760_000_000_000, max: 1_760_000_001_000 }),
  fc.constantFrom(-1, 0, 2 ** 31, 2 ** 32, 2 ** 33 + 1, Number.MAX_SAFE_INTEGER),
  fc.maxSafeInteger(),
  fc.maxSafeInteger().map((value) => value * 1024),
);
const record: fc.Arbitrary<Written> = fc.record({
  key: bytes,
  value: bytes,
  headers: fc.option(fc.array(fc.tuple(fc.oneof(fc.constantFrom('a', 'b'), text), bytes), { maxLength: 5 }), {
    nil: undefined,
  }),
  timestamp,
});

describe('BatchBuilder', () => {
  beforeAll(async () => {
    for (const codec of CODEC_NAMES) await prepareCodec(codecId(codec));
  });

  it.each(CODEC_NAMES)('writes what is read back, compressed by %s', (codec) => {
    fc.assert(
      fc.property(
        fc.array(record, { minLength: 1, maxLength: 30 }),
        fc.constantFrom(61, 4096, 100_000),
        (records, startBytes) => {
          const builder = new BatchBuilder(1 << 30, startBytes);
          for (const { key, value, headers, timestamp } of records)
            expect(builder.tryAppend(key, value, headers, timestamp)).toBe(true);
          const size = builder.bytes;
          const batch = builder.seal({ ...plain, codec });
          if (codec === 'none') expect(batch.length).toBe(size);
          const [parsed] = [...parseBatches(batch, origin)];
          expect(recordsOf(parsed!).map(asRead)).toEqual(records.map(asRead));
          expect(parsed!.bytes).toBe(size);
          expect(parsed!.maxTimestamp).toBe(Math.max(...records.map((each) => each.timestamp)));
        },
      ),
      { numRuns: 50 },
    );
  });

  it('accounts for every byte: the size of a batch is that of its records and the header', () => {
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 10 }), (records) => {
        const builder = new BatchBuilder(1 << 30);
        let size = BATCH_OVERHEAD;
        records.forEach(({ key, value, headers }, i) => {
          builder.tryAppend(key, value, headers, 5);
          size += recordSize(key, value, headers, i);
          expect(builder.bytes).toBe(size);
          expect(builder.count).toBe(i + 1);
        });
        expect(builder.seal(plain).length).toBe(size);
      }),
    );
  });

  it('fills up to maxBytes exactly and changes nothing when a record does not fit', () => {
    fc.assert(
      fc.property(fc.array(record, { minLength: 2, maxLength: 10 }), (records) => {
        const [first, ...rest] = records as [Written, ...Written[]];
        const whole = new BatchBuilder(1 << 30);
        for (const each of records) whole.tryAppend(each.key, each.value, each.headers, each.timestamp);
        const limit = whole.bytes;
        for (const maxBytes of [limit, limit - 1]) {
          const builder = new BatchBuilder(maxBytes);
          builder.tryAppend(first.key, first.value, first.headers, first.timestamp);
          const taken = rest.filter((each) =>
            builder.tryAppend(each.key, each.value, each.headers, each.timestamp),
          );
          expect(taken.length === rest.length).toBe(maxBytes === limit);
          if (builder.count > 1) expect(builder.bytes).toBeLessThanOrEqual(maxBytes);
          expect(read(builder.seal(plain)).map(asRead)).toEqual([first, ...taken].map(asRead));
        }
      }),
    );
  });

  it('takes a first record of any size', () => {
    const value = Buffer.alloc(1_000_000, 7);
    const builder = new BatchBuilder(1000);
    expect(builder.tryAppend('k', value, undefined, 1)).toBe(true);
    expect(builder.tryAppend('k', 'v', undefined, 1)).toBe(false);
    expect(builder.bytes).toBe(singleRecordBatchSize('k', value));
    expect(read(builder.seal(plain))[0]!.value!.equals(value)).toBe(true);
  });

  it.each(CODEC_NAMES)('carries records of 1,000,000 bytes in %s', (codec) => {
    const values = [
      Buffer.alloc(1_000_000),
      Buffer.from(Array.from({ length: 1_000_000 }, (_, i) => (i * i) >> 7)),
    ];
    const builder = new BatchBuilder(4_000_000);
    for (const value of values) expect(builder.tryAppend(null, value, undefined, 1)).toBe(true);
    const records = read(builder.seal({ ...plain, codec }));
    expect(records.map((each, i) => each.value!.equals(values[i]!))).toEqual([true, true]);
  });

  it('writes text that meets the end of its memory whole', () => {
    // Every way for a string of n characters and more bytes to run into the end of the buffer.
    for (let length = 25; length < 200; length++)
      for (const filler of ['é', '鍵', '😀']) {
        const value = 'a'.repeat(length) + filler;
        const builder = new BatchBuilder(1 << 20, 61);
        builder.tryAppend(null, value, undefined, 1);
        expect(read(builder.seal(plain))[0]!.valueText).toBe(value);
      }
  });

  it('keeps timestamp deltas past 2^31 and 2^53 exact', () => {
    const timestamps = [
      1_760_000_000_000,
      0,
      -1,
      2 ** 31,
      1_760_000_000_000 + 3_000_000_000,
      2 ** 53 - 1,
      -(2 ** 53),
      1_760_000_000_123_456_768,
      2 ** 62,
      -(2 ** 62),
    ];
    const builder = new BatchBuilder(1 << 20);
    for (const each of timestamps) builder.tryAppend(null, null, undefined, each);
    const records = read(builder.seal(plain));
    expect(records.map((each) => each.timestamp)).toEqual(timestamps);
    expect(records.map((each) => each.timestampBigInt)).toEqual(timestamps.map((each) => BigInt(each)));
  });

  it.each([Number.NaN, 1.5, Infinity, 2 ** 63, -(2 ** 64)])('refuses the timestamp %d', (timestamp) => {
    const builder = new BatchBuilder(1000);
    expect(() => builder.tryAppend(null, null, undefined, timestamp)).toThrow(UsageError);
    builder.tryAppend(null, null, undefined, 1);
    expect(() => builder.tryAppend(null, null, undefined, timestamp)).toThrow(UsageError);
    expect(read(builder.seal(plain))).toHaveLength(1);
  });

  it('is full once it is sealed, and sealed once', () => {
    const builder = new BatchBuilder(1000);
    expect(() => builder.seal(plain)).toThrow(UsageError);
    builder.tryAppend(null, 'v', undefined, 1);
    const batch = builder.seal(plain);
    const copy = Buffer.from(batch);
    expect(builder.tryAppend(null, 'w', undefined, 1)).toBe(false);
    expect(() => builder.seal(plain)).toThrow(UsageError);
    expect(batch.equals(copy)).toBe(true);
  });

  it('gives a sealed batch another producer', () => {
    const builder = new BatchBuilder(1000);
    builder.tryAppend(null, 'v', undefined, 1);
    const batch = builder.seal({ ...plain, codec: 'gzip' });
    BatchBuilder.setProducer(batch, 2 ** 50 + 3, 9, 1000);
    const [parsed] = [...parseBatches(batch, origin)];
    expect(parsed).toMatchObject({ producerId: 2 ** 50 + 3, producerEpoch: 9, baseSequence: 1000 });
    expect(recordsOf(parsed!)[0]!.valueText).toBe('v');
  });
});
