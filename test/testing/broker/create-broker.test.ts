import { describe, expect, it } from '@jest/globals';
import { connect, type Socket } from 'node:net';
import { tcpTransport } from '../../../src/core/network/transport.ts';
import { fetchApi } from '../../../src/core/protocol/messages/01-fetch.ts';
import { apiVersionsApi } from '../../../src/core/protocol/messages/18-api-versions.ts';
import { createBroker } from '../../../src/testing/broker/create-broker.ts';
import { fault } from '../../../src/testing/broker/faults/fault.ts';
import { fetchRequest } from './requests.ts';
import { WireClient } from './wire-client.ts';

describe('createBroker', () => {
  it('listens within 50 ms in a warm process', async () => {
    await (await createBroker({ brokers: 3 })).close();
    let quickestMs = Infinity;
    // Others may be using the processor too, but not every time.
    for (let run = 0; run < 200 && quickestMs >= 50; run++) {
      const started = performance.now();
      const box = await createBroker({ brokers: 3, topics: { lines: 10 } });
      quickestMs = Math.min(quickestMs, performance.now() - started);
      await box.close();
    }
    expect(quickestMs).toBeLessThan(50);
  });

  it('takes the ports it is given, and frees them', async () => {
    const first = await createBroker({ brokers: 2 });
    const ports = first.bootstrap.map((address) => Number(address.split(':')[1]));
    await expect(createBroker({ brokers: 2, ports })).rejects.toThrow(/EADDRINUSE/);
    await first.close();
    const second = await createBroker({ brokers: 2, ports });
    expect(second.bootstrap).toEqual(first.bootstrap);
    await second.close();
  });

  it('serves a thousand connections', async () => {
    const box = await createBroker();
    const clients = Array.from({ length: 1000 }, () => new WireClient(tcpTransport, box.bootstrap[0]!));
    const answers = await Promise.all(clients.map((client) => client.call(apiVersionsApi, 0, {})));
    expect(answers.every(({ errorCode }) => errorCode === 0)).toBe(true);
    expect(box.connections()).toBe(1000);
    await box.close();
    await Promise.all(clients.map((client) => client.closed));
  });

  it('closes with fetches waiting, silent connections, and clients that read nothing', async () => {
    const box = await createBroker({ topics: { lines: 1 } });
    const waiting = new WireClient(tcpTransport, box.bootstrap[0]!);
    const fetched = waiting.call(fetchApi, 12, fetchRequest({ maxWaitMs: 600_000 }));
    fetched.catch(() => {});
    box.fault({ match: { api: 'ApiVersions' }, do: fault.halfOpen });
    const silent = new WireClient(tcpTransport, box.bootstrap[0]!);
    await silent.post(apiVersionsApi, 0, {});
    const [host, port] = box.bootstrap[0]!.split(':') as [string, string];
    const deaf: Socket = connect({ host, port: Number(port) });
    deaf.pause();
    await new Promise((resolve) => deaf.once('connect', resolve));
    await new WireClient(tcpTransport, box.bootstrap[0]!).call(apiVersionsApi, 0, {});
    await box.close();
    await Promise.all([waiting.closed, silent.closed]);
    await expect(fetched).rejects.toThrow();
    deaf.destroy();
    expect(box.connections()).toBe(0);
  });

  it('works in memory on the real clock too', async () => {
    await using box = await createBroker({ listen: 'memory', latencyMs: 1, topics: { lines: 2 } });
    const client = new WireClient(box.transport, box.bootstrap[0]!);
    expect(
      (await client.call(apiVersionsApi, 3, { clientSoftwareName: 'x', clientSoftwareVersion: '1' }))
        .errorCode,
    ).toBe(0);
    expect(box.network!.openLinks()).toBe(1);
  });
});
