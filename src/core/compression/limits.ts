import { CompressionError } from '../../errors.ts';
import type { CodecName } from './codec.ts';

const SUSPICIOUS_BYTES = 16 * 1024 * 1024;
const SUSPICIOUS_RATIO = 256;

/**
 * How far these compressed bytes may grow: to `maxBytes`, except that more than 256 times their own size is believed only up to 16 MiB, or
 * an eighth of `maxBytes` where that is more. So a bomb of a few KiB, which says nothing true about its size, costs little memory.
 */
export function allowance(compressedBytes: number, maxBytes: number): number {
  return Math.min(maxBytes, Math.max(SUSPICIOUS_BYTES, maxBytes / 8, compressedBytes * SUSPICIOUS_RATIO));
}

const MIN_CHUNK_BYTES = 16 * 1024;
const MAX_CHUNK_BYTES = 1024 * 1024;

/** Memory that zlib writes into at a time: one chunk, where `expectedBytes` come out of it, is neither copied nor handed over in pieces. */
export function chunkBytes(expectedBytes: number): number {
  return Math.min(Math.max(expectedBytes, MIN_CHUNK_BYTES), MAX_CHUNK_BYTES);
}

/** The error of a batch that would grow past its bound; `bytes` is the size it would have, where that is known. */
export function tooLarge(codec: CodecName, maxBytes: number, bytes?: number): CompressionError {
  const size = bytes === undefined ? '' : ` to ${bytes} bytes`;
  return new CompressionError(
    `A ${codec} batch decompresses${size}, past the ${maxBytes} bytes allowed for it.`,
    codec,
  );
}

/** The error of compressed bytes that are not what they claim to be. */
export function damaged(codec: CodecName, what: string, cause?: unknown): CompressionError {
  return new CompressionError(`A ${codec} batch is damaged: ${what}.`, codec, { cause });
}

/** The error of a codec whose package cannot be loaded. */
export function packageMissing(codec: CodecName, packageName: string, cause: unknown): CompressionError {
  return new CompressionError(
    `Compression '${codec}' needs the package '${packageName}', which cannot be loaded: run \`npm install ${packageName}\`.`,
    codec,
    { cause },
  );
}

// By shape, not by class: an error of Node's own is of another realm's Error in a vm context.

/** Whether zlib gave up because its output passed `maxOutputLength`. */
export function isOutputTooLarge(error: unknown): boolean {
  return (error as { code?: unknown } | undefined)?.code === 'ERR_BUFFER_TOO_LARGE';
}

/** The message of whatever a library threw. */
export function messageOf(error: unknown): string {
  const message = (error as { message?: unknown } | undefined)?.message;
  return typeof message === 'string' ? message : String(error);
}
