// A topology that begins again after it failed: one run after another, told from outside by nothing but the time between them.
import type { Clock, Timer } from '../core/clock.ts';
import type { KeepingStage } from '../flow/keeping-stage.ts';
import type { RunningSource } from '../flow/runtime.ts';
import { tellOfRestart } from './problems.ts';
import type { RestartPolicy } from './restart-policy.ts';
import { onStopSignals } from './signals.ts';
import type { TopologyRun } from './topology-run.ts';
import type { RunSummary, Running } from './types.ts';

export class Supervisor implements Running {
  readonly ready: Promise<void>;
  readonly done: Promise<RunSummary>;
  private readonly name: string;
  private readonly begin: () => TopologyRun;
  private readonly policy: RestartPolicy;
  private readonly clock: Clock;
  private readonly stopListening: () => void;
  private run: TopologyRun;
  /** What failed, and the time until the next run; undefined while one is under way. */
  private waiting: { readonly cause: unknown; readonly timer: Timer } | undefined;
  private isEnding = false;
  private recordsIn = 0;
  private recordsOut = 0;
  private resolveReady: () => void = () => undefined;
  private rejectReady: (cause: unknown) => void = () => undefined;
  private resolveDone: (summary: RunSummary) => void = () => undefined;
  private rejectDone: (cause: unknown) => void = () => undefined;

  /** Throws what the first `begin` throws. */
  constructor(name: string, begin: () => TopologyRun, policy: RestartPolicy, clock: Clock, signals: boolean) {
    this.name = name;
    this.begin = begin;
    this.policy = policy;
    this.clock = clock;
    this.ready = new Promise((resolve, reject) => {
      this.resolveReady = resolve;
      this.rejectReady = reject;
    });
    this.done = new Promise((resolve, reject) => {
      this.resolveDone = resolve;
      this.rejectDone = reject;
    });
    this.ready.catch(() => undefined);
    this.done.catch(() => undefined);
    policy.began();
    this.run = begin();
    this.stopListening = onStopSignals(this, signals);
    this.watch();
  }

  /** A look inside, for test tools. */
  inspect(): { readonly sources: Iterable<RunningSource>; readonly stages: Iterable<KeepingStage> } {
    return this.waiting === undefined ? this.run.inspect() : { sources: [], stages: [] };
  }

  drain(timeoutMs?: number): Promise<RunSummary> {
    this.isEnding = true;
    if (this.waiting === undefined) void this.run.drain(timeoutMs).catch(() => undefined);
    else this.giveUp(this.waiting.cause);
    return this.done;
  }

  abort(reason?: unknown): Promise<RunSummary> {
    this.isEnding = true;
    if (this.waiting === undefined) void this.run.abort(reason).catch(() => undefined);
    else this.giveUp(this.waiting.cause);
    return this.done;
  }

  private watch(): void {
    const { run } = this;
    run.ready.then(
      () => this.resolveReady(),
      () => undefined,
    );
    run.done.then(
      (summary) => this.completed(summary),
      (cause: unknown) => {
        const { recordsIn, recordsOut } = run.counts();
        this.recordsIn += recordsIn;
        this.recordsOut += recordsOut;
        this.failed(cause);
      },
    );
  }

  private failed(cause: unknown): void {
    const restart = this.isEnding ? undefined : this.policy.next(cause);
    if (restart === undefined) {
      this.giveUp(cause);
      return;
    }
    const timer = this.clock.setTimeout(() => this.again(), restart.delayMs);
    this.waiting = { cause, timer };
    tellOfRestart({ ...restart, topology: this.name });
    try {
      this.policy.onRestart(restart);
    } catch (thrown) {
      this.giveUp(new AggregateError([cause, thrown], 'a topology failed, and so did its onRestart'));
    }
  }

  private again(): void {
    this.waiting = undefined;
    this.policy.began();
    try {
      this.run = this.begin();
    } catch (cause) {
      this.failed(cause);
      return;
    }
    this.watch();
  }

  private completed({ recordsIn, recordsOut, unsettled }: RunSummary): void {
    this.stopListening();
    this.resolveReady();
    this.resolveDone({
      recordsIn: this.recordsIn + recordsIn,
      recordsOut: this.recordsOut + recordsOut,
      unsettled,
      restarts: this.policy.restarts,
    });
  }

  private giveUp(cause: unknown): void {
    this.isEnding = true;
    this.waiting?.timer.cancel();
    this.waiting = undefined;
    this.stopListening();
    this.rejectReady(cause);
    this.rejectDone(cause);
  }
}
