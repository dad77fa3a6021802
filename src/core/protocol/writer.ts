import { UsageError } from '../../errors.ts';

const UINT32 = 0x1_0000_0000;
/** Strings up to this length are written by hand while they are ASCII: cheaper than a call into native code. */
const SHORT_STRING = 40;

/**
 * Writes protocol primitives, big-endian, into one growing buffer. Values that do not fit their type are a {@link UsageError}: a frame that
 * left this class is well formed.
 */
export class Writer {
  /** The bytes so far are `buffer[0..pos)`. */
  buffer: Buffer;
  pos = 0;

  private readonly shareFrom: number;
  /** What comes before `partStart`, in pieces; made when the first piece is shared. */
  private parts: Uint8Array[] | undefined = undefined;
  private partStart = 0;
  private sharedBytes = 0;

  /**
   * @param sizeHint bytes to reserve at the start; the writer grows past it by itself.
   * @param shareFrom raw bytes of this size and more are not copied: they become pieces of their own, see `finishParts`.
   */
  constructor(sizeHint = 256, shareFrom = Infinity) {
    this.buffer = Buffer.allocUnsafe(sizeHint);
    this.shareFrom = shareFrom;
  }

  /** Everything so far, what is shared included. */
  get bytesWritten(): number {
    return this.pos + this.sharedBytes;
  }

  /** The bytes written so far, as a view. The writer must not be used after it, or the view may see what comes later. */
  finish(): Buffer {
    return this.buffer.subarray(0, this.pos);
  }

  /** The bytes written so far, in pieces to be sent one after the other. `patchInt32` works up to here. */
  finishParts(): readonly Uint8Array[] {
    const last = this.buffer.subarray(this.partStart, this.pos);
    if (this.parts === undefined) return [last];
    this.parts.push(last);
    return this.parts;
  }

  /** Makes room for `bytes` more, so that what follows does not grow the buffer step by step. */
  reserve(bytes: number): void {
    if (this.pos + bytes > this.buffer.length) this.grow(bytes);
  }

