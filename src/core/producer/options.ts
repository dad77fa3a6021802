// What a producer can be told, the defaults with their reasons, and the one place that checks them.

import { UsageError } from '../../errors.ts';
import { CODEC_NAMES, type CodecName } from '../compression/codec.ts';
import { LEVELS } from '../compression/levels.ts';
import type { Numbering } from './sequence.ts';
import type { ProducerInterceptor } from './interceptor.ts';
import {
  PARTITIONER_NAMES,
  type Partitioner,
  type PartitionerName,
  type WritablePartitioner,
} from './partitioner.ts';

/** Options of a {@link Producer}; every one has a default that suits a busy stream and a single awaited send alike. */
export interface ProducerOptions {
  /**
   * How long an unfilled batch waits for more records, in ms. Default 0: it is sent at once when its partition has nothing in flight and gathers
   * records while it has; a batch of 500 records and 128 KiB does not wait for the first one in flight.
   */
  readonly lingerMs?: number | undefined;
  /**
   * A batch is closed before it passes this many bytes (uncompressed). Default 1,000,000: just under the 1,048,588 a broker takes by default, so
   * that the cost of a request is spread over some ten thousand records of 100 bytes; memory is taken as records come, not in advance.
   */
  readonly batchBytes?: number | undefined;
  /**
   * The largest batch of one record, in bytes, uncompressed and exact; a larger record fails with MESSAGE_TOO_LARGE without being sent. Default
   * 1,048,588, Kafka's own default of `max.message.bytes`.
   */
  readonly maxRecordBytes?: number | undefined;
  /** The most bytes of batches in one Produce request. Default 8 MiB. */
  readonly maxRequestBytes?: number | undefined;
  /** Bytes of records taken but not answered before `send` returns false. Default 64 MiB. */
  readonly bufferBytes?: number | undefined;
  /** The same for one partition, so that one without a leader cannot take all of it. Default a quarter of `bufferBytes`. */
  readonly partitionBufferBytes?: number | undefined;
  /** Batches in flight per partition and requests in flight per broker, 1 to 5. Default 5, what brokers can keep in order. */
  readonly maxInFlight?: number | undefined;
  /** How batches are compressed: a large one by another thread, so that the event loop goes on. Default 'none'. */
  readonly compression?: CodecName | undefined;
  /**
   * How hard gzip (1 to 9) or zstd (-131,072 to 22, usually 1 to 19) works: more is smaller and slower. Default the codec's own, 6 and 3. snappy and
   * lz4 have no levels here and take no notice.
   */
  readonly compressionLevel?: number | undefined;
  /** From `send` to the end of a record's last attempt, in ms. Default 120,000. */
  readonly deliveryTimeoutMs?: number | undefined;
  /** One Produce request, in ms. Default 30,000. */
  readonly requestTimeoutMs?: number | undefined;
  /** How long a record may wait for its topic or partition to exist, in ms. Default 15,000: a new topic shows within a second or two. */
  readonly metadataTimeoutMs?: number | undefined;
  /** How often a batch is sent again at most. Default Infinity: as often as `deliveryTimeoutMs` allows. */
  readonly retries?: number | undefined;
  /** First and longest pause before a retry, in ms. Default 100 and 1,000. */
  readonly retryBackoffMs?: number | undefined;
  readonly retryBackoffMaxMs?: number | undefined;
  /**
   * Who must have a record before it is acknowledged: 'all' in-sync replicas (or -1; the default), the leader alone (1), or nobody (0: a record counts
   * as sent when it is written to the socket, its offset is -1, and a lost connection loses it without a word). Less than 'all' needs
   * `idempotent: false`.
   */
  readonly acks?: 'all' | -1 | 0 | 1 | undefined;
  /**
   * Numbers the batches, so that a repeated one is not appended twice and five can be in flight in order. Default true. Without it a partition has one
   * batch in flight, which keeps the order, and a repeated one may be in the log twice.
   */
  readonly idempotent?: boolean | undefined;
  /** Makes the producer transactional, see `Kafka.producer`. One instance at a time: a newer one with the same id shuts the older one out. */
  readonly transactionalId?: string | undefined;
  /** The cluster aborts a transaction that is open for so long. Default 60,000, at most the brokers' `transaction.max.timeout.ms` (15 minutes). */
  readonly transactionTimeoutMs?: number | undefined;
  /** How a record's key chooses the partition. Default 'murmur2', as the Java client. */
  readonly partitioner?: PartitionerName | Partitioner | WritablePartitioner | undefined;
  /** Most records of a batch: one that has so many goes out at once, whatever `lingerMs`. Default no limit. */
  readonly batchRecords?: number | undefined;
  /** See and change each record once, when it is taken: never again when it is sent again. Default none. */
  readonly interceptors?: readonly ProducerInterceptor[] | undefined;
}

