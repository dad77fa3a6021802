// When, and after how long, a topology that failed begins again.
import type { Clock, Random } from '../core/clock.ts';
import { AuthenticationError, BrokerError, TransactionFatalError, UsageError } from '../errors.ts';
import type { Restart, RestartOptions } from './types.ts';

/** The options, all present. */
type Settings = { readonly [K in keyof RestartOptions]-?: NonNullable<RestartOptions[K]> };

const DEFAULTS: Omit<Settings, 'healthyAfterMs' | 'isFatal' | 'onRestart'> = {
  minDelayMs: 500,
  maxDelayMs: 30_000,
  jitter: 0.2,
  maxRestarts: Infinity,
  withinMs: 600_000,
};
const MAX_DELAY_MS = 2 ** 31 - 1;

/** Errors of the cluster that say no to this client, or that somebody else is in its place: the next run would hear the same. */
const REFUSALS =
  /_AUTHORIZATION_FAILED$|^(FENCED_INSTANCE_ID|PRODUCER_FENCED|TRANSACTIONAL_ID_AUTHORIZATION_FAILED|SECURITY_DISABLED|UNSUPPORTED_VERSION|UNSUPPORTED_SASL_MECHANISM|INVALID_TOPIC_EXCEPTION|INVALID_GROUP_ID)$/;

/** True for a failure that another run cannot mend. */
export function isFatal(cause: unknown): boolean {
  if (cause instanceof UsageError || cause instanceof TransactionFatalError) return true;
  if (cause instanceof AuthenticationError) return !cause.retriable;
  if (cause instanceof BrokerError) return REFUSALS.test(cause.errorName);
  if (cause instanceof AggregateError) return cause.errors.some(isFatal);
  return false;
}

/** Counts the runs of one topology. */
export class RestartPolicy {
  private readonly options: Settings;
  private readonly clock: Clock;
  private readonly random: Random;
  /** When the last restarts were, by the clock. */
  private times: number[] = [];
  private inARow = 0;
  private startedAt = 0;
  private count = 0;

  /** @throws UsageError naming an option that makes no sense. */
  constructor(options: RestartOptions, clock: Clock, random: Random) {
    const {
      minDelayMs = DEFAULTS.minDelayMs,
      maxDelayMs = Math.max(minDelayMs, DEFAULTS.maxDelayMs),
      jitter = DEFAULTS.jitter,
      maxRestarts = DEFAULTS.maxRestarts,
      withinMs = DEFAULTS.withinMs,
      healthyAfterMs = maxDelayMs,
      isFatal: fatal = isFatal,
      onRestart = () => undefined,
    } = options;
    check('minDelayMs', minDelayMs, minDelayMs >= 0 && minDelayMs <= MAX_DELAY_MS, 'milliseconds');
    check(
      'maxDelayMs',
      maxDelayMs,
      maxDelayMs >= minDelayMs && maxDelayMs <= MAX_DELAY_MS,
      'milliseconds, at least minDelayMs',
    );
    check('jitter', jitter, jitter >= 0 && jitter <= 1, 'from 0 to 1');
    check(
      'maxRestarts',
      maxRestarts,
      maxRestarts >= 0 && (Number.isInteger(maxRestarts) || maxRestarts === Infinity),
      'whole, from 0',
    );
    check('withinMs', withinMs, withinMs > 0, 'milliseconds above 0');
    check('healthyAfterMs', healthyAfterMs, healthyAfterMs >= 0, 'milliseconds');
    if (typeof fatal !== 'function' || typeof onRestart !== 'function')
      throw new UsageError('restart: isFatal and onRestart are functions', 'restart');
    this.options = {
      minDelayMs,
      maxDelayMs,
      jitter,
      maxRestarts,
      withinMs,
      healthyAfterMs,
      isFatal: fatal,
      onRestart,
    };
    this.clock = clock;
    this.random = random;
  }

  get restarts(): number {
    return this.count;
  }

  get onRestart(): (restart: Restart) => void {
    return this.options.onRestart;
  }

  /** A run begins. */
  began(): void {
    this.startedAt = this.clock.now();
  }

  /** A run failed: what follows, or undefined when nothing does. */
  next(cause: unknown): Restart | undefined {
    const { minDelayMs, maxDelayMs, jitter, maxRestarts, withinMs, healthyAfterMs } = this.options;
    if (this.options.isFatal(cause)) return undefined;
    const now = this.clock.now();
    const ranMs = now - this.startedAt;
    this.times = this.times.filter((time) => now - time < withinMs);
    if (this.times.length >= maxRestarts) return undefined;
    // What ran for so long was well: whatever failed now has nothing to do with what failed before.
    this.inARow = ranMs >= healthyAfterMs ? 1 : this.inARow + 1;
    this.times.push(now);
    this.count++;
    const longest = Math.min(maxDelayMs, minDelayMs * 2 ** (this.inARow - 1));
    const delayMs = longest * (1 - jitter * this.random());
    return { restart: this.count, inARow: this.inARow, ranMs, delayMs, cause };
  }
}

function check(option: string, value: number, holds: boolean, what: string): void {
  if (typeof value === 'number' && holds) return;
  throw new UsageError(`restart.${option} is a number, ${what}, not ${String(value)}`, `restart.${option}`);
}
