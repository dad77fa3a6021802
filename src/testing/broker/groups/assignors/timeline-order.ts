import { stringHash } from './java-hash-map.ts';

const FIBONACCI = 0x9e37_79b9_7f4a_7c15n;

/** Texts in the order in which Kafka's own `TimelineHashMap` hands out its keys; given in the order they came. */
export function timelineOrder(keys: Iterable<string>): string[] {
  const known = [...keys];
  let bits = 1n;
  while ((known.length + 1) * 0.75 > 2 ** Number(bits)) bits++;
  const slotOf = (key: string): number =>
    Number(BigInt.asUintN(64, BigInt(stringHash(key)) * FIBONACCI) >> (64n - bits));
  const slotted = known.map((key): [number, string] => [slotOf(key), key]);
  // Within a slot the last comes first.
  return slotted
    .reverse()
    .sort((a, b) => a[0] - b[0])
    .map(([, key]) => key);
}
