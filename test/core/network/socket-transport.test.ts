// Sockets: TLS with the right name, every address of a host, factories of the program.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createHttp, request } from 'node:http';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { createServer as createTls } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { socketTransport, type SocketTransportOptions } from '../../../src/core/network/socket-transport.ts';
import { tlsSource, type TlsOptions } from '../../../src/core/security/tls-options.ts';
import { Authority, type Certificate } from '../../helpers/kafka/certificates.ts';

const hasOpenssl = spawnSync('openssl', ['version'], { stdio: 'ignore' }).error === undefined;
const servers: Server[] = [];
const sockets = new Set<Socket>();

async function listening(server: Server): Promise<number> {
  server.on('connection', (socket: Socket) => sockets.add(socket.on('error', () => undefined)));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

afterEach(() => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  for (const server of servers.splice(0)) server.close();
});

interface Heard {
  readonly opened: boolean;
  readonly data: string;
  readonly cause: Error | undefined;
}

/** Connects, says hello when open, and resolves when the wire is closed: by the peer after its answer. */
function talk(options: SocketTransportOptions, host: string, port: number): Promise<Heard> {
  return new Promise((resolve) => {
    let opened = false;
    let data = '';
    const wire = socketTransport(options).connect(
      { host, port },
      {
        onOpen: () => {
          opened = true;
          wire.write(Buffer.from('hel'));
          wire.write(Buffer.from('lo'));
        },
        onData: (chunk) => {
          data += chunk.toString();
          wire.destroy();
        },
        onDrain: () => undefined,
        onClose: (cause) => resolve({ opened, data, cause }),
      },
    );
  });
}

const echo = (): Server => createServer((socket) => socket.pipe(socket));

/** As {@link talk}, with memory to read into; what comes by `onData` instead is heard in capitals. */
function talkInto(
  room: Uint8Array,
  options: SocketTransportOptions,
  port: number,
  replaces?: () => void,
): Promise<Heard> {
  return new Promise((resolve) => {
    let data = '';
    const onData = (chunk: Buffer): void => {
      data += chunk.toString().toUpperCase();
    };
    const wire = socketTransport(options).connect(
      { host: '127.0.0.1', port },
      {
        onOpen: () => wire.write(Buffer.from('hello')),
        onData,
        intake: {
          replaces: replaces ?? onData,
          room: () => room,
          onFilled: (bytes) => {
            data += Buffer.from(room.subarray(0, bytes)).toString();
          },
        },
        onDrain: () => undefined,
        onClose: (cause) => resolve({ opened: true, data, cause }),
      },
    );
  });
}

/** Says what it hears and hangs up. */
const answerOnce = (socket: Socket): void => void socket.once('data', (chunk) => socket.end(chunk));

