// Everything that is measured, and under which names: sarama's, and those of Kafka's own clients.

/** What a quantity is told apart by, besides the client. */
export type Dimension = 'node' | 'topic' | 'group' | 'api';

/** Sarama's name; for each value of a dimension there is a metric of its own, with the value in its name. */
export interface SaramaName {
  readonly name: string;
  /** False where only the metrics by dimension exist. */
  readonly hasOverall?: boolean;
  readonly by?: readonly Dimension[];
}

/** Kafka's names in one group of metrics. */
export interface KafkaNames {
  readonly group: string;
  /** By which dimension, as a tag; undefined for the whole client. */
  readonly by?: Dimension;
  readonly rate?: string;
  /** Per hour instead of per second. */
  readonly hourlyRate?: string;
  readonly total?: string;
  readonly avg?: string;
  readonly max?: string;
}

/** One measured thing: `count` adds up, `distribution` takes single values. */
export interface Quantity {
  readonly type: 'count' | 'distribution';
  /** As OpenTelemetry writes units. */
  readonly unit: string;
  readonly description: string;
  readonly sarama?: SaramaName;
  readonly kafka?: readonly KafkaNames[];
  /** As an instrument, where the name that follows from the others is taken. */
  readonly instrument?: string;
}

const BYTES = 'By';
const MS = 'ms';

const CLIENT = 'client-metrics';
const NODE = 'client-node-metrics';
const PRODUCER = 'producer-metrics';
const PRODUCER_TOPIC = 'producer-topic-metrics';
const FETCH = 'consumer-fetch-manager-metrics';
const COORDINATOR = 'consumer-coordinator-metrics';

function count(unit: string, description: string, names: Pick<Quantity, 'sarama' | 'kafka'>): Quantity {
  return { type: 'count', unit, description, ...names };
}

function distribution(
  unit: string,
  description: string,
  names: Pick<Quantity, 'sarama' | 'kafka' | 'instrument'>,
): Quantity {
  return { type: 'distribution', unit, description, ...names };
}

const rateAndTotal = (base: string): Pick<KafkaNames, 'rate' | 'total'> => ({
  rate: `${base}-rate`,
  total: `${base}-total`,
});
const avgAndMax = (base: string): Pick<KafkaNames, 'avg' | 'max'> => ({
  avg: `${base}-avg`,
  max: `${base}-max`,
});
const onClientAndNode = (names: Omit<KafkaNames, 'group' | 'by'>): readonly KafkaNames[] => [
  { group: CLIENT, ...names },
  { group: NODE, by: 'node', ...names },
];
const onProducerAndTopic = (names: Omit<KafkaNames, 'group' | 'by'>): readonly KafkaNames[] => [
  { group: PRODUCER, ...names },
  { group: PRODUCER_TOPIC, by: 'topic', ...names },
];
const onFetchAndTopic = (names: Omit<KafkaNames, 'group' | 'by'>): readonly KafkaNames[] => [
  { group: FETCH, ...names },
  { group: FETCH, by: 'topic', ...names },
];

