// A wire over a socket of Node, or over any other duplex stream.

import type { OnReadOpts, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Wire, WireEvents } from './transport.ts';

/** A wire whose stream may still have to come. What is written in one tick leaves in one system call. */
export class SocketWire implements Wire {
  private readonly events: WireEvents;
  private socket: Duplex | undefined;
  private failure: Error | undefined;
  private isConnected = false;
  private isOpen = false;
  private isDestroyed = false;
  private isClosed = false;
  private isCorked = false;
  private readonly uncork = (): void => {
    this.isCorked = false;
    this.socket?.uncork();
  };

  constructor(events: WireEvents) {
    this.events = events;
  }

  /** For a socket of Node that is to read into its owner's memory; undefined where the owner has none, or wants to see the chunks. */
  get onread(): OnReadOpts | undefined {
    const { events } = this;
    const { intake } = events;
    if (intake?.replaces !== events.onData) return undefined;
    return {
      buffer: () => intake.room(),
      callback: (bytes) => {
        intake.onFilled(bytes);
        return true;
      },
    };
  }

  /** The stream is there, connected or about to be. */
  adopt(socket: Duplex): void {
    if (this.isDestroyed) {
      socket.on('error', () => undefined);
      socket.destroy();
      return;
    }
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.events.onData(chunk);
    });
    socket.on('drain', () => {
      this.events.onDrain();
    });
    socket.on('error', (error) => {
      this.failure = error;
    });
    socket.on('close', () => {
      this.close(this.failure);
    });
    // Its maker may have said so before it handed the stream over.
    if (this.isConnected) queueMicrotask(this.connected);
  }

  /** Bytes may be written. */
  readonly connected = (): void => {
    this.isConnected = true;
    if (this.socket === undefined || this.isOpen || this.isClosed) return;
    this.isOpen = true;
    this.events.onOpen();
  };

  /** There will be no stream. */
  failed(cause: unknown): void {
    const error = cause instanceof Error ? cause : new Error(String(cause));
    queueMicrotask(() => {
      this.close(error);
    });
  }

  write(bytes: Uint8Array): boolean {
    const socket = this.socket!;
    if (!this.isCorked) {
      this.isCorked = true;
      socket.cork();
      process.nextTick(this.uncork);
    }
    return socket.write(bytes);
  }

  destroy(): void {
    if (this.isDestroyed) return;
    this.isDestroyed = true;
    if (this.socket !== undefined) this.socket.destroy();
    else
      queueMicrotask(() => {
        this.close(undefined);
      });
  }

  ref(): void {
    (this.socket as Partial<Socket> | undefined)?.ref?.();
  }

  unref(): void {
    (this.socket as Partial<Socket> | undefined)?.unref?.();
  }

  private close(cause: Error | undefined): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.events.onClose(cause);
  }
}
