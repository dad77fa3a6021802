// What goes wrong without failing: told on a diagnostics channel, and to a developer as a process warning.
import { problemEvents, restartEvents, stuckEvents, undoneEvents } from '../core/events/channels.ts';
import type { RestartEvent, UndoneTransactionEvent } from '../core/events/topology-events.ts';
import type { StuckRecord } from '../flow/runtime.ts';
import type { DeliveryProblem } from '../flow/settlement.ts';

/** Publishes it; a developer is told of the failure too, which nobody else may ever see. */
export function tellOfRestart(restart: RestartEvent): void {
  restartEvents.publish(restart);
  if (process.env['NODE_ENV'] === 'production') return;
  const { topology, delayMs, cause } = restart;
  const why = cause instanceof Error ? cause.message : String(cause);
  process.emitWarning(
    `topology '${topology}' failed and begins again in ${Math.round(delayMs)} ms: ${why}`,
    'SluiceWarning',
  );
}

/** Publishes a transaction that is not committed, and why. */
export function tellOfUndoing(transaction: UndoneTransactionEvent): void {
  if (undoneEvents.hasSubscribers) undoneEvents.publish(transaction);
}

/** A problem with its place. */
export type LocatedProblem = DeliveryProblem & { readonly topic: string; readonly partition: number };

/** Publishes a delivery problem; outside production the process warns too. */
export function warnOfProblem(problem: LocatedProblem): void {
  problemEvents.publish(problem);
  if (process.env['NODE_ENV'] === 'production') return;
  const where = `${problem.topic}-${problem.partition}, record ${problem.sequence} of its claim`;
  process.emitWarning(
    problem.kind === 'leaked'
      ? `a delivery was dropped without being settled (${where}): its partition's commit point stays there`
      : `a delivery was used after it had moved on (${problem.action}; ${where}): the call did nothing`,
    'SluiceWarning',
  );
}

/** A record that stays unsettled, and the last stage that has it; undefined when none keeps it: a dead letter on its way, a user's own stage, or a leak. */
export interface StuckInStage extends StuckRecord {
  readonly stage: string | undefined;
}

/** Publishes a stuck record and warns. */
export function warnOfStuck(record: StuckInStage): void {
  stuckEvents.publish(record);
  const { topic, partition, offset, ageMs, stage } = record;
  const where =
    stage === undefined
      ? 'no stage of this library keeps it (a dead letter on its way, a stage of your own, or a leak)'
      : `it is in stage ${stage}`;
  process.emitWarning(
    `${topic}-${partition} offset ${offset} has been unsettled for ${Math.round(ageMs / 1000)} s, and ${where}; nothing at or after it is committed`,
    'SluiceWarning',
  );
}
