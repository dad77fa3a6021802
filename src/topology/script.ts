import type { ProducerOptions } from '../core/producer/options.ts';
import type { StreamClient } from '../core/stream-client.ts';
import { SharedProducer } from '../sinks/shared-producer.ts';
import { bindSluice, type Sluice } from './sluice.ts';

/** Options of {@link sluice}; the first call for a client decides. */
export interface ScriptOptions {
  readonly producer?: ProducerOptions | undefined;
}

const bound = new WeakMap<StreamClient, Sluice>();

/**
 * Sources, sinks and policies of one cluster for a script, outside any topology: a failure that no policy took is the flow's own error, and
 * unsubscribing ends it. The producer behind `toTopic` is shared by everything bound to the same client and closed with it.
 *
 * @example
 * ```ts
 * const { fromPartitions } = sluice(kafka);
 * const total = await lastValueFrom(
 *   fromPartitions({ topic: 'orders', value: json(Order), from: 'earliest', to: 'latest' }).pipe(map((r) => r.value.total), settle()).pipe(reduce((a, b) => a + b, 0)),
 * );
 * ```
 */
export function sluice(kafka: StreamClient, options: ScriptOptions = {}): Sluice {
  let cluster = bound.get(kafka);
  if (cluster === undefined) {
    const producer = new SharedProducer(kafka, options.producer);
    kafka.beforeClose(() => producer.close(CLOSE_TIMEOUT_MS));
    cluster = bindSluice(kafka, undefined, producer);
    bound.set(kafka, cluster);
  }
  return cluster;
}

const CLOSE_TIMEOUT_MS = 30_000;
