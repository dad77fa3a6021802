// A stage of 1 ms per record, in order per key.

export const KEYED_CONCURRENCY = 1_000;
const STAGE_MS = 1;

/** Some 8,800 keys. */
export const keyOf = (value: Buffer): number => value.readUInt16BE(0);

export const slowly = (value: Buffer): Promise<Buffer> =>
  new Promise((resolve) => setTimeout(resolve, STAGE_MS, value));
