import { describe, expect, it } from '@jest/globals';
import { fc } from '../../helpers/fast-check.ts';
import { UsageError } from '../../../src/errors.ts';
import { Reader } from '../../../src/core/protocol/reader.ts';
import { Writer } from '../../../src/core/protocol/writer.ts';

function hexOf(write: (writer: Writer) => void): string {
  const writer = new Writer(1);
  write(writer);
  return writer.finish().toString('hex');
}

describe('Writer', () => {
  it('writes integers big-endian', () => {
    expect(hexOf((w) => w.int8(-128))).toBe('80');
    expect(hexOf((w) => w.int16(-2))).toBe('fffe');
    expect(hexOf((w) => w.uint16(65534))).toBe('fffe');
    expect(hexOf((w) => w.int32(-2147483648))).toBe('80000000');
    expect(hexOf((w) => w.uint32(4294967295))).toBe('ffffffff');
    expect(hexOf((w) => w.int64(-1n))).toBe('ffffffffffffffff');
    expect(hexOf((w) => w.offset(-1))).toBe('ffffffffffffffff');
    expect(hexOf((w) => w.offset(Number.MAX_SAFE_INTEGER))).toBe('001fffffffffffff');
    expect(hexOf((w) => w.float64(1.5))).toBe('3ff8000000000000');
    expect(hexOf((w) => w.uvarint(4294967295))).toBe('ffffffff0f');
    expect(hexOf((w) => w.varint(-2147483648))).toBe('ffffffff0f');
    expect(hexOf((w) => w.int32s([1, -1]))).toBe('00000001ffffffff');
  });

  it('holds timestamps inside an int64 and cuts fractions off', () => {
    expect(hexOf((w) => w.timestamp(-1))).toBe('ffffffffffffffff');
    expect(hexOf((w) => w.timestamp(1.9))).toBe('0000000000000001');
    expect(hexOf((w) => w.timestamp(Infinity))).toBe('7fffffffffffffff');
    expect(hexOf((w) => w.timestamp(-Infinity))).toBe('8000000000000000');
    expect(hexOf((w) => w.timestamp(1.7e18))).toBe(1700000000000000000n.toString(16).padStart(16, '0'));
  });

  it.each<[string, (w: Writer) => void]>([
    ['int8 128', (w) => w.int8(128)],
    ['int16 40000', (w) => w.int16(40000)],
    ['uint16 -1', (w) => w.uint16(-1)],
    ['int32 1.5', (w) => w.int32(1.5)],
    ['int32 2^31', (w) => w.int32(2 ** 31)],
    ['int32 NaN', (w) => w.int32(NaN)],
    ['int32 undefined', (w) => w.int32(undefined as unknown as number)],
    ['int32s with a string', (w) => w.int32s(['1'] as unknown as number[])],
    ['uint32 -1', (w) => w.uint32(-1)],
    ['int64 2^63', (w) => w.int64(2n ** 63n)],
    ['int64 from a number', (w) => w.int64(1 as unknown as bigint)],
    ['offset 2^53', (w) => w.offset(2 ** 53)],
    ['timestamp NaN', (w) => w.timestamp(NaN)],
    ['bool 1', (w) => w.bool(1 as unknown as boolean)],
    ['string undefined', (w) => w.string(undefined as unknown as string)],
    ['string over 32767 bytes', (w) => w.string('é'.repeat(16384))],
    ['bytes from a string', (w) => w.bytes('x' as unknown as Buffer)],
    ['uuid of 21 characters', (w) => w.uuid('A'.repeat(21))],
    ['uuid that is not base64url', (w) => w.uuid('!'.repeat(22))],
  ])('refuses %s as the caller’s mistake', (_, write) => {
    expect(() => hexOf(write)).toThrow(UsageError);
  });

  it('writes every string as a reader reads it, whatever its length and script', () => {
    const text = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 200 }), fc.string({ maxLength: 200 }));
    fc.assert(
      fc.property(text, text, (a, b) => {
        const writer = new Writer(1);
        writer.string(a);
        writer.compactString(b);
        writer.string(b);
        const reader = new Reader(writer.finish());
        expect([reader.string(), reader.compactString(), reader.string()]).toEqual([a, b, b]);
        expect(reader.remaining).toBe(0);
      }),
    );
  });

  it('puts the size before a tagged field, however many bytes the size takes', () => {
    for (const size of [0, 1, 127, 128, 16383, 16384]) {
      const writer = new Writer(1);
      writer.int8(7);
      const start = writer.pos;
      writer.raw(Buffer.alloc(size, 5));
      writer.endTagged(start);
      writer.int8(9);
      const reader = new Reader(writer.finish());
      expect(reader.int8()).toBe(7);
      expect(reader.uvarint()).toBe(size);
      expect(reader.raw(size).every((byte) => byte === 5)).toBe(true);
      expect(reader.int8()).toBe(9);
      expect(reader.remaining).toBe(0);
    }
  });
});
