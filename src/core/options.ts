// The options of a client: their defaults and their validation.

import type { LookupFunction } from 'node:net';
import { UsageError } from '../errors.ts';
import type { SocketFactory, SocketTransportOptions } from './network/socket-transport.ts';
import type { BrokerAddress } from './network/transport.ts';
import type { SaslMechanism } from './security/sasl-exchange.ts';
import { saslMechanism } from './security/sasl-mechanism.ts';
import type { SaslOptions } from './security/sasl-options.ts';
import type { TlsInit } from './security/tls-options.ts';
import { tlsSource } from './security/tls-options.ts';

/** How calls that may be repeated are repeated; kafkajs's names. */
export interface RetryInit {
  /** Most repetitions of one call; default as many as its deadline allows. */
  readonly retries?: number | undefined;
  /** Milliseconds before the first repetition, doubled each time; default 100. */
  readonly initialRetryTime?: number | undefined;
  /** Milliseconds, the longest pause; default 1000. */
  readonly maxRetryTime?: number | undefined;
}

/** Options of {@link Kafka}: kafkajs's names where kafkajs has one, Kafka's own otherwise. All times in milliseconds. */
export interface KafkaOptions {
  /** `host:port` of some brokers of the cluster, tried in random order; the others are learned from them. */
  readonly brokers: readonly string[];
  /** The name brokers log and apply quotas to; default 'sluice'. */
  readonly clientId?: string | undefined;
  /** TLS: true for Node's authorities, or what `tls.connect` takes; default plaintext. The host name is checked unless told otherwise. */
  readonly ssl?: TlsInit | undefined;
  /** Who the client is; default nobody in particular. Secrets given here are in no error, log or inspection. */
  readonly sasl?: SaslOptions | undefined;
  /** Opens the sockets, to go through a proxy for example; default Node's `net` and `tls`. */
  readonly socketFactory?: SocketFactory | undefined;
  /** How host names become addresses; default Node's `dns.lookup`. Every address it gives is tried. */
  readonly lookup?: LookupFunction | undefined;
  /** With 'resolve_canonical_bootstrap_servers_only' each address of each seed is dialled by its own name; default 'use_all_dns_ips'. */
  readonly clientDnsLookup?: ClientDnsLookup | undefined;
  /** Until a connection is open, the broker has said which versions it speaks and has let the client in; default 10,000. */
  readonly connectionTimeout?: number | undefined;
  /** Until one request is answered, when its call names no other; default 30,000. */
  readonly requestTimeout?: number | undefined;
  /** The hard deadline of a whole call, retries included; default 60,000. */
  readonly defaultApiTimeoutMs?: number | undefined;
  readonly retry?: RetryInit | undefined;
  /** The age at which what is known of the topics in use is asked for again; 0: only on need. Default 300,000. */
  readonly metadataMaxAge?: number | undefined;
  /** The hard deadline of one question for metadata, however many brokers there are to ask; default 60,000. */
  readonly metadataTimeout?: number | undefined;
  /** Let the cluster create a topic that is asked for and was never seen before; default true, as in Kafka's clients. */
  readonly allowAutoTopicCreation?: boolean | undefined;
  /** The pause before a broker that could not be reached is dialled again, doubled each time; default 50. */
  readonly reconnectBackoffMs?: number | undefined;
  /** The longest such pause; default 1000. */
  readonly reconnectBackoffMaxMs?: number | undefined;
  /** A connection unused for longer is replaced instead of used; default 540,000, below the broker's own ten minutes. */
  readonly connectionsMaxIdleMs?: number | undefined;
  /** The largest answer that is accepted, in bytes; default 256 MiB. */
  readonly maxResponseBytes?: number | undefined;
}

/** Kafka's `client.dns.lookup`. */
export type ClientDnsLookup = 'use_all_dns_ips' | 'resolve_canonical_bootstrap_servers_only';

