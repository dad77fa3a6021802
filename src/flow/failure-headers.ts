// What the headers of a dead letter, or of a record in a retry topic, say of its failure, under the names of three tools that people have already.
import { Buffer } from 'node:buffer';
import type { Bytes, ConsumerRecord, RecordHeaders } from '../core/records/types.ts';

/** Whose names the headers have: Kafka Streams' (KIP-1034), Kafka Connect's, or Spring Kafka's. */
export type FailureHeaders = 'streams' | 'connect' | 'spring';

/** Where a record comes from and why it is where it is. */
export interface Failure {
  /** Where the original lies. */
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** What the user's function, a deserializer or the producer threw. */
  readonly cause: { readonly name: string; readonly message: string; readonly stack: string };
  /** The stage that failed; undefined where the headers do not say. */
  readonly stage: string | undefined;
  /** How often it was tried in all, over all levels; 0 for a record that only followed one of its key. */
  readonly attempts: number;
  /** How often it was put off after a failure; 0 where the headers do not say. */
  readonly retries: number;
  /** Milliseconds since 1970; undefined where the headers do not say. */
  readonly firstFailedAt: number | undefined;
  readonly failedAt: number | undefined;
  /** In a retry topic: when it is to be tried again, in milliseconds since 1970. */
  readonly dueAt: number | undefined;
}

type Field =
  | 'topic'
  | 'partition'
  | 'offset'
  | 'name'
  | 'message'
  | 'stack'
  | 'stage'
  | 'attempts'
  | 'retries'
  | 'firstFailedAt'
  | 'failedAt'
  | 'dueAt';

/** What no tool has a name for, and what one of them has none for. */
const OWN = {
  stage: '__sluice.errors.stage',
  attempts: '__sluice.errors.attempts',
  retries: '__sluice.errors.retries',
  firstFailedAt: '__sluice.errors.first-failed-at',
  failedAt: '__sluice.errors.failed-at',
  dueAt: '__sluice.errors.due-at',
} as const;

const STREAMS: Record<Field, string> = {
  name: '__streams.errors.exception',
  message: '__streams.errors.message',
  stack: '__streams.errors.stacktrace',
  topic: '__streams.errors.topic',
  partition: '__streams.errors.partition',
  offset: '__streams.errors.offset',
  ...OWN,
};

const CONNECT: Record<Field, string> = {
  topic: '__connect.errors.topic',
  partition: '__connect.errors.partition',
  offset: '__connect.errors.offset',
  name: '__connect.errors.exception.class.name',
  message: '__connect.errors.exception.message',
  stack: '__connect.errors.exception.stacktrace',
  ...OWN,
  stage: '__connect.errors.stage',
};

const springNames = (prefix: string): Record<Field, string> => ({
  topic: `${prefix}original-topic`,
  partition: `${prefix}original-partition`,
  offset: `${prefix}original-offset`,
  name: `${prefix}exception-fqcn`,
  message: `${prefix}exception-message`,
  stack: `${prefix}exception-stacktrace`,
  ...OWN,
  attempts: 'retry_topic-attempts',
  dueAt: 'retry_topic-backoff-timestamp',
});

/** Of dead letters. */
const SPRING = springNames('kafka_dlt-');
/** Of its retry topics, and of the dead letters behind them. */
const SPRING_RETRY = springNames('kafka_');

const FAMILIES = [STREAMS, CONNECT, SPRING, SPRING_RETRY];

/** Spring writes numbers as Java does, in bytes of these lengths; 0: as few as it takes. Times of its own are text. */
const SPRING_BYTES: { readonly [F in Field]?: number } = { partition: 4, offset: 8, attempts: 4, dueAt: 0 };

const ORDER: readonly Field[] = [
  'name',
  'message',
  'stack',
  'topic',
  'partition',
  'offset',
  'stage',
  'attempts',
  'retries',
  'firstFailedAt',
  'failedAt',
  'dueAt',
];

const KNOWN: ReadonlySet<string> = new Set(FAMILIES.flatMap((names) => Object.values(names)));

/** A stack trace is for a reader, not an archive. */
const MAX_STACK_CHARACTERS = 8_192;

/** What was thrown, as headers tell it. */
export function causeOf(cause: unknown): Failure['cause'] {
  if (!(cause instanceof Error)) return { name: typeof cause, message: String(cause), stack: '' };
  const { name, message, stack = '' } = cause;
  return { name, message, stack: stack.slice(0, MAX_STACK_CHARACTERS) };
}

