import * as zlib from 'node:zlib';
import type { Codec } from './codec.ts';
import { damaged, packageMissing, tooLarge } from './limits.ts';

// Node has these from 22.15 on; the types here are those of the oldest supported Node.
interface ZlibWithZstd {
  zstdCompressSync?(data: Buffer): Buffer;
  zstdDecompressSync?(data: Buffer, options: { maxOutputLength: number }): Buffer;
}

/** zstd by Node itself, where it has it. */
export function builtInZstd(): Codec | undefined {
  const { zstdCompressSync, zstdDecompressSync } = zlib as ZlibWithZstd;
  if (zstdCompressSync === undefined || zstdDecompressSync === undefined) return undefined;
  return {
    name: 'zstd',
    id: 4,
    compress: (data) => zstdCompressSync(data),
    decompress: (data, maxBytes) => {
      try {
        return zstdDecompressSync(data, { maxOutputLength: maxBytes });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE')
          throw tooLarge('zstd', maxBytes);
        throw damaged('zstd', (error as Error).message, error);
      }
    },
  };
}

/** Loads the optional peer package for zstd on a Node that lacks it. */
export function loadZstd(): Promise<Codec> {
  return Promise.reject(packageMissing('zstd', 'zstd-napi', undefined));
}
