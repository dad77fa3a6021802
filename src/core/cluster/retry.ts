// Retries with a hard deadline, and Kafka's error codes as errors.

import type { Clock, Random } from '../clock.ts';
import { delay } from '../clock.ts';
import { JoinedSignal } from '../joined-signal.ts';
import { BrokerError, ConnectionError, KafkaError, TimeoutError, UsageError } from '../../errors.ts';
import { errorCode } from '../protocol/error-codes.ts';
import { unlessLate } from './waiting.ts';

const DEFAULT_MIN_DELAY_MS = 100;
const DEFAULT_MAX_DELAY_MS = 1000;
const JITTER = 0.2;

/** How long to wait before attempt `attempt + 1` (counted from 1): doubled each time from `minDelayMs` to `maxDelayMs`, then +/- 20 %. */
export function backoffMs(attempt: number, minDelayMs: number, maxDelayMs: number, random: Random): number {
  const base = Math.min(maxDelayMs, minDelayMs * 2 ** Math.min(attempt - 1, 30));
  return base * (1 - JITTER + 2 * JITTER * random());
}

/** Limits of {@link withRetry}. */
export interface RetryOptions {
  /** Counted from the call; nothing goes on after it, an attempt that is under way included. */
  readonly deadlineMs: number;
  readonly backoff?: { readonly minDelayMs: number; readonly maxDelayMs: number } | undefined;
  /** Most repetitions after the first attempt; default as many as the deadline allows. */
  readonly retries?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What retries run on: a cluster, or its clock and its randomness. */
export interface RetryContext {
  readonly clock: Clock;
  readonly random: Random;
  /** Ends everything when it aborts. */
  readonly closing?: AbortSignal | undefined;
}

/**
 * Calls `attempt(n, remainingMs)` (n from 1) until it resolves. Retriable KafkaErrors are tried again; any other error is the result, as is the
 * last one when the retries are used up. At the deadline it rejects with a TimeoutError that names `what` and has the last error as its cause.
 */
export async function withRetry<T>(
  cluster: RetryContext,
  what: string,
  options: RetryOptions,
  attempt: (n: number, remainingMs: number) => Promise<T>,
): Promise<T> {
  const { closing } = cluster;
  if (closing === undefined || options.signal === undefined)
    return tryAgain(cluster, what, options, options.signal ?? closing, attempt);
  const joined = new JoinedSignal([options.signal, closing]);
  try {
    return await tryAgain(cluster, what, options, joined.signal, attempt);
  } finally {
    joined.release();
  }
}

/** True for an attempt that had only the time that was left: it says less than the error before it, for which that was needed. */
export function wasCutShort(error: unknown, remainingMs: number): boolean {
  return error instanceof TimeoutError && error.afterMs >= remainingMs;
}

async function tryAgain<T>(
  cluster: RetryContext,
  what: string,
  options: RetryOptions,
  signal: AbortSignal | undefined,
  attempt: (n: number, remainingMs: number) => Promise<T>,
): Promise<T> {
  const { clock, random } = cluster;
  const { deadlineMs, retries = Infinity } = options;
  const minDelayMs = options.backoff?.minDelayMs ?? DEFAULT_MIN_DELAY_MS;
  const maxDelayMs = options.backoff?.maxDelayMs ?? DEFAULT_MAX_DELAY_MS;
  const start = clock.now();
  let last: unknown;
  let sent = false;
  if (cluster.closing?.aborted === true) throw new UsageError(`${what}: the client is closed`);
  for (let n = 1; ; n += 1) {
    signal?.throwIfAborted();
    const remainingMs = deadlineMs - (clock.now() - start);
    if (remainingMs <= 0) throw outOfTime(what, deadlineMs, n - 1, last, sent);
    try {
      return await unlessLate(
        clock,
        attempt(n, remainingMs),
        remainingMs,
        signal,
        () => new OutOfTime(outOfTime(what, deadlineMs, n, last, true)),
      );
    } catch (error) {
      if (error instanceof OutOfTime) throw error.error;
      if (!(error instanceof KafkaError) || !error.retriable || n > retries) throw error;
      if (last === undefined || !wasCutShort(error, remainingMs)) last = error;
      sent ||= mayHaveBeenSent(error);
    }
    const left = deadlineMs - (clock.now() - start);
    if (left < minDelayMs) throw outOfTime(what, deadlineMs, n, last, sent);
    await delay(clock, Math.min(backoffMs(n, minDelayMs, maxDelayMs, random), left / 2), signal);
  }
}

/** Tells our own deadline from a TimeoutError of the attempt. */
class OutOfTime {
  readonly error: TimeoutError;
  constructor(error: TimeoutError) {
    this.error = error;
  }
}

function mayHaveBeenSent(error: KafkaError): boolean {
  if (error instanceof TimeoutError) return error.sent;
  return !(error instanceof ConnectionError) || error.phase === 'io';
}

function outOfTime(
  what: string,
  deadlineMs: number,
  attempts: number,
  cause: unknown,
  sent: boolean,
): TimeoutError {
  const why = cause instanceof Error ? `; the last error was: ${cause.message}` : '';
  const message = `${what} did not succeed within ${deadlineMs} ms (${attempts} attempts)${why}`;
  return new TimeoutError(message, { afterMs: deadlineMs, sent, cause });
}

/** Where a broker's error code was found. */
export interface ErrorPlace {
  readonly api: string;
  readonly topic?: string | undefined;
  readonly partition?: number | undefined;
  /** The broker's own words, where the answer has them. */
  readonly detail?: string | null | undefined;
}

/** Kafka's error code as an error that says what it is, where it came from, and whether a retry can help. */
export function brokerError(code: number, where: ErrorPlace): BrokerError {
  const { name, message, retriable } = errorCode(code);
  const { api, topic, partition, detail } = where;
  const place =
    topic === undefined ? '' : partition === undefined ? ` for ${topic}` : ` for ${topic}-${partition}`;
  const words = detail === undefined || detail === null || detail === '' ? message : detail;
  return new BrokerError(name, `${api}${place}: ${name} (${code}): ${words}`, {
    retriable,
    api,
    topic,
    partition,
  });
}
