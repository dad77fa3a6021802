// Every rule of the options: one case that breaks it, whose error names the option, its value and the rule, and one that keeps it.
import { describe, expect, it } from '@jest/globals';
import { Kafka } from '../../src/core/client.ts';
import { Fetcher } from '../../src/core/consumer/fetcher.ts';
import { PartitionReader } from '../../src/core/consumer/partition-reader.ts';
import { resolveGroupTimes } from '../../src/core/group/options.ts';
import { clusterOptions, socketOptions } from '../../src/core/options.ts';
import { producerSettings } from '../../src/core/producer/options.ts';
import { UsageError } from '../../src/errors.ts';

/** The option that the error names, the case that breaks the rule, what the message says, and the case that keeps it. */
type Rule = readonly [option: string, bad: object, message: RegExp, good: object];
type Check = (options: object) => unknown;

const login = { username: 'alice', password: 'secret' };
const ofKafka: Check = (options) => {
  const all = { brokers: ['a:9092'], ...options };
  return [clusterOptions(all), socketOptions(all)];
};

const CLIENT: readonly Rule[] = [
  ['brokers', { brokers: 'a:1' }, /brokers must be a list of .*"a:1" \(string\)/, { brokers: ['a:1'] }],
  ['brokers[0]', { brokers: ['a'] }, /brokers\[0\] must be 'host:port'.*"a"/, { brokers: ['[::1]:1'] }],
  ['brokers[0]', { brokers: ['a:70000'] }, /a port of 1 to 65535.*"a:70000"/, { brokers: ['a:65535'] }],
  ['clientId', { clientId: '' }, /clientId must be a string that is not empty, not ""/, { clientId: 'x' }],
  ['ssl', { ssl: 'true' }, /ssl must be true, false, an object or a function, not a string/, { ssl: true }],
  ['ssl', { ssl: { cert: 'x', key: 'y' } }, /ssl makes no TLS context/, { ssl: { servername: 'a' } }],
  [
    'ssl.rejectUnauthorized',
    { ssl: { rejectUnauthorized: 0 } },
    /true or false, not a number/,
    { ssl: { rejectUnauthorized: true } },
  ],
  [
    'ssl.servername',
    { ssl: { servername: '' } },
    /ssl.servername must be a host name/,
    { ssl: { servername: 'a.b' } },
  ],
  [
    'sasl',
    { sasl: 'plain' },
    /sasl must be an object .* not a string/,
    { sasl: { mechanism: 'plain', ...login } },
  ],
  [
    'sasl.mechanism',
    { sasl: { mechanism: 'kerberos' } },
    /sasl.mechanism must be 'plain', .* not "kerberos"/,
    { sasl: { mechanism: 'scram-sha-512', ...login } },
  ],
  [
    'sasl.username',
    { sasl: { mechanism: 'plain' } },
    /sasl.username must be a string .* not undefined/,
    { sasl: { mechanism: 'plain', credentials: () => login } },
  ],
  [
    'sasl.password',
    { sasl: { mechanism: 'plain', username: 'a', password: 1 } },
    /sasl.password must be a string .* not a number/,
    { sasl: { mechanism: 'PLAIN', ...login } },
  ],
  [
    'sasl.oauthBearerProvider',
    { sasl: { mechanism: 'oauthbearer' } },
    /must be a function .* not undefined/,
    { sasl: { mechanism: 'oauthbearer', oauthBearerProvider: () => ({ value: 't' }) } },
  ],
  [
    'sasl.exchange',
    { sasl: { mechanism: 'GSSAPI', exchange: 1 } },
    /sasl.exchange must be a function, not a number/,
    { sasl: { mechanism: 'GSSAPI', exchange: () => ({}) } },
  ],
  [
    'sasl.token',
    { sasl: { mechanism: 'plain', token: 'x', ...login } },
    /sasl.token is not an option; known are/,
    { sasl: { mechanism: 'plain', ...login } },
  ],
  [
    'socketFactory',
    { socketFactory: {} },
    /socketFactory must be a function, not a value of type object/,
    { socketFactory: () => {} },
  ],
  ['lookup', { lookup: 'dns' }, /lookup must be a function, not "dns"/, { lookup: () => {} }],
  [
    'clientDnsLookup',
    { clientDnsLookup: 'default' },
    /clientDnsLookup must be one of 'use_all_dns_ips', .* not "default"/,
    { clientDnsLookup: 'use_all_dns_ips' },
  ],
  [
    'connectionTimeout',
    { connectionTimeout: 0 },
    /connectionTimeout must be an integer from 1 to 2147483647, not 0/,
    { connectionTimeout: 1 },
  ],
  [
    'requestTimeout',
    { requestTimeout: -5 },
    /requestTimeout must be an integer from 1 .* not -5/,
    { requestTimeout: 30_000 },
  ],
  [
    'defaultApiTimeoutMs',
    { defaultApiTimeoutMs: 1.5 },
    /defaultApiTimeoutMs must be an integer .* not 1.5/,
    { defaultApiTimeoutMs: 2 },
  ],
  [
    'metadataMaxAge',
    { metadataMaxAge: -1 },
    /metadataMaxAge must be an integer from 0 .* not -1/,
    { metadataMaxAge: 0 },
  ],
  [
    'metadataTimeout',
    { metadataTimeout: 0 },
    /metadataTimeout must be an integer from 1 .* not 0/,
    { metadataTimeout: 5000 },
  ],
  ['retry', { retry: 3 }, /retry must be an object, not 3/, { retry: {} }],
  [
    'retry.retries',
    { retry: { retries: -1 } },
    /retry.retries must be an integer from 0 .* not -1/,
    { retry: { retries: Infinity } },
  ],
  [
    'retry.initialRetryTime',
    { retry: { initialRetryTime: 0 } },
    /from 1 .* not 0/,
    { retry: { initialRetryTime: 1 } },
  ],
  [
    'retry.initialRetryTime',
    { retry: { initialRetryTime: 3000 } },
    /\(3000\) must not be above retry.maxRetryTime \(1000\)/,
    { retry: { initialRetryTime: 3000, maxRetryTime: 3000 } },
  ],
  [
    'retry.maxRetryTime',
    { retry: { maxRetryTime: '1s' } },
    /retry.maxRetryTime must be an integer .* not "1s"/,
    { retry: { maxRetryTime: 200 } },
  ],
  [
    'retry.factor',
    { retry: { factor: 2 } },
    /retry.factor is not an option; known are/,
    { retry: { retries: 2 } },
  ],
  [
    'allowAutoTopicCreation',
    { allowAutoTopicCreation: 1 },
    /must be true or false, not 1 \(number\)/,
    { allowAutoTopicCreation: false },
  ],
  [
    'reconnectBackoffMs',
    { reconnectBackoffMs: -1 },
    /reconnectBackoffMs must be an integer from 0 .* not -1/,
    { reconnectBackoffMs: 0 },
  ],
  [
    'reconnectBackoffMs',
    { reconnectBackoffMs: 2000 },
    /\(2000\) must not be above reconnectBackoffMaxMs \(1000\)/,
    { reconnectBackoffMs: 1000 },
  ],
  [
    'reconnectBackoffMaxMs',
    { reconnectBackoffMaxMs: null },
    /reconnectBackoffMaxMs must be an integer .* not null/,
    { reconnectBackoffMaxMs: 50 },
  ],
  [
    'connectionsMaxIdleMs',
    { connectionsMaxIdleMs: 0 },
    /connectionsMaxIdleMs must be an integer from 1 .* not 0/,
    { connectionsMaxIdleMs: 1 },
  ],
  [
    'maxResponseBytes',
    { maxResponseBytes: 100 },
    /maxResponseBytes must be an integer from 1024 .* not 100/,
    { maxResponseBytes: 1024 },
  ],
  ['timeout', { timeout: 5 }, /timeout is not an option; known are brokers/, {}],
];

