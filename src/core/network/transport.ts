// The only file that opens sockets.

import { connect } from 'node:net';

/** Where a broker listens. */
export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
}

/** What a wire tells its owner. `onClose` comes exactly once, also after `destroy()`, and nothing comes after it. */
export interface WireEvents {
  onOpen(): void;
  /** Bytes as they come; the buffer belongs to the receiver. */
  onData(chunk: Buffer): void;
  /** The wire has room again after `write` said false. */
  onDrain(): void;
  /** `cause` is undefined when the peer ended the stream in order, or after `destroy()`. */
  onClose(cause: Error | undefined): void;
}

/** A byte stream to one broker. */
export interface Wire {
  /** Takes the bytes in any case; false asks to wait for `onDrain` before writing more. */
  write(bytes: Uint8Array): boolean;
  /** Closes at once, without waiting for what is buffered. */
  destroy(): void;
  /** Whether it keeps the process alive; it does from the start. */
  ref?(): void;
  unref?(): void;
}

/** How wires are opened: TCP, or memory in simulated time. Never throws; a failed dial is an `onClose`. Events come asynchronously. */
export interface Transport {
  connect(address: BrokerAddress, events: WireEvents): Wire;
}

const ADDRESS_ATTEMPT_MS = 1000;

/** Plain TCP, without Nagle's delay; what is written in one tick leaves in one system call. */
export const tcpTransport: Transport = {
  connect(address, events) {
    const socket = connect({
      host: address.host,
      port: address.port,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: 60_000,
      autoSelectFamilyAttemptTimeout: ADDRESS_ATTEMPT_MS,
    });
    let failure: Error | undefined;
    let corked = false;
    const uncork = (): void => {
      corked = false;
      socket.uncork();
    };
    socket.on('connect', () => {
      events.onOpen();
    });
    socket.on('data', (chunk: Buffer) => {
      events.onData(chunk);
    });
    socket.on('drain', () => {
      events.onDrain();
    });
    socket.on('error', (error) => {
      failure = error;
    });
    socket.on('close', () => {
      events.onClose(failure);
    });
    return {
      write(bytes) {
        if (!corked) {
          corked = true;
          socket.cork();
          process.nextTick(uncork);
        }
        return socket.write(bytes);
      },
      destroy() {
        socket.destroy();
      },
      ref() {
        socket.ref();
      },
      unref() {
        socket.unref();
      },
    };
  },
};
