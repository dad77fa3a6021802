// Entry point `sluice/operators`: every stage and policy that needs no cluster.
export { atMostOnce } from './at-most-once.ts';
export { audit } from './audit.ts';
export { batch, type BatchOptions } from './batch.ts';
export { branch, otherwise, when, whenIs, type Case } from './branch.ts';
export {
  circuitBreaker,
  type Circuit,
  type CircuitBreakerOptions,
  type OpensAfter,
} from './circuit-breaker.ts';
export { countWindow, type CountWindowOptions } from './count-window.ts';
export { debounce } from './debounce.ts';
export { dedupe, type DedupeOptions } from './dedupe.ts';
export { delayUntil, type DelayUntilOptions } from './delay-until.ts';
export { dropping } from './dropping.ts';
export { distinct, type DistinctOptions } from './distinct.ts';
export { eachClaim } from './each-claim.ts';
export { enrich, type EnrichOptions, type LookupContext } from './enrich.ts';
export { exhaustByKey } from './exhaust-by-key.ts';
export { fanOut } from './fan-out.ts';
export { filter } from './filter.ts';
export { flatMap } from './flat-map.ts';
export { groupByKey, type GroupByKeyOptions, type KeyGroup } from './group-by-key.ts';
export { hoppingWindow, type HoppingWindowOptions } from './hopping-window.ts';
export { map } from './map.ts';
export { mapAsync } from './map-async.ts';
export { merge } from './merge.ts';
export { partitionBy, type PartitionByOptions } from './partition-by.ts';
export { passing } from './passing.ts';
export { perRecord } from './per-record.ts';
export { processingTimeWindow, type ProcessingTimeWindowOptions } from './processing-time-window.ts';
export { rateLimit, type RateLimitOptions } from './rate-limit.ts';
export { sample, type SampleOptions } from './sample.ts';
export { scan, type ScanOptions } from './scan.ts';
export { sessionWindow, type SessionFold, type SessionWindowOptions } from './session-window.ts';
export { settle } from './settle.ts';
export { switchByKey, type ByKeyOptions } from './switch-by-key.ts';
export { tap } from './tap.ts';
export { timeout, type TimeoutOptions } from './timeout.ts';
export { throttle, type ThrottleOptions } from './throttle.ts';
export { tumblingWindow, type WindowOptions } from './tumbling-window.ts';
export { withLatestFrom, type Plain } from './with-latest-from.ts';
export type { Windowed } from './windows/windowed.ts';
export type { EventTimeOptions } from './windows/window-options.ts';
export type { Ordering } from './async/call-order.ts';
export type { TimedCalls } from './async/async-stage.ts';
export type { CallContext } from './async/call.ts';
export type { Backoff } from '../flow/backoff.ts';
export type { DurationOptions, LaneOptions } from './lanes/lane-options.ts';
export type { Key } from '../flow/key.ts';
export {
  fail,
  retry,
  rewind,
  skip,
  type ErrorPolicy,
  type NameOption,
  type StageOptions,
} from '../flow/policy.ts';
export { gather } from '../flow/gather.ts';
