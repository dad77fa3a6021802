// The one object a program makes: it owns the connections and hands out everything that uses them.

import { Admin } from './admin/admin.ts';
import type { Clock, Random } from './clock.ts';
import { systemClock, systemRandom } from './clock.ts';
import type { Cluster } from './cluster/cluster.ts';
import { RemoteCluster } from './cluster/remote-cluster.ts';
import { openPartitions, type OpenOptions, type OpenPartitions } from './consumer/open-partitions.ts';
import { GroupConsumer } from './group/group-consumer.ts';
import type { GroupListener } from './group/listener.ts';
import type { GroupConsumerOptions } from './group/options.ts';
import type { Dns } from './network/dns.ts';
import { socketTransport } from './network/socket-transport.ts';
import type { Transport } from './network/transport.ts';
import type { KafkaOptions } from './options.ts';
import { clusterOptions, socketOptions } from './options.ts';
import { OffsetManager } from './offsets/offset-manager.ts';
import type { OffsetManagerOptions } from './offsets/options.ts';
import type { ProducerOptions } from './producer/options.ts';
import { Producer } from './producer/producer.ts';
import { prepareCrc32c } from './records/crc32c.ts';
import type { StreamClient } from './stream-client.ts';
import {
  TransactionalProducer,
  type TransactionalProducerOptions,
} from './transactions/transactional-producer.ts';

/** What the client runs on; a test replaces them so that client and broker run together in simulated time. */
export interface Runtime {
  readonly clock?: Clock | undefined;
  readonly random?: Random | undefined;
  /** In the place of sockets; `ssl`, `socketFactory` and `lookup` are of no effect then. */
  readonly transport?: Transport | undefined;
  readonly dns?: Dns | undefined;
}

/**
 * A Kafka cluster to work with. Making one does no I/O; connections are opened at first use and shared by everything made from it.
 * Throws UsageError for an option that cannot be.
 */
export class Kafka implements StreamClient {
  /** The connections and the metadata, for producers, consumers and groups. */
  readonly cluster: Cluster;
  private readonly hooks: (() => Promise<void>)[] = [];
  private closing: Promise<void> | undefined;

  /** `runtime` is for tests. */
  constructor(options: KafkaOptions, runtime: Runtime = {}) {
    // Long before the first batch: until it is loaded, checksums cost three times as much.
    void prepareCrc32c();
    const settings = clusterOptions(options);
    const sockets = socketOptions(options);
    this.cluster = new RemoteCluster(settings, {
      clock: runtime.clock ?? systemClock,
      random: runtime.random ?? systemRandom,
      transport: runtime.transport ?? socketTransport(sockets),
      dns: runtime.dns,
    });
  }

  get clock(): Clock {
    return this.cluster.clock;
  }

  /** Topics, offsets and groups of the cluster. */
  admin(): Admin {
    return new Admin(this.cluster);
  }

  /**
   * A producer of its own, over this client's connections; with a `transactionalId` one that has transactions. Throws UsageError for an option that
   * cannot be.
   */
  producer(options: TransactionalProducerOptions): TransactionalProducer;
  producer(options?: ProducerOptions): Producer;
  producer(options?: ProducerOptions): Producer {
    const { transactionalId } = options ?? {};
    if (transactionalId === undefined) return new Producer(this.cluster, options);
    return new TransactionalProducer(this.cluster, { ...options, transactionalId });
  }

  /** Next offsets of partitions kept by hand for a group; throws UsageError for an option that cannot be. */
  offsets(options: OffsetManagerOptions): OffsetManager {
    return new OffsetManager(this.cluster, options);
  }

  /** A member of a group, to be started; throws UsageError for an option that cannot be. */
  openGroup(options: GroupConsumerOptions, listener: GroupListener): GroupConsumer {
    return new GroupConsumer(this.cluster, options, listener);
  }

  /** As `openPartitions` of the core. */
  openPartitions(options: OpenOptions): Promise<OpenPartitions> {
    return openPartitions(this.cluster, options);
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
