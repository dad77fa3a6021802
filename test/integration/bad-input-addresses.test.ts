// Addresses and names that are wrong, through the public surface: a clear error in time, and nothing left behind.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import http from 'node:http';
import net from 'node:net';
import tls from 'node:tls';
import { Kafka } from '../../src/index.ts';
import { expectClear, failsWithin, rootOf } from '../helpers/bad-input/failure.ts';
import { Before } from '../helpers/bad-input/left-over.ts';
import { CLIENT, ways } from '../helpers/bad-input/ways.ts';
import { targets, type Target } from '../helpers/interop/targets.ts';

/** Far above what the errors need, far below a hang: what they say is what tells one from the other. */
const LIMIT_MS = 40_000;
/** A port that no program is given by chance. */
const NOBODY = '127.0.0.1:1';
const cases = Object.entries(ways);

interface Peer {
  readonly name: string;
  /** Undefined: nobody listens. */
  readonly serve: (() => net.Server) | undefined;
  readonly says: RegExp;
}

/** `tls.Server` without a certificate breaks the handshake off; a broker's port answers with an alert. */
const ALERT = Buffer.from('15030300020246', 'hex');

const peers: readonly Peer[] = [
  {
    name: 'nobody listens',
    serve: undefined,
    says: /could not be reached: connect ECONNREFUSED .*are they running, and are these the right addresses\?/,
  },
  {
    name: 'a web server',
    serve: () => http.createServer(),
    says: /answered in HTTP: this is the port of a web server, not of a Kafka broker/,
  },
  {
    name: 'a TLS port that breaks off',
    serve: () => tls.createServer(),
    says: /closed the connection .* is it a TLS or SASL port\?/,
  },
  {
    name: 'a TLS port that answers with an alert',
    serve: () => net.createServer((socket) => socket.once('data', () => socket.write(ALERT))),
    says: /answered in TLS: this port wants an encrypted connection, and this client speaks plaintext/,
  },
  {
    name: 'one that accepts and is silent',
    serve: () => net.createServer((socket) => socket.resume()),
    says: /accepted the connection and answered nothing within 1500 ms; is it a plaintext listener of a Kafka broker\?/,
  },
];

class Listening {
  readonly address: string;
  private readonly server: net.Server;
  private readonly sockets: Set<net.Socket>;

  private constructor(server: net.Server, sockets: Set<net.Socket>) {
    this.server = server;
    this.sockets = sockets;
    this.address = `127.0.0.1:${(server.address() as net.AddressInfo).port}`;
  }

  static async start(server: net.Server): Promise<Listening> {
    const sockets = new Set<net.Socket>();
    server.on('connection', (socket: net.Socket) => {
      sockets.add(socket.on('error', () => undefined));
      socket.once('close', () => sockets.delete(socket));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new Listening(server, sockets);
  }

  /** Closes the server's ends: what is left then are the client's. */
  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** Goes every way at once, each with a client of its own that is closed again; what each fails with, by its name. */
async function failures(brokers: readonly string[], topic: string): Promise<Map<string, Error>> {
  const found = new Map<string, Error>();
  await Promise.all(
    cases.map(async ([name, way], at) => {
      const kafka = new Kafka({ brokers, ...CLIENT });
      found.set(name, await failsWithin(LIMIT_MS, way(kafka, topic, `readers-${process.pid}-${at}`)));
      await kafka.close();
    }),
  );
  expect(found.size).toBe(cases.length);
  return found;
}

describe('an address that is not a broker', () => {
  it.each(peers)('$name', async ({ serve, says }) => {
    const before = new Before();
    const peer = serve === undefined ? undefined : await Listening.start(serve());
    const address = peer?.address ?? NOBODY;
    for (const error of (await failures([address], 'orders')).values()) {
      const { errorName } = rootOf(error);
      expect(['NETWORK_EXCEPTION', 'REQUEST_TIMED_OUT']).toContain(errorName);
      expectClear(error, { code: 'BROKER_ERROR' }, says, new RegExp(address));
    }
    await peer?.close();
    await before.expectNothingLeft();
  });
});

describe('an address among others that work', () => {
  it('is passed over', async () => {
    const target = await targets.at(-1)![1]();
    const topic = await target.topic('reachable');
    const kafka = new Kafka({ brokers: [NOBODY, ...target.bootstrap.split(',')], ...CLIENT });
    await ways['toTopic in a script']!(kafka, topic, 'readers');
    await kafka.close();
    await target.close();
  });
});

describe.each(targets)('a topic that does not exist, on %s', (_name, start) => {
  let target: Target;
  beforeAll(async () => {
    target = await start();
    await target.topic('exists');
  });
  afterAll(() => target.close());

  it('is waited for, and then named', async () => {
    const before = new Before();
    const topic = 'no-such-topic';
    for (const error of (await failures(target.bootstrap.split(','), topic)).values()) {
      expectClear(
        error,
        { code: 'BROKER_ERROR', errorName: 'UNKNOWN_TOPIC_OR_PARTITION', topic },
        /no-such-topic/,
        /there is (still )?no such topic after \d+ ms; create it, or check its name/,
      );
    }
    await before.expectNothingLeft();
    expect((await target.kafka.admin().listTopics()).some(({ name }) => name === topic)).toBe(false);
  });

  it('cannot have this name', async () => {
    for (const error of (await failures(target.bootstrap.split(','), 'no spaces!')).values())
      expectClear(error, { code: 'BROKER_ERROR', errorName: 'INVALID_TOPIC_EXCEPTION' }, /no spaces!/);
  });
});
