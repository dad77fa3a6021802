// What a collector hands out.

import type { Distribution } from './histogram.ts';

/** What all metrics have. */
export interface MetricIdentity {
  /** For sarama's with the broker, topic or group in it: 'request-rate-for-broker-1'. */
  readonly name: string;
  /** 'sarama', or Kafka's group: 'producer-metrics', 'consumer-fetch-manager-metrics', ... */
  readonly group: string;
  /** Kafka's tags: 'client-id', 'node-id', 'topic', 'partition'; none for sarama's. */
  readonly tags: Readonly<Record<string, string>>;
  /** As OpenTelemetry writes units: 'By', 'ms', '{record}'. */
  readonly unit: string;
  readonly description: string;
}

/** A count, and how fast it grows per second. */
export interface MeterMetric extends MetricIdentity {
  readonly type: 'meter';
  readonly count: number;
  readonly meanRate: number;
  /** Averaged exponentially over so many minutes. */
  readonly rate1: number;
  readonly rate5: number;
  readonly rate15: number;
}

/** A distribution of values, of those seen lately most. */
export interface HistogramMetric extends MetricIdentity, Distribution {
  readonly type: 'histogram';
}

/** One number; NaN where nothing was seen in the time that it is about. */
export interface ValueMetric extends MetricIdentity {
  readonly type: 'value';
  readonly value: number;
}

/** A metric as it stands. */
export type Metric = MeterMetric | HistogramMetric | ValueMetric;

/** Whom a measured value is about. */
export interface About {
  readonly clientId: string;
  readonly node?: number;
  readonly topic?: string;
  readonly group?: string;
  /** An API key. */
  readonly api?: number;
}
