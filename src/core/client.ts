// The one object a program makes: it owns the connections and hands out everything that uses them.

import { Admin } from './admin/admin.ts';
import type { Clock, Random } from './clock.ts';
import { systemClock, systemRandom } from './clock.ts';
import type { Cluster } from './cluster/cluster.ts';
import { RemoteCluster } from './cluster/remote-cluster.ts';
import type { Transport } from './network/transport.ts';
import { tcpTransport } from './network/transport.ts';
import type { KafkaOptions } from './options.ts';
import { clusterOptions } from './options.ts';
import type { ProducerOptions } from './producer/options.ts';
import { Producer } from './producer/producer.ts';
import { prepareCrc32c } from './records/crc32c.ts';

/** What the client runs on; a test replaces them so that client and broker run together in simulated time. */
export interface Runtime {
  readonly clock?: Clock | undefined;
  readonly random?: Random | undefined;
  readonly transport?: Transport | undefined;
}

/**
 * A Kafka cluster to work with. Making one does no I/O; connections are opened at first use and shared by everything made from it.
 * Throws UsageError for an option that cannot be.
 */
export class Kafka {
  /** The connections and the metadata, for producers, consumers and groups. */
  readonly cluster: Cluster;
  private readonly hooks: (() => Promise<void>)[] = [];
  private closing: Promise<void> | undefined;

  /** `runtime` is for tests. */
  constructor(options: KafkaOptions, runtime: Runtime = {}) {
    // Long before the first batch: until it is loaded, checksums cost three times as much.
    void prepareCrc32c();
    this.cluster = new RemoteCluster(clusterOptions(options), {
      clock: runtime.clock ?? systemClock,
      random: runtime.random ?? systemRandom,
      transport: runtime.transport ?? tcpTransport,
    });
  }

  /** Topics, offsets and groups of the cluster. */
  admin(): Admin {
    return new Admin(this.cluster);
  }

  /** A producer of its own, over this client's connections; throws UsageError for an option that cannot be. */
  producer(options?: ProducerOptions): Producer {
    return new Producer(this.cluster, options);
  }

  /** Runs `hook` before the connections close: for what works over them and was not closed by itself. */
  beforeClose(hook: () => Promise<void>): void {
    this.hooks.push(hook);
  }

  /**
   * Closes every connection; what is in flight is rejected, so producers and consumers are to be closed before. A second call joins the first.
   */
  close(): Promise<void> {
    this.closing ??= this.shutDown();
    return this.closing;
  }

  private async shutDown(): Promise<void> {
    await Promise.allSettled(this.hooks.splice(0).map((hook) => hook()));
    await this.cluster.close();
  }
}
