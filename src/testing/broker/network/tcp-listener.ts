import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { Acceptor, Listener, ServerWire } from '../../simulation/server-wire.ts';

/** One accepted socket. What is written in one tick leaves in one system call. */
class TcpServerWire implements ServerWire {
  readonly remote: string;
  /** Nothing is passed on in either direction any more. */
  isSilent = false;
  readonly #socket: Socket;
  #isCorked = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.remote = `${socket.remoteAddress ?? '?'}:${socket.remotePort ?? 0}`;
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
    this.#socket.resetAndDestroy();
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

function attach(socket: Socket, accept: Acceptor): void {
  const wire = new TcpServerWire(socket);
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

/** Listens on `host:port`; port 0 takes any free one. */
export function listenTcp(host: string, port: number, accept: Acceptor): Promise<Listener> {
  return new Promise((resolve, reject) => {
    const server: Server = createServer({ noDelay: true }, (socket) => attach(socket, accept));
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
