// What becomes of a delivery whose stage failed. A policy settles it, hands it on, or asks for another attempt; it never lets it fall.
import { UsageError } from '../errors.ts';
import { checkBackoff, delayAfter, type Backoff } from './backoff.ts';
import { handleOf, type Delivery, type Handle } from './delivery.ts';
import type { Settlement } from './settlement.ts';
import type { StageError } from './stage-error.ts';

const policy: unique symbol = Symbol('sluice.policy');

/** What a stage does with a value it failed for: `fail`, `skip`, `retry(...)`, `rewind(...)`, or `deadLetter(topic)`. */
export interface ErrorPolicy {
  readonly [policy]: true;
}

/** The option every stage takes that runs no user's function for a value, and so has nothing to fail for. */
export interface NameOption {
  /** For messages and metrics; default the operator's name. */
  readonly name?: string | undefined;
}

/** The options every stage with a user's function takes. */
export interface StageOptions<in A> extends NameOption {
  /** Default `fail`. A function chooses by the error; what it throws is a failure too. */
  readonly onError?: ErrorPolicy | ((error: StageError<A>) => ErrorPolicy) | undefined;
}

/** The base of all policies. */
export abstract class Policy implements ErrorPolicy {
  readonly [policy] = true;

  /** Settles or takes over `delivery`, or answers with the wait before the next attempt, in ms. `failures` counts from 1 within this policy. */
  abstract handle(delivery: Handle<unknown>, error: StageError, failures: number): number | undefined;
}

class FailPolicy extends Policy {
  handle(delivery: Handle<unknown>, error: StageError): undefined {
    delivery.nack(error);
  }
}

class SkipPolicy extends Policy {
  handle(delivery: Handle<unknown>): undefined {
    delivery.ack();
  }
}

/** True for a claim that is being given away, drained or gone. */
export const ending = (settlement: Settlement): boolean =>
  settlement.revoking.aborted || settlement.lost.aborted;

/** True when every claim behind it is being given away, drained or gone: nothing new should be waited for on its behalf. */
export function isEnding(delivery: Delivery<unknown>): boolean {
  return handleOf(delivery).behind.everySettlement(ending);
}

class RetryPolicy extends Policy {
  private readonly backoff: Backoff;
  private readonly next: Policy;

  constructor(backoff: Backoff, next: Policy) {
    super();
    checkBackoff('retry', backoff);
    this.backoff = backoff;
    this.next = next;
  }

  handle(delivery: Handle<unknown>, error: StageError, failures: number): number | undefined {
    if (failures < this.backoff.attempts) return delayAfter(this.backoff, failures);
    return this.next.handle(delivery, error, failures - this.backoff.attempts + 1);
  }
}

class RewindPolicy extends Policy {
  private readonly backoff: Backoff;

  constructor(backoff: Backoff) {
    super();
    checkBackoff('rewind', backoff);
    this.backoff = backoff;
  }

  handle(delivery: Handle<unknown>, error: StageError): undefined {
    let failures = 1;
    delivery.behind.visitSettlements((settlement) => {
      failures = Math.max(failures, (settlement.rewinds ?? 0) + 1);
    });
    if (failures < this.backoff.attempts) delivery.rewind(error, delayAfter(this.backoff, failures));
    else delivery.nack(error);
  }
}

/** Hands the delivery to `handler`, which settles it when it is done with it; what `handler` throws is a failure like any other. */
export class DeadLetterPolicy extends Policy {
  private readonly handler: (delivery: Delivery<unknown>, error: StageError) => void;

  constructor(handler: (delivery: Delivery<unknown>, error: StageError) => void) {
    super();
    this.handler = handler;
  }

  handle(delivery: Handle<unknown>, error: StageError): undefined {
    try {
      this.handler(delivery, error);
    } catch (cause) {
      delivery.nack(new AggregateError([error, cause], 'a stage failed, and so did its dead letter'));
    }
  }
}

function checked(what: string, chosen: ErrorPolicy): Policy {
  if (chosen instanceof Policy) return chosen;
  throw new UsageError(
    `${what} is fail, skip, retry(...), rewind(...) or deadLetter(topic); a plain RxJS operator or function is none of them`,
    'onError',
  );
}

/** The default: the record stays uncommitted, its topology drains the rest and `run()` rejects with the StageError. */
export const fail: ErrorPolicy = new FailPolicy();

/** The failed value's share of its records is acknowledged, as if it had been filtered out. */
export const skip: ErrorPolicy = new SkipPolicy();

/**
 * Tries again with growing waits, then does what `then` says (default `fail`). The stage keeps its order meanwhile. While its claim is being
 * given away or drained nothing waits: the record is left unsettled for its next owner.
 */
export function retry(backoff: Backoff, then: ErrorPolicy = fail): ErrorPolicy {
  return new RetryPolicy(backoff, checked('retry: then', then));
}

/**
 * Reads the claim again from its commit point after a wait, without leaving the group: nothing after the failed record is lost, and stages
 * begin anew. After `attempts` failures without progress it is a `fail`; so it is in a flow that has been read to its end (`until: 'end'`), whose
 * stages are complete.
 */
export function rewind(backoff: Backoff): ErrorPolicy {
  return new RewindPolicy(backoff);
}

/**
 * Applies a stage's policy to a delivery it failed for. Undefined: settled or handed over. A number: try again in so many milliseconds.
 * Stages that keep order wait with `RetryWait`, which also gives up when the claim ends. `failures` counts from 1 and is how often the stage
 * failed for this delivery; Infinity where trying again is of no use.
 */
export function applyPolicy<A>(
  onError: StageOptions<A>['onError'],
  delivery: Delivery<A>,
  error: StageError<A>,
  failures = error.attempt,
): number | undefined {
  const handle = handleOf(delivery);
  let chosen: Policy;
  try {
    chosen = checked('onError', typeof onError === 'function' ? onError(error) : (onError ?? fail));
  } catch (cause) {
    handle.nack(new AggregateError([error, cause], 'a stage failed, and so did its onError'));
    return undefined;
  }
  const delayMs = chosen.handle(handle, error, failures);
  if (delayMs === undefined || !isEnding(delivery)) return delayMs;
  handle.giveUp();
  return undefined;
}

/** Throws where a stage is made, not at its first failure. */
export function checkOnError<A>(what: string, onError: StageOptions<A>['onError']): void {
  if (onError !== undefined && typeof onError !== 'function') checked(`${what}: onError`, onError);
}
