// 64-bit integers as the nearest number, without a bigint: two halves, one rounding.

/** Reads a signed 64-bit integer as the nearest number (exact to 2^53). */
export function readInt64(buffer: Buffer, at: number): number {
  return buffer.readInt32BE(at) * 0x1_0000_0000 + buffer.readUInt32BE(at + 4);
}

/** Writes an integral number as a signed 64-bit integer. */
export function writeInt64(buffer: Buffer, at: number, value: number): void {
  buffer.writeInt32BE(Math.floor(value / 0x1_0000_0000), at);
  buffer.writeUInt32BE(value >>> 0, at + 4);
}
