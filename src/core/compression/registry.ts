// The codecs by name and number. A codec's package is loaded when a batch first needs it, never at import.
import { CompressionError } from '../../errors.ts';
import { CODEC_NAMES, type Codec, type CodecName } from './codec.ts';
import { gzip } from './gzip.ts';
import { loadLz4 } from './lz4.ts';
import { none } from './none.ts';
import { loadSnappy } from './snappy.ts';
import { builtInZstd, loadZstd } from './zstd.ts';

interface Entry {
  codec: Codec | undefined;
  loading: Promise<void> | undefined;
  readonly load: () => Promise<Codec>;
}

function ready(codec: Codec): Entry {
  return { codec, loading: undefined, load: () => Promise.resolve(codec) };
}

function lazy(load: () => Promise<Codec>, codec?: Codec): Entry {
  return { codec, loading: undefined, load };
}

const entries: readonly Entry[] = [
  ready(none),
  ready(gzip),
  lazy(loadSnappy),
  lazy(loadLz4),
  lazy(loadZstd, builtInZstd()),
];

function entry(id: number): Entry {
  const found = entries[id];
  if (found === undefined)
    throw new CompressionError(
      `A batch names compression type ${id}; known are 0 to ${entries.length - 1} (${CODEC_NAMES.join(', ')}).`,
      String(id),
    );
  return found;
}

/** The number of a codec in a batch's attributes. */
export function codecId(name: CodecName): number {
  const id = CODEC_NAMES.indexOf(name);
  if (id < 0)
    throw new CompressionError(`There is no codec '${name}'; known are ${CODEC_NAMES.join(', ')}.`, name);
  return id;
}

/**
 * Loads the codec with this number when it is not loaded yet. Returns undefined when it is ready to use, so that the common case costs no
 * promise. Rejects with a CompressionError that names the package to install; a later call tries again.
 */
export function prepareCodec(id: number): Promise<void> | undefined {
  const found = entry(id);
  if (found.codec !== undefined) return undefined;
  found.loading ??= found
    .load()
    .then((codec) => {
      found.codec = codec;
    })
    .finally(() => {
      found.loading = undefined;
    });
  return found.loading;
}

/** The codec with this number. @throws CompressionError when it is unknown, or when `prepareCodec` was not awaited before. */
export function codecById(id: number): Codec {
  const { codec } = entry(id);
  if (codec !== undefined) return codec;
  const name = CODEC_NAMES[id] ?? String(id);
  throw new CompressionError(
    `The codec ${name} is not loaded; await prepareCodec(${id}) before it is used.`,
    name,
  );
}

/** The codec of this name. @throws CompressionError when it is unknown, or when `prepareCodec` was not awaited before. */
export function codecByName(name: CodecName): Codec {
  return codecById(codecId(name));
}
