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

  /** `runtime` is for tests. */
  constructor(options: KafkaOptions, runtime: Runtime = {}) {
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

  /** Closes every connection; what is in flight is rejected. Producers and consumers are to be closed before. */
  close(): Promise<void> {
    return this.cluster.close();
  }
}
