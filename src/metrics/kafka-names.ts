// The metrics as Kafka's own clients have them: rates, totals, averages and maxima of the last half minute to a minute, in groups, with tags.

import type { Clock } from '../core/clock.ts';
import type { About, Metric, MetricIdentity, ValueMetric } from './metric.ts';
import type { Dimension, KafkaNames, Quantity } from './quantities.ts';
import type { Recorder } from './recorder.ts';
import { Window } from './window.ts';

const SECONDS_PER_HOUR = 3600;

interface Entry {
  readonly names: KafkaNames;
  readonly tags: Readonly<Record<string, string>>;
  readonly unit: string;
  readonly description: string;
  readonly window: Window;
  total: number;
}

/** Kafka's metrics of one process. */
export class MetricsOfKafka implements Recorder {
  private readonly clock: Clock;
  private readonly entries = new Map<KafkaNames, Map<string, Entry>>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  record(quantity: Quantity, value: number, about: About): void {
    for (const names of quantity.kafka ?? []) {
      const by = names.by === undefined ? '' : valueOf(names.by, about);
      if (by === undefined) continue;
      const nowMs = this.clock.now();
      const entry = this.entry(quantity, names, about.clientId, by, nowMs);
      entry.total += value;
      entry.window.record(value, nowMs);
    }
  }

  all(): readonly Metric[] {
    const nowMs = this.clock.now();
    const metrics: Metric[] = [];
    for (const some of this.entries.values())
      for (const entry of some.values()) metrics.push(...metricsOf(entry, nowMs));
    return metrics;
  }

  private entry(
    { unit, description }: Quantity,
    names: KafkaNames,
    clientId: string,
    by: string,
    nowMs: number,
  ): Entry {
    let some = this.entries.get(names);
    if (some === undefined) {
      some = new Map();
      this.entries.set(names, some);
    }
    const key = `${clientId}\0${by}`;
    let entry = some.get(key);
    if (entry === undefined) {
      const tags = { 'client-id': clientId, ...(names.by !== undefined && { [TAGS[names.by]]: by }) };
      entry = { names, tags, unit, description, window: new Window(nowMs), total: 0 };
      some.set(key, entry);
    }
    return entry;
  }
}

const TAGS: Readonly<Record<Dimension, string>> = {
  node: 'node-id',
  topic: 'topic',
  group: 'group-id',
  api: 'api-key',
};

function valueOf(dimension: Dimension, about: About): string | undefined {
  const value = about[dimension];
  if (value === undefined) return undefined;
  return dimension === 'node' ? `node-${value}` : String(value);
}

function metricsOf({ names, tags, unit, description, window, total }: Entry, nowMs: number): ValueMetric[] {
  const metrics: ValueMetric[] = [];
  const add = (name: string | undefined, ofUnit: string, value: number): void => {
    if (name === undefined) return;
    const identity: MetricIdentity = { name, group: names.group, tags, unit: ofUnit, description };
    metrics.push({ ...identity, type: 'value', value });
  };
  add(names.rate, `${unit}/s`, window.rate(nowMs));
  add(names.hourlyRate, `${unit}/h`, window.rate(nowMs) * SECONDS_PER_HOUR);
  add(names.total, unit, total);
  add(names.avg, unit, window.avg(nowMs));
  add(names.max, unit, window.max(nowMs));
  return metrics;
}
