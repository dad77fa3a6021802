// A record's timestamp is its batch's base plus a delta, both 64 bits on the wire. The sum is made of 32-bit halves, so that the number is
// the nearest one and the bigint is exact, whatever the size.

const TWO_32 = 0x1_0000_0000;

// The halves of the value read last: two results without an object.
let high = 0;
let low = 0;

/** Reads the zigzag varint at `at` (already known to be well formed) and adds it to the base. */
function addDelta(data: Uint8Array, at: number, baseHigh: number, baseLow: number): void {
  let zigzagLow = 0;
  let zigzagHigh = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = data[at++]!;
    const bits = byte & 0x7f;
    if (shift < 28) zigzagLow |= bits << shift;
    else if (shift === 28) {
      zigzagLow |= bits << 28;
      zigzagHigh = bits >>> 4;
    } else zigzagHigh |= bits << (shift - 32);
    if (byte < 0x80) break;
  }
  const sign = -(zigzagLow & 1);
  const deltaLow = ((zigzagLow >>> 1) | (zigzagHigh << 31)) ^ sign;
  const deltaHigh = (zigzagHigh >>> 1) ^ sign;
  const sum = (baseLow >>> 0) + (deltaLow >>> 0);
  low = sum >>> 0;
  high = (baseHigh + deltaHigh + (sum >= TWO_32 ? 1 : 0)) | 0;
}

/** The nearest number to base plus the delta at `at`. */
export function timestampNumber(data: Uint8Array, at: number, baseHigh: number, baseLow: number): number {
  addDelta(data, at, baseHigh, baseLow);
  return high * TWO_32 + low;
}

/** Base plus the delta at `at`, exactly. */
export function timestampBigInt(data: Uint8Array, at: number, baseHigh: number, baseLow: number): bigint {
  addDelta(data, at, baseHigh, baseLow);
  return int64BigInt(high, low);
}

/** The int64 of these halves. */
export function int64BigInt(highHalf: number, lowHalf: number): bigint {
  return (BigInt(highHalf) << 32n) | BigInt(lowHalf >>> 0);
}
