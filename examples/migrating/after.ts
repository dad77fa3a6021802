// ./before.ts as a topology. It runs over the kafkajs client that is there, and later over the client of this library, unchanged:
//   await pricing(names, priceOf).run(kafkajs(existing));
//   await pricing(names, priceOf).run(new Kafka({ brokers }));
import { mapAsync, retry, text, topology, uncheckedJson, type Topology } from 'sluice';
import type { Names, Order, Priced, PriceOf } from './orders.ts';

export const pricing = (names: Names, priceOf: PriceOf): Topology =>
  topology('pricing', ({ fromGroup, toTopic, deadLetter }) =>
    fromGroup({
      groupId: names.group,
      topics: [names.orders],
      key: text(),
      value: uncheckedJson<Order>(),
      onDecodeError: deadLetter(names.dead),
    }).pipe(
      mapAsync(
        async ({ value: { id, item, quantity } }): Promise<Priced> => ({
          id,
          total: quantity * (await priceOf(item)),
        }),
        {
          name: 'price',
          concurrency: 16,
          order: 'key',
          key: ({ key }) => key,
          onError: retry({ attempts: 3, minDelayMs: 50 }, deadLetter(names.dead)),
        },
      ),
      toTopic(names.priced, (priced) => ({ key: priced.id, value: priced }), {
        key: text(),
        value: uncheckedJson<Priced>(),
      }),
    ),
  );
