// The program before and after its move, over the same orders.
import type { Kafka as KafkaJS } from 'kafkajs';
import { pricing } from '../../../examples/migrating/after.ts';
import { startPricing } from '../../../examples/migrating/before.ts';
import type { Names, Order, PriceOf } from '../../../examples/migrating/orders.ts';
import { Kafka } from '../../../src/index.ts';
import { kafkajs } from '../../../src/kafkajs/index.ts';

/** How the program runs: 0 before the move, 1 over the kafkajs client that is there, 2 over ours. */
export type Step = 0 | 1 | 2;

/** Starts it; the answer stops it. */
export async function startStep(
  step: Step,
  existing: KafkaJS,
  bootstrap: string,
  names: Names,
  priceOf: PriceOf,
): Promise<() => Promise<void>> {
  if (step === 0) return startPricing(existing, names, priceOf);
  if (step === 1) {
    const running = pricing(names, priceOf).start(kafkajs(existing));
    await running.ready;
    return async () => {
      await running.drain();
    };
  }
  const kafka = new Kafka({ brokers: bootstrap.split(',') });
  const running = pricing(names, priceOf).start(kafka);
  await running.ready;
  return async () => {
    await running.drain();
    await kafka.close();
  };
}

/** A service that fails at first for each item, and always for what nobody sells. */
export function priceService(): PriceOf {
  const asked = new Set<string>();
  return (item) => {
    const isFirst = !asked.has(item);
    asked.add(item);
    if (item === 'nothing' || isFirst) return Promise.reject(new Error(`no price for ${item}`));
    return Promise.resolve(item.length);
  };
}

/** Orders, some of which nobody can price and some of which are no orders. */
export function orders(count: number, from = 0): { readonly key: string; readonly value: string }[] {
  return Array.from({ length: count }, (_, n) => {
    const at = from + n;
    const order: Order = {
      id: `o${at}`,
      item: at % 17 === 5 ? 'nothing' : `item-${at % 7}`,
      quantity: (at % 3) + 1,
    };
    return { key: `customer-${at % 11}`, value: at % 23 === 7 ? `no order ${at}` : JSON.stringify(order) };
  });
}

/** How many of them end in each topic. */
export function expected(list: readonly { readonly value: string }[]): { priced: number; dead: number } {
  const dead = list.filter(({ value }) => value.startsWith('no order') || value.includes('"nothing"')).length;
  return { priced: list.length - dead, dead };
}
