// The same figures as instruments of OpenTelemetry, which does the adding up and the sending.

import { systemClock, type Clock } from '../core/clock.ts';
import { UsageError } from '../errors.ts';
import { Measure } from './measure.ts';
import type { About } from './metric.ts';
import { gauges, quantities, type Quantity } from './quantities.ts';
import type { Recorder } from './recorder.ts';
import { standingValues } from './standing-values.ts';

/** What tells the values of one instrument apart. */
export type MetricAttributes = Readonly<Record<string, string | number>>;

/** What is used of OpenTelemetry's `Meter`; anything of this shape will do. */
export interface MeterLike {
  createCounter(
    name: string,
    options: { readonly unit: string; readonly description: string },
  ): { add(value: number, attributes: MetricAttributes): void };
  createHistogram(
    name: string,
    options: { readonly unit: string; readonly description: string },
  ): { record(value: number, attributes: MetricAttributes): void };
  createObservableGauge(
    name: string,
    options: { readonly unit: string; readonly description: string },
  ): {
    addCallback(
      callback: (result: { observe(value: number, attributes: MetricAttributes): void }) => void,
    ): void;
    removeCallback(
      callback: (result: { observe(value: number, attributes: MetricAttributes): void }) => void,
    ): void;
  };
}

/** Options of {@link exportMetrics}. */
export interface ExportOptions {
  /** Default: the meter 'sluice' of the provider that is registered with `@opentelemetry/api`. */
  readonly meter?: MeterLike | undefined;
  /** Only what clients of this name do. Default: all of the process. */
  readonly clientId?: string | undefined;
  /** Before each name. Default 'kafka.client.'. */
  readonly prefix?: string | undefined;
  /** For tests in simulated time. */
  readonly clock?: Clock | undefined;
}

/**
 * Makes an instrument of OpenTelemetry for each metric, and feeds it until the function that comes back is called: counters by Kafka's name of the
 * total ('request-total'), histograms by sarama's name or Kafka's of the average without its end ('request-latency-in-ms', 'commit-latency'), gauges
 * by Kafka's ('records-lag'). Attributes are `client-id`, `node-id`, `topic`, `partition`, `group-id` and `api-key`, where they apply.
 * Rejects with UsageError when no meter is given and `@opentelemetry/api`, an optional peer dependency, is not installed.
 *
 * @example
 * ```ts
 * import { exportMetrics } from 'sluice/metrics';
 *
 * const stop = await exportMetrics();
 * stop();
 * ```
 */
export async function exportMetrics(options: ExportOptions = {}): Promise<() => void> {
  const { prefix = 'kafka.client.', clientId, clock = systemClock } = options;
  const meter = options.meter ?? (await defaultMeter());
  const measure = new Measure([new Instruments(meter, prefix)], clock, clientId);
  const stops = Object.values(gauges).map((gauge) => {
    const { name, unit, description } = gauge;
    const instrument = meter.createObservableGauge(prefix + name, { unit, description });
    const callback = (result: { observe(value: number, attributes: MetricAttributes): void }): void => {
      for (const one of standingValues(measure, clock)) {
        // The whole is the sum over the nodes.
        const isWhole = gauge === gauges.requestsInFlight && one.about.node === undefined;
        if (one.gauge === gauge && !isWhole) result.observe(one.value, attributesOf(one.about));
      }
    };
    instrument.addCallback(callback);
    return () => instrument.removeCallback(callback);
  });
  return () => {
    measure.close();
    for (const stop of stops) stop();
  };
}

type Instrument = (value: number, attributes: MetricAttributes) => void;

class Instruments implements Recorder {
  private readonly instruments: ReadonlyMap<Quantity, Instrument>;

  constructor(meter: MeterLike, prefix: string) {
    const instruments = new Map<Quantity, Instrument>();
    for (const quantity of quantities) {
      const name = instrumentName(quantity);
      if (name === undefined) continue;
      const { unit, description } = quantity;
      if (quantity.type === 'count') {
        const counter = meter.createCounter(prefix + name, { unit, description });
        instruments.set(quantity, (value, attributes) => counter.add(value, attributes));
      } else {
        const histogram = meter.createHistogram(prefix + name, { unit, description });
        instruments.set(quantity, (value, attributes) => histogram.record(value, attributes));
      }
    }
    this.instruments = instruments;
  }

  record(quantity: Quantity, value: number, about: About): void {
    this.instruments.get(quantity)?.(value, attributesOf(about));
  }
}

/** Undefined for what another instrument has already, by an attribute. */
export function instrumentName({ type, sarama, kafka, instrument }: Quantity): string | undefined {
  if (instrument !== undefined) return instrument;
  const names = kafka?.[0];
  if (type === 'count') {
    if (sarama?.hasOverall === false && sarama.by?.[0] !== 'group') return undefined;
    return names?.total ?? sarama?.name.replace(/-rate$/, '-total');
  }
  if (sarama?.hasOverall === false || (sarama === undefined && names?.by === 'topic')) return undefined;
  return sarama?.name ?? (names?.avg ?? names?.max)?.replace(/-(avg|max)$/, '');
}

function attributesOf({
  clientId,
  node,
  topic,
  group,
  api,
  partition,
}: About & { readonly partition?: number }): MetricAttributes {
  return {
    'client-id': clientId,
    ...(node !== undefined && { 'node-id': node }),
    ...(topic !== undefined && { topic }),
    ...(partition !== undefined && { partition }),
    ...(group !== undefined && { 'group-id': group }),
    ...(api !== undefined && { 'api-key': api }),
  };
}

async function defaultMeter(): Promise<MeterLike> {
  try {
    const { metrics } = await import('@opentelemetry/api');
    return metrics.getMeter('sluice');
  } catch (cause) {
    throw new UsageError(
      "exportMetrics needs @opentelemetry/api, which is not installed: 'npm install @opentelemetry/api', or give it a meter",
      'meter',
      { cause },
    );
  }
}
