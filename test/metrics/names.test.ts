// Kafka's names are those that Kafka's own clients have (test/golden/metrics/MetricNames.java printed them), sarama's those of its documentation, and
// docs/observability.md has every one of them and no other.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { gauges, quantities } from '../../src/metrics/quantities.ts';

const root = path.resolve(__dirname, '../..');
const page = readFileSync(path.join(root, 'docs/observability.md'), 'utf8');
const java = new Set(
  readFileSync(path.join(root, 'test/golden/metrics/kafka-4.3.1.txt'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(' ').slice(0, 2).join(' ')),
);

/** Ours are of producers and consumers at once. */
const THEIRS: Readonly<Record<string, readonly string[]>> = {
  'client-metrics': ['producer-metrics', 'consumer-metrics'],
  'client-node-metrics': ['producer-node-metrics', 'consumer-node-metrics'],
};

/** Group and name of all that carry a name of Kafka's. */
const ofKafka = [
  ...quantities.flatMap(({ kafka = [] }) =>
    kafka.flatMap(({ group, rate, hourlyRate, total, avg, max }) =>
      [rate, hourlyRate, total, avg, max]
        .filter((name) => name !== undefined)
        .map((name) => `${group} ${name}`),
    ),
  ),
  ...Object.values(gauges).map(({ group, name }) => `${group} ${name}`),
];

/** As https://pkg.go.dev/github.com/IBM/sarama lists them. */
const SARAMA = [
  'incoming-byte-rate',
  'outgoing-byte-rate',
  'request-rate',
  'request-size',
  'request-latency-in-ms',
  'response-rate',
  'response-size',
  'requests-in-flight',
  'protocol-requests-rate',
  'batch-size',
  'record-send-rate',
  'records-per-request',
  'compression-ratio',
  'consumer-batch-size',
  'consumer-fetch-rate',
  'consumer-fetch-response-size',
  'consumer-group-join-total',
  'consumer-group-join-failed',
  'consumer-group-sync-total',
  'consumer-group-sync-failed',
];
/** Metrics by node of which Kafka has only the one for the client. */
const NODE_TOO = new Set(['client-node-metrics requests-in-flight']);

const told = (names: Iterable<string>): string[] => [...names].filter((name) => !page.includes(`\`${name}`));

describe('the names of metrics', () => {
  it.each([...new Set(ofKafka)].filter((name) => !NODE_TOO.has(name)))('%s is one of Kafka', (full) => {
    const [group, name] = full.split(' ');
    const groups = THEIRS[group!] ?? [group!];
    expect(groups.some((one) => java.has(`${one} ${name}`))).toBe(true);
  });

  it('are all of those of sarama', () => {
    const ours = new Set(quantities.map(({ sarama }) => sarama?.name).filter((name) => name !== undefined));
    ours.add(gauges.requestsInFlight.name);
    expect([...ours].sort()).toEqual([...SARAMA].sort());
  });

  it('are on the page', () => {
    expect(told(new Set(ofKafka.map((full) => full.split(' ')[1]!)))).toEqual([]);
    expect(told(SARAMA)).toEqual([]);
  });

  it('on the page are all there', () => {
    const tables = page.slice(page.indexOf("### Kafka's names"), page.indexOf('Where they differ:'));
    const names = new Set(ofKafka.flatMap((full) => full.split(' ')));
    const rows = tables.split('\n').filter((line) => line.startsWith('| `'));
    expect(rows.length).toBeGreaterThan(5);
    for (const row of rows)
      for (const [, name] of row.matchAll(/`([a-z-]+)`/g))
        if (!['node-id', 'topic', 'partition'].includes(name!)) expect(names).toContain(name);
  });
});