/** {@link KafkaOptions}, checked and complete. */
export interface ClusterOptions {
  readonly seeds: readonly BrokerAddress[];
  readonly clientId: string;
  readonly connectionTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly apiTimeoutMs: number;
  readonly retries: number;
  readonly retryMinDelayMs: number;
  readonly retryMaxDelayMs: number;
  readonly metadataMaxAgeMs: number;
  readonly metadataTimeoutMs: number;
  readonly canonicalSeeds: boolean;
  readonly sasl: SaslMechanism | undefined;
  readonly allowAutoTopicCreation: boolean;
  readonly reconnectMinDelayMs: number;
  readonly reconnectMaxDelayMs: number;
  readonly maxIdleMs: number;
  readonly maxFrameBytes: number;
}

const KNOWN = new Set<string>([
  'brokers',
  'clientId',
  'ssl',
  'sasl',
  'socketFactory',
  'lookup',
  'clientDnsLookup',
  'metadataTimeout',
  'connectionTimeout',
  'requestTimeout',
  'defaultApiTimeoutMs',
  'retry',
  'metadataMaxAge',
  'allowAutoTopicCreation',
  'reconnectBackoffMs',
  'reconnectBackoffMaxMs',
  'connectionsMaxIdleMs',
  'maxResponseBytes',
] satisfies (keyof KafkaOptions)[]);
const KNOWN_RETRY = new Set<string>([
  'retries',
  'initialRetryTime',
  'maxRetryTime',
] satisfies (keyof RetryInit)[]);

const MAX_TIMEOUT_MS = 2 ** 31 - 1;
const MIN_RESPONSE_BYTES = 1024;
const MAX_RESPONSE_BYTES = 2 ** 31 - 1;
const CANONICAL = 'resolve_canonical_bootstrap_servers_only';
const DNS_LOOKUPS: readonly ClientDnsLookup[] = ['use_all_dns_ips', CANONICAL];
const ADDRESS = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:/\\@[\]]+)):([0-9]{1,5})$/;

/** Checks the options of a client. An empty list of brokers passes here and fails at first use. Throws UsageError naming the option. */
export function clusterOptions(options: KafkaOptions): ClusterOptions {
  object(options, 'options');
  onlyKnown(options, KNOWN, '');
  const retry = options.retry ?? {};
  object(retry, 'retry');
  onlyKnown(retry, KNOWN_RETRY, 'retry.');
  const result: ClusterOptions = {
    seeds: seeds(options.brokers),
    clientId: clientId(options.clientId),
    connectionTimeoutMs: integer('connectionTimeout', options.connectionTimeout, 10_000, 1, MAX_TIMEOUT_MS),
    requestTimeoutMs: integer('requestTimeout', options.requestTimeout, 30_000, 1, MAX_TIMEOUT_MS),
    apiTimeoutMs: integer('defaultApiTimeoutMs', options.defaultApiTimeoutMs, 60_000, 1, MAX_TIMEOUT_MS),
    retries:
      retry.retries === Infinity
        ? Infinity
        : integer('retry.retries', retry.retries, Infinity, 0, MAX_TIMEOUT_MS),
    retryMinDelayMs: integer('retry.initialRetryTime', retry.initialRetryTime, 100, 1, MAX_TIMEOUT_MS),
    retryMaxDelayMs: integer('retry.maxRetryTime', retry.maxRetryTime, 1000, 1, MAX_TIMEOUT_MS),
    metadataMaxAgeMs: integer('metadataMaxAge', options.metadataMaxAge, 300_000, 0, MAX_TIMEOUT_MS),
    metadataTimeoutMs: integer('metadataTimeout', options.metadataTimeout, 60_000, 1, MAX_TIMEOUT_MS),
    canonicalSeeds:
      oneOf('clientDnsLookup', options.clientDnsLookup, DNS_LOOKUPS, 'use_all_dns_ips') === CANONICAL,
    sasl: options.sasl === undefined ? undefined : saslMechanism(options.sasl),
    allowAutoTopicCreation: flag('allowAutoTopicCreation', options.allowAutoTopicCreation, true),
    reconnectMinDelayMs: integer('reconnectBackoffMs', options.reconnectBackoffMs, 50, 0, MAX_TIMEOUT_MS),
    reconnectMaxDelayMs: integer(
      'reconnectBackoffMaxMs',
      options.reconnectBackoffMaxMs,
      1000,
      0,
      MAX_TIMEOUT_MS,
    ),
    maxIdleMs: integer('connectionsMaxIdleMs', options.connectionsMaxIdleMs, 540_000, 1, MAX_TIMEOUT_MS),
    maxFrameBytes: integer(
      'maxResponseBytes',
      options.maxResponseBytes,
      256 * 1024 * 1024,
      MIN_RESPONSE_BYTES,
      MAX_RESPONSE_BYTES,
    ),
  };
  atMost('retry.initialRetryTime', result.retryMinDelayMs, 'retry.maxRetryTime', result.retryMaxDelayMs);
  atMost(
    'reconnectBackoffMs',
    result.reconnectMinDelayMs,
    'reconnectBackoffMaxMs',
    result.reconnectMaxDelayMs,
  );
  return result;
}

