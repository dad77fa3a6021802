import { describe, expect, it } from '@jest/globals';
import { fc } from '../../helpers/fast-check.ts';
import { readInt64, writeInt64 } from '../../../src/core/records/int64.ts';
import { timestampBigInt, timestampNumber } from '../../../src/core/records/timestamp.ts';
import {
  highHalf,
  sizeOfVarint,
  sizeOfVarlong,
  writeVarint,
  writeVarlong,
} from '../../../src/core/records/varint.ts';

/** The encoding by its definition. */
function zigzagVarint(value: bigint): number[] {
  let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
  const bytes: number[] = [];
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return [...bytes, Number(rest)];
}

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const edges = [
  0,
  1,
  -1,
  63,
  64,
  -64,
  -65,
  8191,
  8192,
  -8192,
  -8193,
  2 ** 20,
  2 ** 27,
  -(2 ** 27) - 1,
  2 ** 31 - 1,
  -(2 ** 31),
];

describe('varints', () => {
  it.each(edges)('write the int32 %i', (value) => {
    const buffer = Buffer.alloc(10);
    const end = writeVarint(buffer, 0, value);
    expect([...buffer.subarray(0, end)]).toEqual(zigzagVarint(BigInt(value)));
    expect(sizeOfVarint(value)).toBe(end);
  });

  it('write every int32', () => {
    const buffer = Buffer.alloc(10);
    fc.assert(
      fc.property(fc.integer(), (value) => {
        const end = writeVarint(buffer, 0, value);
        expect([...buffer.subarray(0, end)]).toEqual(zigzagVarint(BigInt(value)));
        expect(sizeOfVarint(value)).toBe(end);
      }),
    );
  });

  it('write every int64', () => {
    const buffer = Buffer.alloc(10);
    fc.assert(
      fc.property(fc.oneof(int64, fc.constantFrom(...edges, -(2 ** 63), 2 ** 62).map(BigInt)), (value) => {
        const high = Number(value >> 32n);
        const low = Number(BigInt.asIntN(32, value));
        const end = writeVarlong(buffer, 0, high, low);
        expect([...buffer.subarray(0, end)]).toEqual(zigzagVarint(value));
        expect(sizeOfVarlong(high, low)).toBe(end);
      }),
    );
  });

  it('split numbers into halves', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        expect(highHalf(value)).toBe(Number(BigInt(value) >> 32n));
        const buffer = Buffer.alloc(8);
        writeInt64(buffer, 0, value);
        expect(buffer.readBigInt64BE()).toBe(BigInt(value));
        expect(readInt64(buffer, 0)).toBe(value);
      }),
    );
  });

  it('read the nearest number to any int64', () => {
    fc.assert(
      fc.property(int64, (value) => {
        const buffer = Buffer.alloc(8);
        buffer.writeBigInt64BE(value);
        expect(readInt64(buffer, 0)).toBe(Number(value));
      }),
    );
  });
});

describe('timestamps', () => {
  it('are base plus delta, exactly as bigint and nearest as number, for every pair of int64', () => {
    fc.assert(
      fc.property(int64, int64, (base, delta) => {
        const data = Buffer.from(zigzagVarint(delta));
        const high = Number(base >> 32n);
        const low = Number(BigInt.asIntN(32, base));
        const sum = BigInt.asIntN(64, base + delta);
        expect(timestampBigInt(data, 0, high, low)).toBe(sum);
        expect(timestampNumber(data, 0, high, low)).toBe(Number(sum));
      }),
      { numRuns: 1000 },
    );
  });
});
