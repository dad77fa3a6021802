// The brokers of a cluster at their newest addresses, and which of them to ask first.

import type { Clock } from '../clock.ts';
import { ConnectionError } from '../../errors.ts';
import type { BrokerOptions } from './broker.ts';
import { Broker } from './broker.ts';
import type { MetadataStore } from './metadata-store.ts';
import { shuffled } from './shuffled.ts';

/** What every connection of a cluster is made with. */
export type PoolOptions = Omit<BrokerOptions, 'address' | 'nodeId'>;

/** How long a broker may keep silent on a question that any other could answer before another is asked too. */
export const HEAD_START_MS = 2000;

const CONNECTED = 0;
const UNTRIED = 1;
const SUSPECT = 2;

/** Brokers by node id, made when they are first needed. */
export class BrokerPool {
  readonly clock: Clock;
  readonly options: PoolOptions;
  private readonly metadata: MetadataStore;
  private readonly brokers = new Map<number, Broker>();

  constructor(metadata: MetadataStore, options: PoolOptions) {
    this.clock = options.clock;
    this.options = options;
    this.metadata = metadata;
  }

  /** The broker of that id at its newest address. Throws ConnectionError for one that nobody named. */
  broker(nodeId: number): Broker {
    const address = this.metadata.nodes.get(nodeId);
    const known = this.brokers.get(nodeId);
    if (known !== undefined) {
      // One that metadata no longer names is still good while it is connected.
      const moved =
        address !== undefined && (address.host !== known.address.host || address.port !== known.address.port);
      if (!moved && (address !== undefined || known.anyReady() !== undefined)) return known;
      this.brokers.delete(nodeId);
      known.close(moved ? `is now at ${address.host}:${address.port}` : 'left the cluster');
    }
    if (address === undefined) {
      const message = `Broker ${nodeId} is not in the cluster's metadata`;
      throw new ConnectionError(message, { host: '', port: 0, phase: 'dial' });
    }
    const broker = new Broker(nodeId, { ...this.options, address, nodeId });
    this.brokers.set(nodeId, broker);
    return broker;
  }

  /** The best broker to ask anything, if there is one that is not suspect. */
  best(): number | undefined {
    const best = this.byHope()[0];
    return best === undefined || this.rank(best) === SUSPECT ? undefined : best;
  }

  /** The known brokers: connected ones, then untried ones, then those that failed or owe an answer; each of these in random order. */
  byHope(): number[] {
    const nodeIds = shuffled([...this.metadata.nodes.keys()], this.options.random);
    return nodeIds.sort((a, b) => this.rank(a) - this.rank(b));
  }

  /** Closes every connection; brokers that are needed afterwards are dialled anew. */
  close(reason: string): void {
    for (const broker of this.brokers.values()) broker.close(reason);
    this.brokers.clear();
  }

  private rank(nodeId: number): number {
    const broker = this.brokers.get(nodeId);
    if (broker === undefined) return UNTRIED;
    const silentMs = broker.silentMs;
    if (silentMs === undefined) return broker.failing ? SUSPECT : UNTRIED;
    return silentMs < HEAD_START_MS ? CONNECTED : SUSPECT;
  }
}
