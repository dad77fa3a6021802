// One run of a topology: subscribes its flows, ends them by draining, and adds up what was done.
//
// Outline of a drain: every source stops handing over and completes its flow, so that what gathers flushes -> what was handed over is settled, or the
// time is over -> groups commit and are left -> the producer sends what is queued and closes -> flows that have not completed are unsubscribed.
import type { Subscription } from 'rxjs';
import type { Clock, Timer } from '../core/clock.ts';
import type { StreamClient } from '../core/stream-client.ts';
import { UsageError } from '../errors.ts';
import type { Delivery } from '../flow/delivery.ts';
import { Flow } from '../flow/flow.ts';
import type { KeepingStage } from '../flow/keeping-stage.ts';
import type { FlowEnd } from '../flow/op.ts';
import { withRuntime, type FlowRuntime, type RunningSource, type StuckRecord } from '../flow/runtime.ts';
import { Settled } from '../flow/settled.ts';
import { ExactlyOnce } from './exactly-once.ts';
import { bindSluice, type Sluice } from './sluice.ts';
import { SharedProducer } from '../sinks/shared-producer.ts';
import { warnOfStuck } from './problems.ts';
import { onStopSignals } from './signals.ts';
import { TopologyTrace } from './topology-trace.ts';
import type { RunOptions, RunSummary, Running } from './types.ts';

const DRAIN_TIMEOUT_MS = 30_000;
const STUCK_AFTER_MS = 300_000;
const WATCHES_PER_LIMIT = 5;

/** A builder's result as a list. */
export function flowEnds(
  name: string,
  built: FlowEnd | readonly FlowEnd[],
): readonly (Flow<unknown> | Settled<unknown>)[] {
  const ends = Array.isArray(built) ? (built as readonly FlowEnd[]) : [built as FlowEnd];
  if (ends.length === 0) throw new UsageError(`topology '${name}' has no flow`);
  return ends.map((end) => {
    if (end instanceof Flow || end instanceof Settled) return end;
    throw new UsageError(
      `topology '${name}' returns something that is neither a Flow nor Settled: a plain Observable has lost its records; end it with settle() last`,
    );
  });
}

export class TopologyRun implements FlowRuntime, Running {
  readonly clock: Clock;
  readonly ready: Promise<void>;
  readonly done: Promise<RunSummary>;
  private readonly sources = new Set<RunningSource>();
  private readonly stages = new Set<KeepingStage>();
  private readonly subscriptions: Subscription[] = [];
  private readonly producer: SharedProducer;
  private readonly transactions: ExactlyOnce | undefined;
  private readonly drainTimeoutMs: number;
  private readonly trace: TopologyTrace;
  private readonly stopListening: () => void;
  private recordsIn = 0;
  private recordsOut = 0;
  private readonly lastStuck = new Map<RunningSource, string>();
  private watchTimer: Timer | undefined;
  private openFlows = 0;
  private failure: { readonly cause: unknown } | undefined;
  private ending: Promise<void> | undefined;
  private starting: Promise<unknown>[] = [];
  private resolveDone: (summary: RunSummary) => void = () => undefined;
  private rejectDone: (cause: unknown) => void = () => undefined;

  constructor(
    name: string,
    build: (cluster: Sluice) => FlowEnd | readonly FlowEnd[],
    kafka: StreamClient,
    options: RunOptions,
    signals: boolean,
  ) {
    this.clock = kafka.clock;
    this.drainTimeoutMs = options.drainTimeoutMs ?? DRAIN_TIMEOUT_MS;
    this.trace = new TopologyTrace(name, this.clock);
    this.transactions = ExactlyOnce.of(name, kafka, options, (cause) => this.fail(cause));
    this.producer = new SharedProducer(kafka, options.producer, this.transactions?.producer);
    this.done = new Promise((resolve, reject) => {
      this.resolveDone = resolve;
      this.rejectDone = reject;
    });
    // Whoever awaits only drain() or a signal must not meet an unhandled rejection besides.
    this.done.catch(() => undefined);
    const ends = flowEnds(name, build(bindSluice(kafka, this, this.producer, this.transactions)));
    this.openFlows = ends.length;
    // From here on the run has an end, which takes the listeners away.
    this.stopListening = onStopSignals(this, signals);
    this.trace.started();
    if (this.transactions !== undefined) this.starting.push(this.transactions.start());
    withRuntime(this, () => {
      for (const end of ends) this.subscribe(end);
    });
    this.watch(options.stuckAfterMs ?? STUCK_AFTER_MS);
    this.ready = Promise.race([
      Promise.all(this.starting).then(() => undefined),
      this.done.then(() => undefined),
    ]);
    this.ready.catch(() => undefined);
  }

  /** A look inside, for test tools: what reads, and which stages keep what was read, those at the end of a flow first. */
  inspect(): { readonly sources: Iterable<RunningSource>; readonly stages: Iterable<KeepingStage> } {
    return { sources: this.sources, stages: this.stages };
  }

