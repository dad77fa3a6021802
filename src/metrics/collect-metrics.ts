// Figures of this process, under sarama's names and under Kafka's.

import { systemClock, systemRandom, type Clock, type Random } from '../core/clock.ts';
import { MetricsOfKafka } from './kafka-names.ts';
import { Measure } from './measure.ts';
import type { Metric, ValueMetric } from './metric.ts';
import { gauges } from './quantities.ts';
import { SaramaNames } from './sarama-names.ts';
import { standingValues, type StandingValue } from './standing-values.ts';

/** Options of {@link collectMetrics}. */
export interface CollectOptions {
  /** Only what clients of this name do. Default: all of the process. */
  readonly clientId?: string | undefined;
  /** For tests in simulated time. */
  readonly clock?: Clock | undefined;
  readonly random?: Random | undefined;
}

/** Metrics of this process from the making of it to its `close()`. */
export class MetricsCollector {
  private readonly clock: Clock;
  private readonly sarama: SaramaNames;
  private readonly kafka: MetricsOfKafka;
  private readonly measure: Measure;

  constructor({ clientId, clock = systemClock, random = systemRandom }: CollectOptions = {}) {
    this.clock = clock;
    this.sarama = new SaramaNames(clock, random);
    this.kafka = new MetricsOfKafka(clock);
    this.measure = new Measure([this.sarama, this.kafka], clock, clientId);
  }

  /** Every metric that something was seen of, and every gauge. */
  all(): readonly Metric[] {
    const standing = standingValues(this.measure, this.clock);
    return [
      ...this.sarama.all(),
      ...inFlightOfSarama(standing),
      ...this.kafka.all(),
      ...standing.map(gaugeOfKafka),
    ];
  }

  /** Sarama's metric of that full name; undefined when nothing was seen of it. */
  get(name: string): Metric | undefined {
    return this.all().find((metric) => metric.group === 'sarama' && metric.name === name);
  }

  /**
   * The number of Kafka's metric of that name with these tags among its own: the client's own, without a node, topic or partition, when none are
   * given. Undefined when nothing was seen of it.
   */
  value(name: string, tags: Readonly<Record<string, string>> = {}): number | undefined {
    const wanted = Object.entries(tags);
    const isIt = (metric: Metric): boolean =>
      metric.group !== 'sarama' &&
      metric.name === name &&
      wanted.every(([tag, value]) => metric.tags[tag] === value) &&
      Object.keys(metric.tags).every((tag) => tag === 'client-id' || tag in tags);
    const metric = this.all().find(isIt);
    return metric?.type === 'value' ? metric.value : undefined;
  }

  /** Listens no more; what was collected stays. */
  close(): void {
    this.measure.close();
  }
}

/**
 * Begins to collect the metrics of this process: sarama's and those of Kafka's own clients. Begin before the client connects, for what happened before
 * is not counted. While it runs, each request and batch costs about a microsecond; records cost nothing.
 *
 * @example
 * ```ts
 * import { Kafka } from 'sluice';
 * import { collectMetrics } from 'sluice/metrics';
 *
 * const metrics = collectMetrics();
 * const kafka = new Kafka({ brokers: ['localhost:9092'] });
 * const producer = kafka.producer();
 * await producer.sendAsync('orders', { value: 'x' });
 * console.log(metrics.get('request-latency-in-ms'), metrics.value('record-send-total'));
 * metrics.close();
 * ```
 */
export function collectMetrics(options?: CollectOptions): MetricsCollector {
  return new MetricsCollector(options);
}

function gaugeOfKafka({ gauge, value, about }: StandingValue): ValueMetric {
  const { clientId, node, topic, partition } = about;
  const tags = {
    'client-id': clientId,
    ...(node !== undefined && { 'node-id': `node-${node}` }),
    ...(topic !== undefined && { topic }),
    ...(partition !== undefined && { partition: String(partition) }),
  };
  return { ...gauge, tags, type: 'value', value };
}

/** The one gauge that sarama has too: of all clients together. */
function inFlightOfSarama(standing: readonly StandingValue[]): ValueMetric[] {
  const sums = new Map<string, number>();
  const { name } = gauges.requestsInFlight;
  for (const { gauge, value, about } of standing) {
    if (gauge !== gauges.requestsInFlight || (about.node ?? 0) < 0) continue;
    const full = about.node === undefined ? name : `${name}-for-broker-${about.node}`;
    sums.set(full, (sums.get(full) ?? 0) + value);
  }
  return [...sums].map(([full, value]) => ({
    ...gauges.requestsInFlight,
    name: full,
    group: 'sarama',
    tags: {},
    type: 'value',
    value,
  }));
}
