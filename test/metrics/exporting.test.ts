// Metrics through OpenTelemetry's SDK.
import { afterEach, describe, expect, it } from '@jest/globals';
import { metrics } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
  type MetricData,
} from '@opentelemetry/sdk-metrics';
import { exportMetrics } from '../../src/metrics/index.ts';
import { startBox, type Boxed } from '../rows/support/box-producing.ts';

let boxed: Boxed;
let provider: MeterProvider;
let exporter: InMemoryMetricExporter;

async function collected(): Promise<Map<string, MetricData['dataPoints']>> {
  exporter.reset();
  await provider.forceFlush();
  const points = new Map<string, MetricData['dataPoints']>();
  for (const { scopeMetrics } of exporter.getMetrics())
    for (const scope of scopeMetrics)
      for (const { descriptor, dataPoints } of scope.metrics) points.set(descriptor.name, dataPoints);
  return points;
}

function open(): void {
  exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  provider = new MeterProvider({ readers: [reader] });
}

afterEach(async () => {
  metrics.disable();
  await provider.shutdown();
  await boxed.close();
});

describe('exportMetrics', () => {
  it('feeds the instruments of the provider that is registered, until it is stopped', async () => {
    open();
    metrics.setGlobalMeterProvider(provider);
    boxed = await startBox({ 'a.b': 2 }, {}, { clientId: 'exported' });
    const { kafka, clock, run } = boxed;
    const stop = await exportMetrics({ clientId: 'exported', clock });
    const producer = kafka.producer();
    await run(
      Promise.all(
        Array.from({ length: 20 }, (_, at) => producer.sendAsync('a.b', { value: 'x', partition: at % 2 })),
      ),
    );
    const points = await collected();
    const sent = points.get('kafka.client.record-send-total')!;
    expect(sent).toMatchObject([{ value: 20, attributes: { 'client-id': 'exported', topic: 'a.b' } }]);
    const latency = points.get('kafka.client.request-latency-in-ms')!;
    const produce = [...latency].filter(({ attributes }) => attributes['api-key'] === 0);
    expect(produce).toMatchObject([{ value: { min: 2, max: 2 }, attributes: { 'node-id': 0 } }]);
    expect(points.get('kafka.client.compression-ratio')).toMatchObject([{ value: { min: 100, max: 100 } }]);
    expect(points.get('kafka.client.buffer-available-bytes')).toMatchObject([{ value: 64 * 1024 * 1024 }]);
    expect(points.get('kafka.client.requests-in-flight')!.length).toBeGreaterThan(0);
    stop();
    await run(producer.sendAsync('a.b', { value: 'y' }));
    expect((await collected()).get('kafka.client.record-send-total')).toMatchObject([{ value: 20 }]);
    await run(producer.close());
  });

  it('takes a meter of your own, and another prefix', async () => {
    open();
    boxed = await startBox({ t: 1 });
    const { kafka, clock, run } = boxed;
    const stop = await exportMetrics({ meter: provider.getMeter('mine'), prefix: '', clock });
    await run(kafka.cluster.refresh(['t']));
    expect((await collected()).get('connection-creation-total')).toMatchObject([{ value: 1 }]);
    stop();
  });
});
