// One process of a tested topology: a client and a run in it, over its lives.
import { Kafka } from '../../core/client.ts';
import type { Clock, Random } from '../../core/clock.ts';
import type { KeepingStage } from '../../flow/keeping-stage.ts';
import type { PartitionStanding, RunningSource } from '../../flow/runtime.ts';
import type { RunSummary, Running, Topology } from '../../topology/types.ts';
import type { BrokerBox } from '../broker/broker-box.ts';
import { SimulatedProcess } from '../simulation/simulated-process.ts';
import type { TestMember, TestTopologyOptions } from './types.ts';

/** What all members share. */
export interface Surroundings {
  readonly topology: Topology;
  readonly clock: Clock;
  readonly box: BrokerBox;
  readonly run: TestTopologyOptions['run'];
  readonly random: (name: string) => Random;
  /** The run of a member rejected. */
  readonly failed: (cause: unknown) => void;
}

/** What a run of this library lets test tools see. */
interface Inspectable {
  inspect(): { readonly sources: Iterable<RunningSource>; readonly stages: Iterable<KeepingStage> };
}

/** From the start of a process to its end. */
interface Life {
  readonly process: SimulatedProcess;
  readonly kafka: Kafka;
  readonly running: Running & Inspectable;
}

export class RunMember implements TestMember {
  readonly name: string;
  state: TestMember['state'] = 'running';
  private readonly around: Surroundings;
  private lives = 0;
  private life: Life | undefined;
  /** Killed processes, whose deliveries nobody settles; kept, so that they do not count as leaked. */
  private readonly dead: Life[] = [];

  constructor(name: string, around: Surroundings) {
    this.name = name;
    this.around = around;
  }

  get isUp(): boolean {
    return this.state === 'running' || this.state === 'frozen';
  }

  get claims(): readonly string[] {
    const held: string[] = [];
    for (const { topic, partition } of this.standings()) held.push(`${topic}-${partition}`);
    return held.sort();
  }

  /** Resolves when its sources are connected. */
  get ready(): Promise<void> {
    return this.life!.running.ready;
  }

  start(): void {
    const { topology, clock, box, run, random, failed } = this.around;
    const process = new SimulatedProcess(clock, box.transport);
    const kafka = new Kafka(
      { brokers: box.bootstrap, clientId: this.name },
      {
        clock: process.clock,
        random: random(`${this.name} life ${++this.lives}`),
        transport: process.transport,
      },
    );
    this.state = 'running';
    let running: Life['running'];
    try {
      running = topology.start(kafka, { ...run, signals: false }) as Life['running'];
    } catch (cause) {
      this.state = 'failed';
      void kafka.close();
      throw cause;
    }
    const life: Life = { process, kafka, running };
    this.life = life;
    running.done.then(
      () => {
        if (this.life === life && this.state === 'running') this.end(life, 'done');
      },
      (cause: unknown) => {
        if (this.life !== life || !this.isUp) return;
        this.end(life, 'failed');
        failed(cause);
      },
    );
  }

  async drain(timeoutMs?: number): Promise<RunSummary> {
    const life = this.life!;
    this.thaw();
    // From here on its failure, if any, is the answer of this call.
    this.state = 'left';
    const summary = await life.running.drain(timeoutMs);
    await life.kafka.close();
    return summary;
  }

  crash(): void {
    if (!this.isUp) return;
    this.state = 'crashed';
    this.life!.process.die(false);
    this.dead.push(this.life!);
  }

  freeze(): void {
    if (this.state !== 'running') return;
    this.state = 'frozen';
    this.life!.process.stop();
  }

  thaw(): void {
    if (this.state !== 'frozen') return;
    this.state = 'running';
    this.life!.process.resume();
  }

  /** Ends whatever still runs, without a drain. */
  async abort(): Promise<void> {
    const reason = new Error('the test topology was closed');
    for (const { running } of this.dead.splice(0)) void running.abort(reason).catch(() => undefined);
    if (!this.isUp) return;
    this.thaw();
    this.state = 'left';
    const { running, kafka } = this.life!;
    await running.abort(reason).catch(() => undefined);
    await kafka.close();
  }

  /** Every partition that it reads. */
  *standings(): Iterable<PartitionStanding> {
    if (!this.isUp) return;
    for (const source of this.inspect().sources) yield* source.standings?.() ?? [];
  }

  /** Values of sources that read from no cluster, unsettled. */
  get plainUnsettled(): number {
    if (!this.isUp) return 0;
    let unsettled = 0;
    for (const source of this.inspect().sources)
      if (source.standings === undefined) unsettled += source.unsettled();
    return unsettled;
  }

  /** Its stages, those at the end of a flow first. */
  stages(): Iterable<KeepingStage> {
    return this.isUp ? this.inspect().stages : [];
  }

  calls(): number {
    if (this.state !== 'running') return 0;
    let calls = 0;
    for (const stage of this.inspect().stages) calls += stage.calls ?? 0;
    return calls;
  }

  private inspect(): ReturnType<Inspectable['inspect']> {
    return this.life!.running.inspect();
  }

  private end(life: Life, state: 'done' | 'failed'): void {
    this.state = state;
    void life.kafka.close();
  }
}
