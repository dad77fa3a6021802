// A cluster in simulated time, and clients of it.
import { createBroker } from '../../../src/testing/broker/create-broker.ts';
import type { BrokerBox } from '../../../src/testing/broker/broker-box.ts';
import type { BrokerOptions } from '../../../src/testing/broker/options.ts';
import { seededRandom } from '../../../src/testing/simulation/seeded-random.ts';
import { VirtualClock } from '../../../src/testing/simulation/virtual-clock.ts';
import { WireClient } from './wire-client.ts';

export interface Simulated {
  readonly clock: VirtualClock;
  readonly box: BrokerBox;
  /** A connection to a node of the cluster. */
  connect(node?: number, clientId?: string): WireClient;
  /** Moves time until the promise settles. */
  run<T>(promise: Promise<T>, limitMs?: number): Promise<T>;
}

export async function simulated(
  options: BrokerOptions & { readonly seed?: number } = {},
): Promise<Simulated> {
  const clock = new VirtualClock();
  const random = seededRandom(options.seed ?? 1);
  const box = await createBroker({ listen: 'memory', clock, random, topics: { lines: 3 }, ...options });
  return {
    clock,
    box,
    connect: (node = 0, clientId = 'test') => new WireClient(box.transport, box.bootstrap[node]!, clientId),
    run: (promise, limitMs) => clock.run(promise, limitMs),
  };
}
