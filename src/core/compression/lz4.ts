// LZ4 frames by the optional peer `lz4-napi`.
import type { Codec } from './codec.ts';
import { damaged, packageMissing } from './limits.ts';

/** Loads the optional peer package `lz4-napi`. */
export async function loadLz4(): Promise<Codec> {
  try {
    const library = await import('lz4-napi');
    return {
      name: 'lz4',
      id: 3,
      compress: (data) => library.compressFrameSync(data),
      decompress: (data) => {
        try {
          return library.decompressFrameSync(data);
        } catch (error) {
          throw damaged('lz4', (error as Error).message, error);
        }
      },
    };
  } catch (error) {
    throw packageMissing('lz4', 'lz4-napi', error);
  }
}
