// Plays a scenario of raw clients on a simulated cluster: sixty seconds of load and faults, then everything is mended, then a last look at all of it.
import { delay } from '../../../src/core/clock.ts';
import { prepareCodec } from '../../../src/core/compression/registry.ts';
import { offerApis } from '../../../src/testing/broker/apis/registry.ts';
import { createBroker } from '../../../src/testing/broker/create-broker.ts';
import type { BrokerOptions } from '../../../src/testing/broker/options.ts';
import { VirtualClock } from '../../../src/testing/simulation/virtual-clock.ts';
import type { VirtualClockOptions } from '../../../src/testing/simulation/virtual-clock.ts';
import { seededRandom } from '../../../src/testing/simulation/seeded-random.ts';
import type { Event } from '../history/event.ts';
import { Recorder } from '../history/recorder.ts';
import type { SimulatedProcess } from '../../../src/testing/simulation/simulated-process.ts';
import { AssignedReader } from './assigned-reader.ts';
import { finalRead } from './final-read.ts';
import { GroupMember } from './group-member.ts';
import { CONSUMER_TIMES } from './group-protocol.ts';
import { observeCluster } from './observe-cluster.ts';
import { leadAgain, performOnCluster, recreateTopic } from './perform.ts';
import { LOAD_MS } from './scenario.ts';
import type { Act, ClientScenario, ClusterPlan, ReaderPlan } from './scenario.ts';
import { Sender } from './sender.ts';
import { TransactionalWriter } from './transactional-writer.ts';
import { workMsPerRecord } from './work.ts';
import { GROUP, OUTPUT, World } from './world.ts';
import type { StartBox } from './world.ts';

const MAX_MEMBERS = 4;
const RESTART_MS = 700;
const VACANT_MS = 10_000;
const SAMPLE_MS = 1000;
/** Sessions, rebalances and requests that were cut off are over by then. */
const GRACE_MS = 25_000;
/** Simulated time by which a mended cluster has worked off everything; beyond it, partitions are stuck. */
const PATIENCE_MS = 240_000;
const CODECS = [0, 1, 2];

/** The history of one scenario; the same for the same seed. */
export async function playClients(
  scenario: ClientScenario,
  seed: number,
  options: VirtualClockOptions = {},
): Promise<Event[]> {
  // Loading them takes real time, which must not pass inside of a run.
  for (const codec of CODECS) await prepareCodec(codec);
  const clock = new VirtualClock(options);
  const { brokers, topics, maxLatencyMs, cluster } = scenario;
  let starts = 0;
  const start: StartBox = (restore) =>
    createBroker({
      listen: 'memory',
      clock,
      random: seededRandom(starts++ === 0 ? `${seed} cluster` : `${seed} cluster, start ${starts}`),
      latencyMs: maxLatencyMs === 0 ? 0 : { min: 0.1, max: maxLatencyMs },
      requestLogSize: 0,
      fetchSessionSlots: cluster.fetchSessionSlots,
      ...CLUSTERS[cluster.speaks],
      group: CONSUMER_TIMES,
      ...(restore === undefined
        ? {
            brokers,
            topics: {
              ...Object.fromEntries(topics.map((partitions, at) => [`in-${at}`, partitions])),
              [OUTPUT]: 2,
            },
          }
        : { restore }),
    });
  const recorder = new Recorder(() => clock.now());
  const world = new World(scenario, seed, clock, { first: await start(), start }, recorder);
  observeCluster(world);
  await new Player(world).play();
  await world.box.close();
  return recorder.events;
}

/** What clusters know, by what they speak. */
const CLUSTERS: {
  readonly [K in ClusterPlan['speaks']]: Pick<BrokerOptions, 'versions' | 'features'>;
} = {
  all: {},
  names: { versions: { Produce: [3, 12], Fetch: [4, 12], OffsetCommit: [2, 9], OffsetFetch: [1, 9] } },
  '3.9': {
    versions: {
      Produce: [0, 11],
      ListOffsets: [0, 9],
      Metadata: [0, 12],
      OffsetCommit: [0, 9],
      OffsetFetch: [0, 9],
      EndTxn: [0, 4],
      TxnOffsetCommit: [0, 4],
      InitProducerId: [0, 5],
      ConsumerGroupHeartbeat: [0, 0],
      ConsumerGroupDescribe: [0, 0],
    },
    features: { 'group.version': 0, 'transaction.version': 1 },
  },
};

/** The box has what transactions need. */
function canTransact(): boolean {
  return Array.from(offerApis(undefined).values(), ({ name }) => name).includes('EndTxn');
}