const PRODUCER: readonly Rule[] = [
  ['lingerMs', { lingerMs: -1 }, /lingerMs must be a number of at least 0; got -1/, { lingerMs: 0 }],
  [
    'lingerMs',
    { lingerMs: 200, deliveryTimeoutMs: 100 },
    /lingerMs \(200\) must be shorter than deliveryTimeoutMs \(100\)/,
    { lingerMs: 99, deliveryTimeoutMs: 100 },
  ],
  ['batchBytes', { batchBytes: 0 }, /batchBytes must be a number of at least 1; got 0/, { batchBytes: 1 }],
  [
    'batchBytes',
    { batchBytes: 2e6 },
    /batchBytes \(2000000\) must not be larger than maxRecordBytes \(1048588\)/,
    { batchBytes: 2e6, maxRecordBytes: 2e6 },
  ],
  [
    'batchRecords',
    { batchRecords: 0 },
    /batchRecords must be a number of at least 1; got 0/,
    { batchRecords: Infinity },
  ],
  [
    'maxRecordBytes',
    { maxRecordBytes: 99 },
    /maxRecordBytes must be a number of at least 100; got 99/,
    { maxRecordBytes: 100 },
  ],
  [
    'maxRequestBytes',
    { maxRequestBytes: NaN },
    /maxRequestBytes must be a number of at least 1; got NaN/,
    { maxRequestBytes: 2 ** 21 },
  ],
  [
    'maxRequestBytes',
    { maxRequestBytes: 1000 },
    /maxRequestBytes \(1000\) must hold at least one record of maxRecordBytes/,
    { maxRequestBytes: 1000, maxRecordBytes: 1000 },
  ],
  [
    'bufferBytes',
    { bufferBytes: 0 },
    /bufferBytes must be a number of at least 1; got 0/,
    { bufferBytes: 1 },
  ],
  [
    'partitionBufferBytes',
    { partitionBufferBytes: '1' },
    /partitionBufferBytes must be a number .* got 1/,
    { partitionBufferBytes: 1 },
  ],
  [
    'maxInFlight',
    { maxInFlight: 0 },
    /maxInFlight must be a number of at least 1; got 0/,
    { maxInFlight: 1 },
  ],
  ['maxInFlight', { maxInFlight: 6 }, /maxInFlight must be 5 or less, .*; got 6/, { maxInFlight: 5 }],
  [
    'compressionLevel',
    { compression: 'gzip', compressionLevel: 10 },
    /compressionLevel of gzip must be from 1 to 9; got 10/,
    { compression: 'gzip', compressionLevel: 9 },
  ],
  [
    'compressionLevel',
    { compression: 'zstd', compressionLevel: 1.5 },
    /compressionLevel must be a whole number; got 1.5/,
    { compression: 'zstd', compressionLevel: 19 },
  ],
  [
    'compression',
    { compression: 'brotli' },
    /compression must be one of .*; got "brotli"/,
    { compression: 'gzip' },
  ],
  [
    'deliveryTimeoutMs',
    { deliveryTimeoutMs: 0 },
    /deliveryTimeoutMs must be a number of at least 1; got 0/,
    { deliveryTimeoutMs: 1 },
  ],
  [
    'requestTimeoutMs',
    { requestTimeoutMs: Infinity },
    /requestTimeoutMs must be a number .* got Infinity/,
    { requestTimeoutMs: 1 },
  ],
  [
    'metadataTimeoutMs',
    { metadataTimeoutMs: 0 },
    /metadataTimeoutMs must be a number of at least 1; got 0/,
    { metadataTimeoutMs: 1 },
  ],
  [
    'retryBackoffMs',
    { retryBackoffMs: -1 },
    /retryBackoffMs must be a number of at least 0; got -1/,
    { retryBackoffMs: 0 },
  ],
  [
    'retryBackoffMaxMs',
    { retryBackoffMaxMs: -1 },
    /retryBackoffMaxMs must be a number of at least 0; got -1/,
    { retryBackoffMaxMs: 0 },
  ],
  ['acks', { acks: 2 }, /acks must be 'all', -1, 0 or 1; got 2/, { acks: 'all' }],
  [
    'acks',
    { acks: 1 },
    /acks is 1, and an idempotent producer needs acks 'all'/,
    { acks: 1, idempotent: false },
  ],
  ['idempotent', { idempotent: 'yes' }, /idempotent must be true or false; got yes/, { idempotent: false }],
  [
    'idempotent',
    { idempotent: false, transactionalId: 't' },
    /with a transactionalId \('t'\) is idempotent/,
    { transactionalId: 't' },
  ],
  [
    'transactionalId',
    { transactionalId: '' },
    /transactionalId must be a string that is not empty; got ""/,
    { transactionalId: 't' },
  ],
  [
    'transactionTimeoutMs',
    { transactionTimeoutMs: 5 },
    /transactionTimeoutMs \(5\) is for transactions: it needs a transactionalId/,
    { transactionTimeoutMs: 5, transactionalId: 't' },
  ],
  [
    'transactionTimeoutMs',
    { transactionTimeoutMs: 2 ** 31, transactionalId: 't' },
    /below 2\^31; got 2147483648/,
    { transactionTimeoutMs: 60_000, transactionalId: 't' },
  ],
  [
    'partitioner',
    { partitioner: 'best' },
    /partitioner must be a function, .* got best/,
    { partitioner: 'murmur2' },
  ],
  [
    'interceptors',
    { interceptors: [{}] },
    /interceptors must be a list of objects with onSend/,
    { interceptors: [{ onSend: () => {} }] },
  ],
  ['linger', { linger: 1 }, /A producer has no option linger/, {}],
];

