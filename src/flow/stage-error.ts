import { KafkaError } from '../errors.ts';
import type { Origin } from './origin.ts';

/** What a {@link StageError} is about. */
export interface StageFailure<A> {
  /** The stage's `name`, or its operator's. */
  readonly stage: string;
  /** The value it was given. */
  readonly value: A;
  /** How often the stage had tried, this time included. */
  readonly attempt: number;
  readonly origins: readonly Origin[];
  /** What the user's function threw. */
  readonly cause: unknown;
}

function describe(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

function place(origins: readonly Origin[]): string {
  const first = origins[0];
  if (first === undefined) return '';
  const { record } = first;
  const where =
    record === undefined
      ? `${first.source} value ${first.sequence}`
      : `${record.topic}-${record.partition} offset ${record.offset}`;
  return ` at ${where}${origins.length > 1 ? ` and ${origins.length - 1} more` : ''}`;
}

const HIDDEN = { enumerable: false } as const;

/** A stage failed for one value; `cause` is what it threw. The stage's policy has decided, or is about to decide, what becomes of the records behind it. */
export class StageError<out A = unknown> extends KafkaError {
  readonly code = 'STAGE_FAILED';
  readonly stage: string;
  readonly value: A;
  readonly attempt: number;
  readonly origins: readonly Origin[];

  constructor(failure: StageFailure<A>) {
    super(
      `stage ${failure.stage} failed${place(failure.origins)}, attempt ${failure.attempt}: ${describe(failure.cause)}`,
      false,
      { cause: failure.cause },
    );
    this.stage = failure.stage;
    this.value = failure.value;
    this.attempt = failure.attempt;
    this.origins = failure.origins;
    // There to be read, but not to be printed with the error: what a record holds does not belong in a log.
    Object.defineProperty(this, 'value', HIDDEN);
    Object.defineProperty(this, 'origins', HIDDEN);
  }
}
