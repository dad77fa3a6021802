// What is told of topologies and of the deliveries in them.

/** A failure without the values that it happened to. */
export interface FailureSummary {
  readonly name: string;
  readonly message: string;
  /** Of an error of this library. */
  readonly code: string | undefined;
  /** The stage it came from. */
  readonly stage: string | undefined;
}

/** A run of a topology. `failed` comes when a failure that no policy took ends it, `ended` when everything is drained and closed. */
export type TopologyEvent = { readonly topology: string } & (
  | { readonly kind: 'started' | 'draining' }
  | { readonly kind: 'failed'; readonly failure: FailureSummary }
  | {
      readonly kind: 'ended';
      readonly recordsIn: number;
      readonly recordsOut: number;
      readonly unsettled: number;
      readonly isFailed: boolean;
      readonly durationMs: number;
    }
);

/** A topology failed and begins again. */
export interface RestartEvent {
  readonly topology: string;
  /** Which one it is, from 1. */
  readonly restart: number;
  /** How many there were without a healthy run between them, this one included. */
  readonly inARow: number;
  /** How long the run lasted that failed. */
  readonly ranMs: number;
  /** How long the next one is away. */
  readonly delayMs: number;
  readonly cause: unknown;
}

/** A delivery that was dropped without being settled, or used after it had moved on. */
export interface DeliveryProblemEvent {
  readonly kind: 'inert-use' | 'leaked';
  /** The method that was called, for 'inert-use'. */
  readonly action?: string;
  readonly topic: string;
  readonly partition: number;
  /** Counts the records of the claim. */
  readonly sequence: number;
}

/** A record that stays unsettled. */
export interface StuckRecordEvent {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly ageMs: number;
  /** The last stage that has it; undefined when none keeps it: a dead letter on its way, a user's own stage, or a leak. */
  readonly stage: string | undefined;
}

/** A transaction of a topology is aborted, and its claims start over. */
export interface UndoneTransactionEvent {
  readonly transactionalId: string;
  readonly cause: unknown;
}