  private grow(bytes: number): void {
    const bigger = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, this.pos + bytes, 64));
    this.buffer.copy(bigger, 0, 0, this.pos);
    this.buffer = bigger;
  }

  bool(value: boolean): void {
    if (typeof value !== 'boolean') unfit('a boolean', value);
    this.reserve(1);
    this.buffer[this.pos++] = value ? 1 : 0;
  }

  int8(value: number): void {
    if ((value << 24) >> 24 !== value) unfit('an int8', value);
    this.reserve(1);
    this.buffer[this.pos++] = value;
  }

  int16(value: number): void {
    if ((value << 16) >> 16 !== value) unfit('an int16', value);
    this.put16(value);
  }

  uint16(value: number): void {
    if ((value & 0xffff) !== value) unfit('a uint16', value);
    this.put16(value);
  }

  private put16(value: number): void {
    this.reserve(2);
    const buffer = this.buffer;
    const pos = this.pos;
    buffer[pos] = value >> 8;
    buffer[pos + 1] = value;
    this.pos = pos + 2;
  }

  int32(value: number): void {
    if ((value | 0) !== value) unfit('an int32', value);
    this.put32(value);
  }

  uint32(value: number): void {
    if (value >>> 0 !== value) unfit('a uint32', value);
    this.put32(value);
  }

  private put32(value: number): void {
    this.reserve(4);
    const buffer = this.buffer;
    const pos = this.pos;
    buffer[pos] = value >> 24;
    buffer[pos + 1] = value >> 16;
    buffer[pos + 2] = value >> 8;
    buffer[pos + 3] = value;
    this.pos = pos + 4;
  }

  /** The elements of an array of int32, without its count. */
  int32s(values: readonly number[]): void {
    this.reserve(values.length * 4);
    const buffer = this.buffer;
    let pos = this.pos;
    for (let i = 0; i < values.length; i++, pos += 4) {
      const value = values[i]!;
      if ((value | 0) !== value) unfit('an int32', value);
      buffer[pos] = value >> 24;
      buffer[pos + 1] = value >> 16;
      buffer[pos + 2] = value >> 8;
      buffer[pos + 3] = value;
    }
    this.pos = pos;
  }

  /** Overwrites four bytes written before anything was shared, or at any time without sharing. */
  patchInt32(at: number, value: number): void {
    const first = this.parts?.[0] ?? this.buffer;
    new DataView(first.buffer, first.byteOffset).setInt32(at, value);
  }

  int64(value: bigint): void {
    if (typeof value !== 'bigint' || BigInt.asIntN(64, value) !== value) unfit('an int64', value);
    this.reserve(8);
    this.pos = this.buffer.writeBigInt64BE(value, this.pos);
  }

  /** An int64 from an exact number. */
  offset(value: number): void {
    if (!Number.isSafeInteger(value)) unfit('an exact integer', value);
    const high = Math.floor(value / UINT32);
    this.put32(high);
    this.put32((value - high * UINT32) | 0);
  }

  /** An int64 from the nearest number; fractions are cut off, what is too large for an int64 is held at its limit. */
  timestamp(value: number): void {
    if (typeof value !== 'number' || Number.isNaN(value)) unfit('a timestamp', value);
    const whole = Math.trunc(value);
    if (whole >= 2 ** 63) {
      this.put32(0x7fffffff);
      this.put32(-1);
      return;
    }
    const held = Math.max(whole, -(2 ** 63));
    const high = Math.floor(held / UINT32);
    this.put32(high);
    this.put32((held - high * UINT32) | 0);
  }

  float64(value: number): void {
    if (typeof value !== 'number') unfit('a number', value);
    this.reserve(8);
    this.pos = this.buffer.writeDoubleBE(value, this.pos);
  }

  /** Unsigned, 7 bits a byte, low bits first; at most 32 bits. */
  uvarint(value: number): void {
    if ((value & 0x7f) !== value) {
      this.longUvarint(value);
      return;
    }
    this.reserve(1);
    this.buffer[this.pos++] = value;
  }

  private longUvarint(value: number): void {
    if (value >>> 0 !== value) unfit('an unsigned varint', value);
    this.reserve(5);
    const buffer = this.buffer;
    let pos = this.pos;
    let rest = value;
    while (rest > 0x7f) {
      buffer[pos++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    buffer[pos++] = rest;
    this.pos = pos;
  }

  /** A signed 32-bit number in zigzag form. */
  varint(value: number): void {
    if ((value | 0) !== value) unfit('a varint', value);
    this.uvarint(((value << 1) ^ (value >> 31)) >>> 0);
  }

  uuid(value: string): void {
    if (typeof value !== 'string' || value.length !== 22) unfit('a uuid of 22 base64url characters', value);
    this.reserve(16);
    if (this.buffer.write(value, this.pos, 16, 'base64url') !== 16)
      unfit('a uuid of 22 base64url characters', value);
    this.pos += 16;
  }

  /** int16 length and UTF-8; null is length -1. */
  string(value: string | null): void {
    if (value === null) {
      this.put16(-1);
      return;
    }
    if (typeof value !== 'string') unfit('a string', value);
    const start = this.pos;
    this.reserve(2 + SHORT_STRING);
    if (value.length <= SHORT_STRING && this.ascii(value, start + 2)) {
      this.buffer[start] = 0;
      this.buffer[start + 1] = value.length;
      return;
    }
    const size = Buffer.byteLength(value);
    if (size > 0x7fff) unfit('a string of at most 32767 bytes', `${value.slice(0, 20)}...`);
    this.put16(size);
    this.utf8(value, size);
  }

  /** Unsigned varint of length + 1 and UTF-8; null is 0. */
  compactString(value: string | null): void {
    if (value === null) {
      this.uvarint(0);
      return;
    }
    if (typeof value !== 'string') unfit('a string', value);
    const start = this.pos;
    this.reserve(1 + SHORT_STRING);
    if (value.length <= SHORT_STRING && this.ascii(value, start + 1)) {
      this.buffer[start] = value.length + 1;
      return;
    }
    const size = Buffer.byteLength(value);
    this.uvarint(size + 1);
    this.utf8(value, size);
  }

  /** Writes `value` at `at` while it is ASCII; false (and nothing moved) when it is not. */
  private ascii(value: string, at: number): boolean {
    const buffer = this.buffer;
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i);
      if (code > 0x7f) return false;
      buffer[at + i] = code;
    }
    this.pos = at + value.length;
    return true;
  }

  private utf8(value: string, size: number): void {
    this.reserve(size);
    this.buffer.write(value, this.pos, size, 'utf8');
    this.pos += size;
  }

  /** int32 length and bytes; null is length -1. */
  bytes(value: Uint8Array | null): void {
    if (value === null) {
      this.put32(-1);
      return;
    }
    if (!(value instanceof Uint8Array)) unfit('bytes', value);
    this.put32(value.length);
    this.raw(value);
  }

  /** Unsigned varint of length + 1 and bytes; null is 0. */
  compactBytes(value: Uint8Array | null): void {
    if (value === null) {
      this.uvarint(0);
      return;
    }
    if (!(value instanceof Uint8Array)) unfit('bytes', value);
    this.uvarint(value.length + 1);
    this.raw(value);
  }

  /** Bytes as they are, without a length. */
  raw(value: Uint8Array): void {
    if (value.length >= this.shareFrom) {
      this.share(value);
      return;
    }
    this.reserve(value.length);
    this.buffer.set(value, this.pos);
    this.pos += value.length;
  }

  private share(value: Uint8Array): void {
    this.parts ??= [];
    this.parts.push(this.buffer.subarray(this.partStart, this.pos), value);
    this.partStart = this.pos;
    this.sharedBytes += value.length;
  }

  /**
   * Ends a tagged field whose content was written from `start` on: puts its size, an unsigned varint, before it. The content is moved by
   * the bytes the size takes; tagged fields are small and rare.
   */
  endTagged(start: number): void {
    if (start < this.partStart) throw new UsageError('Large bytes in a tagged field cannot be shared');
    const size = this.pos - start;
    this.uvarint(size);
    const prefix = this.pos - start - size;
    this.buffer.copyWithin(start + prefix, start, start + size);
    this.pos = start;
    this.uvarint(size);
    this.pos = start + prefix + size;
  }
}

/** Throws that `value` is not what is wanted. */
export function unfit(wanted: string, value: unknown): never {
  const shown = typeof value === 'string' ? JSON.stringify(value) : String(value);
  throw new UsageError(`${shown} is not ${wanted}`);
}
