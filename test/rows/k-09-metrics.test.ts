// Row K-09: metrics by sarama's names, and by those of Kafka's own clients.
import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Kafka, tap, text, topology, type ProducerRecord } from '../../src/index.ts';
import type { BrokerAddress, Transport, Wire, WireEvents } from '../../src/core/network/transport.ts';
import { tcpTransport } from '../../src/core/network/transport.ts';
import {
  collectMetrics,
  type HistogramMetric,
  type MeterMetric,
  type MetricsCollector,
} from '../../src/metrics/index.ts';
import { brokers, testKafka, uniqueName } from '../helpers/brokers.ts';
import { until } from '../helpers/until.ts';
import { CuttingTransport, readAll } from './support/producing.ts';
import { createTopic } from './support/reading.ts';

const DELAY_MS = 11;
const RECORDS = 1000;

/** TCP that hands over what comes after a while, and counts the bytes of both ways. */
class SlowTransport implements Transport {
  received = 0;
  sent = 0;

  connect(address: BrokerAddress, events: WireEvents): Wire {
    const later =
      <A extends readonly unknown[]>(call: (...args: A) => void) =>
      (...args: A): void => {
        setTimeout(() => call(...args), DELAY_MS);
      };
    const wire = tcpTransport.connect(address, {
      onOpen: () => events.onOpen(),
      onDrain: () => events.onDrain(),
      onClose: later((cause: Error | undefined) => events.onClose(cause)),
      onData: later((chunk: Buffer) => {
        this.received += chunk.length;
        events.onData(chunk);
      }),
    });
    return {
      write: (bytes) => {
        this.sent += bytes.length;
        return wire.write(bytes);
      },
      destroy: () => wire.destroy(),
      ref: () => wire.ref?.(),
      unref: () => wire.unref?.(),
    };
  }
}

