import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { connect as dial } from 'node:net';
import { connect as dialTls } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';
import type { TlsServerOptions } from '../../../src/testing/broker/security/tls-options.ts';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Kafka, logLevel } from 'kafkajs';
import type { KafkaConfig } from 'kafkajs';
import type { Transport } from '../../../src/core/network/transport.ts';
import { tcpTransport } from '../../../src/core/network/transport.ts';
import { produceApi } from '../../../src/core/protocol/messages/00-produce.ts';
import { metadataApi } from '../../../src/core/protocol/messages/03-metadata.ts';
import { apiVersionsApi } from '../../../src/core/protocol/messages/18-api-versions.ts';
import { createBroker } from '../../../src/testing/broker/create-broker.ts';
import type { BrokerBox } from '../../../src/testing/broker/broker-box.ts';
import { fault } from '../../../src/testing/broker/faults/fault.ts';
import type { BrokerOptions } from '../../../src/testing/broker/options.ts';
import { makeCertificates } from './certificates.ts';
import type { Certificates } from './certificates.ts';
import { isOnPath, run } from './command.ts';
import { batchOf, produceRequest } from './requests.ts';
import { WireClient } from './wire-client.ts';

const hasOpenssl = spawnSync('openssl', ['version'], { stdio: 'ignore' }).error === undefined;
const withOpenssl = hasOpenssl ? describe : describe.skip;
const users = { alice: 'open sesame' };

let certificates: Certificates;
let box: BrokerBox;

async function begin(options: BrokerOptions = {}, rest: Partial<TlsServerOptions> = {}): Promise<void> {
  const { key, cert } = certificates.server;
  const tls = { key, cert, ca: certificates.authority.cert, ...rest };
  box = await createBroker({ topics: { lines: 2 }, ...options, tls });
}

/** As `tcpTransport`, in TLS. */
function tlsTransport(options: ConnectionOptions): Transport {
  return {
    connect(address, events) {
      const socket = dialTls({ host: address.host, port: address.port, ...options });
      let failure: Error | undefined;
      socket.on('secureConnect', () => events.onOpen());
      socket.on('data', (chunk: Buffer) => events.onData(chunk));
      socket.on('error', (error) => (failure = error));
      socket.on('close', () => events.onClose(failure));
      return { write: (bytes) => socket.write(bytes), destroy: () => socket.destroy() };
    },
  };
}

const trusting = (): ConnectionOptions => ({ ca: certificates.authority.cert });

const connect = (options: ConnectionOptions = trusting()): WireClient =>
  new WireClient(tlsTransport(options), box.bootstrap[0]!);

