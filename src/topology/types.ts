// What a topology offers to those who run it.
import type { ProducerOptions } from '../core/producer/options.ts';
import type { StreamClient } from '../core/stream-client.ts';

/** The transactions of a topology that runs exactly once. */
export interface TransactionOptions {
  /** From the end of one transaction to that of the next, in ms; `commitEveryRecords` of a group ends one earlier. Default 100. */
  readonly intervalMs?: number | undefined;
  /** The cluster aborts a transaction that is open for so long, in ms; more than the slowest record may take. Default 10,000. */
  readonly timeoutMs?: number | undefined;
  /**
   * Default: the topology's name with a part chosen by chance. With a name of your own, which no two running instances may share, a restarted instance
   * ends the transaction that its predecessor left open at once instead of after `timeoutMs`; an instance that is shut out by another fails.
   */
  readonly transactionalId?: string | undefined;
}

/** A topology failed and is about to begin again. */
export interface Restart {
  /** Which one it is, from 1. */
  readonly restart: number;
  /** How many there were without a healthy run between them, this one included. */
  readonly inARow: number;
  /** How long the run lasted that failed. */
  readonly ranMs: number;
  /** How long the next one is away. */
  readonly delayMs: number;
  /** What it failed with. */
  readonly cause: unknown;
}

/** How a topology that fails is begun again. */
export interface RestartOptions {
  /** Wait before the first restart, in ms; doubled before each further one in a row. Default 500. */
  readonly minDelayMs?: number | undefined;
  /** The longest wait. Default 30,000. */
  readonly maxDelayMs?: number | undefined;
  /** The share of a wait that is left to chance, from 0 to 1: it is shortened by up to so much, so that many processes do not come back at once. Default 0.2. */
  readonly jitter?: number | undefined;
  /** So many restarts within `withinMs` are made; the failure after that is the run's. Default: no limit. */
  readonly maxRestarts?: number | undefined;
  /** Default 600,000. */
  readonly withinMs?: number | undefined;
  /** A run that lasted so long was healthy: the next wait is the first one again. Default: `maxDelayMs`. */
  readonly healthyAfterMs?: number | undefined;
  /**
   * True for a failure that no restart mends. Default: UsageError, a refused login or authorization, and a member or producer whose place another one has
   * taken.
   */
  readonly isFatal?: ((cause: unknown) => boolean) | undefined;
  /** Called before each wait; what it throws ends the run. The channel `sluice:topology-restart` of node:diagnostics_channel is told too. */
  readonly onRestart?: ((restart: Restart) => void) | undefined;
}

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
  /**
   * 'at-least-once' (the default), or 'exactly-once': everything that `toTopic` and `deadLetter` write and the offsets of all groups go in one
   * transaction after another, and a reader of what is committed (`isolationLevel: 'read_committed'`) sees each result once. When something fails on the
   * way, the transaction is aborted and every claim starts over at what is committed. Effects outside Kafka are not part of it, nor are sources other
   * than `fromGroup`, nor windows that hold acknowledgements (`tumblingWindow`): both are refused. Groups read 'read_committed' unless they say
   * otherwise.
   */
  readonly guarantee?: 'at-least-once' | 'exactly-once' | undefined;
  /** With 'exactly-once': how transactions are made. */
  readonly transactions?: TransactionOptions | undefined;
  /**
   * Begins again after a failure that no policy took: what was settled is committed, the groups are left, a wait, and then a new run, built anew, from what is
   * committed. Waits grow (`{}`: from 0.5 s to 30 s). A drain or an abort during a wait rejects with the failure that is waited for. Default: a
   * failure ends the run.
   */
  readonly restart?: RestartOptions | undefined;
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
  /** How often the topology began again; with `restart` only. */
  readonly restarts?: number;
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
  run(kafka: StreamClient, options?: RunOptions): Promise<RunSummary>;
  /** As `run`, with a handle. */
  start(kafka: StreamClient, options?: RunOptions): Running;
  /** The sources and sinks, without a cluster. */
  describe(): object;
}