/** {@link ProducerOptions} with every default filled in. */
export type ProducerSettings = {
  readonly [P in Exclude<keyof ProducerOptions, 'acks' | 'idempotent' | 'transactionalId'>]-?: NonNullable<
    ProducerOptions[P]
  >;
} & {
  readonly acks: -1 | 0 | 1;
  readonly numbering: Numbering;
  readonly transactionalId: string | null;
};

const MIB = 1024 * 1024;
/** More records than that no batch can have. */
const MAX_RECORDS = 2 ** 31 - 1;

/** Fills in the defaults. @throws UsageError naming the first option that makes no sense. */
export function producerSettings(options: ProducerOptions = {}): ProducerSettings {
  const bufferBytes = count(options, 'bufferBytes', 64 * MIB, 1);
  const maxRecordBytes = count(options, 'maxRecordBytes', 1_048_588, 100);
  const batchBytes = count(options, 'batchBytes', Math.min(1_000_000, maxRecordBytes), 1);
  const { compression = 'none', partitioner = 'murmur2', transactionalId = null } = options;
  const acks = acksOf(options);
  const idempotent = options.idempotent ?? true;
  const settings: ProducerSettings = {
    lingerMs: count(options, 'lingerMs', 0, 0),
    batchBytes,
    maxRecordBytes,
    maxRequestBytes: count(options, 'maxRequestBytes', Math.max(8 * MIB, maxRecordBytes), 1),
    bufferBytes,
    partitionBufferBytes: count(options, 'partitionBufferBytes', Math.ceil(bufferBytes / 4), 1),
    maxInFlight: count(options, 'maxInFlight', 5, 1),
    compression: compression,
    compressionLevel: options.compressionLevel ?? LEVELS[compression]?.byDefault ?? 0,
    deliveryTimeoutMs: count(options, 'deliveryTimeoutMs', 120_000, 1),
    requestTimeoutMs: count(options, 'requestTimeoutMs', 30_000, 1),
    metadataTimeoutMs: count(options, 'metadataTimeoutMs', 15_000, 1),
    retries: options.retries === Infinity ? Infinity : count(options, 'retries', MAX_RECORDS, 0),
    retryBackoffMs: count(options, 'retryBackoffMs', 100, 0),
    retryBackoffMaxMs: count(options, 'retryBackoffMaxMs', 1000, 0),
    partitioner: partitioner,
    batchRecords:
      options.batchRecords === Infinity ? Infinity : count(options, 'batchRecords', MAX_RECORDS, 1),
    interceptors: interceptorsOf(options),
    transactionTimeoutMs: count(options, 'transactionTimeoutMs', 60_000, 1),
    acks,
    numbering: transactionalId !== null ? 'given' : idempotent ? 'own' : 'none',
    transactionalId,
  };
  for (const name of Object.keys(options))
    if (!Object.hasOwn(settings, name) && name !== 'idempotent')
      throw new UsageError(`A producer has no option ${name}`, name);
  if (!CODEC_NAMES.includes(compression))
    throw new UsageError(
      `compression must be one of ${CODEC_NAMES.join(', ')}; got ${JSON.stringify(compression)}`,
      'compression',
    );
  checkLevel(compression, options.compressionLevel);
  if (
    typeof partitioner === 'string' ? !PARTITIONER_NAMES.includes(partitioner) : !isPartitioner(partitioner)
  )
    throw new UsageError(
      `partitioner must be a function, an object with choose(), or one of ${PARTITIONER_NAMES.join(', ')}; got ${typeof partitioner === 'string' ? partitioner : typeof partitioner}`,
      'partitioner',
    );
  checkDelivery(options, acks, idempotent);
  if (settings.maxInFlight > 5)
    throw new UsageError(
      `maxInFlight must be 5 or less, for brokers keep no more batches of a partition in order; got ${settings.maxInFlight}`,
      'maxInFlight',
    );
  if (batchBytes > maxRecordBytes)
    throw new UsageError(
      `batchBytes (${batchBytes}) must not be larger than maxRecordBytes (${maxRecordBytes})`,
      'batchBytes',
    );
  if (settings.maxRequestBytes < maxRecordBytes)
    throw new UsageError(
      `maxRequestBytes (${settings.maxRequestBytes}) must hold at least one record of maxRecordBytes (${maxRecordBytes})`,
      'maxRequestBytes',
    );
  if (settings.lingerMs >= settings.deliveryTimeoutMs)
    throw new UsageError(
      `lingerMs (${settings.lingerMs}) must be shorter than deliveryTimeoutMs (${settings.deliveryTimeoutMs})`,
      'lingerMs',
    );
  return settings;
}

