import { describe, expect, it } from '@jest/globals';
import { Kafka } from '../../src/core/client.ts';
import { clusterOptions, type KafkaOptions } from '../../src/core/options.ts';
import { UsageError } from '../../src/errors.ts';

const good = { brokers: ['a:9092'] };

function refusal(options: unknown): UsageError {
  try {
    clusterOptions(options as KafkaOptions);
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return error as UsageError;
  }
  throw new Error('accepted');
}

describe('the options of a client', () => {
  it('have defaults', () => {
    expect(clusterOptions(good)).toEqual({
      seeds: [{ host: 'a', port: 9092 }],
      clientId: 'sluice',
      connectionTimeoutMs: 10_000,
      requestTimeoutMs: 30_000,
      apiTimeoutMs: 60_000,
      retries: Infinity,
      metadataTimeoutMs: 60_000,
      canonicalSeeds: false,
      retryMinDelayMs: 100,
      retryMaxDelayMs: 1000,
      metadataMaxAgeMs: 300_000,
      allowAutoTopicCreation: true,
      reconnectMinDelayMs: 50,
      reconnectMaxDelayMs: 1000,
      maxIdleMs: 540_000,
      maxFrameBytes: 268_435_456,
    });
    const undefineds = Object.fromEntries(
      ['clientId', 'connectionTimeout', 'requestTimeout', 'retry', 'metadataMaxAge'].map((name) => [
        name,
        undefined,
      ]),
    );
    expect(clusterOptions({ ...good, ...undefineds })).toEqual(clusterOptions(good));
  });

  it("take kafkajs's names", () => {
    const retry = { retries: 8, initialRetryTime: 300, maxRetryTime: 30_000 };
    const options = { ...good, clientId: 'me', connectionTimeout: 3000, requestTimeout: 25_000, retry };
    expect(clusterOptions(options)).toMatchObject({
      clientId: 'me',
      connectionTimeoutMs: 3000,
      requestTimeoutMs: 25_000,
      retries: 8,
      retryMinDelayMs: 300,
      retryMaxDelayMs: 30_000,
    });
  });

  it.each([
    ['localhost:9092', { host: 'localhost', port: 9092 }],
    [' kafka-1.example.com:19092 ', { host: 'kafka-1.example.com', port: 19_092 }],
    ['[::1]:9092', { host: '::1', port: 9092 }],
    ['127.0.0.1:1', { host: '127.0.0.1', port: 1 }],
  ])('take the address %j', (text, address) => {
    expect(clusterOptions({ brokers: [text] }).seeds).toEqual([address]);
  });

  it.each<[string, unknown, RegExp]>([
    ['options', undefined, /options must be an object, not undefined/],
    ['options', [], /a list of 0/],
    ['brokers', {}, /brokers must be a list of 'host:port' strings, not undefined/],
    ['brokers', { brokers: 'a:9092' }, /not "a:9092" \(string\)/],
    ['brokers[1]', { brokers: ['a:1', 'b'] }, /brokers\[1\] must be 'host:port' .* not "b" \(string\)/],
    ['brokers[0]', { brokers: [9092] }, /not 9092 \(number\)/],
    ['brokers[0]', { brokers: ['a:0'] }, /port of 1 to 65535/],
    ['brokers[0]', { brokers: ['a:65536'] }, /port of 1 to 65535/],
    ['brokers[0]', { brokers: ['kafka://a:9092'] }, /'host:port'/],
    ['brokers[0]', { brokers: ['::1:9092'] }, /IPv6 address in brackets/],
    ['brokers[0]', { brokers: ['x'.repeat(90)] }, /"x{60}\.\.\." \(string\)/],
    ['clientId', { ...good, clientId: '' }, /clientId must be a string that is not empty, not "" \(string\)/],
    ['clientId', { ...good, clientId: 7 }, /not 7 \(number\)/],
    ['connectionTimeout', { ...good, connectionTimeout: 0 }, /connectionTimeout must be an integer from 1/],
    ['requestTimeout', { ...good, requestTimeout: '5s' }, /not "5s" \(string\)/],
    ['requestTimeout', { ...good, requestTimeout: 1.5 }, /not 1.5 \(number\)/],
    ['requestTimeout', { ...good, requestTimeout: Number.NaN }, /not NaN \(number\)/],
    ['requestTimeout', { ...good, requestTimeout: 2 ** 31 }, /to 2147483647/],
    ['defaultApiTimeoutMs', { ...good, defaultApiTimeoutMs: -1 }, /not -1 \(number\)/],
    ['retry', { ...good, retry: 5 }, /retry must be an object, not 5 \(number\)/],
    ['retry.retries', { ...good, retry: { retries: -1 } }, /retry.retries must be/],
    ['retry.initialRetryTime', { ...good, retry: { initialRetryTime: null } }, /not null/],
    [
      'retry.initialRetryTime',
      { ...good, retry: { initialRetryTime: 2000 } },
      /must not be above retry.maxRetryTime \(1000\)/,
    ],
    [
      'retry.factor',
      { ...good, retry: { factor: 2 } },
      /retry.factor is not an option; known are retries, initialRetryTime/,
    ],
    ['metadataMaxAge', { ...good, metadataMaxAge: -1 }, /metadataMaxAge/],
    ['metadataTimeout', { ...good, metadataTimeout: 0 }, /metadataTimeout must be an integer from 1/],
    [
      'allowAutoTopicCreation',
      { ...good, allowAutoTopicCreation: 'yes' },
      /true or false, not "yes" \(string\)/,
    ],
    [
      'reconnectBackoffMs',
      { ...good, reconnectBackoffMs: 2000 },
      /must not be above reconnectBackoffMaxMs \(1000\)/,
    ],
    ['connectionsMaxIdleMs', { ...good, connectionsMaxIdleMs: 0n }, /not 0 \(bigint\)/],
    ['maxResponseBytes', { ...good, maxResponseBytes: 10 }, /from 1024 to 2147483647/],
    ['tls', { ...good, tls: true }, /tls is not an option; known are brokers, clientId/],
  ])('refuse a wrong %s', (option, options, message) => {
    const error = refusal(options);
    expect(error.option).toBe(option);
    expect(error.message).toMatch(message);
  });

  it('never show a function or an object in a message', () => {
    expect(refusal({ ...good, clientId: { password: 'secret' } }).message).toBe(
      'clientId must be a string that is not empty, not a value of type object',
    );
  });
});

describe('Kafka', () => {
  it('takes no brokers at construction and misses them at first use', async () => {
    const kafka = new Kafka({ brokers: [] });
    await expect(kafka.admin().listTopics()).rejects.toMatchObject({ name: 'UsageError', option: 'brokers' });
    await kafka.close();
  });

  it('closes once, and says so to whoever comes later', async () => {
    const kafka = new Kafka(good);
    const order: string[] = [];
    kafka.beforeClose(async () => {
      await Promise.resolve();
      order.push('hook');
    });
    await Promise.all([kafka.close(), kafka.close().then(() => order.push('closed'))]);
    expect(order).toEqual(['hook', 'closed']);
    expect(kafka.cluster.closed).toBe(true);
    await expect(kafka.cluster.anyNode()).rejects.toThrow(/The client is closed/);
    await expect(kafka.admin().listTopics()).rejects.toBeInstanceOf(UsageError);
  });
});
