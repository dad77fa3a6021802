import type { Clock, Random } from '../../core/clock.ts';
import type { BrokerSaslOptions } from './security/sasl-options.ts';
import type { TlsServerOptions } from './security/tls-options.ts';
import type { WhenFull } from './log/log-memory.ts';

/** How groups behave, and how long what takes; times in milliseconds. */
export interface GroupTimings {
  /** `group.initial.rebalance.delay.ms`: how long an empty group waits for more members. Default 0. */
  readonly initialRebalanceDelayMs: number;
  /** `group.min.session.timeout.ms`; default 6,000. */
  readonly minSessionTimeoutMs: number;
  /** `group.max.session.timeout.ms`; default 1,800,000. */
  readonly maxSessionTimeoutMs: number;
  /** `group.max.size`: members of a classic group; default no limit. */
  readonly maxSize: number;
  /** `group.consumer.session.timeout.ms`; default 45,000. */
  readonly consumerSessionTimeoutMs: number;
  /** `group.consumer.min.session.timeout.ms`, of what a group may have of its own; default 45,000. */
  readonly consumerMinSessionTimeoutMs: number;
  /** `group.consumer.min.heartbeat.interval.ms`, of what a group may have of its own; default 5,000. */
  readonly consumerMinHeartbeatIntervalMs: number;
  /** `group.consumer.heartbeat.interval.ms`, which members of the consumer protocol are told to keep; default 5,000. */
  readonly consumerHeartbeatIntervalMs: number;
  /** `group.consumer.max.size`: members of a group of the consumer protocol; default no limit. */
  readonly consumerMaxSize: number;
  /** `group.consumer.assignment.interval.ms`: between two assignments of a group of the consumer protocol; default 0 (Kafka's is 1,000). */
  readonly assignmentIntervalMs: number;
  /** `group.consumer.migration.policy`: whether a group with members may change its protocol. Default 'bidirectional'. */
  readonly migrationPolicy: MigrationPolicy;
  /** `offsets.retention.minutes`, here in milliseconds; default 7 days. */
  readonly offsetsRetentionMs: number;
  /** `offsets.retention.check.interval.ms`; default 600,000. */
  readonly offsetsRetentionCheckIntervalMs: number;
}

/** To the consumer protocol (upgrade), to the classic one (downgrade), both, or neither. */
export type MigrationPolicy = 'bidirectional' | 'upgrade' | 'downgrade' | 'disabled';

/** A topic to create at the start. */
export interface TopicOptions {
  readonly partitions?: number;
  readonly replicationFactor?: number;
  /** By Kafka's names: `max.message.bytes`, `retention.bytes`, `message.timestamp.type`, `message.timestamp.after.max.ms` have an effect. */
  readonly configs?: { readonly [name: string]: string };
}

/** The inclusive versions of an API that the cluster offers and answers. */
export type VersionLimits = readonly [min: number, max: number];

