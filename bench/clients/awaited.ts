// One record at a time: each is awaited before the next is sent.
import { Latencies } from './latencies.ts';
import type { Done } from './run-task.ts';
import type { Stopwatch } from './stopwatch.ts';
import { weight } from './values.ts';

export async function sendInTurn(
  pool: readonly Buffer[],
  records: number,
  watch: Stopwatch,
  send: (value: Buffer) => Promise<unknown>,
): Promise<Done> {
  const latencies = new Latencies(records);
  let sum = 0;
  watch.start();
  for (let at = 0; at < records; at++) {
    const value = pool[at % pool.length]!;
    const sentAt = performance.now();
    await send(value);
    latencies.add(performance.now() - sentAt);
    sum += weight(value);
  }
  watch.stop();
  return { sum, latencyMs: latencies.summary() };
}
