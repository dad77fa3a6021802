// What of a run's producer options kafkajs's producer can do.

import type { CompressionTypes } from 'kafkajs';
import type { ProducerOptions } from '../core/producer/options.ts';
import { producerSettings } from '../core/producer/options.ts';
import { UsageError } from '../errors.ts';

/** How batches are sent. */
export interface SendSettings {
  readonly acks: -1 | 0 | 1;
  /** kafkajs's number for the codec. */
  readonly compression: CompressionTypes;
  readonly timeoutMs: number;
  readonly bufferBytes: number;
  readonly batchBytes: number;
  readonly batchRecords: number;
}

const POSSIBLE: ReadonlySet<string> = new Set([
  'acks',
  'compression',
  'requestTimeoutMs',
  'bufferBytes',
  'batchBytes',
  'batchRecords',
  'idempotent',
]);
const CODECS: Readonly<Record<string, number>> = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 };
/** kafkajs makes an object of several hundred bytes of each message on its way. */
const BATCH_RECORDS = 10_000;

/** @throws UsageError for an option that kafkajs has no counterpart for */
export function sendSettings(options: ProducerOptions): SendSettings {
  for (const [name, value] of Object.entries(options))
    if (value !== undefined && !POSSIBLE.has(name))
      throw new UsageError(
        `run over kafkajs: producer.${name} is not possible; what kafkajs has for its producers (createPartitioner, retry, ...) goes to kafkajs(client, { producer })`,
        `producer.${name}`,
      );
  if (options.idempotent === true)
    throw new UsageError(
      'run over kafkajs: producer.idempotent goes to kafkajs(client, { producer: { idempotent: true } }); kafkajs calls it experimental',
      'producer.idempotent',
    );
  const { acks, compression, requestTimeoutMs, bufferBytes, batchBytes } = producerSettings({
    ...options,
    idempotent: false,
  });
  return {
    acks,
    // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- the enum is a value of kafkajs's module, which is the user's
    compression: CODECS[compression] as CompressionTypes,
    timeoutMs: requestTimeoutMs,
    bufferBytes,
    batchBytes,
    batchRecords: options.batchRecords ?? BATCH_RECORDS,
  };
}
