import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { fc } from '../../helpers/fast-check.ts';
import { ATTRIBUTE, HEADER, stampOffsets } from '../../../src/core/records/batch-header.ts';
import { BatchBuilder } from '../../../src/core/records/batch-builder.ts';
import { BatchCursor } from '../../../src/core/records/batch-cursor.ts';
import type { FetchedRecord } from '../../../src/core/records/fetched-record.ts';
import { parseBatches } from '../../../src/core/records/record-batch.ts';
import { CorruptRecordError } from '../../../src/errors.ts';
import { crc32c } from '../../../src/core/records/crc32c.ts';
import { recordsOf } from './describe.ts';
import { batchOf, forged, plain, sealed } from './forge.ts';

const origin = { topic: 'orders', partition: 3 };

function batchFrom(bytes: Buffer) {
  return [...parseBatches(bytes, origin)][0]!;
}

/** Walks over forged records until they end or are refused. */
function walk(bytes: Buffer): { good: number; error: unknown } {
  const cursor = new BatchCursor(batchFrom(bytes), 'orders', 3);
  let good = 0;
  try {
    while (cursor.next() !== undefined) good++;
  } catch (error) {
    return { good, error };
  }
  return { good, error: undefined };
}

function expectCorrupt(bytes: Buffer, good: number, message: string | RegExp): void {
  const result = walk(bytes);
  expect(result.error).toBeInstanceOf(CorruptRecordError);
  expect((result.error as Error).message).toMatch(message);
  expect(result.good).toBe(good);
}

function touch(found: FetchedRecord): void {
  expect([...found.headers].length).toBeGreaterThanOrEqual(0);
  expect(typeof found.timestampBigInt).toBe('bigint');
  expect((found.key?.length ?? 0) + (found.value?.length ?? 0)).toBeLessThan(found.bytes);
}

// One record: length 7 (zigzag 14), attributes, two deltas, key 'k', value null, no headers.
const record = (offsetDelta: number) => [14, 0, 0, offsetDelta * 2, 2, 0x6b, 1, 0];
const LONG = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff];

