import type { Clock, Random } from '../../core/clock.ts';
import type { BrokerAddress, Transport, Wire, WireEvents } from '../../core/network/transport.ts';
import { UsageError } from '../../errors.ts';
import { MemoryWire } from './memory-wire.ts';
import type { LinkConditions } from './memory-wire.ts';
import type { Acceptor, Listener } from './server-wire.ts';

export interface MemoryNetworkOptions {
  readonly clock: Clock;
  /** Draws latencies when they are a range; needed only then. */
  readonly random?: Random | undefined;
  /** One way, per write: a number, or a range drawn from `random`. Default 0: as soon as the clock lets deferred work run. */
  readonly latencyMs?: number | { readonly min: number; readonly max: number } | undefined;
  /** Unread bytes from which `write` answers false; default 1 MiB. */
  readonly highWaterMarkBytes?: number | undefined;
  /** Writes arrive in pieces of at most this many bytes; default 64 KiB, as Node reads a socket. */
  readonly maxChunkBytes?: number | undefined;
}

interface Link {
  readonly address: BrokerAddress;
  readonly conditions: LinkConditions;
  readonly client: MemoryWire;
  readonly server: MemoryWire;
}

const nameOf = (address: BrokerAddress): string => `${address.host}:${address.port}`;

function refusal(address: BrokerAddress): Error {
  return Object.assign(new Error(`connect ECONNREFUSED ${nameOf(address)}`), { code: 'ECONNREFUSED' });
}

/** Byte streams without sockets, on an injected clock: with a `VirtualClock` and a seeded random, the same run every time. */
export class MemoryNetwork {
  /** Connects to what listens in this network. */
  readonly transport: Transport = { connect: (address, events) => this.#connect(address, events) };
  readonly #options: MemoryNetworkOptions;
  readonly #listeners = new Map<string, Acceptor>();
  readonly #unreachable = new Set<string>();
  readonly #links = new Set<Link>();
  #clients = 0;

  constructor(options: MemoryNetworkOptions) {
    this.#options = options;
    if (typeof options.latencyMs === 'object' && options.random === undefined) {
      throw new UsageError('MemoryNetwork: a range of latencies needs `random`', 'random');
    }
  }

  listen(address: BrokerAddress, accept: Acceptor): Listener {
    const name = nameOf(address);
    if (this.#listeners.has(name))
      throw new UsageError(`MemoryNetwork: something listens on ${name} already`);
    this.#listeners.set(name, accept);
    return {
      host: address.host,
      port: address.port,
      close: () => {
        this.#listeners.delete(name);
        return Promise.resolve();
      },
    };
  }

  /** Open streams, to one address or to all. */
  openLinks(address?: BrokerAddress): number {
    return this.#select(address).length;
  }

  /** Resets every open stream to the address (default: all); both ends see ECONNRESET, what was on its way is lost. */
  cut(address?: BrokerAddress): void {
    for (const link of this.#select(address)) {
      link.client.breakOff();
      link.server.breakOff();
      this.#links.delete(link);
    }
  }

  /** Every open stream to the address goes silent: nothing arrives any more and neither end is told. */
  halfOpen(address?: BrokerAddress): void {
    for (const link of this.#select(address)) link.conditions.silent = true;
  }

  /** While unreachable, new connections neither open nor fail, and open streams are silent for good. */
  setReachable(address: BrokerAddress, reachable: boolean): void {
    if (reachable) {
      this.#unreachable.delete(nameOf(address));
      return;
    }
    this.#unreachable.add(nameOf(address));
    this.halfOpen(address);
  }

  #forgetClosed(): void {
    for (const link of this.#links) if (link.client.closed && link.server.closed) this.#links.delete(link);
  }

  #select(address: BrokerAddress | undefined): Link[] {
    this.#forgetClosed();
    const all = [...this.#links];
    return address === undefined ? all : all.filter((link) => nameOf(link.address) === nameOf(address));
  }

  #latencyMs(): number {
    const latency = this.#options.latencyMs ?? 0;
    if (typeof latency === 'number') return latency;
    return latency.min + this.#options.random!() * (latency.max - latency.min);
  }

  #after(run: () => void): void {
    const latencyMs = this.#latencyMs();
    if (latencyMs > 0) this.#options.clock.setTimeout(run, latencyMs);
    else this.#options.clock.defer(run);
  }

  #connect(address: BrokerAddress, events: WireEvents): Wire {
    const conditions: LinkConditions = {
      clock: this.#options.clock,
      latencyMs: () => this.#latencyMs(),
      highWaterMarkBytes: this.#options.highWaterMarkBytes ?? 1024 * 1024,
      maxChunkBytes: this.#options.maxChunkBytes ?? 64 * 1024,
      silent: false,
    };
    const client = new MemoryWire(conditions, nameOf(address));
    client.events = events;
    this.#forgetClosed();
    if (this.#unreachable.has(nameOf(address))) return client;
    this.#clients++;
    const server = new MemoryWire(conditions, `memory:${this.#clients}`);
    this.#after(() => {
      const accept = this.#listeners.get(nameOf(address));
      if (accept === undefined) {
        client.refuse(refusal(address));
        return;
      }
      if (client.closed) return;
      MemoryWire.join(client, server);
      const link: Link = { address, conditions, client, server };
      this.#links.add(link);
      server.events = accept(server);
      this.#after(() => {
        if (!client.closed && !conditions.silent) events.onOpen();
      });
    });
    return client;
  }
}
