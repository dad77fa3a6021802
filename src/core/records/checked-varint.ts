// Varints of records that a BatchCursor has checked: no bounds and no errors, and the position after one is asked for apart, so that
// reading makes no object.

/** The zigzag varint of an int32 at `at`. */
export function varintAt(data: Uint8Array, at: number): number {
  let zigzag = data[at]!;
  if (zigzag >= 0x80) {
    zigzag &= 0x7f;
    for (let shift = 7; ; shift += 7) {
      const byte = data[++at]!;
      zigzag |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
  }
  return (zigzag >>> 1) ^ -(zigzag & 1);
}

/** The position after the varint at `at`. */
export function afterVarint(data: Uint8Array, at: number): number {
  while (data[at]! >= 0x80) at++;
  return at + 1;
}