  announce(stage: KeepingStage): () => void {
    if (this.transactions !== undefined && stage.holdsAcks === true)
      throw new UsageError(
        `${stage.stageName} holds acknowledgements for longer than a transaction lasts, so it cannot run with guarantee 'exactly-once'; run it 'at-least-once'`,
        'guarantee',
      );
    this.stages.add(stage);
    return () => this.stages.delete(stage);
  }

  register(source: RunningSource): void {
    if (this.transactions !== undefined && source.isTransactional !== true)
      throw new UsageError(
        "With guarantee 'exactly-once' every source is a fromGroup: the offsets of others cannot be part of a transaction",
        'guarantee',
      );
    this.sources.add(source);
    if (source.ready !== undefined) this.starting.push(source.ready);
  }

  /** What was done so far, also by a run that failed. */
  counts(): { readonly recordsIn: number; readonly recordsOut: number } {
    return { recordsIn: this.recordsIn, recordsOut: this.recordsOut };
  }

  countIn(): void {
    this.recordsIn++;
  }

  countOut(records: number): void {
    this.recordsOut += records;
  }

  fail(cause: unknown): void {
    if (this.failure !== undefined) return;
    this.failure = { cause };
    this.trace.failed(cause);
    void this.end((source) => source.drain(this.drainTimeoutMs));
  }

  drain(timeoutMs: number = this.drainTimeoutMs): Promise<RunSummary> {
    void this.end((source) => source.drain(timeoutMs));
    return this.done;
  }

  abort(reason?: unknown): Promise<RunSummary> {
    for (const source of this.sources) void source.abort(reason).catch(() => undefined);
    void this.end((source) => source.abort(reason));
    return this.done;
  }

  private subscribe(end: Flow<unknown> | Settled<unknown>): void {
    const observer = {
      error: (cause: unknown) => {
        this.fail(cause);
        this.flowEnded();
      },
      complete: () => this.flowEnded(),
    };
    this.subscriptions.push(
      end instanceof Flow
        ? end.subscribe({ ...observer, next: (delivery) => delivery.ack() })
        : end.subscribe(observer),
    );
  }

  // Each record is named once, however long it stays.
  private watch(stuckAfterMs: number): void {
    const look = (): void => {
      for (const source of this.sources) {
        const oldest = source.oldest?.();
        if (oldest === undefined || oldest.ageMs < stuckAfterMs) continue;
        const id = `${oldest.topic}-${oldest.partition}-${oldest.offset}`;
        if (this.lastStuck.get(source) === id) continue;
        this.lastStuck.set(source, id);
        warnOfStuck({ ...oldest, stage: this.lastStageOf(oldest) });
      }
      this.watchTimer = this.clock.setTimeout(look, stuckAfterMs / WATCHES_PER_LIMIT);
    };
    this.watchTimer = this.clock.setTimeout(look, stuckAfterMs / WATCHES_PER_LIMIT);
  }

  // Stages are subscribed, and so announced, from the end of a flow to its source.
  private lastStageOf({ topic, partition, offset }: StuckRecord): string | undefined {
    const isBehind = (delivery: Delivery<unknown>): boolean =>
      delivery.origins.some(
        ({ record }) =>
          record !== undefined &&
          record.offset === offset &&
          record.partition === partition &&
          record.topic === topic,
      );
    for (const stage of this.stages) if (stage.keepsSome(isBehind)) return stage.stageName;
    return undefined;
  }

  private unsettled(): number {
    let unsettled = 0;
    for (const source of this.sources) unsettled += source.unsettled();
    return unsettled;
  }

  private flowEnded(): void {
    this.openFlows--;
    if (this.openFlows === 0) void this.end(() => Promise.resolve());
  }

  private end(stop: (source: RunningSource) => Promise<void>): Promise<void> {
    this.ending ??= this.finish(stop);
    return this.ending;
  }

  private async finish(stop: (source: RunningSource) => Promise<void>): Promise<void> {
    this.trace.draining();
    this.transactions?.stop();
    const results = await Promise.allSettled([...this.sources].map(stop));
    for (const result of results) {
      if (result.status === 'rejected') this.failure ??= { cause: result.reason as unknown };
    }
    await this.producer.close(this.drainTimeoutMs).catch((cause: unknown) => {
      this.failure ??= { cause };
    });
    this.transactions?.close();
    for (const subscription of this.subscriptions) subscription.unsubscribe();
    this.stopListening();
    this.watchTimer?.cancel();
    const { recordsIn, recordsOut, failure } = this;
    const summary = { recordsIn, recordsOut, unsettled: this.unsettled() };
    this.trace.ended(summary, failure !== undefined);
    if (failure !== undefined) this.rejectDone(failure.cause);
    else this.resolveDone(summary);
  }
}
