// The metrics as sarama has them: meters and histograms in one registry, the broker, topic or group in the name.

import type { Clock, Random } from '../core/clock.ts';
import { Histogram } from './histogram.ts';
import { Meter } from './meter.ts';
import type { About, Metric, MetricIdentity } from './metric.ts';
import type { Dimension, Quantity } from './quantities.ts';
import type { Recorder } from './recorder.ts';

interface Entry extends MetricIdentity {
  readonly instrument: Meter | Histogram;
  /** A count without a rate. */
  readonly isCounter: boolean;
}

const NO_TAGS: Readonly<Record<string, string>> = {};

/** Sarama's registry of one process. */
export class SaramaNames implements Recorder {
  private readonly clock: Clock;
  private readonly random: Random;
  private readonly entries = new Map<string, Entry>();

  constructor(clock: Clock, random: Random) {
    this.clock = clock;
    this.random = random;
  }

  record(quantity: Quantity, value: number, about: About): void {
    const { sarama } = quantity;
    if (sarama === undefined) return;
    const nowMs = this.clock.now();
    if (sarama.hasOverall !== false) this.update(quantity, sarama.name, value, nowMs);
    for (const dimension of sarama.by ?? []) {
      const suffix = suffixOf(dimension, about);
      if (suffix !== undefined) this.update(quantity, sarama.name + suffix, value, nowMs);
      if (dimension === 'api' && (about.node ?? -1) >= 0)
        this.update(quantity, `${sarama.name}${suffix}-for-broker-${about.node}`, value, nowMs);
    }
  }

  get(name: string): Metric | undefined {
    const entry = this.entries.get(name);
    return entry === undefined ? undefined : this.asMetric(entry);
  }

  all(): readonly Metric[] {
    return [...this.entries.values()].map((entry) => this.asMetric(entry));
  }

  private update(quantity: Quantity, name: string, value: number, nowMs: number): void {
    let entry = this.entries.get(name);
    if (entry === undefined) {
      entry = this.newEntry(quantity, name, nowMs);
      this.entries.set(name, entry);
    }
    const { instrument } = entry;
    if (instrument instanceof Meter) instrument.mark(value, nowMs);
    else instrument.update(value, nowMs);
  }

  private newEntry({ type, unit, description, sarama }: Quantity, name: string, nowMs: number): Entry {
    const instrument = type === 'count' ? new Meter(nowMs) : new Histogram(this.random, nowMs);
    const isCounter = sarama?.by?.[0] === 'group';
    return { name, group: 'sarama', tags: NO_TAGS, unit, description, instrument, isCounter };
  }

  private asMetric({ instrument, isCounter, ...identity }: Entry): Metric {
    if (instrument instanceof Histogram)
      return { ...identity, type: 'histogram', ...instrument.distribution() };
    const { count } = instrument;
    if (isCounter) return { ...identity, type: 'value', value: count };
    const nowMs = this.clock.now();
    const [rate1, rate5, rate15] = instrument.movingRates(nowMs);
    return { ...identity, type: 'meter', count, meanRate: instrument.meanRate(nowMs), rate1, rate5, rate15 };
  }
}

function suffixOf(dimension: Dimension, { node, topic, group, api }: About): string | undefined {
  if (dimension === 'node') return node === undefined || node < 0 ? undefined : `-for-broker-${node}`;
  // As sarama, whose reporters take a dot for a separator.
  if (dimension === 'topic')
    return topic === undefined ? undefined : `-for-topic-${topic.replaceAll('.', '_')}`;
  if (dimension === 'group') return group === undefined ? undefined : `-${group}`;
  return api === undefined ? undefined : `-${api}`;
}
