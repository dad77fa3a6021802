// A transport whose other end is a script: what a peer does with a connection is a function, and everything it is told is kept.
import type { Clock } from '../../src/core/clock.ts';
import { FrameSplitter } from '../../src/core/network/frame-splitter.ts';
import type { BrokerAddress, Transport, Wire, WireEvents } from '../../src/core/network/transport.ts';
import type { AnyApi, RequestRead, ResponseInit } from '../../src/core/protocol/api.ts';
import { apiByKey } from '../../src/core/protocol/apis.ts';
import { decodeRequestHeader, encodeResponse } from '../../src/core/protocol/frame.ts';
import { Reader } from '../../src/core/protocol/reader.ts';

/** A request as the peer read it. */
export interface SeenRequest {
  readonly api: AnyApi;
  readonly version: number;
  readonly correlationId: number;
  readonly clientId: string | null;
  readonly body: unknown;
  readonly at: number;
}

/** One connection, from the peer's side. Everything the client is told comes through the clock. */
export class FakeWire implements Wire {
  readonly address: BrokerAddress;
  readonly requests: SeenRequest[] = [];
  destroyed = false;
  opened = false;
  /** Called with each request. */
  onRequest: (request: SeenRequest) => void = () => undefined;
  private readonly clock: Clock;
  private readonly events: WireEvents;
  private readonly splitter = new FrameSplitter(2 ** 31 - 1);
  private closed = false;

  constructor(clock: Clock, address: BrokerAddress, events: WireEvents) {
    this.clock = clock;
    this.address = address;
    this.events = events;
  }

  write(bytes: Uint8Array): boolean {
    if (this.destroyed) throw new Error('written after destroy');
    this.splitter.push(Buffer.from(bytes), (frame) => {
      const reader = new Reader(frame);
      const { apiKey, apiVersion: version, correlationId, clientId } = decodeRequestHeader(reader);
      const api = apiByKey(apiKey)!;
      const body: unknown = api.request.decode(reader, version);
      const request = { api, version, correlationId, clientId, body, at: this.clock.now() };
      this.requests.push(request);
      this.clock.defer(() => {
        this.onRequest(request);
      });
    });
    return true;
  }

  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.clock.defer(() => {
      this.tellClosed(undefined);
    });
  }

  accept(): void {
    if (this.destroyed) return;
    this.opened = true;
    this.events.onOpen();
  }

  /** Sends bytes to the client at once. */
  data(bytes: Buffer): void {
    if (!this.destroyed && !this.closed) this.events.onData(Buffer.from(bytes));
  }

  respond<A extends AnyApi>(request: SeenRequest, body: ResponseInit<A>): void {
    this.data(encodeResponse(request.api, request.version, request.correlationId, body));
  }

  /** Ends the stream: in order, or with an error. */
  close(cause?: Error): void {
    this.tellClosed(cause);
  }

  private tellClosed(cause: Error | undefined): void {
    if (this.closed) return;
    this.closed = true;
    this.events.onClose(cause);
  }
}

/** What a peer does with a new connection. */
export type Peer = (wire: FakeWire) => void;

/** Peers by `host:port`; where there is none, the connection is refused. */
export class FakeTransport implements Transport {
  readonly wires: FakeWire[] = [];
  readonly peers = new Map<string, Peer>();
  private readonly clock: Clock;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Connections that the client has not destroyed. */
  get openWires(): FakeWire[] {
    return this.wires.filter((wire) => !wire.destroyed);
  }

  connect(address: BrokerAddress, events: WireEvents): Wire {
    const wire = new FakeWire(this.clock, address, events);
    this.wires.push(wire);
    this.clock.defer(() => {
      const peer = this.peers.get(`${address.host}:${address.port}`);
      if (peer !== undefined) peer(wire);
      else wire.close(refused(address));
    });
    return wire;
  }
}

/** As Node says it. */
export function refused({ host, port }: BrokerAddress): Error {
  return Object.assign(new Error(`connect ECONNREFUSED ${host}:${port}`), { code: 'ECONNREFUSED' });
}

/** A peer that takes the connection and never says a word. */
export const silentPeer: Peer = (wire) => {
  wire.accept();
};

/** The body of a request, typed. */
export function bodyOf<A extends AnyApi>(_api: A, request: SeenRequest): RequestRead<A> {
  return request.body as RequestRead<A>;
}
