/** Kafka's compression types; the index is the number in a batch's attributes. */
export const CODEC_NAMES = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;

/** How the records of a batch are compressed. */
export type CodecName = (typeof CODEC_NAMES)[number];

/** Default bound of one batch's records after decompression, in bytes. */
export const DEFAULT_MAX_DECOMPRESSED_BYTES = 128 * 1024 * 1024;

/** Compresses and decompresses the records of a batch, synchronously. */
export interface Codec {
  readonly name: CodecName;
  /** The number of this codec in a batch's attributes. */
  readonly id: number;
  compress(data: Buffer): Buffer;
  /** @throws CompressionError when `data` is damaged, or would be larger than `maxBytes` once decompressed. */
  decompress(data: Buffer, maxBytes: number): Buffer;
}
