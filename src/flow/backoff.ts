import { UsageError } from '../errors.ts';

/** How often something is tried, and how long apart. */
export interface Backoff {
  /** Attempts in all, the first one counted. */
  readonly attempts: number;
  /** Wait before the second attempt, in milliseconds; doubled before each further one. Default 100. */
  readonly minDelayMs?: number | undefined;
  /** The longest wait, in milliseconds. Default 10,000. */
  readonly maxDelayMs?: number | undefined;
}

const MIN_DELAY_MS = 100;
const MAX_DELAY_MS = 10_000;

/** Throws a UsageError that names the option. */
export function checkBackoff(what: string, backoff: Backoff): void {
  const { attempts, minDelayMs = 0, maxDelayMs = minDelayMs } = backoff;
  if (!Number.isInteger(attempts) || attempts < 1) {
    throw new UsageError(`${what}: attempts is a whole number from 1, not ${attempts}`, 'attempts');
  }
  if (!(minDelayMs >= 0)) {
    throw new UsageError(`${what}: minDelayMs is a number of milliseconds, not ${minDelayMs}`, 'minDelayMs');
  }
  if (!(maxDelayMs >= minDelayMs)) {
    throw new UsageError(
      `${what}: maxDelayMs is at least minDelayMs (${minDelayMs}), not ${maxDelayMs}`,
      'maxDelayMs',
    );
  }
}

/** The wait after failure number `failures`, from 1, in milliseconds. */
export function delayAfter(backoff: Backoff, failures: number): number {
  const first = backoff.minDelayMs ?? Math.min(MIN_DELAY_MS, backoff.maxDelayMs ?? MIN_DELAY_MS);
  const longest = Math.max(first, backoff.maxDelayMs ?? MAX_DELAY_MS);
  return Math.min(longest, first * 2 ** (failures - 1));
}
