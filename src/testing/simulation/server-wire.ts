import type { Wire, WireEvents } from '../../core/network/transport.ts';

/** The accepting side's events of a byte stream. */
export type ServerWireEvents = Omit<WireEvents, 'onOpen'>;

/** The accepting side of a byte stream, over TCP or memory. */
export interface ServerWire extends Wire {
  /** The peer, as `host:port`. */
  readonly remote: string;
  /** Closes in order: the peer reads everything written before. */
  end(): void;
  /** Breaks it: the peer sees a connection reset. */
  reset(): void;
  /** Goes silent without closing: nothing is read or sent any more and the peer is not told. */
  halfOpen(): void;
  /** Stops reading, so that the peer's writes come under back pressure. */
  pause(): void;
  resume(): void;
}

/** Called for each new stream; returns its listeners. */
export type Acceptor = (wire: ServerWire) => ServerWireEvents;

/** A listening socket or its simulated counterpart. */
export interface Listener {
  readonly host: string;
  readonly port: number;
  /** Stops accepting; open streams are the owner's to close. */
  close(): Promise<void>;
}
