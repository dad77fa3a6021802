// Bytes that no client of good will sends: the connection they came on is closed, and nothing else happens.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connect as dial } from 'node:net';
import { tcpTransport } from '../../../src/core/network/transport.ts';
import { encodeRequest } from '../../../src/core/protocol/frame.ts';
import { APIS } from '../../../src/core/protocol/apis.ts';
import { produceApi } from '../../../src/core/protocol/messages/00-produce.ts';
import { fetchApi } from '../../../src/core/protocol/messages/01-fetch.ts';
import { metadataApi } from '../../../src/core/protocol/messages/03-metadata.ts';
import { joinGroupApi } from '../../../src/core/protocol/messages/11-join-group.ts';
import { apiVersionsApi } from '../../../src/core/protocol/messages/18-api-versions.ts';
import { createBroker } from '../../../src/testing/broker/create-broker.ts';
import type { BrokerBox } from '../../../src/testing/broker/broker-box.ts';
import { seededRandom } from '../../../src/testing/simulation/seeded-random.ts';
import { batchOf, fetchRequest, produceRequest } from './requests.ts';
import { simulated } from './simulated.ts';
import { WireClient } from './wire-client.ts';

let box: BrokerBox;
let bystander: WireClient;

beforeAll(async () => {
  box = await createBroker({ topics: { lines: 1 }, maxRequestBytes: 1_000_000 });
  bystander = new WireClient(tcpTransport, box.bootstrap[0]!);
});

afterAll(async () => {
  bystander.close();
  await box.close();
});

/** Sends bytes on a connection of their own; resolves when the broker has closed it. */
async function closesOn(bytes: Uint8Array): Promise<void> {
  const client = new WireClient(tcpTransport, box.bootstrap[0]!);
  await client.write(bytes);
  await client.closed;
}

function framed(body: Buffer, claimed = body.length): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(claimed);
  return Buffer.concat([length, body]);
}

const metadata = encodeRequest(metadataApi, 9, 1, 'test', { topics: [{ name: 'lines' }] });

describe('hostile bytes', () => {
  const header = (apiKey: number, version: number): Buffer => {
    const bytes = Buffer.alloc(10);
    bytes.writeInt16BE(apiKey);
    bytes.writeInt16BE(version, 2);
    return bytes;
  };
  it.each<[string, Buffer]>([
    ['a negative length', framed(Buffer.alloc(0), -5)],
    ['a length of 2 GB', framed(Buffer.from('x'), 2 ** 31 - 1)],
    ['a length over the limit', framed(Buffer.from('x'), 1_000_001)],
    ['an empty frame', framed(Buffer.alloc(0))],
    ['half a header', framed(Buffer.from([0, 3, 0, 9]))],
    ['an HTTP request', Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')],
    ['a TLS hello', Buffer.from('16030100c8010000c40303', 'hex')],
    ['an unknown API', framed(header(999, 0))],
    ['a version nobody has', framed(header(metadataApi.key, 99))],
    ['a negative version', framed(header(metadataApi.key, -1))],
    ['a truncated body', framed(metadata.subarray(4, metadata.length - 4))],
    [
      'a count of two thousand million',
      framed(Buffer.concat([metadata.subarray(4, 19), Buffer.from('ffffffff0f', 'hex')])),
    ],
    ['a client id longer than the frame', framed(Buffer.from('00030009000000017fff', 'hex'))],
  ])('%s closes its connection', async (_what, bytes) => {
    await closesOn(bytes);
    expect((await bystander.call(apiVersionsApi, 0, {})).errorCode).toBe(0);
    expect(box.internalErrors).toEqual([]);
  });

  it('does not hold more than it is asked to: a claimed megabyte that never comes costs nothing', async () => {
    const before = process.memoryUsage().arrayBuffers;
    const clients = Array.from({ length: 100 }, () => new WireClient(tcpTransport, box.bootstrap[0]!));
    await Promise.all(clients.map((client) => client.write(framed(Buffer.from('x'), 999_999))));
    await bystander.call(apiVersionsApi, 0, {});
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(200_000_000);
    for (const client of clients) client.close();
  });

  it('does not read on while a client does not take its answers', async () => {
    const value = 'v'.repeat(200_000);
    const produced = produceRequest(batchOf({ values: [value] }), { topic: 'lines' });
    for (let batch = 0; batch < 5; batch++) await bystander.call(produceApi, 9, produced);
    const [host, port] = box.bootstrap[0]!.split(':') as [string, string];
    const lazy = dial({ host, port: Number(port) });
    lazy.pause();
    const before = box.requestCount;
    for (let request = 0; request < 2000; request++)
      lazy.write(encodeRequest(fetchApi, 12, request, 'lazy', fetchRequest()));
    // Long enough for many more than the sockets' buffers hold.
    for (let turn = 0; turn < 200; turn++) await bystander.call(apiVersionsApi, 0, {});
    expect(box.requestCount - before - 200).toBeLessThan(100);
    lazy.destroy();
  });

  it('survives ten thousand damaged requests of every API', async () => {
    const sim = await simulated({ requestLogSize: 10 });
    const random = seededRandom(20);
    const samples = [
      metadata,
      encodeRequest(apiVersionsApi, 3, 1, 'test', { clientSoftwareName: 'a', clientSoftwareVersion: 'b' }),
      encodeRequest(
        produceApi,
        9,
        1,
        'test',
        produceRequest(
          batchOf({ values: ['a', 'b', 'c'], producerId: 5, producerEpoch: 0, baseSequence: 0 }),
        ),
      ),
      encodeRequest(fetchApi, 12, 1, 'test', fetchRequest()),
      encodeRequest(joinGroupApi, 9, 1, 'test', {
        groupId: 'g',
        memberId: '',
        sessionTimeoutMs: 10_000,
        protocolType: 'consumer',
        protocols: [{ name: 'range', metadata: Buffer.alloc(8) }],
      }),
    ];
    const keys = APIS.map((api) => api.key);
    let closed = 0;
    let client = sim.connect();
    for (let round = 0; round < 10_000; round++) {
      const bytes = Buffer.from(samples[Math.floor(random() * samples.length)]!);
      // Another API may get this body, or another version of its own.
      if (random() < 0.3) bytes.writeInt16BE(keys[Math.floor(random() * keys.length)]!, 4);
      if (random() < 0.3) bytes.writeInt16BE(Math.floor(random() * 15), 6);
      const flips = Math.floor(random() * 4);
      for (let flip = 0; flip < flips; flip++)
        bytes[8 + Math.floor(random() * (bytes.length - 8))]! ^= 1 << Math.floor(random() * 8);
      if (client.isClosed) {
        closed++;
        client = sim.connect();
      }
      const write = client.write(
        random() < 0.1 ? bytes.subarray(0, Math.floor(random() * bytes.length)) : bytes,
      );
      await sim.run(write);
      if (round % 20 === 0) await sim.clock.advance(30);
      // A cut-off frame leaves the stream out of step for good.
      if (random() < 0.2) {
        client.close();
        client = sim.connect();
      }
    }
    await sim.clock.advance(1000);
    expect(sim.box.internalErrors).toEqual([]);
    expect(closed).toBeGreaterThan(100);
    expect((await sim.run(sim.connect().call(apiVersionsApi, 0, {}))).errorCode).toBe(0);
    await sim.box.close();
  });
});
