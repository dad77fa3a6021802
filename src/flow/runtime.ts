// How a source that is made without the cluster (`fromReadable(...)`) finds the topology it runs in: the topology names itself while it subscribes.
import type { Subscriber } from 'rxjs';
import type { Clock } from '../core/clock.ts';
import type { KeepingStage } from './keeping-stage.ts';

/** A record that has been unsettled for longer than it should. */
export interface StuckRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly ageMs: number;
}

/** How far one partition has come in this process. */
export interface PartitionStanding {
  /** Undefined for a partition that is read without a group. */
  readonly groupId: string | undefined;
  readonly topic: string;
  readonly partition: number;
  readonly startOffset: number;
  /** One past the last record handed over. */
  readonly position: number;
  /** The first unsettled offset; with none, the position. */
  readonly commitPoint: number;
  /** Records handed over and not settled, held ones included. */
  readonly unsettled: number;
  /** For how long the first of them has been. */
  readonly ageMs: number;
  /** Nothing more is handed over: its end is reached. */
  readonly ended: boolean;
}

/** A source at work in a topology. */
export interface RunningSource {
  /** What it hands over can be part of a transaction together with what is made from it. */
  readonly isTransactional?: boolean;
  /** Resolves when it is connected; undefined when there is nothing to wait for. */
  readonly ready?: Promise<void>;
  /** Hands nothing more over, completes its flow, and resolves when what it handed over is settled or `timeoutMs` is over. */
  drain(timeoutMs: number): Promise<void>;
  /** Stops at once; nothing more is waited for. */
  abort(reason: unknown): Promise<void>;
  /** Values handed over and neither settled nor held on purpose. */
  unsettled(): number;
  /** The record of the cluster that has been unsettled longest. */
  oldest?(): StuckRecord | undefined;
  /** Every partition of the cluster that it reads now. */
  standings?(): readonly PartitionStanding[];
}

/** What sources, sinks and operators report to. */
export interface FlowRuntime {
  readonly clock: Clock;
  /** A source began. */
  register(source: RunningSource): void;
  /** A stage that can keep deliveries began; the function returned says that it is over. */
  announce?(stage: KeepingStage): () => void;
  /** A value was handed over by a source. */
  countIn(): void;
  /** So many records were appended to a topic. */
  countOut(records: number): void;
  /** Something that no policy handled: the topology stops, draining what it can. */
  fail(cause: unknown): void;
}

/** Takes a failure that no policy took, where there is no topology to take it. */
export type FailureSink = (cause: unknown) => void;

let current: FlowRuntime | undefined;
let sink: FailureSink | undefined;

/** The topology whose flow is being subscribed right now; undefined in a script. */
export function currentRuntime(): FlowRuntime | undefined {
  return current;
}

/** Runs `subscribe` with `runtime` as the current one. Only what happens synchronously inside sees it. */
export function withRuntime<T>(runtime: FlowRuntime, subscribe: () => T): T {
  const outer = current;
  current = runtime;
  try {
    return subscribe();
  } finally {
    current = outer;
  }
}

/** In a script, the end of the flow that is being subscribed right now; undefined in a topology. */
export function currentFailureSink(): FailureSink | undefined {
  return current === undefined ? sink : undefined;
}

/**
 * Runs `subscribe` for `end`. In a script the outermost flow that is subscribed is where failures go: a source may have completed long before the
 * last of what it handed over fails, and then it has no way of its own to say so.
 */
export function subscribeEnd<T, R>(end: Subscriber<T>, subscribe: (end: Subscriber<T>) => R): R {
  if (current !== undefined || sink !== undefined) return subscribe(end);
  sink = (cause) => end.error(cause);
  try {
    return subscribe(end);
  } finally {
    sink = undefined;
  }
}
