// What a command of `sluice` is, and what it is given to run with.

import type { Clock } from '../core/clock.ts';
import type { EventWriter } from './event-writer.ts';

/** It did what it was asked, or was stopped in order. */
export const EXIT_OK = 0;
/** The command line (or the configuration it names) asks for what is not there; nothing was started. As Kafka's own tools. */
export const EXIT_USAGE = 1;
/** It was started and could not do its work: a port in use, no broker, a group that failed. */
export const EXIT_FAILED = 2;

/** A process to run in. */
export interface Surroundings {
  readonly clock: Clock;
  /** Standard output: nothing but what the command's readers parse. */
  readonly events: EventWriter;
  /** A line on standard error, for people. */
  readonly note: (line: string) => void;
  /** Aborts at the first SIGINT or SIGTERM, with the signal's name as its reason. */
  readonly stop: AbortSignal;
}

/** One command of `sluice`. */
export interface Command {
  readonly help: string;
  /** Without arguments it shows its help, as Kafka's tools do. */
  readonly needsArguments: boolean;
  /**
   * Resolves with the exit code when all is done and nothing is left open.
   * @throws UsageError for a command line that cannot be.
   */
  run(args: readonly string[], surroundings: Surroundings): Promise<number>;
}