withOpenssl('a broker in TLS', () => {
  beforeAll(() => {
    certificates = makeCertificates();
  });

  afterAll(() => {
    rmSync(certificates.folder, { recursive: true });
  });

  afterEach(async () => {
    await box.close();
    expect(box.internalErrors).toEqual([]);
    expect(box.connections()).toBe(0);
  });

  it('serves those who trust its certificate', async () => {
    await begin();
    const client = connect();
    expect((await client.call(metadataApi, 9, { topics: null })).topics).toHaveLength(1);
    const large = produceRequest(batchOf({ values: ['x'.repeat(900_000)] }));
    expect((await client.call(produceApi, 9, large)).responses[0]!.partitionResponses[0]!.errorCode).toBe(0);
    client.close();
    await expect(connect({}).call(apiVersionsApi, 0, {})).rejects.toThrow(/certificate/);
  });

  it('closes on plaintext, and a plain broker closes on TLS, at once', async () => {
    await begin();
    const client = new WireClient(tcpTransport, box.bootstrap[0]!);
    await expect(client.call(apiVersionsApi, 0, {})).rejects.toThrow();
    await using open = await createBroker();
    const [host, port] = open.bootstrap[0]!.split(':') as [string, string];
    const socket = dialTls({ host, port: Number(port), ...trusting() });
    const error = await new Promise<Error>((resolve) => socket.once('error', resolve));
    expect(error.message).toMatch(/disconnected|ECONNRESET|socket hang up/);
    expect(open.internalErrors).toEqual([]);
  });

  it('closes with clients that never say anything', async () => {
    await begin();
    const [host, port] = box.bootstrap[0]!.split(':') as [string, string];
    const silent = dial({ host, port: Number(port) });
    silent.on('error', () => {});
    await new Promise((resolve) => silent.once('connect', resolve));
    const gone = new Promise((resolve) => silent.once('close', resolve));
    await box.close();
    silent.resume();
    await gone;
  });

  it('wants a certificate of its clients where it is told to', async () => {
    await begin({}, { requestCert: true });
    const { key, cert } = certificates.client;
    const known = connect({ ...trusting(), key, cert });
    expect((await known.call(apiVersionsApi, 0, {})).errorCode).toBe(0);
    await expect(connect().call(apiVersionsApi, 0, {})).rejects.toThrow();
    known.close();
  });

  it.each(['close', 'rst', 'halfOpen', 'answerOnly'] as const)('obeys the fault %s', async (kind) => {
    await begin();
    const action = kind === 'answerOnly' ? fault.answerOnly(3) : fault[kind];
    box.fault({ match: { api: 'ApiVersions' }, do: action });
    const client = connect();
    const answer = client.call(apiVersionsApi, 0, {});
    answer.catch(() => {});
    if (kind === 'halfOpen') {
      await new Promise<void>((resolve) => {
        box.fault({ match: { api: 'Metadata' }, observe: () => resolve() });
        void connect().post(metadataApi, 9, { topics: [] });
      });
      expect([client.isClosed, client.waiting]).toEqual([false, 1]);
      return;
    }
    await expect(answer).rejects.toThrow(kind === 'rst' ? /ECONNRESET/ : /closed/);
  });

  const kafkajs = (config: Partial<KafkaConfig>): Kafka =>
    new Kafka({
      brokers: box.bootstrap,
      ssl: { ca: [certificates.authority.cert], servername: 'localhost' },
      logLevel: logLevel.NOTHING,
      retry: { retries: 0 },
      ...config,
    });

  it.each(['plain', 'scram-sha-256', 'scram-sha-512'] as const)(
    'lets kafkajs in by %s',
    async (mechanism) => {
      await begin({ sasl: { users } });
      const sasl = { mechanism: mechanism as 'plain', username: 'alice', password: users.alice };
      const producer = kafkajs({ sasl }).producer();
      await producer.connect();
      await producer.send({ topic: 'lines', messages: [{ value: 'x' }] });
      await producer.disconnect();
      expect(
        await box
          .records('lines', 0)
          .then(async (one) => one.length + (await box.records('lines', 1)).length),
      ).toBe(1);
    },
  );

  it('lets kafkajs in by a token', async () => {
    await begin({
      sasl: { validateToken: (token) => (token === 'good' ? { principal: 'carol' } : undefined) },
    });
    const oauth = (value: string) => ({
      mechanism: 'oauthbearer' as const,
      oauthBearerProvider: () => Promise.resolve({ value }),
    });
    const admin = kafkajs({ sasl: oauth('good') }).admin();
    await admin.connect();
    expect(await admin.listTopics()).toEqual(['lines']);
    await admin.disconnect();
    const bad = kafkajs({ sasl: oauth('bad') }).admin();
    await expect(bad.listTopics()).rejects.toThrow();
    await bad.disconnect();
  });

  (isOnPath('kcat') ? it : it.skip)('lets kcat in by PLAIN', async () => {
    await begin({ sasl: { users, mechanisms: ['PLAIN'] } });
    const settings = [
      'security.protocol=SASL_SSL',
      `ssl.ca.location=${certificates.authority.certFile}`,
      'ssl.endpoint.identification.algorithm=none',
      'sasl.mechanism=PLAIN',
      'sasl.username=alice',
      `sasl.password=${users.alice}`,
    ].flatMap((setting) => ['-X', setting]);
    const listed = await run('kcat', ['-b', box.bootstrap.join(','), '-L', ...settings]);
    expect(listed).toContain('topic "lines" with 2 partitions');
  });
});
