// gzip by Node's zlib, which also reads several members one after the other. What is large goes to Node's thread pool.
import { gunzip, gunzipSync, gzip as gzipAside, gzipSync } from 'node:zlib';
import type { Codec } from './codec.ts';
import { allowance, chunkBytes, damaged, isOutputTooLarge, messageOf, tooLarge } from './limits.ts';

const MIN_BYTES = 18;
// A hand-over to another thread costs about as much as it takes to compress 4 KiB, or to decompress 64 KiB.
const COMPRESSED_AT_ONCE_BYTES = 8 * 1024;
const DECOMPRESSED_AT_ONCE_BYTES = 64 * 1024;

interface ZlibOptions {
  readonly maxOutputLength: number;
  readonly chunkSize: number;
}

/** The size after decompression that the trailer claims for the last member, and the size that is allowed. */
function boundsOf(data: Buffer, maxBytes: number): { readonly claimed: number; readonly allowed: number } {
  if (data.length < MIN_BYTES) throw damaged('gzip', `${data.length} bytes are too few`);
  // An honest bomb is refused before anything is inflated, and an honest batch is inflated into few chunks. A lie costs no more than the allowance.
  const claimed = data.readUInt32LE(data.length - 4);
  const allowed = allowance(data.length, maxBytes);
  if (claimed > allowed) throw tooLarge('gzip', allowed, claimed);
  return { claimed, allowed };
}

function optionsFor(claimed: number, maxOutputLength: number): ZlibOptions {
  return { maxOutputLength, chunkSize: chunkBytes(claimed + 1) };
}

function failure(error: unknown, allowed: number): Error {
  return isOutputTooLarge(error) ? tooLarge('gzip', allowed) : damaged('gzip', messageOf(error), error);
}

function decompress(data: Buffer, maxBytes: number): Buffer {
  const { claimed, allowed } = boundsOf(data, maxBytes);
  try {
    return gunzipSync(data, optionsFor(claimed, allowed));
  } catch (error) {
    throw failure(error, allowed);
  }
}

function decompressAside(data: Buffer, maxBytes: number): Buffer | Promise<Buffer> {
  const { claimed, allowed } = boundsOf(data, maxBytes);
  if (claimed <= DECOMPRESSED_AT_ONCE_BYTES && data.length <= DECOMPRESSED_AT_ONCE_BYTES) {
    try {
      return gunzipSync(data, optionsFor(claimed, Math.min(allowed, DECOMPRESSED_AT_ONCE_BYTES)));
    } catch (error) {
      // Larger than it claims: the rest of it is no work for this thread.
      if (!isOutputTooLarge(error) || allowed <= DECOMPRESSED_AT_ONCE_BYTES) throw failure(error, allowed);
    }
  }
  return new Promise((resolve, reject) => {
    gunzip(data, optionsFor(claimed, allowed), (error, result) => {
      if (error === null) resolve(result);
      else reject(failure(error, allowed));
    });
  });
}

function compressOptions(data: Buffer, level: number | undefined): { level?: number; chunkSize: number } {
  const chunkSize = chunkBytes(data.length);
  return level === undefined ? { chunkSize } : { chunkSize, level };
}

function compress(data: Buffer, level?: number): Buffer {
  return gzipSync(data, compressOptions(data, level));
}

/** gzip; without a level zlib's default, as Java's client writes it. */
export const gzip: Codec = {
  name: 'gzip',
  id: 1,
  isThreaded: true,
  compress,
  decompress,
  compressAside: (data, level) =>
    data.length <= COMPRESSED_AT_ONCE_BYTES
      ? compress(data, level)
      : new Promise((resolve, reject) => {
          gzipAside(data, compressOptions(data, level), (error, result) => {
            if (error === null) resolve(result);
            else reject(error);
          });
        }),
  decompressAside,
};