describe('BatchCursor', () => {
  it('hands out records in offset order', () => {
    const bytes = sealed(3);
    stampOffsets(bytes, 40, 6);
    const records = recordsOf(batchFrom(bytes));
    expect(records.map((r) => [r.offset, r.timestamp, r.leaderEpoch, r.keyText, r.valueText])).toEqual([
      [40, 1000, 6, 'k', 'v'],
      [41, 1001, 6, 'k', 'v'],
      [42, 1002, 6, 'k', 'v'],
    ]);
  });

  it('stays at the end', () => {
    const cursor = new BatchCursor(batchFrom(sealed(1)), 'orders', 3);
    expect(cursor.next()).toBeDefined();
    expect(cursor.next()).toBeUndefined();
    expect(cursor.next()).toBeUndefined();
  });

  it.each([
    [40, [40, 41, 42]],
    [41, [41, 42]],
    [42, [42]],
    [43, []],
    [7, [40, 41, 42]],
  ])('starts at offset %i in the middle of a batch', (from, offsets) => {
    const bytes = sealed(3);
    stampOffsets(bytes, 40, 0);
    const cursor = new BatchCursor(batchFrom(bytes), 'orders', 3, from);
    const seen: number[] = [];
    for (let next = cursor.next(); next !== undefined; next = cursor.next()) seen.push(next.offset);
    expect(seen).toEqual(offsets);
  });

  it('shows nothing of a control batch unless asked', () => {
    const control = forged(sealed(1), (bytes) => bytes.writeInt16BE(ATTRIBUTE.control, HEADER.attributes));
    expect(recordsOf(batchFrom(control))).toEqual([]);
    expect(recordsOf(batchFrom(control), true)).toHaveLength(1);
  });

  it('refuses a count that is too low, after the records it claims', () => {
    expectCorrupt(
      forged(sealed(3), (b) => b.writeInt32BE(2, HEADER.recordCount)),
      2,
      'it claims 2 records, but 9 bytes follow',
    );
  });

  it('refuses a count that is too high, after the records there are', () => {
    const lie = forged(Buffer.concat([batchOf(Buffer.from([...record(0), ...record(1)]), 2)]), (b) => {
      b.writeInt32BE(5, HEADER.lastOffsetDelta);
    });
    expect(walk(lie)).toEqual({ good: 2, error: undefined });
    const long = Buffer.from([28, 0, 0, 0, 1, 16, 1, 2, 3, 4, 5, 6, 7, 8, 0]);
    expectCorrupt(batchOf(long, 2), 1, 'record 2 of 2 is cut off');
  });

  it('keeps throwing the same error', () => {
    const cursor = new BatchCursor(
      batchFrom(batchOf(Buffer.from([...record(0), ...LONG, ...LONG]), 2)),
      'orders',
      3,
    );
    cursor.next();
    const errors = [0, 1].map(() => {
      try {
        return cursor.next();
      } catch (error) {
        return error;
      }
    });
    expect(errors[0]).toBeInstanceOf(CorruptRecordError);
    expect(errors[1]).toBe(errors[0]);
  });

  it.each<[string, number[], number, RegExp]>([
    ['a negative length', [1, 0, 0, 0, 1, 1, 0, 0], 0, /record 1 of 1 claims a length of -1/],
    ['a length past the batch', [126, 0, 0, 0, 1, 1, 0, 0], 0, /claims a length of 63/],
    ['a length of 2 GB', [0xfe, 0xff, 0xff, 0xff, 0x0f, 0, 0, 0], 0, /claims a length of 2147483647/],
    ['a length without an end', [...LONG, ...LONG], 0, /a number of more than 5 bytes/],
    [
      'a timestamp delta without an end',
      [60, 0, ...LONG, ...LONG, ...LONG, ...LONG, ...LONG],
      0,
      /more than 10 bytes/,
    ],
    ['a key past the record', [14, 0, 0, 0, 60, 0x6b, 1, 0], 0, /key, value or header of 30 bytes/],
    ['a key length of -2', [14, 0, 0, 0, 3, 0x6b, 1, 0], 0, /of -2 bytes/],
    ['a key of 2 GB', [22, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff, 0x0f, 1, 0, 0], 0, /of 2147483647 bytes/],
    ['a value past the record', [14, 0, 0, 0, 1, 60, 0, 0], 0, /of 30 bytes/],
    ['a negative header count', [14, 0, 0, 0, 2, 0x6b, 1, 1], 0, /claims -1 headers/],
    ['a million headers', [20, 0, 0, 0, 2, 0x6b, 1, 0x80, 0x89, 0x7a, 0], 0, /claims 1000000 headers/],
    ['a header with a null name', [18, 0, 0, 0, 2, 0x6b, 1, 2, 1, 1], 0, /a header without a name/],
    ['a header past the record', [18, 0, 0, 0, 2, 0x6b, 1, 2, 30, 1], 0, /of 15 bytes/],
    ['bytes after the headers', [16, 0, 0, 0, 2, 0x6b, 1, 0, 9], 0, /does not end where its length says/],
    ['an offset past the last', [...record(7)], 0, /offset delta 7 after -1/],
    ['a negative offset', [14, 0, 0, 1, 2, 0x6b, 1, 0], 0, /offset delta -1 after -1/],
  ])('refuses %s', (_name, bytes, good, message) => {
    expectCorrupt(batchOf(Buffer.from(bytes), 1), good, message);
  });

  it('refuses offsets that do not rise', () => {
    expectCorrupt(batchOf(Buffer.from([...record(1), ...record(1)]), 2), 1, /offset delta 1 after 1/);
  });

  it('refuses hostile records inside a compressed batch', () => {
    const inner = gzipSync(Buffer.from([...record(0), 126, 0, 0, 1, 1, 1, 0]));
    expectCorrupt(batchOf(inner, 2, 1), 1, /record 2 of 2 claims a length of 63/);
    const batch = batchFrom(batchOf(gzipSync(Buffer.from(record(0))), 3, 1));
    expect(() => new BatchCursor(batch, 'orders', 3)).toThrow('it claims 3 records in 8 bytes');
  });

  it('survives any bytes as records: good ones, then the end or a CorruptRecordError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 0, max: 20 }), (bytes, count) => {
        try {
          for (const batch of parseBatches(batchOf(bytes, count), origin))
            for (const found of recordsOf(batch)) touch(found);
        } catch (error) {
          expect(error).toBeInstanceOf(CorruptRecordError);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('survives any change of a good batch', () => {
    const builder = new BatchBuilder(1 << 16);
    for (let i = 0; i < 5; i++) builder.tryAppend(`key ${i}`, 'value', { a: 'b', c: null }, 1000 + i * 100);
    const good = builder.seal(plain);
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(255), (at, value) => {
        const bytes = forged(good, (batch) => {
          batch[at] = value;
        });
        try {
          for (const batch of parseBatches(bytes, origin)) for (const found of recordsOf(batch)) touch(found);
        } catch (error) {
          expect((error as { errorName?: string }).errorName).toMatch(
            /CORRUPT_MESSAGE|UNSUPPORTED_COMPRESSION_TYPE/,
          );
        }
      }),
      { numRuns: 1000 },
    );
  });
});

