import { describe, expect, it } from '@jest/globals';
import { ProtocolError } from '../../../src/errors.ts';
import { Reader } from '../../../src/core/protocol/reader.ts';

const hex = (text: string) => new Reader(Buffer.from(text.replaceAll(' ', ''), 'hex'));

describe('Reader', () => {
  it('reads integers big-endian and signed', () => {
    expect(hex('80').int8()).toBe(-128);
    expect(hex('fffe').int16()).toBe(-2);
    expect(hex('fffe').uint16()).toBe(65534);
    expect(hex('80000000').int32()).toBe(-2147483648);
    expect(hex('ffffffff').uint32()).toBe(4294967295);
    expect(hex('ffffffffffffffff').int64()).toBe(-1n);
    expect(hex('7fffffffffffffff').int64()).toBe(2n ** 63n - 1n);
    expect(hex('3ff8000000000000').float64()).toBe(1.5);
    expect(hex('02').bool()).toBe(true);
  });

  it('reads offsets exactly, and refuses those a number cannot hold', () => {
    expect(hex('ffffffffffffffff').offset()).toBe(-1);
    expect(hex('001fffffffffffff').offset()).toBe(Number.MAX_SAFE_INTEGER);
    expect(() => hex('0020000000000000').offset()).toThrow(ProtocolError);
    expect(() => hex('7fffffffffffffff').offset()).toThrow(/2\^53-1/);
    expect(() => hex('8000000000000000').offset()).toThrow(ProtocolError);
  });

  it('reads any timestamp as the nearest number', () => {
    expect(hex('ffffffffffffffff').timestamp()).toBe(-1);
    expect(hex('0020000000000001').timestamp()).toBe(9007199254740992);
    expect(hex('7fffffffffffffff').timestamp()).toBe(2 ** 63);
    expect(hex('8000000000000000').timestamp()).toBe(-(2 ** 63));
  });

  it('reads unsigned varints up to 32 bits', () => {
    expect(hex('00').uvarint()).toBe(0);
    expect(hex('7f').uvarint()).toBe(127);
    expect(hex('8001').uvarint()).toBe(128);
    expect(hex('ffffffff0f').uvarint()).toBe(4294967295);
    expect(() => hex('ffffffff10').uvarint()).toThrow(/more than 32 bits/);
    expect(() => hex('ffffffffff01').uvarint()).toThrow(ProtocolError);
    expect(() => hex('ffff').uvarint()).toThrow(/truncated/);
  });

  it('reads signed varints in zigzag form', () => {
    expect([hex('00').varint(), hex('01').varint(), hex('02').varint()]).toEqual([0, -1, 1]);
    expect(hex('ffffffff0f').varint()).toBe(-2147483648);
    expect(hex('feffffff0f').varint()).toBe(2147483647);
  });

  it('tells null, empty and text apart in both forms of string', () => {
    expect(hex('ffff').nullableString()).toBeNull();
    expect(hex('0000').nullableString()).toBe('');
    expect(hex('0002 6869').string()).toBe('hi');
    expect(hex('00').nullableCompactString()).toBeNull();
    expect(hex('01').nullableCompactString()).toBe('');
    expect(hex('03 c3a9').compactString()).toBe('é');
    expect(() => hex('ffff').string()).toThrow(ProtocolError);
    expect(() => hex('00').compactString()).toThrow(ProtocolError);
    expect(() => hex('fffe').nullableString()).toThrow(/length -2/);
  });

  it('tells null, empty and bytes apart in both forms, as views', () => {
    expect(hex('ffffffff').nullableBytes()).toBeNull();
    expect(hex('00000000').bytes()).toHaveLength(0);
    expect(hex('00').nullableCompactBytes()).toBeNull();
    const reader = hex('03 0a0b');
    const bytes = reader.compactBytes();
    expect([...bytes]).toEqual([10, 11]);
    expect(bytes.buffer).toBe(reader.buffer.buffer);
    expect(() => hex('fffffffe').nullableBytes()).toThrow(/length -2/);
    expect(() => hex('ffffffff').bytes()).toThrow(ProtocolError);
    expect(() => hex('00').compactBytes()).toThrow(ProtocolError);
  });

  it.each([
    ['a string of 32767 bytes', () => hex('7fff 61').string()],
    ['a compact string of 4 GB', () => hex('ffffffff0f 61').compactString()],
    ['2 GB of bytes', () => hex('7fffffff 61').bytes()],
    ['4 GB of compact bytes', () => hex('ffffffff0f 61').compactBytes()],
    ['2 billion elements', () => hex('7fffffff 6161').count(1)],
    ['4 billion compact elements', () => hex('ffffffff0f 6161').compactCount(1)],
    ['more int32 than bytes allow', () => hex('00000002 00000001 0000').count(4)],
    ['an array count of -2', () => hex('fffffffe').count(1)],
    ['4 billion tags', () => hex('ffffffff0f 0000').skipTags()],
    ['a tag of 4 GB', () => hex('01 00 ffffffff0f').skipTags()],
  ])('refuses %s at once', (_, read) => {
    expect(read).toThrow(ProtocolError);
  });

  it('does not read past its end although the buffer goes on', () => {
    const reader = new Reader(Buffer.alloc(16), 4, 6);
    expect(reader.remaining).toBe(2);
    expect(() => reader.int32()).toThrow(ProtocolError);
    expect(reader.int16()).toBe(0);
    expect(() => reader.int8()).toThrow(/ends after 0 more/);
  });
});
