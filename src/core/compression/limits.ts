import { CompressionError } from '../../errors.ts';
import type { CodecName } from './codec.ts';

/** The error of a batch that would grow past its bound. */
export function tooLarge(codec: CodecName, maxBytes: number, bytes?: number): CompressionError {
  const size = bytes === undefined ? 'more' : `${bytes} bytes`;
  return new CompressionError(
    `A ${codec} batch decompresses to ${size} than the ${maxBytes} bytes allowed.`.replace(
      'bytes than',
      'bytes, over',
    ),
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
