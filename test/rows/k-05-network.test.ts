// Throttling, idle and half-open connections, on the broker in the box and in simulated time.
import { afterEach, describe, expect, it } from '@jest/globals';
import { Kafka } from '../../src/core/client.ts';
import type { KafkaOptions } from '../../src/core/options.ts';
import { metadataApi } from '../../src/core/protocol/messages/03-metadata.ts';
import type { BrokerBox } from '../../src/testing/broker/broker-box.ts';
import { createBroker } from '../../src/testing/broker/create-broker.ts';
import { fault } from '../../src/testing/broker/faults/fault.ts';
import { seededRandom } from '../../src/testing/simulation/seeded-random.ts';
import { VirtualClock } from '../../src/testing/simulation/virtual-clock.ts';

describe('K-05: network', () => {
  let clock: VirtualClock;
  let box: BrokerBox;
  let kafka: Kafka;

  async function begin(options: Partial<KafkaOptions> = {}): Promise<void> {
    clock = new VirtualClock();
    const random = seededRandom(5);
    box = await createBroker({ listen: 'memory', clock, random, topics: { lines: 1 } });
    kafka = new Kafka({ brokers: box.bootstrap, ...options }, { clock, random, transport: box.transport });
    await clock.run(kafka.cluster.refresh([]));
  }

  afterEach(async () => {
    await kafka.close();
    await box.close();
    expect(box.internalErrors).toEqual([]);
  });

  const ask = (): Promise<unknown> => kafka.cluster.send(0, metadataApi, { topics: [] });

  it('sends nothing in the window of a throttle (KIP-219)', async () => {
    await begin();
    box.fault({ match: { api: 'Metadata' }, do: fault.throttle(3000), count: 1 });
    await clock.run(ask());
    const from = clock.now();
    const before = box.requests().length;
    const held = Promise.all([ask(), ask(), ask()]);
    await clock.advance(2990);
    expect(box.requests()).toHaveLength(before);
    await clock.run(held);
    const later = box.requests().slice(before);
    expect(later).toHaveLength(3);
    for (const { atMs } of later) expect(atMs - from).toBeGreaterThanOrEqual(3000);
  });

  it('replaces a connection that was idle for too long instead of using it', async () => {
    await begin({ connectionsMaxIdleMs: 60_000 });
    await clock.run(ask());
    const first = box.requests().at(-1)!.connection;
    await clock.advance(59_000);
    await clock.run(ask());
    expect(box.requests().at(-1)!.connection).toBe(first);
    await clock.advance(60_001);
    await clock.run(ask());
    expect(box.requests().at(-1)!.connection).not.toBe(first);
    expect(box.connections()).toBe(1);
  });

  it('gives up a connection whose other end is gone without a word, and goes on with a new one', async () => {
    await begin({ requestTimeout: 5000 });
    box.fault({ match: { api: 'Metadata' }, do: fault.halfOpen, count: 1 });
    const from = clock.now();
    await clock.run(kafka.admin().listTopics(), 60_000);
    expect(clock.now() - from).toBeLessThan(15_000);
  });
});
