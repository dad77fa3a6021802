import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { TlsOptions } from 'node:tls';
import type { TlsServerOptions } from '../security/tls-options.ts';
import type { Acceptor, Listener, ServerWire } from '../../simulation/server-wire.ts';

/** One accepted socket. What is written in one tick leaves in one system call. */
class TcpServerWire implements ServerWire {
  readonly remote: string;
  /** Nothing is passed on in either direction any more. */
  isSilent = false;
  readonly #socket: Socket;
  /** The TCP socket below TLS. */
  readonly #raw: Socket;
  #isCorked = false;

  constructor(socket: Socket, raw: Socket) {
    this.#socket = socket;
    this.#raw = raw;
    this.remote = peerOf(socket);
  }

  write(bytes: Uint8Array): boolean {
    if (this.isSilent || this.#socket.destroyed) return true;
    if (!this.#isCorked) {
      this.#isCorked = true;
      this.#socket.cork();
      process.nextTick(this.#uncork);
    }
    return this.#socket.write(bytes);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  end(): void {
    this.#socket.end(() => this.#socket.destroy());
  }

  reset(): void {
    this.#raw.resetAndDestroy();
    this.#socket.destroy();
  }

  halfOpen(): void {
    this.isSilent = true;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  readonly #uncork = (): void => {
    this.#isCorked = false;
    this.#socket.uncork();
  };
}

function peerOf(socket: Socket): string {
  return `${socket.remoteAddress ?? '?'}:${socket.remotePort ?? 0}`;
}

function attach(socket: Socket, raw: Socket, accept: Acceptor): void {
  const wire = new TcpServerWire(socket, raw);
  const events = accept(wire);
  let failure: Error | undefined;
  socket.on('data', (chunk: Buffer) => {
    if (!wire.isSilent) events.onData(chunk);
  });
  socket.on('drain', () => events.onDrain());
  socket.on('error', (error) => {
    failure = error;
  });
  socket.on('close', () => events.onClose(failure));
}

/** Where to listen, and with which certificate. */
export interface TcpAddress {
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
  readonly tls?: TlsServerOptions | undefined;
}

/** Whoever connects in TLS and does not get on with it is sent away. */
const HANDSHAKE_TIMEOUT_MS = 10_000;

function serverOf(tls: TlsServerOptions | undefined, accept: Acceptor): Server {
  if (tls === undefined) return createServer({ noDelay: true }, (socket) => attach(socket, socket, accept));
  const options = { ...tls, handshakeTimeout: HANDSHAKE_TIMEOUT_MS } as TlsOptions;
  const raw = new Map<string, Socket>();
  const server = createTlsServer(options, (socket) => {
    attach(socket, raw.get(peerOf(socket)) ?? socket, accept);
  });
  server.on('connection', (socket: Socket) => {
    const peer = peerOf(socket);
    socket.setNoDelay(true);
    raw.set(peer, socket);
    socket.on('close', () => raw.delete(peer));
  });
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  return server;
}

/** Listens for TCP, or for TLS over it. */
export function listenTcp(address: TcpAddress, accept: Acceptor): Promise<Listener> {
  const { host, port, tls } = address;
  return new Promise((resolve, reject) => {
    const server = serverOf(tls, accept);
    server.once('error', reject);
    server.listen({ host, port, backlog: 1024 }, () => {
      server.off('error', reject);
      resolve({
        host,
        port: (server.address() as AddressInfo).port,
        close: () => new Promise((closed) => server.close(() => closed())),
      });
    });
  });
}
