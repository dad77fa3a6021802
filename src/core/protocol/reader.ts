import { ProtocolError } from '../../errors.ts';

const UINT32 = 0x1_0000_0000;
/** Strings up to this length are read by hand while they are ASCII: cheaper than a call into native code. */
const SHORT_STRING = 8;
/** Arrays longer than this grow while they are read. */
const TRUSTED_COUNT = 4096;

/**
 * Reads protocol primitives, big-endian, from `buffer[pos..end)`. Every length and count is checked against the bytes that are there before
 * anything is allocated; what does not fit is a {@link ProtocolError}. Slices are views of the buffer, not copies.
 */
export class Reader {
  readonly buffer: Buffer;
  pos: number;
  readonly end: number;

  constructor(buffer: Buffer, pos = 0, end = buffer.length) {
    this.buffer = buffer;
    this.pos = pos;
    this.end = end;
  }

  get remaining(): number {
    return this.end - this.pos;
  }

  /** Moves on by `size` bytes, which are there, and returns where they start in `buffer`. */
  take(size: number): number {
    const pos = this.pos;
    if (size > this.end - pos) this.short(size);
    this.pos = pos + size;
    return pos;
  }

  private short(size: number): never {
    throw new ProtocolError(
      `${size} bytes wanted at byte ${this.pos}, but the message ends after ${this.end - this.pos} more: it is truncated or its lengths are wrong`,
    );
  }

  /** Throws: what stands at (or just before) the current byte breaks the protocol. */
  fail(what: string): never {
    throw new ProtocolError(`${what} (near byte ${this.pos} of ${this.end})`);
  }

  skip(size: number): void {
    this.take(size);
  }

  bool(): boolean {
    return this.buffer[this.take(1)] !== 0;
  }

  int8(): number {
    return (this.buffer[this.take(1)]! << 24) >> 24;
  }

  int16(): number {
    const pos = this.take(2);
    const buffer = this.buffer;
    return (((buffer[pos]! << 8) | buffer[pos + 1]!) << 16) >> 16;
  }

  uint16(): number {
    const pos = this.take(2);
    const buffer = this.buffer;
    return (buffer[pos]! << 8) | buffer[pos + 1]!;
  }

  int32(): number {
    return this.int32At(this.take(4));
  }

  uint32(): number {
    return this.int32() >>> 0;
  }

  int64(): bigint {
    return this.int64At(this.take(8));
  }

  /** An int64 as an exact number. */
  offset(): number {
    return this.offsetAt(this.take(8));
  }

  /** An int64 as the nearest number. */
  timestamp(): number {
    return this.timestampAt(this.take(8));
  }

  float64(): number {
    return this.float64At(this.take(8));
  }

  uuid(): string {
    return this.uuidAt(this.take(16));
  }

  // The compiled decoders take the bytes of several fields at once; these read at a place that was taken.

  int64At(pos: number): bigint {
    return this.buffer.readBigInt64BE(pos);
  }

  offsetAt(pos: number): number {
    const high = this.int32At(pos);
    if (high > 0x1fffff || high < -0x200000) {
      this.fail('an int64 beyond 2^53-1 where a number is expected');
    }
    return high * UINT32 + (this.int32At(pos + 4) >>> 0);
  }

  timestampAt(pos: number): number {
    return this.int32At(pos) * UINT32 + (this.int32At(pos + 4) >>> 0);
  }

  private int32At(pos: number): number {
    const buffer = this.buffer;
    return (buffer[pos]! << 24) | (buffer[pos + 1]! << 16) | (buffer[pos + 2]! << 8) | buffer[pos + 3]!;
  }

  float64At(pos: number): number {
    return this.buffer.readDoubleBE(pos);
  }

  uuidAt(pos: number): string {
    return this.buffer.toString('base64url', pos, pos + 16);
  }

  /** Unsigned, 7 bits a byte, low bits first; more than 32 bits is an error. */
  uvarint(): number {
    const first = this.buffer[this.take(1)]!;
    return first < 0x80 ? first : this.longUvarint(first);
  }

