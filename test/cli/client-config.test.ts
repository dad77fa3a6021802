import { describe, expect, it } from '@jest/globals';
import { applyConfig, kafkaOptions, readConfigFile, withKafkaNames } from '../../src/cli/client-config.ts';
import { emptyConfig } from '../../src/cli/config-table.ts';
import { GroupConsumer, Kafka } from '../../src/core/index.ts';
import { UsageError } from '../../src/errors.ts';

const apply = (role: 'producer' | 'consumer', settings: Readonly<Record<string, string>>) => {
  const config = emptyConfig();
  const ignored = applyConfig(role, new Map(Object.entries(settings)), config);
  return { config, ignored };
};

describe("Kafka's settings", () => {
  it('of a producer become options of this one', () => {
    const { config, ignored } = apply('producer', {
      'bootstrap.servers': 'a:1,b:2',
      'client.id': 'me',
      acks: 'all',
      'batch.size': '512',
      'linger.ms': '5',
      'compression.gzip.level': '9',
      'compression.zstd.level': '-7',
      'compression.type': 'zstd',
      'delivery.timeout.ms': '5000',
      'request.timeout.ms': '2000',
      'retry.backoff.ms': '20',
      'retry.backoff.max.ms': '200',
      'max.block.ms': '1500',
      'max.in.flight.requests.per.connection': '3',
      'enable.idempotence': 'true',
      'security.protocol': 'PLAINTEXT',
      retries: '1000000',
      'metrics.num.samples': '3',
    });
    expect(ignored).toEqual(['metrics.num.samples']);
    expect(config.producer).toEqual({
      acks: -1,
      idempotent: true,
      retries: 1_000_000,
      batchBytes: 512,
      lingerMs: 5,
      compression: 'zstd',
      compressionLevel: -7,
      deliveryTimeoutMs: 5000,
      requestTimeoutMs: 2000,
      retryBackoffMs: 20,
      retryBackoffMaxMs: 200,
      metadataTimeoutMs: 1500,
      maxInFlight: 3,
    });
    const options = kafkaOptions(config, { brokers: ['z:9'], clientId: 'default' });
    expect(options).toEqual({
      brokers: ['a:1', 'b:2'],
      clientId: 'me',
      requestTimeout: 2000,
      retry: { initialRetryTime: 20, maxRetryTime: 200 },
    });
    const kafka = new Kafka(options);
    expect(kafka.producer(config.producer).settings).toMatchObject({
      batchBytes: 512,
      compression: 'zstd',
      compressionLevel: -7,
    });
  });

  it('of a consumer become options of this one', () => {
    const { config, ignored } = apply('consumer', {
      'group.id': 'the option wins',
      'enable.auto.commit': 'true',
      'max.poll.records': '7',
      'max.poll.interval.ms': '60000',
      'heartbeat.interval.ms': '500',
      'session.timeout.ms': '6000',
      'isolation.level': 'read_committed',
      'fetch.max.wait.ms': '100',
      'auto.commit.interval.ms': '1000',
      'client.rack': 'b',
      'allow.auto.create.topics': 'false',
    });
    expect(ignored).toEqual([]);
    expect(config).toEqual({
      kafka: { allowAutoTopicCreation: false },
      retry: {},
      producer: {},
      levels: {},
      consumer: {
        rebalanceTimeoutMs: 60_000,
        heartbeatIntervalMs: 500,
        sessionTimeoutMs: 6_000,
        isolationLevel: 'read_committed',
        fetchMaxWaitMs: 100,
        commitIntervalMs: 1_000,
        rackId: 'b',
      },
      maxPollRecords: 7,
    });
  });

  it.each([
    ['producer', 'acks', '2', "acks must be all, -1, 0 or 1, not '2'"],
    ['producer', 'enable.idempotence', 'no', "enable.idempotence must be true or false, not 'no'"],
    ['producer', 'transactional.id', 'x', "transactional.id is 'x': this command makes no transactions"],
    [
      'producer',
      'compression.gzip.level',
      'high',
      "compression.gzip.level must be a whole number, not 'high'",
    ],
    ['producer', 'linger.ms', 'soon', "linger.ms must be a whole number, not 'soon'"],
    [
      'producer',
      'sasl.kerberos.service.name',
      'kafka',
      'sasl.kerberos.service.name: the command has no equi',
    ],
    ['consumer', 'ssl.cipher.suites', 'x', 'ssl.cipher.suites: the command has no equivalent'],
    ['consumer', 'group.protocol', 'consumer', 'group.protocol is'],
    [
      'consumer',
      'isolation.level',
      'x',
      "isolation.level must be read_uncommitted or read_committed, not 'x'",
    ],
    ['consumer', 'max.poll.records', '0', 'max.poll.records must be at least 1, not 0'],
    [
      'consumer',
      'allow.auto.create.topics',
      'ja',
      "allow.auto.create.topics must be true or false, not 'ja'",
    ],
    ['consumer', 'key.deserializer', 'org.example.X', 'key.deserializer is'],
  ] as const)('of a %s: %s=%s is refused by name', (role, name, value, message) => {
    expect(() => apply(role, { [name]: value })).toThrow(UsageError);
    expect(() => apply(role, { [name]: value })).toThrow(message);
  });

  it.each([
    ['gzip', '9', 9],
    ['gzip', '-1', 6],
    ['zstd', '9', 3],
    ['none', '9', 0],
  ])(
    'of levels, with compression.type=%s and compression.gzip.level=%s the level is %i',
    (type, gzip, level) => {
      const { config } = apply('producer', { 'compression.gzip.level': gzip, 'compression.type': type });
      const { settings } = new Kafka({ brokers: ['a:1'] }).producer(config.producer);
      expect(settings.compressionLevel).toBe(level);
    },
  );

  it('that the client refuses are named as in the file', () => {
    const { config } = apply('producer', { 'compression.type': 'brotli' });
    const kafka = new Kafka({ brokers: ['a:1'] });
    const { config: tooHigh } = apply('producer', {
      'compression.type': 'gzip',
      'compression.gzip.level': '10',
    });
    expect(() => withKafkaNames(() => kafka.producer(tooHigh.producer))).toThrow(
      /^compression\.gzip\.level, compression\.zstd\.level: compressionLevel of gzip must be from 1 to 9; got 10/,
    );
    expect(() => withKafkaNames(() => kafka.producer(config.producer))).toThrow(
      /^compression\.type: compression must be one of/,
    );
    const options = { groupId: 'g', topics: ['t'], sessionTimeoutMs: 1000 };
    const listener = { onClaim: () => {}, onRebalance: () => {}, onFailed: () => {} };
    expect(() => withKafkaNames(() => new GroupConsumer(kafka.cluster, options, listener))).toThrow(
      /^heartbeat\.interval\.ms: /,
    );
    expect(() => withKafkaNames(() => new Kafka({ brokers: ['nowhere'] }))).toThrow(/^--bootstrap-server: /);
  });
});

describe('a file of settings', () => {
  it('that is not there is named', async () => {
    await expect(readConfigFile('/no/such/file')).rejects.toThrow('/no/such/file: there is no such file');
    await expect(readConfigFile(__dirname)).rejects.toThrow(`${__dirname}: it cannot be read (EISDIR)`);
  });
});
