// A process that writes in transactions, some of which it aborts.
import { delay } from '../../../src/core/clock.ts';
import type { Kafka } from '../../../src/core/client.ts';
import { SimulatedProcess } from '../../../src/testing/simulation/simulated-process.ts';
import type { TransactionsPlan } from './scenario.ts';
import { Abandoned, TransactionWire } from './transaction-wire.ts';
import type { TopicPartition } from './transaction-wire.ts';
import { chance } from './work.ts';
import { valueOf } from './world.ts';
import type { World } from './world.ts';

export class TransactionalWriter {
  readonly name: string;
  readonly process: SimulatedProcess;
  isOver = false;
  private readonly world: World;
  private readonly plan: TransactionsPlan;
  private readonly kafka: Kafka;
  private readonly wire: TransactionWire;
  private done = 0;
  private sent = 0;

  constructor(world: World, name: string, plan: TransactionsPlan) {
    this.world = world;
    this.name = name;
    this.plan = plan;
    this.process = new SimulatedProcess(world.clock, world.transport);
    this.kafka = world.kafka(name, this.process);
    this.wire = new TransactionWire(this.kafka.cluster, `transactions of ${name.replace(/\++$/, '')}`);
    world.recorder.add({ kind: 'started', process: name });
    void this.run();
  }

  /** What is left for whoever takes its place. */
  get rest(): TransactionsPlan {
    return { ...this.plan, transactions: this.plan.transactions - this.done };
  }

  crash(silently: boolean): void {
    this.isOver = true;
    this.world.recorder.add({ kind: 'crashed', process: this.name });
    this.process.die(silently);
  }

  private async run(): Promise<void> {
    const { plan, world, wire, name } = this;
    const { clock } = this.process;
    const random = world.random(`transactions of ${name}`);
    await this.kafka.cluster.refresh(world.inputs).catch(() => undefined);
    await wire.init();
    while (this.done < plan.transactions) {
      await delay(clock, random() * 2 * plan.pauseMs);
      await this.transact(`${name}-txn-${this.done++}`, random);
    }
    await this.kafka.close();
    this.isOver = true;
  }

  private async transact(txn: string, random: () => number): Promise<void> {
    const { world, name, wire, plan } = this;
    const { recorder } = world;
    const process = name;
    const open = new Set<string>();
    let isCommitting = false;
    recorder.add({ kind: 'begun', process, txn });
    try {
      for (const place of this.choose(random)) {
        await wire.addPartitions([place]);
        const sends = Array.from(
          { length: 1 + Math.floor(random() * plan.records) },
          () => `${name}-${this.sent++}`,
        );
        for (const send of sends) {
          recorder.add({ kind: 'invoked', process, send, topic: place.topic, txn });
          open.add(send);
        }
        const base = await wire.produce(
          place,
          sends.map((send) => valueOf(send, 0)),
        );
        for (const [at, send] of sends.entries()) {
          recorder.add({ kind: 'ok', process, send, ...place, offset: base < 0 ? -1 : base + at });
          open.delete(send);
        }
      }
      const commits = !chance(random, plan.abortsEvery);
      recorder.add({ kind: commits ? 'committing' : 'aborting', process, txn });
      isCommitting = commits;
      await wire.end(commits);
      recorder.add({ kind: 'ended', process, txn, how: commits ? 'committed' : 'aborted' });
    } catch (error) {
      if (!(error instanceof Abandoned)) throw error;
      for (const send of open) recorder.add({ kind: 'unknown', process, send, error: error.message });
      await wire.init();
      // Beginning anew ends what was open; only of a commit that was asked for nobody knows.
      recorder.add({ kind: 'ended', process, txn, how: isCommitting ? 'unknown' : 'aborted' });
    }
  }

  private choose(random: () => number): TopicPartition[] {
    const { world } = this;
    const count = 1 + Math.floor(random() * 2);
    const chosen = new Map<string, TopicPartition>();
    for (let at = 0; at < count; at++) {
      const topic = world.inputs[Math.floor(random() * world.inputs.length)]!;
      const partition = Math.floor(random() * world.scenario.topics[world.inputs.indexOf(topic)]!);
      chosen.set(`${topic}-${partition}`, { topic, partition });
    }
    return [...chosen.values()];
  }
}