class Player {
  private readonly world: World;
  private readonly senders: (Sender | TransactionalWriter)[] = [];
  private readonly members: GroupMember[] = [];
  private readonly readers: AssignedReader[] = [];
  private isEnding = false;
  private isMended = false;
  /** Nobody is to be in the group for a while. */
  private isVacant = false;
  private restarting = 0;

  constructor(world: World) {
    this.world = world;
  }

  async play(): Promise<void> {
    const { world } = this;
    const { clock, scenario, recorder } = world;
    try {
      for (const [at, plan] of scenario.producers.entries())
        this.senders.push(new Sender(world, `producer-${at}`, plan));
      if (canTransact())
        for (const [at, plan] of scenario.transactions.entries())
          this.senders.push(new TransactionalWriter(world, `writer-${at}`, plan));
      for (let at = 0; at < scenario.members.length; at++) this.join();
      for (const [at, plan] of scenario.readers.entries()) this.read(`reader-${at}`, plan);
      for (const act of scenario.acts) clock.setTimeout(() => this.perform(act), act.atMs);
      this.sample();
      await clock.advance(LOAD_MS);
      await this.mend();
      await this.drain();
      await finalRead(world);
    } catch (error) {
      recorder.add({ kind: 'wrong', what: `the run stopped: ${(error as Error).message}` });
    }
    for (const error of [...world.internalErrors, ...world.box.internalErrors])
      recorder.add({ kind: 'wrong', what: `the box: ${(error as Error).stack ?? String(error)}` });
  }

  private join(): void {
    const { members } = this.world.scenario;
    if (members.length === 0) return;
    const plan = members[this.members.length % members.length]!;
    this.members.push(new GroupMember(this.world, `member-${this.members.length}`, plan));
  }

  /** What reads a topic that is another one under its name begins anew. */
  private read(name: string, plan: ReaderPlan): void {
    const beginsAnew = (): void => this.read(`${name}+`, plan);
    this.readers.push(new AssignedReader(this.world, name, plan, beginsAnew));
  }

  private get living(): GroupMember[] {
    return this.members.filter(({ isEnding }) => !isEnding);
  }

  private get processes(): { readonly name: string; readonly process: SimulatedProcess }[] {
    return [...this.living, ...this.senders, ...this.readers].filter(({ isOver }) => !isOver);
  }

  private perform(act: Act): void {
    const { world } = this;
    const { living, processes } = this;
    if (act.atMs > LOAD_MS) return;
    world.recorder.add({ kind: 'act', what: JSON.stringify(act) });
    switch (act.act) {
      case 'join':
        if (living.length < MAX_MEMBERS && !this.isVacant) this.join();
        break;
      case 'leave':
        void living[act.who % living.length]?.leave();
        break;
      case 'abort':
        void living[act.who % living.length]?.abort();
        break;
      case 'crash':
      case 'vanish':
        this.crash(act.who, act.act === 'vanish');
        break;
      case 'cut':
        processes[act.who % processes.length]?.process.cut();
        break;
      case 'silence':
        processes[act.who % processes.length]?.process.silence();
        break;
      case 'stop':
        this.stop(act.who, act.forMs);
        break;
      case 'recreate':
        void this.recreate(act.topic);
        break;
      default:
        performOnCluster(world, act);
    }
    this.repopulate();
  }

  /**
   * As people do it: with nobody in the group, for a commit goes by the topic's name, and one of the old topic would count for the new one. Others write
   * and read on.
   */
  private async recreate(topic: number): Promise<void> {
    const { clock } = this.world;
    if (this.isVacant) return;
    this.isVacant = true;
    await Promise.race([Promise.all(this.living.map((member) => member.leave())), delay(clock, VACANT_MS)]);
    // Whoever crashed has sessions and connections that are over by then.
    await delay(clock, VACANT_MS);
    const isOver = this.members.every((member) => member.isOver);
    if (isOver && !this.world.isRestarting && !this.isMended) recreateTopic(this.world, topic);
    this.isVacant = false;
    this.repopulate();
  }

  private crash(who: number, silently: boolean): void {
    const chosen = [...this.living, ...this.senders.filter(({ isOver }) => !isOver)];
    const one = chosen[who % chosen.length];
    one?.crash(silently);
    if (!(one instanceof Sender)) return;
    const { rest, name } = one;
    this.world.clock.setTimeout(
      () => this.senders.push(new Sender(this.world, `${name}+`, rest)),
      RESTART_MS,
    );
  }

