import type { CodecName } from './codec.ts';

/** The levels of a codec: whole numbers, more is smaller and slower. */
export interface Levels {
  readonly least: number;
  readonly most: number;
  readonly byDefault: number;
}

/** The codecs that have levels, with Kafka's own bounds (`compression.gzip.level`, `compression.zstd.level`). */
export const LEVELS: Partial<Record<CodecName, Levels>> = {
  gzip: { least: 1, most: 9, byDefault: 6 },
  zstd: { least: -131_072, most: 22, byDefault: 3 },
};