function checkLevel(compression: CodecName, level: unknown): void {
  if (level === undefined) return;
  const levels = LEVELS[compression];
  if (typeof level !== 'number' || !Number.isInteger(level))
    throw new UsageError(
      `compressionLevel must be a whole number; got ${JSON.stringify(level)}`,
      'compressionLevel',
    );
  if (levels !== undefined && (level < levels.least || level > levels.most))
    throw new UsageError(
      `compressionLevel of ${compression} must be from ${levels.least} to ${levels.most}; got ${level}`,
      'compressionLevel',
    );
}

function isPartitioner(value: unknown): boolean {
  if (typeof value === 'function') return true;
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as { choose?: unknown }).choose === 'function'
  );
}

function interceptorsOf({ interceptors = [] }: ProducerOptions): readonly ProducerInterceptor[] {
  const given: unknown = interceptors;
  const isOne = (one: unknown): boolean =>
    typeof (one as { readonly onSend?: unknown } | null)?.onSend === 'function';
  if (Array.isArray(given) && given.every(isOne)) return interceptors;
  throw new UsageError('interceptors must be a list of objects with onSend()', 'interceptors');
}

function acksOf({ acks = 'all' }: ProducerOptions): -1 | 0 | 1 {
  if (acks === 'all') return -1;
  if (acks === -1 || acks === 0 || acks === 1) return acks;
  throw new UsageError(`acks must be 'all', -1, 0 or 1; got ${JSON.stringify(acks)}`, 'acks');
}

function checkDelivery(options: ProducerOptions, acks: number, idempotent: unknown): void {
  const { transactionalId, transactionTimeoutMs } = options;
  if (typeof idempotent !== 'boolean')
    throw new UsageError(`idempotent must be true or false; got ${String(idempotent)}`, 'idempotent');
  if (idempotent && acks !== -1)
    throw new UsageError(
      `acks is ${acks}, and an idempotent producer needs acks 'all': leave acks out, or set idempotent to false`,
      'acks',
    );
  if (transactionalId === undefined) {
    if (transactionTimeoutMs !== undefined)
      throw new UsageError(
        `transactionTimeoutMs (${transactionTimeoutMs}) is for transactions: it needs a transactionalId`,
        'transactionTimeoutMs',
      );
    return;
  }
  if (typeof transactionalId !== 'string' || transactionalId === '')
    throw new UsageError(
      `transactionalId must be a string that is not empty; got ${JSON.stringify(transactionalId)}`,
      'transactionalId',
    );
  if (!idempotent)
    throw new UsageError(
      `a producer with a transactionalId ('${transactionalId}') is idempotent: leave idempotent out`,
      'idempotent',
    );
  if (
    transactionTimeoutMs !== undefined &&
    !(Number.isInteger(transactionTimeoutMs) && transactionTimeoutMs <= 2 ** 31 - 1)
  )
    throw new UsageError(
      `transactionTimeoutMs must be a whole number of milliseconds below 2^31; got ${transactionTimeoutMs}`,
      'transactionTimeoutMs',
    );
}

type NumericOption = {
  [P in keyof ProducerSettings]: ProducerSettings[P] extends number ? P : never;
}[keyof ProducerSettings];

function count(options: ProducerOptions, name: NumericOption, fallback: number, least: number): number {
  const value: unknown = options[name] ?? fallback;
  if (typeof value !== 'number' || !Number.isFinite(value) || value < least)
    throw new UsageError(`${name} must be a number of at least ${least}; got ${String(value)}`, name);
  return value;
}