(brokers === undefined ? describe.skip : describe)('K-09: metrics', () => {
  let metrics: MetricsCollector;
  let clientId: string;
  const topics: string[] = [];
  const admin = testKafka();
  beforeEach(() => {
    clientId = uniqueName('k09');
    metrics = collectMetrics({ clientId });
  });
  afterEach(() => metrics.close());
  afterAll(async () => {
    await admin.admin().deleteTopics(topics);
    await admin.close();
  });

  const meter = (name: string): MeterMetric => {
    const metric = metrics.get(name);
    if (metric?.type !== 'meter') throw new Error(`${name} is ${metric?.type}`);
    return metric;
  };
  const histogram = (name: string): HistogramMetric => {
    const metric = metrics.get(name);
    if (metric?.type !== 'histogram') throw new Error(`${name} is ${metric?.type}`);
    return metric;
  };
  const newTopic = async (partitions: number): Promise<string> => {
    const topic = await createTopic(admin, uniqueName('k09.metrics'), partitions);
    topics.push(topic);
    return topic;
  };

  it('after 1,000 records over a way of 10 ms: their number, latency of 10 ms at least, ratio 100 without a codec', async () => {
    const topic = await newTopic(3);
    const underscored = topic.replaceAll('.', '_');
    const transport = new SlowTransport();
    const kafka = new Kafka({ brokers: brokers!, clientId }, { transport });
    const producer = kafka.producer({ partitioner: 'round-robin', batchRecords: 100 });
    await Promise.all(
      Array.from({ length: RECORDS }, (_, at) => producer.sendAsync(topic, { value: `value ${at}` })),
    );
    expect(producer.counters.retries).toBe(0);
    expect(meter('record-send-rate').count).toBe(RECORDS);
    expect(meter(`record-send-rate-for-topic-${underscored}`).count).toBe(RECORDS);
    expect(histogram('request-latency-in-ms').min).toBeGreaterThanOrEqual(10);
    for (const name of ['compression-ratio', `compression-ratio-for-topic-${underscored}`])
      expect(histogram(name)).toMatchObject({ min: 100, max: 100 });
    const { counters } = producer;
    expect(histogram('batch-size').count).toBe(counters.batchesSent);
    expect(histogram(`batch-size-for-topic-${underscored}`).count).toBe(counters.batchesSent);
    const perRequest = histogram('records-per-request');
    expect(perRequest.count).toBe(counters.requests);
    expect(perRequest.mean * perRequest.count).toBeCloseTo(RECORDS, 6);
    expect(histogram(`records-per-request-for-topic-${underscored}`).count).toBe(counters.requests);
    expect(meter('protocol-requests-rate-0').count).toBe(counters.requests);
    expect(metrics.value('record-send-total')).toBe(RECORDS);
    expect(metrics.value('record-send-total', { topic })).toBe(RECORDS);
    expect(metrics.value('byte-total', { topic })).toBe(counters.bytesSent);
    expect(metrics.value('compression-rate-avg')).toBe(1);
    expect(metrics.value('records-per-request-avg')).toBeCloseTo(perRequest.mean, 9);
    expect(metrics.value('request-latency-max')).toBe(histogram('request-latency-in-ms').max);
    expect(metrics.value('record-send-rate')).toBeGreaterThan(0);

    expect(await readAll(kafka, topic)).toHaveLength(RECORDS);
    expect(metrics.value('records-consumed-total', { topic })).toBeGreaterThanOrEqual(RECORDS);
    expect(metrics.value('bytes-consumed-total', { topic })).toBeGreaterThanOrEqual(counters.bytesSent);
    expect(histogram('consumer-batch-size').max).toBeGreaterThanOrEqual(100);
    expect(histogram('consumer-fetch-response-size').max).toBeGreaterThan(0);
    expect(meter('consumer-fetch-rate').count).toBe(metrics.value('fetch-total'));
    expect(meter(`consumer-fetch-rate-for-topic-${underscored}`).count).toBeGreaterThan(0);

    await producer.close();
    await until('answers', () => meter('response-rate').count === meter('request-rate').count);
    expect(meter('incoming-byte-rate').count).toBe(transport.received);
    expect(meter('outgoing-byte-rate').count).toBe(transport.sent);
    expect(metrics.get('requests-in-flight')).toMatchObject({ value: 0 });
    const node = (await kafka.cluster.anyNode()).toString();
    for (const name of ['incoming-byte-rate', 'outgoing-byte-rate', 'request-rate', 'response-rate'])
      expect(meter(`${name}-for-broker-${node}`).count).toBeGreaterThan(0);
    for (const name of ['request-size', 'request-latency-in-ms', 'response-size'])
      expect(histogram(`${name}-for-broker-${node}`).count).toBeGreaterThan(0);
    expect(meter(`consumer-fetch-rate-for-broker-${node}`).count).toBeGreaterThan(0);
    expect(meter(`protocol-requests-rate-0-for-broker-${node}`).count).toBeGreaterThan(0);
    expect(metrics.get(`requests-in-flight-for-broker-${node}`)).toMatchObject({ value: 0 });
    expect(metrics.value('outgoing-byte-total')).toBe(transport.sent);
    expect(metrics.value('outgoing-byte-total', { 'node-id': `node-${node}` })).toBeGreaterThan(0);
    await kafka.close();
    expect(metrics.value('connection-count')).toBe(0);
    expect(metrics.value('connection-close-total')).toBe(metrics.value('connection-creation-total'));
  });

  it('of a group: its joins, syncs, heartbeats and commits, its claims and their lag', async () => {
    const topic = await newTopic(2);
    const groupId = uniqueName('k09');
    const kafka = testKafka({ clientId });
    const producer = kafka.producer();
    await Promise.all([0, 1].map((partition) => producer.sendAsync(topic, { value: 'x', partition })));
    await producer.close();
    let seen = 0;
    const running = topology('k09', ({ fromGroup }) =>
      fromGroup({
        groupId,
        topics: [topic],
        value: text(),
        heartbeatIntervalMs: 100,
        sessionTimeoutMs: 6000,
        commitEveryRecords: 1,
      }).pipe(tap(() => (seen += 1))),
    ).start(kafka);
    await until('both records', () => seen === 2);
    expect(metrics.value('assigned-partitions')).toBe(2);
    expect(metrics.value('records-lag', { topic, partition: '0' })).toBe(0);
    expect(metrics.value('records-lag-max')).toBe(0);
    for (const [phase, api] of [
      ['join', 'join-total'],
      ['sync', 'sync-total'],
    ] as const) {
      expect(metrics.get(`consumer-group-${phase}-total-${groupId}`)).toMatchObject({ type: 'value' });
      expect(metrics.value(api)).toBeGreaterThan(0);
      expect(metrics.value(`${phase}-time-max`)).toBeGreaterThan(0);
      expect(metrics.value(`${phase}-rate`)).toBeGreaterThan(0);
    }
    expect(metrics.value('rebalance-total')).toBe(1);
    expect(metrics.value('last-rebalance-seconds-ago')).toBeGreaterThanOrEqual(0);
    await until('a commit', () => (metrics.value('commit-total') ?? 0) > 0);
    expect(metrics.value('commit-rate')).toBeGreaterThan(0);
    expect(metrics.value('commit-latency-max')).toBeGreaterThan(0);
    await until('a heartbeat', () => (metrics.value('heartbeat-total') ?? 0) > 0);
    expect(metrics.value('last-heartbeat-seconds-ago')).toBeGreaterThanOrEqual(0);
    await running.drain();
    await kafka.close();
    expect(metrics.value('assigned-partitions')).toBeUndefined();
    expect(metrics.value('partition-revoked-latency-max')).toBeGreaterThanOrEqual(0);
  });

  it('of transactions: the time that each step took', async () => {
    const topic = await newTopic(1);
    const kafka = testKafka({ clientId });
    const producer = kafka.producer({ transactionalId: uniqueName('k09') });
    await producer.init();
    await producer.transaction(() => producer.sendAsync(topic, { value: 'x' }));
    producer.begin();
    await producer.sendAsync(topic, { value: 'y' });
    await producer.abort();
    for (const step of ['init', 'commit', 'abort'])
      expect(metrics.value(`txn-${step}-time-ns-total`)).toBeGreaterThan(0);
    await producer.close();
    await kafka.close();
  });

  it('interceptors see each record once, before its partition is chosen, over connections that break', async () => {
    const topic = await newTopic(8);
    const transport = new CuttingTransport();
    const kafka = new Kafka({ brokers: brokers!, clientId }, { transport });
    const seen: unknown[] = [];
    const reported: unknown[] = [];
    const producer = kafka.producer({
      interceptors: [
        {
          onSend: (_topic, record: ProducerRecord) => {
            seen.push(record.value);
            return { ...record, key: 'the same for all' };
          },
        },
        {
          onSend: (_topic, record) => {
            if (record.value === '7') throw new Error('an interceptor that fails');
            return record;
          },
          onError: (error) => void reported.push(error),
        },
      ],
    });
    await producer.sendAsync(topic, { value: 'first' });
    transport.arm(5);
    const values = Array.from({ length: 200 }, (_, at) => String(at));
    await Promise.all(values.map((value) => producer.sendAsync(topic, { value })));
    expect(seen).toEqual(['first', ...values]);
    expect(reported).toEqual([new Error('an interceptor that fails')]);
    const logged = await readAll(kafka, topic);
    expect(logged.map(({ value }) => value)).toEqual(['first', ...values]);
    expect(new Set(logged.map(({ partition }) => partition)).size).toBe(1);
    expect(new Set(logged.map(({ key }) => key))).toEqual(new Set(['the same for all']));
    await producer.close();
    await kafka.close();
  });
});
