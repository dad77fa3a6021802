import { describe, expect, it, jest } from '@jest/globals';
import type * as Registry from '../../../src/core/compression/registry.ts';
import { CODEC_NAMES } from '../../../src/core/compression/codec.ts';
import type { CodecName } from '../../../src/core/compression/codec.ts';

type Use = (registry: typeof Registry) => Promise<void> | void;

/** The registry as a process has it that has used no codec yet, without the packages named. */
async function fresh(missing: readonly string[], use: Use): Promise<void> {
  await jest.isolateModulesAsync(async () => {
    for (const name of missing)
      jest.doMock(name, () => {
        throw new Error(`Cannot find module '${name}'`);
      });
    await use(await import('../../../src/core/compression/registry.ts'));
  });
  for (const name of missing) jest.dontMock(name);
}

describe('the registry of codecs', () => {
  it('knows the five by number and name', async () => {
    await fresh([], async ({ codecById, codecByName, codecId, prepareCodec }) => {
      for (const [id, name] of CODEC_NAMES.entries()) {
        await prepareCodec(id);
        expect(codecId(name)).toBe(id);
        expect(codecById(id)).toBe(codecByName(name));
        expect(codecById(id)).toMatchObject({ id, name });
      }
    });
  });

  it('has none and gzip ready at once, and makes no promise for what is ready', async () => {
    await fresh([], async ({ codecById, prepareCodec }) => {
      expect(prepareCodec(0)).toBeUndefined();
      expect(prepareCodec(1)).toBeUndefined();
      expect(codecById(1).name).toBe('gzip');
      const first = prepareCodec(2);
      expect(prepareCodec(2)).toBe(first);
      await first;
      expect(prepareCodec(2)).toBeUndefined();
    });
  });

  it('says so when a codec is used before it is prepared', async () => {
    await fresh([], ({ codecById }) => {
      expect(() => codecById(3)).toThrow('The codec lz4 is not loaded; await prepareCodec(3)');
    });
  });

  it.each([
    [3, 'lz4', 'lz4-napi'],
    [2, 'snappy', 'snappy'],
  ])('names the package to install for codec %i', async (id, codec, name) => {
    await fresh([name], async ({ codecById, prepareCodec }) => {
      const error = {
        name: 'CompressionError',
        errorName: 'UNSUPPORTED_COMPRESSION_TYPE',
        codec,
        retriable: false,
        message: `Compression '${codec}' needs the package '${name}', which cannot be loaded: run \`npm install ${name}\`.`,
      };
      await expect(prepareCodec(id)).rejects.toMatchObject(error);
      await expect(prepareCodec(id)).rejects.toMatchObject(error);
      expect(() => codecById(id)).toThrow('not loaded');
    });
  });

  it('needs a package for zstd only where Node has none', async () => {
    const zlib = jest.requireActual<Record<string, unknown>>('node:zlib');
    await fresh(['@bokuweb/zstd-wasm'], async ({ codecById, prepareCodec }) => {
      if (typeof zlib['zstdCompressSync'] === 'function') {
        expect(codecById(4).name).toBe('zstd');
        return;
      }
      await expect(prepareCodec(4)).rejects.toThrow('npm install @bokuweb/zstd-wasm');
    });
  });

  it('refuses what it does not know', async () => {
    await fresh([], ({ codecById, codecByName, prepareCodec }) => {
      expect(() => codecById(5)).toThrow('compression type 5; known are 0 to 4');
      expect(() => prepareCodec(7)).toThrow('compression type 7');
      expect(() => codecByName('brotli' as CodecName)).toThrow("no codec 'brotli'");
    });
  });
});
