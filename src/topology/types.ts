// What a topology offers to those who run it.
import type { Kafka } from '../core/client.ts';
import type { ProducerOptions } from '../core/producer/options.ts';

/** How a topology runs. */
export interface RunOptions {
  /** How long a drain may wait for what was handed over. Default: 30,000 ms, or the sources' own `drainTimeoutMs` where that is shorter. */
  readonly drainTimeoutMs?: number | undefined;
  /**
   * Drain on SIGINT and SIGTERM; a second signal aborts. Default true for `run`, false for `start`. When something that is not held is left
   * unsettled, `process.exitCode` becomes 1.
   */
  readonly signals?: boolean | undefined;
  /** Options of the producer that all `toTopic` and `deadLetter` of the run share. */
  readonly producer?: ProducerOptions | undefined;
  /** A record that stays unsettled for this long is named, with the stage that has it, in a warning and on the channel `sluice:record-stuck`. Default 300,000 ms. */
  readonly stuckAfterMs?: number | undefined;
}

/** What a run did. */
export interface RunSummary {
  /** Values handed over by the sources. */
  readonly recordsIn: number;
  /** Records acknowledged by the cluster. */
  readonly recordsOut: number;
  /** Values handed over that were neither settled nor held at the end: they are read again by the next owner of their partitions. */
  readonly unsettled: number;
}

/** A topology at work. */
export interface Running {
  /** Every source is connected: groups are joined, positions are known. Rejects with what `done` rejects with when that fails. */
  readonly ready: Promise<void>;
  /** Resolves when every flow is complete or drained; rejects with the failure that no policy took, after the rest was drained and committed. */
  readonly done: Promise<RunSummary>;
  /** Stops handing over, waits for what is on its way, commits, leaves the groups. Resolves as `done` does. */
  drain(timeoutMs?: number): Promise<RunSummary>;
  /** Stops at once: what is on its way stays unsettled and is read again later. */
  abort(reason?: unknown): Promise<RunSummary>;
}

/** A named graph of flows; a value, made once and run any number of times. */
export interface Topology {
  readonly name: string;
  /** Runs until every flow is complete, a signal drains it, or a failure ends it. */
  run(kafka: Kafka, options?: RunOptions): Promise<RunSummary>;
  /** As `run`, with a handle. */
  start(kafka: Kafka, options?: RunOptions): Running;
  /** The sources and sinks, without a cluster. */
  describe(): object;
}