const CONSUMER: readonly Rule[] = [
  ['budgetBytes', { budgetBytes: 0 }, /budgetBytes must be at least 1, not 0/, { budgetBytes: 1 }],
  [
    'partitionFetchBytes',
    { partitionFetchBytes: 0 },
    /partitionFetchBytes must be a number from 1 .* not 0/,
    { partitionFetchBytes: 1 },
  ],
  ['prefetchBytes', { prefetchBytes: -1 }, /prefetchBytes must be at least 1, not -1/, { prefetchBytes: 1 }],
  ['maxBatchBytes', { maxBatchBytes: 0 }, /maxBatchBytes must be at least 1, not 0/, { maxBatchBytes: 1 }],
  [
    'fetchMaxWaitMs',
    { fetchMaxWaitMs: 2 ** 31 },
    /fetchMaxWaitMs must be a number from 1 to 2147483647, not 2147483648/,
    { fetchMaxWaitMs: 500 },
  ],
  [
    'fetchMinBytes',
    { fetchMinBytes: '1' },
    /fetchMinBytes must be a number from 1 .* not "1" \(string\)/,
    { fetchMinBytes: 1 },
  ],
  [
    'isolationLevel',
    { isolationLevel: 'read_commited' },
    /isolationLevel must be 'read_uncommitted' or 'read_committed', not "read_commited"/,
    { isolationLevel: 'read_committed' },
  ],
  ['rackId', { rackId: 1 }, /rackId must be a string, not 1 \(number\)/, { rackId: 'a' }],
  [
    'outOfRange',
    { outOfRange: { byMs: -1 } },
    /outOfRange.byMs must be milliseconds from 0, not -1/,
    { outOfRange: 'earliest' },
  ],
  [
    'replicaLeaseMs',
    { replicaLeaseMs: 0 },
    /replicaLeaseMs must be at least 1, not 0/,
    { replicaLeaseMs: 1 },
  ],
  ['interceptors', { interceptors: 'x' }, /interceptors must be a list, not "x"/, { interceptors: [] }],
  ['onTrouble', { onTrouble: 1 }, /onTrouble must be a function, not 1/, { onTrouble: () => {} }],
];

