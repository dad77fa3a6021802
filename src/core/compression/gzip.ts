// gzip by Node's zlib, which also reads several members one after the other.
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Codec } from './codec.ts';
import { allowance, damaged, isOutputTooLarge, messageOf, tooLarge } from './limits.ts';

const MIN_BYTES = 18;
const MIN_CHUNK_BYTES = 16 * 1024;
const MAX_CHUNK_BYTES = 1024 * 1024;

function decompress(data: Buffer, maxBytes: number): Buffer {
  if (data.length < MIN_BYTES) throw damaged('gzip', `${data.length} bytes are too few`);
  // The trailer holds the size of the last member: an honest bomb is refused before anything is inflated, and an honest batch is
  // inflated into few chunks. A lie costs no more than the allowance.
  const claimed = data.readUInt32LE(data.length - 4);
  const allowed = allowance(data.length, maxBytes);
  if (claimed > allowed) throw tooLarge('gzip', allowed, claimed);
  const chunkSize = Math.min(Math.max(claimed + 1, MIN_CHUNK_BYTES), MAX_CHUNK_BYTES);
  try {
    return gunzipSync(data, { maxOutputLength: allowed, chunkSize });
  } catch (error) {
    if (isOutputTooLarge(error)) throw tooLarge('gzip', allowed);
    throw damaged('gzip', messageOf(error), error);
  }
}

/** gzip, zlib's default level as Java's client writes it. */
export const gzip: Codec = {
  name: 'gzip',
  id: 1,
  compress: (data) => gzipSync(data),
  decompress,
};
