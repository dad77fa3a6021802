import type { ConsumerConfig, Kafka, ProducerConfig } from 'kafkajs';
import { systemClock, type Clock } from '../core/clock.ts';
import type { OpenOptions } from '../core/consumer/open-partitions.ts';
import type { GroupListener } from '../core/group/listener.ts';
import type { GroupConsumerOptions } from '../core/group/options.ts';
import type { RecordGroup } from '../core/group/record-group.ts';
import type { ProducerOptions } from '../core/producer/options.ts';
import type { RecordProducer } from '../core/producer/record-producer.ts';
import type { OpenedPartitions, StreamClient } from '../core/stream-client.ts';
import { UsageError } from '../errors.ts';
import { KafkajsGroup } from './group.ts';
import { checkGroupOptions } from './group-options.ts';
import { KafkajsProducer } from './producer.ts';
import { sendSettings } from './producer-options.ts';

/** What is used of a kafkajs client. */
export type KafkajsClient = Pick<Kafka, 'consumer' | 'producer' | 'admin'>;

/** What the consumers and producers that are made of the kafkajs client are told, in kafkajs's own words. */
export interface KafkajsOptions {
  /**
   * For every consumer. What `fromGroup` says goes before it. `partitionAssigners` must be those of the members that already run; the default is
   * kafkajs's own, round robin.
   */
  readonly consumer?: Omit<ConsumerConfig, 'groupId' | 'retry'> | undefined;
  /** For every producer: `createPartitioner` above all. */
  readonly producer?: Omit<ProducerConfig, 'transactionalId' | 'transactionTimeout'> | undefined;
}

/** Made by {@link kafkajs}. */
export class KafkajsStreamClient implements StreamClient {
  readonly clock: Clock;
  private readonly client: KafkajsClient;
  private readonly options: KafkajsOptions;
  private readonly hooks: (() => Promise<void>)[] = [];
  private closing: Promise<void> | undefined;

  /** `clock` is for tests. */
  constructor(client: KafkajsClient, options: KafkajsOptions, clock: Clock = systemClock) {
    for (const method of ['consumer', 'producer', 'admin'] as const)
      if (typeof (client as Partial<KafkajsClient> | undefined)?.[method] !== 'function')
        throw new UsageError(
          `kafkajs: the first argument is a client of kafkajs, new Kafka({ ... }); it has no ${method}()`,
          'client',
        );
    this.client = client;
    this.options = options;
    this.clock = clock;
  }

  openGroup(options: GroupConsumerOptions, listener: GroupListener): RecordGroup {
    checkGroupOptions(options);
    return new KafkajsGroup(this.client, this.options.consumer ?? {}, this.clock, options, listener);
  }

  openPartitions({ topic }: OpenOptions): Promise<OpenedPartitions> {
    return Promise.reject(
      new UsageError(
        `fromPartitions '${topic}': kafkajs reads no partition without a group; use new Kafka({ brokers }) of this library for it`,
        'topic',
      ),
    );
  }

  producer(options: ProducerOptions = {}): RecordProducer {
    return new KafkajsProducer(this.client, this.options.producer ?? {}, sendSettings(options), this.clock);
  }

  beforeClose(hook: () => Promise<void>): void {
    this.hooks.push(hook);
  }

  /** For scripts: closes what `sluice(...)` made over it. The kafkajs client itself has nothing to close. */
  close(): Promise<void> {
    this.closing ??= Promise.allSettled(this.hooks.splice(0).map((hook) => hook())).then(() => undefined);
    return this.closing;
  }
}

/**
 * A kafkajs client as the client of topologies: `run(kafkajs(client))` in the place of `run(new Kafka({ ... }))`. Connections, security and logging are
 * the kafkajs client's; credit, acknowledgements, commits and policies are this library's. At least once. `docs/migrating-from-kafkajs.md` says in what
 * the two differ.
 *
 * Refused with a `UsageError` that names the way out: `guarantee: 'exactly-once'`, `fromPartitions`, static members (`groupInstanceId`),
 * `groupProtocol: 'consumer'`, and options that kafkajs has no counterpart for.
 *
 * @throws UsageError when `client` is no kafkajs client
 * @example
 * ```ts
 * import { Kafka as KafkaJS } from 'kafkajs';
 * import { kafkajs } from 'sluice/kafkajs';
 *
 * const existing = new KafkaJS({ brokers: ['localhost:9092'] });
 * await pricing.run(kafkajs(existing));
 * ```
 */
export function kafkajs(client: KafkajsClient, options: KafkajsOptions = {}): KafkajsStreamClient {
  return new KafkajsStreamClient(client, options);
}
