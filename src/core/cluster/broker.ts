// One broker: a link for each use, dialled on demand with a common backoff.

import type { Clock, Random } from '../clock.ts';
import { delay } from '../clock.ts';
import { ConnectionError } from '../../errors.ts';
import type { ConnectionOptions } from '../network/connection.ts';
import { Connection } from '../network/connection.ts';
import { sharedAbort } from '../shared-abort.ts';
import type { Use } from './cluster.ts';
import type { LinkOwner } from './link.ts';
import { Link } from './link.ts';
import { backoffMs } from './retry.ts';

/** What every connection of a cluster is made with, and the pauses between dials of one broker. */
export interface BrokerOptions extends ConnectionOptions {
  readonly random: Random;
  readonly reconnectMinDelayMs: number;
  readonly reconnectMaxDelayMs: number;
  readonly maxIdleMs: number;
}

/** One node of the cluster at one address. */
export class Broker implements LinkOwner {
  readonly nodeId: number;
  readonly clock: Clock;
  readonly maxIdleMs: number;
  readonly name: string;
  private readonly options: BrokerOptions;
  private readonly links = new Map<Use, Link>();
  private readonly shutdown = sharedAbort();
  /** Dials that failed since the last one that did not. */
  private failures = 0;
  private retryAt = 0;

  constructor(nodeId: number, options: BrokerOptions) {
    this.nodeId = nodeId;
    this.options = options;
    this.clock = options.clock;
    this.maxIdleMs = options.maxIdleMs;
    this.name = `broker ${nodeId} (${options.address.host}:${options.address.port})`;
  }

  get address(): ConnectionOptions['address'] {
    return this.options.address;
  }

  /** True when the last dial failed. */
  get failing(): boolean {
    return this.failures > 0;
  }

  /** For how long it owes an answer on its 'control' connection and said nothing; undefined without such a connection. */
  get silentMs(): number | undefined {
    return this.links.get('control')?.ready()?.silentMs;
  }

  /** The way to this broker for one use. */
  link(use: Use): Link {
    let link = this.links.get(use);
    if (link === undefined) {
      link = new Link(this);
      this.links.set(use, link);
    }
    return link;
  }

  /** An open connection of any use. */
  anyReady(): Connection | undefined {
    for (const link of this.links.values()) {
      const connection = link.ready();
      if (connection !== undefined) return connection;
    }
    return undefined;
  }

  async dial(): Promise<Connection> {
    const { signal } = this.shutdown;
    signal.throwIfAborted();
    const pauseMs = this.retryAt - this.clock.now();
    if (pauseMs > 0) await delay(this.clock, pauseMs, signal);
    const startedAt = this.clock.now();
    try {
      const connection = await Connection.open(this.options, signal);
      this.failures = 0;
      return connection;
    } catch (error) {
      // Dials of several uses that fail together are one failure.
      if (startedAt >= this.retryAt && !signal.aborted) {
        this.failures += 1;
        this.pause(this.failures);
      }
      throw error;
    }
  }

  lost(): void {
    this.pause(1);
  }

  /** Closes all connections and ends all dials; what waits for one is rejected. */
  close(reason: string): void {
    const { host, port } = this.options.address;
    this.shutdown.abort(new ConnectionError(`${host}:${port} ${reason}`, { host, port, phase: 'dial' }));
    for (const link of this.links.values()) link.close(reason);
  }

  private pause(failures: number): void {
    const { random, reconnectMinDelayMs, reconnectMaxDelayMs } = this.options;
    const pauseMs = backoffMs(failures, reconnectMinDelayMs, reconnectMaxDelayMs, random);
    this.retryAt = Math.max(this.retryAt, this.clock.now() + pauseMs);
  }
}