/** The headers that tell of a failure; `retried`: it has been, or is going, through a retry topic. */
export function failureHeaders(
  failure: Failure,
  family: FailureHeaders,
  retried: boolean,
): (readonly [string, Bytes | null])[] {
  const isSpring = family === 'spring';
  const names = isSpring ? (retried ? SPRING_RETRY : SPRING) : family === 'connect' ? CONNECT : STREAMS;
  const { cause, ...rest } = failure;
  const fields: { readonly [F in Field]: string | number | undefined } = { ...rest, ...cause };
  const headers: (readonly [string, Bytes | null])[] = [];
  for (const field of ORDER) {
    const value = fields[field];
    if (value === undefined) continue;
    const length = isSpring ? SPRING_BYTES[field] : undefined;
    headers.push([names[field], length === undefined ? String(value) : bigEndian(Number(value), length)]);
  }
  return headers;
}

/**
 * What the headers of a dead letter, or of a record in a retry topic, say of its failure, whether this library wrote them, Kafka Streams (KIP-1034), Kafka
 * Connect or Spring Kafka; undefined for a record that tells of none. Where a record went through several hands the last one counts.
 *
 * @example
 * ```ts
 * const letters = fromPartitions({ topic: 'orders.dead', from: 'earliest', until: 'end' }).pipe(
 *   tap((letter) => console.log(failureOf(letter)?.cause.message)),
 * );
 * ```
 */
export function failureOf(record: Pick<ConsumerRecord<unknown, unknown>, 'headers'>): Failure | undefined {
  const { headers } = record;
  const names = FAMILIES.find((family) => (headers.get(family.topic) ?? null) !== null);
  if (names === undefined) return undefined;
  const text = (field: Field): string | undefined => headers.text(names[field]) ?? undefined;
  const isSpring = names === SPRING || names === SPRING_RETRY;
  const number = (field: Field): number | undefined => {
    if (isSpring && SPRING_BYTES[field] !== undefined) return numberIn(headers, names[field]);
    const value = text(field);
    return value === undefined || value === '' || Number.isNaN(Number(value)) ? undefined : Number(value);
  };
  return {
    topic: text('topic')!,
    partition: number('partition') ?? -1,
    offset: number('offset') ?? -1,
    cause: { name: text('name') ?? '', message: text('message') ?? '', stack: text('stack') ?? '' },
    stage: text('stage'),
    attempts: number('attempts') ?? 0,
    retries: number('retries') ?? 0,
    firstFailedAt: number('firstFailedAt'),
    failedAt: number('failedAt'),
    dueAt: number('dueAt'),
  };
}

/** The headers without those that tell of the last failure: what the original had. */
export function withoutFailure(headers: RecordHeaders): (readonly [string, Buffer | null])[] {
  const all = [...headers];
  const seen = new Set<string>();
  const kept: (readonly [string, Buffer | null])[] = [];
  for (let at = all.length - 1; at >= 0; at--) {
    const [name] = all[at]!;
    if (!KNOWN.has(name) || seen.has(name)) kept.push(all[at]!);
    else seen.add(name);
  }
  return kept.reverse();
}

function bigEndian(value: number, length: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(Math.trunc(value)));
  if (length > 0) return bytes.subarray(8 - length);
  // As BigInteger.toByteArray(): no more bytes than the number and its sign take.
  let from = 0;
  while (from < 7 && bytes[from] === 0 && bytes[from + 1]! < 0x80) from++;
  return bytes.subarray(from);
}

function numberIn(headers: RecordHeaders, name: string): number | undefined {
  const bytes = headers.get(name);
  if (bytes === null || bytes === undefined || bytes.length === 0 || bytes.length > 8) return undefined;
  return Number(BigInt.asIntN(bytes.length * 8, BigInt(`0x${bytes.toString('hex')}`)));
}

/**
 * The headers of a dead letter without those that tell of its failure: what the original had.
 *
 * @example
 * ```ts
 * const again = fromGroup({ groupId: 'again', topics: ['orders.dead'] }).pipe(
 *   toTopic('orders', (letter) => ({ key: letter.key, value: letter.value, headers: originalHeaders(letter) })),
 * );
 * ```
 */
export function originalHeaders(
  record: Pick<ConsumerRecord<unknown, unknown>, 'headers'>,
): readonly (readonly [string, Buffer | null])[] {
  return withoutFailure(record.headers);
}