const READER: readonly Rule[] = (['records', 'bytes', 'span'] as const).map((name) => [
  `credit.${name}`,
  { credit: { [name]: 0 } },
  new RegExp(`credit.${name} must be at least 1, not 0`),
  { credit: { [name]: 1 } },
]);

const TIMES = [
  'sessionTimeoutMs',
  'heartbeatIntervalMs',
  'rebalanceTimeoutMs',
  'commitTimeoutMs',
  'commitIntervalMs',
  'commitEveryRecords',
  'metadataMaxAgeMs',
] as const;
const GROUP: readonly Rule[] = [
  ['groupId', { groupId: '' }, /groupId must be a string that is not empty, not ""/, { groupId: 'g' }],
  [
    'topics',
    { topics: [] },
    /topics must name at least one topic, or be a RegExp, not \[\]/,
    { topics: /./ },
  ],
  ['topics', { topics: [''] }, /topics must be names, not ""/, { topics: ['a'] }],
  [
    'excludeTopics',
    { excludeTopics: [7] },
    /excludeTopics must be a list of names, or a RegExp/,
    { excludeTopics: ['b'] },
  ],
  [
    'excludeTopics',
    { excludeTopics: ['a'] },
    /excludeTopics leaves nothing of topics/,
    { excludeTopics: /z/ },
  ],
  [
    'groupInstanceId',
    { groupInstanceId: 'a b' },
    /groupInstanceId must be 1 to 249 of the characters .* not 'a b'/,
    { groupInstanceId: 'a-b' },
  ],
  ...TIMES.map((name): Rule => [
    name,
    { [name]: 0 },
    new RegExp(`${name} must be a whole number above zero, not 0`),
    { [name]: name === 'rebalanceTimeoutMs' ? 90_000 : name === 'sessionTimeoutMs' ? 9000 : 100 },
  ]),
  [
    'drainTimeoutMs',
    { drainTimeoutMs: -1 },
    /drainTimeoutMs must be a whole number .* not -1/,
    { drainTimeoutMs: 0 },
  ],
  [
    'heartbeatIntervalMs',
    { heartbeatIntervalMs: 9000, sessionTimeoutMs: 9000 },
    /heartbeatIntervalMs \(9000\) must be below sessionTimeoutMs \(9000\)/,
    { heartbeatIntervalMs: 3000, sessionTimeoutMs: 9000 },
  ],
  [
    'rebalanceTimeoutMs',
    { rebalanceTimeoutMs: 38_000 },
    /30000 \+ 5000 \+ 3000 = 38000\) must be below rebalanceTimeoutMs \(38000\)/,
    { rebalanceTimeoutMs: 38_001 },
  ],
  [
    'groupProtocol',
    { groupProtocol: 'share' },
    /groupProtocol must be 'classic' or 'consumer', not 'share'/,
    { groupProtocol: 'consumer' },
  ],
  [
    'groupRemoteAssignor',
    { groupRemoteAssignor: 'range' },
    /groupRemoteAssignor goes with groupProtocol: 'consumer'/,
    { groupRemoteAssignor: 'range', groupProtocol: 'consumer' },
  ],
  [
    'sessionTimeoutMs',
    { sessionTimeoutMs: 9000, groupProtocol: 'consumer' },
    /sessionTimeoutMs cannot be set with groupProtocol: 'consumer'/,
    { groupProtocol: 'consumer' },
  ],
  ['assignors', { assignors: [] }, /assignors must name at least one of/, { assignors: ['range'] }],
  ['assignors', { assignors: ['fair'] }, /assignors: 'fair' is none of/, { assignors: ['sticky'] }],
  [
    'assignors',
    { assignors: ['range', 'range'] },
    /assignors: 'range' comes twice/,
    { assignors: ['range', 'roundrobin'] },
  ],
];