/** Of connections and requests. */
export const network = {
  incomingBytes: count(BYTES, 'bytes of answers', {
    sarama: { name: 'incoming-byte-rate', by: ['node'] },
    kafka: onClientAndNode(rateAndTotal('incoming-byte')),
  }),
  outgoingBytes: count(BYTES, 'bytes of requests', {
    sarama: { name: 'outgoing-byte-rate', by: ['node'] },
    kafka: onClientAndNode(rateAndTotal('outgoing-byte')),
  }),
  requests: count('{request}', 'requests sent', {
    sarama: { name: 'request-rate', by: ['node'] },
    kafka: onClientAndNode(rateAndTotal('request')),
  }),
  requestSize: distribution(BYTES, 'size of requests', {
    sarama: { name: 'request-size', by: ['node'] },
    kafka: onClientAndNode(avgAndMax('request-size')),
  }),
  requestLatency: distribution(MS, 'from the sending of a request to its answer', {
    sarama: { name: 'request-latency-in-ms', by: ['node'] },
    kafka: onClientAndNode(avgAndMax('request-latency')),
  }),
  responses: count('{response}', 'answers', {
    sarama: { name: 'response-rate', by: ['node'] },
    kafka: onClientAndNode(rateAndTotal('response')),
  }),
  responseSize: distribution(BYTES, 'size of answers', {
    sarama: { name: 'response-size', by: ['node'] },
  }),
  protocolRequests: count('{request}', 'requests sent, by API key', {
    sarama: { name: 'protocol-requests-rate', hasOverall: false, by: ['api'] },
  }),
  connectionsOpened: count('{connection}', 'connections opened', {
    kafka: [{ group: CLIENT, ...rateAndTotal('connection-creation') }],
  }),
  connectionsClosed: count('{connection}', 'connections closed, by whomever', {
    kafka: [{ group: CLIENT, ...rateAndTotal('connection-close') }],
  }),
  authentications: count('{connection}', 'connections that were let in by SASL', {
    kafka: [{ group: CLIENT, ...rateAndTotal('successful-authentication') }],
  }),
  failedAuthentications: count('{connection}', 'connections that were not let in by SASL or TLS', {
    kafka: [{ group: CLIENT, ...rateAndTotal('failed-authentication') }],
  }),
  reauthentications: count('{connection}', 'repeated authentications (KIP-368)', {
    kafka: [{ group: CLIENT, ...rateAndTotal('successful-reauthentication') }],
  }),
  reauthenticationLatency: distribution(MS, 'what a repeated authentication took', {
    kafka: [{ group: CLIENT, ...avgAndMax('reauthentication-latency') }],
  }),
} as const satisfies Readonly<Record<string, Quantity>>;

/** Of producers. */
export const produced = {
  batchSize: distribution(BYTES, 'size of batches as they are sent, repetitions included', {
    sarama: { name: 'batch-size', by: ['topic'] },
    kafka: [{ group: PRODUCER, ...avgAndMax('batch-size') }],
  }),
  compressionRatio: distribution('1', 'size before compression to size after it, times 100', {
    sarama: { name: 'compression-ratio', by: ['topic'] },
  }),
  compressionRate: distribution('1', 'size after compression to size before it', {
    kafka: [
      { group: PRODUCER, avg: 'compression-rate-avg' },
      { group: PRODUCER_TOPIC, by: 'topic', avg: 'compression-rate' },
    ],
  }),
  records: count('{record}', 'records sent, repetitions included', {
    sarama: { name: 'record-send-rate', by: ['topic'] },
    kafka: onProducerAndTopic(rateAndTotal('record-send')),
  }),
  bytes: count(BYTES, 'bytes of batches sent', {
    kafka: [{ group: PRODUCER_TOPIC, by: 'topic', ...rateAndTotal('byte') }],
  }),
  recordsPerRequest: distribution('{record}', 'records of a Produce request', {
    sarama: { name: 'records-per-request' },
    kafka: [{ group: PRODUCER, avg: 'records-per-request-avg' }],
  }),
  recordsPerRequestOfTopic: distribution('{record}', 'records of one topic in a Produce request', {
    sarama: { name: 'records-per-request', hasOverall: false, by: ['topic'] },
  }),
  queueTime: distribution(MS, 'from the first record of a batch to its sending', {
    kafka: [{ group: PRODUCER, ...avgAndMax('record-queue-time') }],
  }),
  retries: count('{record}', 'records sent again', {
    kafka: onProducerAndTopic(rateAndTotal('record-retry')),
  }),
  errors: count('{record}', 'records that failed', {
    kafka: onProducerAndTopic(rateAndTotal('record-error')),
  }),
  throttleTime: distribution(MS, 'how long brokers throttled Produce (KIP-219)', {
    kafka: [{ group: PRODUCER, ...avgAndMax('produce-throttle-time') }],
  }),
  transactionInit: count('ns', 'time spent in init()', {
    kafka: [{ group: PRODUCER, total: 'txn-init-time-ns-total' }],
  }),
  transactionOffsets: count('ns', 'time spent in sendOffsets()', {
    kafka: [{ group: PRODUCER, total: 'txn-send-offsets-time-ns-total' }],
  }),
  transactionCommit: count('ns', 'time spent in ending transactions that were committed', {
    kafka: [{ group: PRODUCER, total: 'txn-commit-time-ns-total' }],
  }),
  transactionAbort: count('ns', 'time spent in ending transactions that were aborted', {
    kafka: [{ group: PRODUCER, total: 'txn-abort-time-ns-total' }],
  }),
} as const satisfies Readonly<Record<string, Quantity>>;

