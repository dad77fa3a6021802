import type { Codec } from './codec.ts';

/** No compression: the same bytes, not copied. */
export const none: Codec = {
  name: 'none',
  id: 0,
  isThreaded: false,
  compress: (data) => data,
  decompress: (data) => data,
  compressAside: (data) => data,
  decompressAside: (data) => data,
};
