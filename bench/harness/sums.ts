// What the values of a job must add up to.
import type { Task } from '../clients/task.ts';
import { documentWeight, numbered, values, weight, type Document } from '../clients/values.ts';

export function sumOf({ work, valueBytes, valueKind, measured }: Task): number {
  const pool = values(valueBytes, valueKind);
  const { records } = measured;
  let sum = 0;
  if (work === 'steady') {
    for (let at = 0; at < records; at++) sum += weight(numbered(pool, at));
    return sum;
  }
  const weigh =
    work === 'consume-json'
      ? (value: Buffer): number => documentWeight(JSON.parse(value.toString()) as Document)
      : weight;
  const weights = pool.map(weigh);
  for (let at = 0; at < records; at++) sum += weights[at % weights.length]!;
  return sum;
}
