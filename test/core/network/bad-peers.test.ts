// What a user's program meets on real sockets when the address is not a broker's.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import http from 'node:http';
import net from 'node:net';
import tls from 'node:tls';
import { Kafka } from '../../../src/core/client.ts';
import { encodeResponse } from '../../../src/core/protocol/frame.ts';
import { apiVersionsApi } from '../../../src/core/protocol/messages/18-api-versions.ts';
import { ConnectionError } from '../../../src/errors.ts';
import { rejection } from '../../helpers/rejection.ts';

/** A port that no program is given by chance. */
const NOBODY = '127.0.0.1:1';
/** For those that fail by a deadline. */
const DEADLINE_MS = 1_500;
/** For those that are refused at once: longer than a test may take. */
const AT_ONCE_MS = 600_000;
/** The answer to the first request: the versions of ApiVersions and Metadata. */
const HELLO = encodeResponse(apiVersionsApi, 4, 1, {
  errorCode: 0,
  apiKeys: [3, 18].map((apiKey) => ({ apiKey, minVersion: 0, maxVersion: 4 })),
});

let servers: net.Server[];
let sockets: net.Socket[];

beforeEach(() => {
  servers = [];
  sockets = [];
});

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
});

async function listening(server: net.Server): Promise<string> {
  servers.push(server);
  server.on('connection', (socket: net.Socket) => sockets.push(socket.on('error', () => undefined)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${(server.address() as net.AddressInfo).port}`;
}

/** A server that answers the n-th chunk of a connection with the n-th entry; a function decides what to do. */
function answering(...answers: readonly (Buffer | ((socket: net.Socket) => void))[]): Promise<string> {
  return listening(
    net.createServer((socket) => {
      let at = 0;
      socket.on('data', () => {
        const answer = answers[at];
        at += 1;
        if (typeof answer === 'function') answer(socket);
        else if (answer !== undefined) socket.write(answer);
      });
    }),
  );
}

/** The error of the first call on a client of this address that waits so long, and that it left nothing open. */
async function firstError(address: string, timeoutMs: number): Promise<ConnectionError> {
  const times = { connectionTimeout: timeoutMs, requestTimeout: timeoutMs, metadataTimeout: AT_ONCE_MS };
  const kafka = new Kafka({ brokers: [address], ...times });
  const error = await rejection<ConnectionError>(kafka.cluster.refresh([]));
  expect(error).toBeInstanceOf(ConnectionError);
  expect(error).toMatchObject({ code: 'BROKER_ERROR', errorName: 'NETWORK_EXCEPTION', host: '127.0.0.1' });
  expect(error.message).toContain(address);
  await kafka.close();
  return error;
}

describe("an address that is not a broker's", () => {
  it('nobody listens', async () => {
    expect((await firstError(NOBODY, AT_ONCE_MS)).message).toMatch(
      /could not be reached: connect ECONNREFUSED/,
    );
  });

  it('a host that does not exist', async () => {
    const kafka = new Kafka({ brokers: ['no-such-host.invalid:9092'], connectionTimeout: 5000 });
    expect((await rejection(kafka.cluster.anyNode())).message).toMatch(
      /no-such-host.invalid:9092 could not be reached/,
    );
    await kafka.close();
  });

  it('a web server', async () => {
    const error = await firstError(await listening(http.createServer()), AT_ONCE_MS);
    expect(error.message).toMatch(/answered in HTTP: this is the port of a web server/);
    expect(error.retriable).toBe(false);
  });

  it('a TLS port', async () => {
    const error = await firstError(await listening(tls.createServer()), AT_ONCE_MS);
    expect(error.message).toMatch(/answered in TLS|is it a TLS or SASL port\?/);
  });

  it('one that accepts and says nothing', async () => {
    const address = await listening(net.createServer((socket) => socket.resume()));
    expect((await firstError(address, DEADLINE_MS)).message).toMatch(/answered nothing within 1500 ms/);
  });

  it('one that accepts and does not even read', async () => {
    const address = await listening(net.createServer((socket) => socket.pause()));
    expect((await firstError(address, DEADLINE_MS)).message).toMatch(/answered nothing within 1500 ms/);
  });

  it('one that closes at once, and after each number of bytes', async () => {
    for (const bytes of [0, 1, 3, 4, 5, 8, 9, 20, HELLO.length - 1]) {
      const address = await answering((socket) => socket.end(HELLO.subarray(0, bytes)));
      expect((await firstError(address, AT_ONCE_MS)).message).toContain(`after ${bytes} bytes`);
    }
  });

  it('one that resets the connection', async () => {
    const address = await answering((socket) => socket.resetAndDestroy());
    expect((await firstError(address, AT_ONCE_MS)).message).toMatch(/ECONNRESET/);
  });

  it('one that trickles an answer that never ends', async () => {
    const address = await answering((socket) => {
      socket.write(HELLO.subarray(0, 10));
    });
    expect((await firstError(address, DEADLINE_MS)).message).toMatch(/answered only 10 bytes within 1500 ms/);
  });
});

describe('a broker that shakes hands and then', () => {
  const reply = (bytes: number[]): Buffer => Buffer.from(bytes);

  it.each<[string, Buffer | ((socket: net.Socket) => void), RegExp, number]>([
    ['says nothing', () => undefined, /did not answer Metadata within 1500 ms/, DEADLINE_MS],
    ['announces 2 GB', reply([0x7f, 255, 255, 255]), /a frame of 2147483647 bytes; at most/, AT_ONCE_MS],
    [
      'announces less than nothing',
      reply([0x80, 0, 0, 0]),
      /-2147483648 bytes; a length cannot be negative/,
      AT_ONCE_MS,
    ],
    [
      'answers another request',
      reply([0, 0, 0, 4, 0, 0, 0, 9]),
      /answered request 9 where the answer to 2 is due/,
      AT_ONCE_MS,
    ],
    [
      'sends a frame too short for a header',
      reply([0, 0, 0, 2, 0, 0]),
      /a frame of 2 bytes, too short/,
      AT_ONCE_MS,
    ],
    ['sends a body cut short', reply([0, 0, 0, 6, 0, 0, 0, 2, 0, 0]), /Metadata response v4/, AT_ONCE_MS],
    [
      'lies about a count',
      reply([0, 0, 0, 12, 0, 0, 0, 2, 0, 0, 0, 0, 0x7f, 255, 255, 255]),
      /Metadata response v4/,
      AT_ONCE_MS,
    ],
    [
      'closes in an answer',
      (socket) => socket.end(reply([0, 0, 1, 0, 0, 0, 0, 2])),
      /8 bytes into an answer/,
      AT_ONCE_MS,
    ],
  ])('%s', async (_name, answer, message, timeoutMs) => {
    const before = process.memoryUsage().arrayBuffers;
    const error = await firstError(await answering(HELLO, answer), timeoutMs);
    expect(error.message).toMatch(message);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20 * 1024 * 1024);
  });
});