  private longUvarint(first: number): number {
    let value = first & 0x7f;
    for (let shift = 7; shift < 28; shift += 7) {
      const byte = this.buffer[this.take(1)]!;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    const last = this.buffer[this.take(1)]!;
    if (last > 0x0f) this.fail('a varint of more than 32 bits');
    return (value | (last << 28)) >>> 0;
  }

  /** A signed 32-bit number in zigzag form. */
  varint(): number {
    const value = this.uvarint();
    return (value >>> 1) ^ -(value & 1);
  }

  /** int16 length and UTF-8; null for length -1. */
  nullableString(): string | null {
    const size = this.int16();
    if (size >= 0) return this.utf8(size);
    if (size !== -1) this.fail(`string length ${size}`);
    return null;
  }

  string(): string {
    return this.nullableString() ?? this.fail('null where a string is expected');
  }

  /** Unsigned varint of length + 1 and UTF-8; null for 0. */
  nullableCompactString(): string | null {
    const size = this.uvarint();
    return size === 0 ? null : this.utf8(size - 1);
  }

  compactString(): string {
    return this.nullableCompactString() ?? this.fail('null where a string is expected');
  }

  private utf8(size: number): string {
    const pos = this.take(size);
    const buffer = this.buffer;
    if (size > SHORT_STRING) return buffer.toString('utf8', pos, pos + size);
    let text = '';
    for (let i = pos; i < pos + size; i++) {
      const byte = buffer[i]!;
      if (byte > 0x7f) return buffer.toString('utf8', pos, pos + size);
      text += String.fromCharCode(byte);
    }
    return text;
  }

  /** int32 length and bytes, as a view; null for length -1. */
  nullableBytes(): Buffer | null {
    const size = this.int32();
    if (size >= 0) return this.raw(size);
    if (size !== -1) this.fail(`bytes length ${size}`);
    return null;
  }

  bytes(): Buffer {
    return this.nullableBytes() ?? this.fail('null where bytes are expected');
  }

  /** Unsigned varint of length + 1 and bytes, as a view; null for 0. */
  nullableCompactBytes(): Buffer | null {
    const size = this.uvarint();
    return size === 0 ? null : this.raw(size - 1);
  }

  compactBytes(): Buffer {
    return this.nullableCompactBytes() ?? this.fail('null where bytes are expected');
  }

  /** `size` bytes as a view. */
  raw(size: number): Buffer {
    const pos = this.take(size);
    return this.buffer.subarray(pos, pos + size);
  }

  /** An int32 array count, -1 for null. `minSize` is the least an element can take: a count that cannot fit the rest is refused. */
  count(minSize: number): number {
    const count = this.int32();
    if (count < -1 || count * minSize > this.end - this.pos) this.lyingCount(count);
    return count;
  }

  /** An unsigned varint of count + 1, as {@link count}. */
  compactCount(minSize: number): number {
    const count = this.uvarint() - 1;
    if (count * minSize > this.end - this.pos) this.lyingCount(count);
    return count;
  }

  /** The elements of an array of `count` int32. */
  int32s(count: number): number[] {
    let pos = this.take(count * 4);
    const values = this.room<number>(count);
    for (let i = 0; i < count; i++, pos += 4) values[i] = this.int32At(pos);
    return values;
  }

  /** An empty array to fill with `count` elements: of that size at once (a third of the memory), but not on the word of a hostile count. */
  room<T>(count: number): T[] {
    return count <= TRUSTED_COUNT ? new Array<T>(count) : [];
  }

  private lyingCount(count: number): never {
    this.fail(`an array of ${count} elements where ${this.end - this.pos} bytes are left`);
  }

  /** Skips a section of tagged fields without looking at them. */
  skipTags(): void {
    const count = this.uvarint();
    if (count > 0) this.skipTagged(count);
  }

  private skipTagged(count: number): void {
    for (let left = count; left > 0; left--) {
      this.uvarint();
      this.skip(this.uvarint());
    }
  }

  /** Checks that a tagged field that started at `start` took exactly the `size` it announced. */
  endTagged(start: number, size: number, tag: number): void {
    if (this.pos - start !== size)
      this.fail(`tag ${tag} announced ${size} bytes and took ${this.pos - start}`);
  }
}
