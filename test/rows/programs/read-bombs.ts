// Reads topics until each is refused, and says by how much the memory of this process grew and what the event loop did meanwhile.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Kafka } from '../../../src/index.ts';
import { until } from '../../helpers/until.ts';
import { startReading } from '../support/reading.ts';

async function main(bootstrap: string, warm: string, topics: readonly string[]): Promise<void> {
  const kafka = new Kafka({ brokers: bootstrap.split(',') });
  const warmUp = await startReading(kafka, { topic: warm, from: 'earliest' });
  await until('a batch of each codec', () => warmUp.seen[0]!.offsets.length === 4);
  warmUp.close();
  const before = process.resourceUsage().maxRSS;
  const loop = monitorEventLoopDelay({ resolution: 1 });
  loop.enable();
  const errors: object[] = [];
  for (const topic of topics) {
    const { seen, close } = await startReading(kafka, { topic, from: 'earliest' });
    await until('the refusal', () => seen[0]!.errors.length > 0);
    const { name, message, code, offset } = { offset: seen[0]!.offsets.length, ...pick(seen[0]!.errors[0]!) };
    errors.push({ name, message, code, offset });
    close();
  }
  loop.disable();
  await kafka.close();
  const grownMiB = (process.resourceUsage().maxRSS - before) / 1024;
  console.log(JSON.stringify({ errors, grownMiB, longestMs: loop.max / 1e6 }));
}

const pick = (error: Error): { name: string; message: string; code: unknown } => ({
  name: error.name,
  message: error.message,
  code: (error as { errorName?: unknown }).errorName,
});

void main(process.argv[2]!, process.argv[3]!, process.argv.slice(4));