  private stop(who: number, forMs: number): void {
    const { recorder, clock } = this.world;
    const one = this.processes[who % this.processes.length];
    if (one === undefined) return;
    recorder.add({ kind: 'stopped', process: one.name });
    one.process.stop();
    clock.setTimeout(() => {
      recorder.add({ kind: 'continued', process: one.name });
      one.process.resume();
    }, forMs);
  }

  /** Somebody restarts what ended. */
  private repopulate(): void {
    if (this.isEnding || this.isVacant || this.living.length > 0) return;
    this.world.clock.setTimeout(() => {
      if (!this.isEnding && !this.isVacant && this.living.length === 0) this.join();
    }, RESTART_MS);
  }

  private eachInput(visit: (topic: string, partition: number) => void): void {
    const { world } = this;
    for (const topic of world.inputs)
      for (let partition = 0; partition < world.partitionsOf(topic); partition++) visit(topic, partition);
  }

  private endOf(topic: string, partition: number): number {
    return this.world.box.partition(topic, partition).highWatermark;
  }

  private committed(topic: string, partition: number): number {
    return this.world.box.committed(GROUP, topic, partition)?.offset ?? 0;
  }

  private sample(): void {
    const { clock, recorder, scenario } = this.world;
    for (const one of [...this.living, ...this.readers]) one.sample();
    if (scenario.members.length > 0) {
      const well = clock.now() >= this.world.wellFromMs;
      this.eachInput((topic, partition) => {
        const end = this.endOf(topic, partition);
        const committed = this.committed(topic, partition);
        recorder.add({ kind: 'progress', group: GROUP, topic, partition, end, committed, well });
      });
    }
    if (!this.isEnding) clock.setTimeout(() => this.sample(), SAMPLE_MS);
  }

  /** How long members work on what is there and not committed, if the slowest of them has all of it. */
  private workLeftMs(): number {
    const { members, maxLatencyMs } = this.world.scenario;
    let left = 0;
    this.eachInput((topic, partition) => {
      left += this.endOf(topic, partition) - this.committed(topic, partition);
    });
    return left * Math.max(0, ...members.map((plan) => workMsPerRecord(plan, maxLatencyMs)));
  }

  /** Everything works from now on. */
  private async mend(): Promise<void> {
    const { clock, recorder } = this.world;
    await clock.runUntil(() => !this.world.isRestarting, GRACE_MS);
    const { box } = this.world;
    box.clearFaults();
    this.world.endAll();
    for (const node of this.world.nodeIds) await box.start(node);
    this.eachInput((topic, partition) => leadAgain(this.world, topic, partition));
    for (const { process } of this.processes) process.resume();
    this.isMended = true;
    const workMs = this.workLeftMs();
    recorder.add({ kind: 'mended', workMs });
    this.world.wellFromMs = clock.now() + GRACE_MS;
    const keepAlive = (): void => {
      this.repopulate();
      if (!this.isEnding) clock.setTimeout(keepAlive, RESTART_MS);
    };
    keepAlive();
    const patienceMs = PATIENCE_MS + workMs;
    const until = clock.now() + patienceMs;
    await clock.runUntil(() => this.isDone || clock.now() > until, patienceMs + SAMPLE_MS * 2);
    this.isEnding = true;
    if (this.isDone) return;
    for (const { name, isOver } of this.senders)
      if (!isOver) recorder.add({ kind: 'wrong', what: `${name} has not ended` });
    for (const reader of this.readers)
      if (!reader.isDone((topic, partition) => this.endOf(topic, partition)))
        recorder.add({ kind: 'wrong', what: `${reader.name} has not come to the end of ${reader.topic}` });
  }

  private get isDone(): boolean {
    if (this.restarting > 0 || this.senders.some(({ isOver }) => !isOver)) return false;
    if (!this.readers.every((reader) => reader.isDone((topic, partition) => this.endOf(topic, partition))))
      return false;
    let isDone = true;
    if (this.world.scenario.members.length > 0)
      this.eachInput((topic, partition) => {
        if (this.committed(topic, partition) < this.endOf(topic, partition)) isDone = false;
      });
    return isDone;
  }

  private async drain(): Promise<void> {
    const { clock, recorder } = this.world;
    const { living, readers } = this;
    await clock.run(
      Promise.all([...living.map((member) => member.leave()), ...readers.map((reader) => reader.close())]),
      120_000,
    );
    await clock.runUntil(() => this.members.every(({ isOver }) => isOver), 120_000);
    // The work of the processes themselves.
    await clock.advance(1000);
    for (const { name, process } of [...living, ...readers])
      if (process.pendingTimers > 0)
        recorder.add({ kind: 'wrong', what: `${name} is closed and has ${process.pendingTimers} timers` });
  }
}
