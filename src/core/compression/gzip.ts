// gzip by Node's zlib, which also reads several members one after the other.
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Codec } from './codec.ts';
import { damaged, tooLarge } from './limits.ts';

const MIN_BYTES = 18;
const MIN_CHUNK_BYTES = 16 * 1024;
const MAX_CHUNK_BYTES = 1024 * 1024;

function decompress(data: Buffer, maxBytes: number): Buffer {
  if (data.length < MIN_BYTES) throw damaged('gzip', `${data.length} bytes are too few`);
  // The trailer holds the size of the last member: an honest bomb is refused before anything is inflated, and an honest batch is
  // inflated into one chunk. A lie costs no more than maxBytes.
  const claimed = data.readUInt32LE(data.length - 4);
  if (claimed > maxBytes) throw tooLarge('gzip', maxBytes, claimed);
  const chunkSize = Math.min(Math.max(claimed, MIN_CHUNK_BYTES), MAX_CHUNK_BYTES);
  try {
    return gunzipSync(data, { maxOutputLength: maxBytes, chunkSize });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge('gzip', maxBytes);
    throw damaged('gzip', (error as Error).message, error);
  }
}

/** gzip, level 6 as Java's client writes it. */
export const gzip: Codec = {
  name: 'gzip',
  id: 1,
  compress: (data) => gzipSync(data),
  decompress,
};