export interface BrokerOptions {
  /** Nodes of the cluster, with ids from 0 up; default 1, or as many as `restore` had. */
  readonly brokers?: number | undefined;
  /** Where the nodes stand, in their order. Consumers that name theirs are sent to a replica in it, as by Kafka's RackAwareReplicaSelector. */
  readonly racks?: readonly string[] | undefined;
  /** 'tcp' listens on 127.0.0.1; 'memory' is reachable only through `box.transport`. Default 'tcp'. */
  readonly listen?: 'tcp' | 'memory' | undefined;
  /** Ports of the nodes over TCP, in their order; default any free ones. */
  readonly ports?: readonly number[] | undefined;
  /** Address to listen on over TCP; default 127.0.0.1. */
  readonly host?: string | undefined;
  /** Address that clients are told over TCP; default the one listened on. */
  readonly advertisedHost?: string | undefined;
  readonly clock?: Clock | undefined;
  /** Ids, and latencies of the in-memory network, come from it; default by chance. */
  readonly random?: Random | undefined;
  /** Latency one way of the in-memory network; default 0. */
  readonly latencyMs?: number | { readonly min: number; readonly max: number } | undefined;
  /** Begins with what `box.snapshot()` gave: topics, records, commits, members, transactions, ids. Trust it as you trust code. */
  readonly restore?: Uint8Array | undefined;
  /** Topics to start with: a number of partitions, or more about them. */
  readonly topics?: { readonly [name: string]: number | TopicOptions } | undefined;
  /** A Metadata request may create the topics it names; default true, as Kafka's. */
  readonly autoCreateTopics?: boolean | undefined;
  /** Partitions of topics created without a number; default 1. */
  readonly defaultPartitions?: number | undefined;
  /** Replicas of topics created without a number; default min(3, brokers). */
  readonly defaultReplicationFactor?: number | undefined;
  readonly group?: Partial<GroupTimings> | undefined;
  /** Versions by API name (`{ Fetch: [4, 11] }`), narrower than what is supported: an older cluster. An API with `[1, 0]` is not there. */
  readonly versions?: { readonly [api: string]: VersionLimits } | undefined;
  /** Fetch sessions that a node keeps (`max.incremental.fetch.session.cache.slots`); default 1,000, 0 declines them all. */
  readonly fetchSessionSlots?: number | undefined;
  /** Partitions that the cluster takes, over all topics; default 50,000. */
  readonly maxPartitions?: number | undefined;
  /** Levels of features in force, by Kafka's names: `{ 'transaction.version': 1 }`; 0 turns one off. */
  readonly features?: { readonly [name: string]: number } | undefined;
  /** Clients must prove who they are. */
  readonly sasl?: BrokerSaslOptions | undefined;
  /** The nodes speak TLS with this certificate; only over TCP. */
  readonly tls?: TlsServerOptions | undefined;
  /** Connections that a node takes (`max.connections`); default 10,000. */
  readonly maxConnections?: number | undefined;
  /** What all connections together may send of requests that are not complete or not served yet; who brings more is sent away. Default 1 GiB. */
  readonly maxPendingBytes?: number | undefined;
  /** The largest request taken; a larger one closes its connection. Default 100 MiB (`socket.request.max.bytes`). */
  readonly maxRequestBytes?: number | undefined;
  /** A partition forgets a producer so long after its last record (`producer.id.expiration.ms`); looked at every ten minutes. Default a day. */
  readonly producerIdExpirationMs?: number | undefined;
  /** A transactional id that is not in a transaction is forgotten so long after its last use (`transactional.id.expiration.ms`); looked at every hour. Default 7 days. */
  readonly transactionalIdExpirationMs?: number | undefined;
  /** Memory of all logs together; default 1 GiB. */
  readonly maxLogBytes?: number | undefined;
  /**
   * At `maxLogBytes`: 'refuse' answers Produce with POLICY_VIOLATION and says why; 'deleteOldest' removes the older half of the largest log,
   * read or not. Default 'refuse'.
   */
  readonly whenLogsFull?: WhenFull | undefined;
  /** Requests kept in `box.requests()`; default 10,000, the oldest go first. */
  readonly requestLogSize?: number | undefined;
}

/** Options with their defaults. */
export interface ClusterSettings {
  readonly autoCreateTopics: boolean;
  readonly defaultPartitions: number;
  readonly defaultReplicationFactor: number;
  readonly group: GroupTimings;
  readonly features: { readonly [name: string]: number };
  readonly maxLogBytes: number;
  readonly producerIdExpirationMs: number;
  readonly transactionalIdExpirationMs: number;
  readonly whenLogsFull: WhenFull;
  readonly maxRequestBytes: number;
  readonly maxPartitions: number;
}

const PRODUCER_ID_EXPIRATION_MS = 24 * 60 * 60 * 1000;
const TRANSACTIONAL_ID_EXPIRATION_MS = 7 * 24 * 60 * 60 * 1000;
const MAX_LOG_BYTES = 1024 * 1024 * 1024;
const MAX_PARTITIONS = 50_000;
const MAX_REQUEST_BYTES = 100 * 1024 * 1024;

const GROUP_DEFAULTS: GroupTimings = {
  initialRebalanceDelayMs: 0,
  minSessionTimeoutMs: 6_000,
  maxSessionTimeoutMs: 1_800_000,
  maxSize: Infinity,
  consumerSessionTimeoutMs: 45_000,
  consumerHeartbeatIntervalMs: 5_000,
  consumerMinSessionTimeoutMs: 45_000,
  consumerMinHeartbeatIntervalMs: 5_000,
  consumerMaxSize: Infinity,
  assignmentIntervalMs: 0,
  migrationPolicy: 'bidirectional',
  offsetsRetentionMs: 7 * 24 * 3_600_000,
  offsetsRetentionCheckIntervalMs: 600_000,
};

export function settingsOf(options: BrokerOptions): ClusterSettings {
  return {
    autoCreateTopics: options.autoCreateTopics ?? true,
    defaultPartitions: options.defaultPartitions ?? 1,
    defaultReplicationFactor: options.defaultReplicationFactor ?? Math.min(3, options.brokers ?? 1),
    group: { ...GROUP_DEFAULTS, ...options.group },
    features: options.features ?? {},
    maxLogBytes: options.maxLogBytes ?? MAX_LOG_BYTES,
    producerIdExpirationMs: options.producerIdExpirationMs ?? PRODUCER_ID_EXPIRATION_MS,
    transactionalIdExpirationMs: options.transactionalIdExpirationMs ?? TRANSACTIONAL_ID_EXPIRATION_MS,
    whenLogsFull: options.whenLogsFull ?? 'refuse',
    maxPartitions: options.maxPartitions ?? MAX_PARTITIONS,
    maxRequestBytes: options.maxRequestBytes ?? MAX_REQUEST_BYTES,
  };
}
