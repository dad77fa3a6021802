// CRC-32C (Castagnoli) of record batches: native code where it is installed, else JavaScript.
import jsCrc32c from 'crc-32/crc32c.js';

type NativeCrc32c = (bytes: Uint8Array) => number;

// Below this a call into native code costs more than the JavaScript loop.
const MIN_NATIVE_BYTES = 256;

let native: NativeCrc32c | undefined;
let preparing: Promise<void> | undefined;

/**
 * Loads the native CRC once; afterwards {@link crc32c} uses it. Never rejects: without the optional package `@node-rs/crc32` the
 * JavaScript one stays, three times slower on large batches.
 */
export function prepareCrc32c(): Promise<void> {
  preparing ??= import('@node-rs/crc32').then(
    (module) => {
      native = module.crc32c;
    },
    () => undefined,
  );
  return preparing;
}

/** The unsigned CRC-32C of `data` from `start` to before `end`. */
export function crc32c(data: Buffer, start: number, end: number): number {
  const bytes = start === 0 && end === data.length ? data : data.subarray(start, end);
  if (native !== undefined && end - start >= MIN_NATIVE_BYTES) return native(bytes);
  return jsCrc32c.buf(bytes) >>> 0;
}
