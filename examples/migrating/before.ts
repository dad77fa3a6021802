// A program on kafkajs as many are: it prices orders, tries again when the price service fails, and puts aside what cannot be priced.
// docs/migrating-from-kafkajs.md moves it over, step by step; ./after.ts is where it ends.
import type { Kafka } from 'kafkajs';
import type { Names, Order, Priced, PriceOf } from './orders.ts';

const ATTEMPTS = 3;
const PAUSE_MS = 50;

/** Starts it; the answer stops it. */
export async function startPricing(
  kafka: Kafka,
  names: Names,
  priceOf: PriceOf,
): Promise<() => Promise<void>> {
  const consumer = kafka.consumer({ groupId: names.group, maxWaitTimeInMs: 100 });
  const producer = kafka.producer();
  await consumer.connect();
  await producer.connect();
  await consumer.subscribe({ topics: [names.orders], fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ topic, partition, message, heartbeat }) => {
      try {
        const order = JSON.parse(String(message.value)) as Order;
        const priced = await tried(() => price(order, priceOf), heartbeat);
        await producer.send({
          topic: names.priced,
          messages: [{ key: priced.id, value: JSON.stringify(priced) }],
        });
      } catch (error) {
        await producer.send({
          topic: names.dead,
          messages: [
            {
              key: message.key,
              value: message.value,
              headers: { error: String(error), from: `${topic}-${partition}@${message.offset}` },
            },
          ],
        });
      }
    },
  });
  return async () => {
    await consumer.disconnect();
    await producer.disconnect();
  };
}

async function price({ id, item, quantity }: Order, priceOf: PriceOf): Promise<Priced> {
  return { id, total: quantity * (await priceOf(item)) };
}

async function tried<T>(call: () => Promise<T>, heartbeat: () => Promise<void>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      await heartbeat();
    }
  }
}
