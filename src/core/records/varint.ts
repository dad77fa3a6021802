// Zigzag varints of the record format. Values are numbers: those that fit int32 take the short way, wider ones go as two 32-bit halves,
// so that every int64 is exact and no bigint is made.

const TWO_32 = 0x1_0000_0000;

/** The high 32 bits of an integral number's two's complement, signed. */
export function highHalf(value: number): number {
  return Math.floor(value / TWO_32) | 0;
}

/** Bytes of `value`, an int32, as a zigzag varint. */
export function sizeOfVarint(value: number): number {
  const zigzag = (value << 1) ^ (value >> 31);
  if ((zigzag & ~0x7f) === 0) return 1;
  if ((zigzag & ~0x3fff) === 0) return 2;
  if ((zigzag & ~0x1fffff) === 0) return 3;
  return (zigzag & ~0xfffffff) === 0 ? 4 : 5;
}

/** Writes `value`, an int32, at `at`; returns the position after it. */
export function writeVarint(buffer: Uint8Array, at: number, value: number): number {
  let zigzag = (value << 1) ^ (value >> 31);
  while ((zigzag & ~0x7f) !== 0) {
    buffer[at++] = (zigzag & 0x7f) | 0x80;
    zigzag >>>= 7;
  }
  buffer[at++] = zigzag;
  return at;
}

/** Bytes of the int64 with these halves as a zigzag varint. */
export function sizeOfVarlong(high: number, low: number): number {
  const sign = high >> 31;
  let zigzagLow = (low << 1) ^ sign;
  let zigzagHigh = ((high << 1) | (low >>> 31)) ^ sign;
  let size = 1;
  while (zigzagHigh !== 0 || (zigzagLow & ~0x7f) !== 0) {
    zigzagLow = (zigzagLow >>> 7) | (zigzagHigh << 25);
    zigzagHigh >>>= 7;
    size++;
  }
  return size;
}

/** Writes the int64 with these halves at `at`; returns the position after it. */
export function writeVarlong(buffer: Uint8Array, at: number, high: number, low: number): number {
  const sign = high >> 31;
  let zigzagLow = (low << 1) ^ sign;
  let zigzagHigh = ((high << 1) | (low >>> 31)) ^ sign;
  while (zigzagHigh !== 0 || (zigzagLow & ~0x7f) !== 0) {
    buffer[at++] = (zigzagLow & 0x7f) | 0x80;
    zigzagLow = (zigzagLow >>> 7) | (zigzagHigh << 25);
    zigzagHigh >>>= 7;
  }
  buffer[at++] = zigzagLow;
  return at;
}
