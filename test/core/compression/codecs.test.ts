import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { fc } from '../../helpers/fast-check.ts';
import { CODEC_NAMES } from '../../../src/core/compression/codec.ts';
import { codecById, codecByName, codecId, prepareCodec } from '../../../src/core/compression/registry.ts';
import { CompressionError } from '../../../src/errors.ts';

const MAX = 64 * 1024 * 1024;
const compressing = CODEC_NAMES.slice(1);

function pattern(length: number): Buffer {
  return Buffer.from(Array.from({ length }, (_, i) => (i * i) >> 5));
}

/** Decompresses; what is refused must be refused by a CompressionError. */
function attempt(codec: number, data: Buffer, maxBytes = MAX): Buffer | CompressionError {
  try {
    return codecById(codec).decompress(data, maxBytes);
  } catch (error) {
    if (error instanceof CompressionError) return error;
    throw error;
  }
}

beforeAll(async () => {
  for (const name of CODEC_NAMES) await prepareCodec(codecId(name));
});

describe.each(CODEC_NAMES)('codec %s', (name) => {
  it.each([0, 1, 100, 32 * 1024 - 1, 32 * 1024 + 1, 64 * 1024, 64 * 1024 + 1, 300_000, 1_000_000])(
    'gives %i bytes back',
    (length) => {
      const codec = codecByName(name);
      for (const data of [Buffer.alloc(length, 'ab'), pattern(length)])
        expect(codec.decompress(codec.compress(data), MAX).equals(data)).toBe(true);
    },
  );

  it('gives any bytes back, and does not change what it is given', () => {
    const codec = codecByName(name);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => {
        const data = Buffer.from(bytes);
        const packed = codec.compress(data);
        const copy = Buffer.from(packed);
        expect(codec.decompress(packed, MAX).equals(data)).toBe(true);
        expect(packed.equals(copy)).toBe(true);
        expect(data.equals(bytes)).toBe(true);
      }),
    );
  });
});

describe.each(compressing)('codec %s, given damaged bytes', (name) => {
  const id = codecId(name);

  it('allows exactly maxBytes, and not one more', () => {
    for (const data of [Buffer.alloc(100_000), pattern(100_000)]) {
      const packed = codecById(id).compress(data);
      expect(attempt(id, packed, 100_000)).toHaveLength(100_000);
      expect(attempt(id, packed, 99_999)).toBeInstanceOf(CompressionError);
    }
  });

  it('refuses what is cut off at any point, or gives a whole prefix', () => {
    const data = pattern(3000);
    const packed = codecById(id).compress(data);
    for (let length = 0; length < packed.length; length++) {
      const result = attempt(id, packed.subarray(0, length));
      if (result instanceof CompressionError) expect(result.codec).toBe(name);
      // snappy's framing has no end mark: what ends between two blocks is whole.
      else expect([0, 16]).toContain(length);
    }
  });

  it('survives any changed byte', () => {
    const packed = codecById(id).compress(pattern(5000));
    fc.assert(
      fc.property(fc.nat(packed.length - 1), fc.nat(255), (at, value) => {
        const bytes = Buffer.from(packed);
        bytes[at] = value;
        const result = attempt(id, bytes, 1_000_000);
        expect(result instanceof CompressionError || result.length <= 1_000_000).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it('survives any bytes', () => {
    const start = codecById(id).compress(pattern(300)).subarray(0, 20);
    fc.assert(
      fc.property(fc.nat(20), fc.uint8Array({ maxLength: 200 }), (kept, bytes) => {
        const result = attempt(id, Buffer.concat([start.subarray(0, kept), bytes]), 1_000_000);
        expect(result instanceof CompressionError || result.length <= 1_000_000).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

describe('several parts one after the other', () => {
  it('are read by gzip, zstd and lz4', () => {
    for (const name of ['gzip', 'zstd', 'lz4'] as const) {
      const codec = codecByName(name);
      const both = Buffer.concat([codec.compress(Buffer.from('one ')), codec.compress(Buffer.from('two'))]);
      expect(codec.decompress(both, MAX).toString()).toBe('one two');
    }
  });

  it('count together', () => {
    for (const name of ['gzip', 'zstd', 'lz4', 'snappy'] as const) {
      const codec = codecByName(name);
      const part = codec.compress(pattern(1000));
      expect(attempt(codec.id, Buffer.concat([part, part]), 2000)).toHaveLength(2000);
      expect(attempt(codec.id, Buffer.concat([part, part]), 1999)).toBeInstanceOf(CompressionError);
    }
  });

  it('are bounded in gzip, whatever the last one claims', () => {
    const large = gzipSync(Buffer.alloc(200_000));
    expect(attempt(1, Buffer.concat([large, gzipSync(Buffer.from('small'))]), 100_000)).toMatchObject({
      message: 'A gzip batch decompresses, past the 100000 bytes allowed for it.',
    });
  });
});
