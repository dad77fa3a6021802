// Entry point `sluice/metrics`: figures of this process, collected here or by OpenTelemetry.
export { collectMetrics, type CollectOptions, type MetricsCollector } from './collect-metrics.ts';
export {
  exportMetrics,
  type ExportOptions,
  type MeterLike,
  type MetricAttributes,
} from './export-metrics.ts';
export type { Distribution } from './histogram.ts';
export type { HistogramMetric, MeterMetric, Metric, MetricIdentity, ValueMetric } from './metric.ts';
