import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { systemClock } from '../../src/core/clock.ts';
import { Kafka } from '../../src/core/client.ts';
import { TimeoutError } from '../../src/errors.ts';
import { VirtualClock } from '../../src/testing/simulation/virtual-clock.ts';
import { FakeTransport, silentPeer } from '../helpers/fake-wire.ts';
import { rejection } from '../helpers/rejection.ts';

const LIMIT_MS = 2000;

describe('K-03: the hard deadline of metadata', () => {
  const servers: Server[] = [];
  const sockets = new Set<Socket>();
  let addresses: string[] = [];

  beforeAll(async () => {
    for (let n = 0; n < 5; n++) {
      // Takes connections and never says a word.
      const server = createServer((socket) => sockets.add(socket.on('error', () => undefined)));
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      servers.push(server);
    }
    addresses = servers.map((server) => `127.0.0.1:${(server.address() as AddressInfo).port}`);
  });

  afterAll(() => {
    for (const socket of sockets) socket.destroy();
    for (const server of servers) server.close();
  });

  it('is kept over sockets, with five brokers that keep silent', async () => {
    const kafka = new Kafka({ brokers: addresses, metadataTimeout: LIMIT_MS });
    const before = systemClock.now();
    const error = await rejection(kafka.cluster.refresh([]));
    const tookMs = systemClock.now() - before;
    await kafka.close();
    expect(error).toBeInstanceOf(TimeoutError);
    expect(error.message).toContain(`There was no metadata within ${LIMIT_MS} ms`);
    expect(tookMs).toBeGreaterThanOrEqual(LIMIT_MS - 2);
    // A connection alone may take longer by default, and there are five; to the millisecond is for simulated time.
    expect(tookMs).toBeLessThanOrEqual(4 * LIMIT_MS);
  });

  it.each([1, 3, 30])('is kept to the millisecond in simulated time, with %i brokers', async (count) => {
    const clock = new VirtualClock();
    const transport = new FakeTransport(clock);
    const brokers = Array.from({ length: count }, (_, n) => `kafka-${n}:9092`);
    for (const broker of brokers) transport.peers.set(broker, silentPeer);
    const kafka = new Kafka(
      { brokers, metadataTimeout: LIMIT_MS, connectionTimeout: 60_000 },
      { clock, transport },
    );
    expect(await clock.run(rejection(kafka.cluster.refresh([])))).toBeInstanceOf(TimeoutError);
    expect(clock.now()).toBe(LIMIT_MS);
    await clock.advance(0);
    expect(transport.openWires).toEqual([]);
    await kafka.close();
  });
});