/** Of what is fetched. */
export const fetched = {
  fetches: count('{request}', 'answers to Fetch', {
    sarama: { name: 'consumer-fetch-rate', by: ['node'] },
    kafka: [{ group: FETCH, ...rateAndTotal('fetch') }],
  }),
  fetchesOfTopic: count('{request}', 'answers to Fetch that name a topic', {
    sarama: { name: 'consumer-fetch-rate', hasOverall: false, by: ['topic'] },
  }),
  latency: distribution(MS, 'from the sending of a Fetch to its answer, long polls included', {
    kafka: [{ group: FETCH, ...avgAndMax('fetch-latency') }],
  }),
  throttleTime: distribution(MS, 'how long brokers throttled Fetch (KIP-219)', {
    kafka: [{ group: FETCH, ...avgAndMax('fetch-throttle-time') }],
  }),
  size: distribution(BYTES, 'bytes of records in an answer to Fetch', {
    kafka: [{ group: FETCH, ...avgAndMax('fetch-size') }],
  }),
  sizeOfTopic: distribution(BYTES, 'bytes of records of one topic in an answer to Fetch', {
    kafka: [{ group: FETCH, by: 'topic', ...avgAndMax('fetch-size') }],
  }),
  partitionSize: distribution(BYTES, 'bytes of records of one partition in an answer to Fetch', {
    sarama: { name: 'consumer-fetch-response-size' },
  }),
  partitionRecords: distribution('{record}', 'records of one partition in an answer to Fetch', {
    sarama: { name: 'consumer-batch-size' },
  }),
  bytes: count(BYTES, 'bytes of records fetched', {
    kafka: onFetchAndTopic(rateAndTotal('bytes-consumed')),
  }),
  records: count('{record}', 'records fetched', {
    kafka: onFetchAndTopic(rateAndTotal('records-consumed')),
  }),
  recordsPerRequest: distribution('{record}', 'records in an answer to Fetch', {
    instrument: 'fetch-records-per-request',
    kafka: [{ group: FETCH, avg: 'records-per-request-avg' }],
  }),
  recordsPerRequestOfTopic: distribution('{record}', 'records of one topic in an answer to Fetch', {
    kafka: [{ group: FETCH, by: 'topic', avg: 'records-per-request-avg' }],
  }),
} as const satisfies Readonly<Record<string, Quantity>>;