describe('socketTransport', () => {
  it('reads into the memory of its owner, as much as there is room, and hears the end of the stream', async () => {
    const port = await listening(createServer(answerOnce));
    expect(await talkInto(Buffer.alloc(2), {}, port)).toEqual({
      opened: true,
      data: 'hello',
      cause: undefined,
    });
  });

  it('gives chunks where the socket is not its own', async () => {
    const port = await listening(createServer(answerOnce));
    const socketFactory: SocketTransportOptions['socketFactory'] = (at) =>
      connect(at.port, at.host, at.onConnect);
    expect(await talkInto(Buffer.alloc(2), { socketFactory }, port)).toMatchObject({ data: 'HELLO' });
  });

  it('gives chunks to who has put himself between the wire and its owner', async () => {
    const port = await listening(createServer(answerOnce));
    expect(await talkInto(Buffer.alloc(2), {}, port, () => undefined)).toMatchObject({ data: 'HELLO' });
  });

  it('tells its owner why a stream broke that it read into its memory', async () => {
    const port = await listening(
      createServer((socket) => socket.once('data', () => socket.resetAndDestroy())),
    );
    const { data, cause } = await talkInto(Buffer.alloc(2), {}, port);
    expect([data, String(cause)]).toEqual(['', expect.stringContaining('ECONNRESET')]);
  });

  it('tries each address of a host', async () => {
    const port = await listening(echo());
    const lookup: SocketTransportOptions['lookup'] = (_, options, callback) => {
      const addresses = ['127.0.0.5', '127.0.0.6', '127.0.0.1'].map((address) => ({ address, family: 4 }));
      if (options.all === true) callback(null, addresses);
      else callback(null, '127.0.0.5', 4);
    };
    expect(await talk({ lookup }, 'kafka.test', port)).toMatchObject({ opened: true, data: 'hello' });
  });

  it('says why no address could be reached, and why a name was not found', async () => {
    const { opened, cause } = await talk({}, '127.0.0.1', 1);
    expect([opened, String(cause)]).toEqual([false, expect.stringContaining('ECONNREFUSED')]);
    const lookup: SocketTransportOptions['lookup'] = (host, _, callback) =>
      callback(Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { code: 'ENOTFOUND' }), '', 4);
    expect(String((await talk({ lookup }, 'nowhere.test', 1)).cause)).toContain('ENOTFOUND nowhere.test');
  });

  it("takes a factory as kafkajs's, whenever it calls onConnect", async () => {
    const port = await listening(echo());
    const late = await talk(
      { socketFactory: ({ host, port: p, onConnect }) => connect({ host, port: p }, onConnect) },
      '127.0.0.1',
      port,
    );
    expect(late).toMatchObject({ opened: true, data: 'hello' });
    const early = await talk(
      {
        socketFactory: ({ onConnect }) => {
          onConnect();
          return new PassThrough();
        },
      },
      'any',
      1,
    );
    expect(early).toMatchObject({ opened: true, data: expect.stringMatching(/^hel/) });
  });

  it('takes a factory that gives a promise, here through an HTTP proxy', async () => {
    const port = await listening(echo());
    const asked: string[] = [];
    const proxy = createHttp();
    proxy.on('connect', (head, client: Socket) => {
      asked.push(head.url!);
      const [host, to] = head.url!.split(':');
      const onward = connect({ host: host!, port: Number(to) }, () => {
        client.write('HTTP/1.1 200 OK\r\n\r\n');
        client.pipe(onward).pipe(client);
      });
      sockets.add(onward);
    });
    const proxyPort = await listening(proxy);
    const heard = await talk(
      {
        socketFactory: async ({ host, port: p }) => {
          const tunnel = request({
            host: '127.0.0.1',
            port: proxyPort,
            method: 'CONNECT',
            path: `${host}:${p}`,
          });
          tunnel.end();
          const [, socket] = (await once(tunnel, 'connect')) as [unknown, Socket];
          return socket;
        },
      },
      '127.0.0.1',
      port,
    );
    expect(heard).toMatchObject({ opened: true, data: 'hello' });
    expect(asked).toEqual([`127.0.0.1:${port}`]);
  });

  it.each<[string, SocketTransportOptions]>([
    [
      'throws',
      {
        socketFactory: () => {
          throw new Error('no way');
        },
      },
    ],
    ['rejects', { socketFactory: () => Promise.reject(new Error('no way')) }],
    ['has no certificates', { ssl: () => Promise.reject(new Error('no way')) }],
    [
      'has no certificates at once',
      {
        ssl: () => {
          throw new Error('no way');
        },
      },
    ],
  ])('closes when what it needs %s', async (_, options) => {
    const { opened, cause } = await talk(options, '127.0.0.1', 1);
    expect([opened, cause?.message]).toEqual([false, 'no way']);
  });

  it('closes once when it is destroyed before there is a socket, and the socket too', async () => {
    let give: (socket: PassThrough) => void = () => undefined;
    const socket = new PassThrough();
    const transport = socketTransport({ socketFactory: () => new Promise((resolve) => (give = resolve)) });
    let closes = 0;
    const events = { onOpen: () => undefined, onData: () => undefined, onDrain: () => undefined };
    const wire = transport.connect({ host: 'a', port: 1 }, { ...events, onClose: () => (closes += 1) });
    wire.destroy();
    give(socket);
    await once(socket, 'close');
    expect([closes, socket.destroyed]).toEqual([1, true]);
  });
});

(hasOpenssl ? describe : describe.skip)('TLS', () => {
  let authority: Authority;
  let certificate: Certificate;

  beforeAll(() => {
    authority = new Authority();
    certificate = authority.issue('server');
  });

  afterAll(() => authority.remove());

  const source = (ssl: TlsOptions) => tlsSource({ ca: authority.cert, ...ssl });

  it('names the host it wants (SNI), never an address, and the name it is told to', async () => {
    const names: unknown[] = [];
    const { key, cert } = certificate;
    const server = createTls({ key, cert }, (socket) => {
      names.push((socket as { servername?: unknown }).servername);
      socket.pipe(socket);
    });
    const port = await listening(server);
    const lookup: SocketTransportOptions['lookup'] = (_, options, callback) =>
      options.all === true
        ? callback(null, [{ address: '127.0.0.1', family: 4 }])
        : callback(null, '127.0.0.1', 4);
    expect(await talk({ ssl: source({}), lookup }, 'localhost', port)).toMatchObject({ data: 'hello' });
    expect(await talk({ ssl: source({}) }, '127.0.0.1', port)).toMatchObject({ data: 'hello' });
    const named = source({ servername: 'localhost' });
    expect(await talk({ ssl: named }, '127.0.0.1', port)).toMatchObject({ data: 'hello' });
    const fresh = tlsSource(async () => ({ ca: authority.cert }));
    expect(await talk({ ssl: fresh }, '127.0.0.1', port)).toMatchObject({ data: 'hello' });
    expect(names).toEqual(['localhost', false, 'localhost', false]);
    const other = await talk({ ssl: source({}), lookup }, 'other.test', port);
    expect(other).toMatchObject({ opened: false, cause: { code: 'ERR_TLS_CERT_ALTNAME_INVALID' } });
  });

  it('reads an encrypted key with its passphrase, and says when that is wrong', () => {
    const { folder } = authority;
    spawnSync(
      'openssl',
      [
        'pkcs8',
        '-topk8',
        '-in',
        'server.key',
        '-out',
        'locked.key',
        '-passout',
        'pass:sesame',
        '-v2',
        'aes-256-cbc',
      ],
      { cwd: folder, stdio: 'ignore' },
    );
    const key = readFileSync(`${folder}/locked.key`, 'utf8');
    const { cert } = certificate;
    expect(source({ key, cert, passphrase: 'sesame' })).toHaveProperty('secureContext');
    expect(() => source({ key, cert, passphrase: 'wrong-one' })).toThrow(/ssl makes no TLS context: /);
    expect(() => source({ key, cert, passphrase: 'wrong-one' })).not.toThrow(/wrong-one/);
  });
});
