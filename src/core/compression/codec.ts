/** Kafka's compression types; the index is the number in a batch's attributes. */
export const CODEC_NAMES = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;

/** How the records of a batch are compressed. */
export type CodecName = (typeof CODEC_NAMES)[number];

/** Default bound of one batch's records after decompression, in bytes. */
export const DEFAULT_MAX_DECOMPRESSED_BYTES = 128 * 1024 * 1024;

/** Compresses and decompresses the records of a batch. */
export interface Codec {
  readonly name: CodecName;
  /** The number of this codec in a batch's attributes. */
  readonly id: number;
  /** Whether other threads do what is not small; else only what is very large. */
  readonly isThreaded: boolean;
  /** In the caller's turn. `level` is of {@link LEVELS}; without one it is the codec's own default, and a codec without levels takes no notice. */
  compress(data: Buffer, level?: number): Buffer;
  /** In the caller's turn. @throws CompressionError when `data` is damaged, or would be larger than `maxBytes` once decompressed. */
  decompress(data: Buffer, maxBytes: number): Buffer;
  /** As `compress`, with a promise where that takes long: another thread does it then, and `data` must stay as it is meanwhile. */
  compressAside(data: Buffer, level?: number): Buffer | Promise<Buffer>;
  /** As `decompress`, with a promise where that takes long: another thread does it then, and `data` must stay as it is meanwhile. */
  decompressAside(data: Buffer, maxBytes: number): Buffer | Promise<Buffer>;
}
