// The only file that opens sockets.

import type { LookupFunction, OnReadOpts } from 'node:net';
import { connect, isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ConnectionOptions } from 'node:tls';
import { connect as connectTls } from 'node:tls';
import { SocketWire } from './socket-wire.ts';
import type { BrokerAddress, Transport } from './transport.ts';

/** What a socket factory is asked for; kafkajs's names. */
export interface SocketRequest {
  readonly host: string;
  readonly port: number;
  /** The option `ssl`, ready for `tls.connect`; undefined for plaintext. */
  readonly ssl: ConnectionOptions | undefined;
  /** To be called when bytes may be written; with TLS, when the handshake is done. */
  readonly onConnect: () => void;
}

/**
 * Opens the stream to a broker, to go through a proxy for example. Gives it at once and calls `onConnect` later, as kafkajs has it, or gives a
 * promise of one that is connected already. It is its business to do TLS where `ssl` is set.
 */
export type SocketFactory = (request: SocketRequest) => Duplex | Promise<Duplex>;

/** The TLS options of a connection, or what fetches them for each. */
export type TlsSource = ConnectionOptions | (() => ConnectionOptions | Promise<ConnectionOptions>);

/** How sockets are opened. */
export interface SocketTransportOptions {
  /** Default plaintext. */
  readonly ssl?: TlsSource | undefined;
  readonly socketFactory?: SocketFactory | undefined;
  /** How host names become addresses; default Node's `dns.lookup`. Each address it gives is tried. */
  readonly lookup?: LookupFunction | undefined;
}

/** Before the next address of a host is tried. */
const ADDRESS_ATTEMPT_MS = 1000;
const KEEP_ALIVE_AFTER_MS = 60_000;

/** TCP, without Nagle's delay, or TLS over it. */
export function socketTransport(options: SocketTransportOptions = {}): Transport {
  const { ssl, socketFactory, lookup } = options;
  const open = (
    wire: SocketWire,
    { host, port }: BrokerAddress,
    tls: ConnectionOptions | undefined,
  ): void => {
    const request = { host, port, ssl: tls, onConnect: wire.connected };
    const socket = socketFactory?.(request) ?? openSocket(request, lookup, wire.onread);
    if (!(socket instanceof Promise)) {
      wire.adopt(socket);
      return;
    }
    socket.then(
      (connected) => {
        wire.adopt(connected);
        wire.connected();
      },
      (error: unknown) => {
        wire.failed(error);
      },
    );
  };
  const start = async (wire: SocketWire, address: BrokerAddress, tls: Promise<ConnectionOptions>) => {
    open(wire, address, await tls);
  };
  return {
    connect(address, events) {
      const wire = new SocketWire(events);
      try {
        const tls = typeof ssl === 'function' ? ssl() : ssl;
        if (tls instanceof Promise) start(wire, address, tls).catch((error: unknown) => wire.failed(error));
        else open(wire, address, tls);
      } catch (error) {
        wire.failed(error);
      }
      return wire;
    },
  };
}

// TLS decrypts into buffers of its own; only a plain socket reads into the owner's.
function openSocket(
  { host, port, ssl, onConnect }: SocketRequest,
  lookup: LookupFunction | undefined,
  onread: OnReadOpts | undefined,
): Duplex {
  const at = {
    host,
    port,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: ADDRESS_ATTEMPT_MS,
    ...(lookup !== undefined && { lookup }),
  };
  // A name for SNI must be a name; what the certificate is checked against is the host in any case.
  const name = isIP(host) === 0 ? { servername: host } : {};
  const socket =
    ssl === undefined
      ? connect({ ...at, ...(onread !== undefined && { onread }) }, onConnect)
      : connectTls({ ...at, ...name, ...ssl }, onConnect);
  socket.setNoDelay(true);
  socket.setKeepAlive(true, KEEP_ALIVE_AFTER_MS);
  return socket;
}