/** What a cursor hands out, and how it ends; `slowly` keeps it from the way for ordinary records. */
function story(bytes: Buffer, slowly: boolean): unknown[] {
  const told: unknown[] = [];
  const cursor = new BatchCursor(batchFrom(bytes), 'orders', 3);
  if (slowly) Object.defineProperty(cursor, 'nextOrdinary', { value: () => undefined });
  try {
    for (let found = cursor.next(); found !== undefined; found = cursor.next())
      told.push([found.offset, found.timestamp, found.keyText, found.valueText, [...found.headers]]);
  } catch (error) {
    told.push((error as Error).message);
  }
  return told;
}

describe('the short way for ordinary records', () => {
  const size = fc.oneof(fc.integer({ min: -1, max: 80 }), fc.constantFrom(8_191, 8_192, 9_000));
  const sized = (bytes: number): string | null => (bytes < 0 ? null : 'x'.repeat(bytes));
  const records = fc.array(
    fc.record({ key: size, value: size, headed: fc.boolean(), wait: fc.nat(90_000) }),
    {
      minLength: 1,
      maxLength: 70,
    },
  );
  const changes = fc.array(fc.record({ at: fc.nat(), byte: fc.integer({ min: 0, max: 255 }) }), {
    maxLength: 3,
  });

  it('reads what the long way reads, and stops where it stops, whatever is damaged', () => {
    fc.assert(
      fc.property(records, changes, (list, damage) => {
        const builder = new BatchBuilder(10_000_000);
        let time = 1_000;
        for (const { key, value, headed, wait } of list)
          builder.tryAppend(sized(key), sized(value), headed ? { a: 'b' } : undefined, (time += wait));
        const bytes = builder.seal({ codec: 'none', producerId: 1, producerEpoch: 0, baseSequence: 0 });
        for (const { at, byte } of damage) bytes[61 + (at % (bytes.length - 61))] = byte;
        bytes.writeUInt32BE(crc32c(bytes, HEADER.attributes, bytes.length), HEADER.crc);
        expect(story(bytes, false)).toEqual(story(bytes, true));
      }),
    );
  });

  it('takes numbers with more bytes than they need, as other clients do', () => {
    // Length 16, attributes, a timestamp and an offset delta of two bytes, a key length of two, the key, a value length of three, the value.
    const padded = (delta: number): number[] => [
      ...[32, 0, 0x80, 0, 0x80 | (delta * 2), 0],
      ...[0x82, 0, 0x6b, 0x84, 0x80, 0, 0x76, 0x77, 0x80, 0x80, 0],
    ];
    const bytes = batchOf(Buffer.from([0, 1, 2].flatMap(padded)), 3);
    expect(story(bytes, false)).toEqual(story(bytes, true));
    expect(story(bytes, false)).toEqual([0, 1, 2].map((offset) => [offset, 1000, 'k', 'vw', []]));
  });
});
