// How connections are opened: the byte streams below the protocol.

import { socketTransport } from './socket-transport.ts';

/** Where a broker listens. */
export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
}

/** Memory of the owner that a wire may read into, instead of making a buffer for each chunk. */
export interface Intake {
  /** The `onData` that it does without. Events that somebody gave another one, to see what comes, are not read into this. */
  readonly replaces: (chunk: Buffer) => void;
  /** Where the next bytes may be put; never empty. */
  room(): Uint8Array;
  /** So many bytes were put at the beginning of what `room` last answered, in this turn; ask it again before the next. */
  onFilled(bytes: number): void;
}

/** What a wire tells its owner. `onClose` comes exactly once, also after `destroy()`, and nothing comes after it. */
export interface WireEvents {
  /** Bytes may be written; with TLS, the peer has been verified. */
  onOpen(): void;
  /** Bytes as they come; the buffer belongs to the receiver. */
  onData(chunk: Buffer): void;
  /** A wire that reads into this tells `onFilled` what it would else give to `onData`. */
  readonly intake?: Intake | undefined;
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

/** How wires are opened: TCP, TLS, or memory in simulated time. Never throws; a failed dial is an `onClose`. Events come asynchronously. */
export interface Transport {
  connect(address: BrokerAddress, events: WireEvents): Wire;
}

/** Plain TCP. */
export const tcpTransport: Transport = socketTransport();