/** How sockets are opened; checks the options about it. Throws UsageError naming the option. */
export function socketOptions(options: KafkaOptions): SocketTransportOptions {
  const { socketFactory, lookup } = options;
  for (const [name, value] of Object.entries({ socketFactory, lookup }))
    if (value !== undefined && typeof value !== 'function') throw wrong(name, value, 'a function');
  return { ssl: tlsSource(options.ssl), socketFactory, lookup };
}

function seeds(brokers: unknown): BrokerAddress[] {
  if (!Array.isArray(brokers)) throw wrong('brokers', brokers, "a list of 'host:port' strings");
  return brokers.map((entry: unknown, at) => address(`brokers[${at}]`, entry));
}

function address(option: string, entry: unknown): BrokerAddress {
  const match = typeof entry === 'string' ? ADDRESS.exec(entry.trim()) : null;
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || !(port >= 1 && port <= 65_535)) {
    throw wrong(option, entry, "'host:port' with a port of 1 to 65535, an IPv6 address in brackets");
  }
  return { host, port };
}

function clientId(value: unknown): string {
  if (value === undefined) return 'sluice';
  if (typeof value !== 'string' || value === '' || value.length > 32_767) {
    throw wrong('clientId', value, 'a string that is not empty');
  }
  return value;
}

function integer(option: string, value: unknown, fallback: number, min: number, max: number): number {
  if (value === undefined) return fallback;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
    throw wrong(option, value, `an integer from ${min} to ${max}`);
  }
  return value;
}

function oneOf<T extends string>(option: string, value: unknown, known: readonly T[], fallback: T): T {
  if (value === undefined) return fallback;
  const found = known.find((name) => name === value);
  if (found === undefined) throw wrong(option, value, `one of '${known.join("', '")}'`);
  return found;
}

function flag(option: string, value: unknown, fallback: boolean): boolean {
  if (value === undefined) return fallback;
  if (typeof value !== 'boolean') throw wrong(option, value, 'true or false');
  return value;
}

function object(value: unknown, option: string): asserts value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw wrong(option, value, 'an object');
}

function onlyKnown(options: object, known: ReadonlySet<string>, prefix: string): void {
  for (const name of Object.keys(options)) {
    if (known.has(name)) continue;
    throw new UsageError(
      `${prefix}${name} is not an option; known are ${[...known].join(', ')}`,
      `${prefix}${name}`,
    );
  }
}

function atMost(option: string, value: number, limitOption: string, limit: number): void {
  if (value <= limit) return;
  throw new UsageError(`${option} (${value}) must not be above ${limitOption} (${limit})`, option);
}

function wrong(option: string, value: unknown, wanted: string): UsageError {
  return new UsageError(`${option} must be ${wanted}, not ${show(value)}`, option);
}

/** The value and its type, short enough for a message. */
function show(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'string')
    return `${JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}...` : value)} (string)`;
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint')
    return `${value} (${typeof value})`;
  return `a value of type ${typeof value}`;
}
