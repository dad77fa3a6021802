import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { sendInTurn } from '../awaited.ts';
import type { Done } from '../run-task.ts';
import type { Stopwatch } from '../stopwatch.ts';
import type { Job } from '../task.ts';
import { textWeight, weight } from '../values.ts';
import { batchRecords, CALLS_IN_FLIGHT, pool, producer, sendAll } from './setup.ts';

export async function produce({ topic, records }: Job, watch: Stopwatch): Promise<Done> {
  await producer();
  let next = 0;
  let sum = 0;
  const sendInBatches = async (): Promise<void> => {
    while (next < records) {
      const messages: { value: Buffer }[] = [];
      for (; next < records && messages.length < batchRecords; next++)
        messages.push({ value: pool[next % pool.length]! });
      await sendAll(topic, messages);
      for (const { value } of messages) sum += weight(value);
    }
  };
  watch.start();
  await Promise.all(Array.from({ length: CALLS_IN_FLIGHT }, sendInBatches));
  watch.stop();
  return { sum };
}

export async function files({ topic, files: names }: Job, watch: Stopwatch): Promise<Done> {
  await producer();
  let sum = 0;
  watch.start();
  for (const name of names) {
    let messages: { value: string }[] = [];
    const flush = async (): Promise<void> => {
      const sent = messages;
      messages = [];
      await sendAll(topic, sent);
      for (const { value } of sent) sum += textWeight(value);
    };
    for await (const value of createInterface({ input: createReadStream(name) })) {
      if (messages.push({ value }) === batchRecords) await flush();
    }
    if (messages.length > 0) await flush();
  }
  watch.stop();
  return { sum };
}

export async function awaited({ topic, records }: Job, watch: Stopwatch): Promise<Done> {
  const to = await producer();
  return sendInTurn(pool, records, watch, (value) => to.send({ topic, acks: -1, messages: [{ value }] }));
}
