// The hash of the Java client's default partitioner, on 32-bit integers throughout.

const SEED = 0x9747b28c;
const M = 0x5bd1e995;
const R = 24;

/** 32-bit murmur2 of `data[start, end)`, signed as Java returns it. */
export function murmur2(data: Uint8Array, start: number, end: number): number {
  const length = end - start;
  let h = SEED ^ length;
  const words = start + (length & ~3);
  for (let at = start; at < words; at += 4) {
    let k = data[at]! | (data[at + 1]! << 8) | (data[at + 2]! << 16) | (data[at + 3]! << 24);
    k = Math.imul(k, M);
    k = Math.imul(k ^ (k >>> R), M);
    h = Math.imul(h, M) ^ k;
  }
  const rest = length & 3;
  if (rest === 3) h ^= data[words + 2]! << 16;
  if (rest >= 2) h ^= data[words + 1]! << 8;
  if (rest >= 1) h = Math.imul(h ^ data[words]!, M);
  h = Math.imul(h ^ (h >>> 13), M);
  return h ^ (h >>> 15);
}