const kafka = new Kafka({ brokers: ['a:1'] });
const AREAS: readonly (readonly [string, readonly Rule[], Check])[] = [
  ['a client', CLIENT, ofKafka],
  ['a producer', PRODUCER, (options) => producerSettings(options)],
  ['a consumer', CONSUMER, (options) => new Fetcher(kafka.cluster, options).close()],
  [
    'a reader',
    READER,
    (options) => new PartitionReader({ topic: 'a', partition: 0, startOffset: 0, ...options }),
  ],
  ['a group', GROUP, (options) => resolveGroupTimes({ groupId: 'g', topics: ['a'], ...options })],
];

function refusal(check: Check, options: object): UsageError {
  try {
    check(options);
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return error as UsageError;
  }
  throw new Error('accepted');
}

describe('K-08: rules of the options', () => {
  it('are at least as many as sarama has', () => {
    expect(AREAS.reduce((sum, [, rules]) => sum + rules.length, 0)).toBeGreaterThanOrEqual(72);
  });

  describe.each(AREAS)('of %s', (_, rules, check) => {
    it.each(rules.map(([option, bad, message, good]) => ({ option, bad, message, good })))(
      '$option: $message',
      ({ option, bad, message, good }) => {
        const error = refusal(check, bad);
        expect(error.option).toBe(option);
        expect(error.message).toMatch(message);
        expect(error.message).toContain(
          option
            .split('.')
            .at(-1)!
            .replace(/\[\d+\]$/, ''),
        );
        check(good);
      },
    );
  });
});