/** Of groups. */
export const grouped = {
  joinAttempts: count('{attempt}', 'attempts to join a group', {
    sarama: { name: 'consumer-group-join-total', hasOverall: false, by: ['group'] },
  }),
  failedJoins: count('{attempt}', 'attempts to join a group that failed', {
    sarama: { name: 'consumer-group-join-failed', hasOverall: false, by: ['group'] },
  }),
  syncAttempts: count('{attempt}', "attempts to get one's part of a generation", {
    sarama: { name: 'consumer-group-sync-total', hasOverall: false, by: ['group'] },
  }),
  failedSyncs: count('{attempt}', "attempts to get one's part of a generation that failed", {
    sarama: { name: 'consumer-group-sync-failed', hasOverall: false, by: ['group'] },
  }),
  joins: count('{request}', 'JoinGroup answered', {
    kafka: [{ group: COORDINATOR, ...rateAndTotal('join') }],
  }),
  joinLatency: distribution(MS, 'from JoinGroup to its answer', {
    kafka: [{ group: COORDINATOR, ...avgAndMax('join-time') }],
  }),
  syncs: count('{request}', 'SyncGroup answered', {
    kafka: [{ group: COORDINATOR, ...rateAndTotal('sync') }],
  }),
  syncLatency: distribution(MS, 'from SyncGroup to its answer', {
    kafka: [{ group: COORDINATOR, ...avgAndMax('sync-time') }],
  }),
  heartbeats: count('{request}', 'heartbeats answered', {
    kafka: [{ group: COORDINATOR, ...rateAndTotal('heartbeat') }],
  }),
  heartbeatLatency: distribution(MS, 'from a heartbeat to its answer', {
    kafka: [{ group: COORDINATOR, max: 'heartbeat-response-time-max' }],
  }),
  rebalances: count('{rebalance}', 'rebalances that succeeded', {
    kafka: [{ group: COORDINATOR, total: 'rebalance-total', hourlyRate: 'rebalance-rate-per-hour' }],
  }),
  failedRebalances: count('{rebalance}', 'rebalances that failed', {
    kafka: [
      { group: COORDINATOR, total: 'failed-rebalance-total', hourlyRate: 'failed-rebalance-rate-per-hour' },
    ],
  }),
  rebalanceLatency: distribution(MS, 'from the beginning of a join to the assignment', {
    kafka: [{ group: COORDINATOR, ...avgAndMax('rebalance-latency') }],
  }),
  rebalanceTime: count(MS, 'time spent in rebalances', {
    kafka: [{ group: COORDINATOR, total: 'rebalance-latency-total' }],
  }),
  revokedLatency: distribution(MS, 'from the closing of a claim to its release, the last commit included', {
    kafka: [{ group: COORDINATOR, ...avgAndMax('partition-revoked-latency') }],
  }),
  commits: count('{commit}', 'commits', { kafka: [{ group: COORDINATOR, ...rateAndTotal('commit') }] }),
  commitLatency: distribution(MS, 'what a commit took, repetitions included', {
    kafka: [{ group: COORDINATOR, ...avgAndMax('commit-latency') }],
  }),
} as const satisfies Readonly<Record<string, Quantity>>;

/** Where a gauge belongs, and how it is called. */
export interface GaugeName {
  readonly name: string;
  readonly group: string;
  readonly unit: string;
  readonly description: string;
}

/** What stands at a value, and is looked up when somebody asks. */
export const gauges = {
  requestsInFlight: {
    name: 'requests-in-flight',
    group: CLIENT,
    unit: '{request}',
    description: 'requests without an answer; by node as well',
  },
  connections: {
    name: 'connection-count',
    group: CLIENT,
    unit: '{connection}',
    description: 'open connections that were opened, or used, since the collecting began',
  },
  metadataAge: {
    name: 'metadata-age',
    group: PRODUCER,
    unit: 's',
    description: 'since the last refresh of metadata',
  },
  bufferTotal: {
    name: 'buffer-total-bytes',
    group: PRODUCER,
    unit: BYTES,
    description: '`bufferBytes` of all producers',
  },
  bufferAvailable: {
    name: 'buffer-available-bytes',
    group: PRODUCER,
    unit: BYTES,
    description: 'what of it is free',
  },
  lag: {
    name: 'records-lag',
    group: FETCH,
    unit: '{record}',
    description: 'offsets between the position and the end of what can be read; by topic and partition',
  },
  maxLag: {
    name: 'records-lag-max',
    group: FETCH,
    unit: '{record}',
    description: 'the largest of these now',
  },
  assigned: {
    name: 'assigned-partitions',
    group: COORDINATOR,
    unit: '{partition}',
    description: 'claims of all members',
  },
  lastHeartbeat: {
    name: 'last-heartbeat-seconds-ago',
    group: COORDINATOR,
    unit: 's',
    description: 'since the last heartbeat was answered; -1 without one',
  },
  lastRebalance: {
    name: 'last-rebalance-seconds-ago',
    group: COORDINATOR,
    unit: 's',
    description: 'since the last rebalance; -1 without one',
  },
} as const satisfies Readonly<Record<string, GaugeName>>;

/** All but the gauges. */
export const quantities: readonly Quantity[] = [network, produced, fetched, grouped].flatMap((part) =>
  Object.values<Quantity>(part),
);
