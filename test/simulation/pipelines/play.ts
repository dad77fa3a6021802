// Plays a scenario on a simulated cluster, mends everything, and answers with what happened.
import diagnosticsChannel from 'node:diagnostics_channel';
import { delay } from '../../../src/core/clock.ts';
import { createBroker } from '../../../src/testing/broker/create-broker.ts';
import type { BrokerBox } from '../../../src/testing/broker/broker-box.ts';
import type { ClusterEvent } from '../../../src/testing/broker/cluster-event.ts';
import { fault } from '../../../src/testing/broker/faults/fault.ts';
import type { FaultAction } from '../../../src/testing/broker/faults/fault.ts';
import { seededRandom } from '../../../src/testing/simulation/seeded-random.ts';
import { VirtualClock } from '../../../src/testing/simulation/virtual-clock.ts';
import type { VirtualClockOptions } from '../../../src/testing/simulation/virtual-clock.ts';
import type { History, HistoryEvent, SourceEnd } from './history.ts';
import { clientOf, inputsOf, Member, POISON } from './member.ts';
import type { World } from './member.ts';
import { countsForever, keepsOrder, LETTERS, mixesClaims, OUTPUT } from './pipeline.ts';
import { Recorder as EventRecorder } from '../history/recorder.ts';
import { sendRecorded } from '../clients/sending.ts';
import { Recorder } from './recorder.ts';
import type { Act, Scenario } from './scenario.ts';
import { SimulatedProcess } from '../../../src/testing/simulation/simulated-process.ts';
import { watchSends } from './watch-sends.ts';
import { sourceName } from './watch.ts';

const LOAD_MS = 60_000;
const PAUSES_PER_RECORD = 0.2;
const MAX_MEMBERS = 4;
const MAX_GROWTH = 2;
const RESTART_MS = 700;
/** Simulated time by which a mended cluster has worked off everything. */
const PATIENCE_MS = 6_000_000;
/** Nothing happens for so long where a window waits for records that do not come. */
const QUIET_MS = 60_000;
const MAX_ROUNDS = 40;

const letter = (name: string): string => `__streams.errors.${name}`;

/** The history of one scenario; the same for the same seed. */
export async function play(
  scenario: Scenario,
  seed: number,
  options: VirtualClockOptions = {},
): Promise<History> {
  const clock = new VirtualClock(options);
  const random = seededRandom(`${seed} cluster`);
  const { brokers, partitions, maxLatencyMs } = scenario;
  const inputs = inputsOf(scenario);
  const box = await createBroker({
    listen: 'memory',
    clock,
    random,
    brokers,
    latencyMs: maxLatencyMs === 0 ? 0 : { min: 0.1, max: maxLatencyMs },
    topics: {
      ...Object.fromEntries(inputs.map(({ topic }) => [topic, partitions])),
      [OUTPUT]: 2,
      [LETTERS]: 1,
    },
    requestLogSize: 0,
  });
  const recorder = new Recorder(() => clock.now());
  const world: World = { scenario, seed, clock, box, recorder, failures: new Map(), isMended: false };
  const player = new Player(world, clock);
  const unwatch = watchSends(OUTPUT, recorder);
  try {
    return await player.play();
  } finally {
    unwatch();
  }
}

class Player {
  private readonly world: World;
  private readonly clock: VirtualClock;
  private readonly members: Member[] = [];
  private readonly appends: { readonly index: number; readonly event: ClusterEvent & { kind: 'append' } }[] =
    [];
  private readonly writes: EventRecorder;
  private names = 0;
  private isEnding = false;
  /** When members that had ended may all be back: what was quiet before that says nothing. */
  private backAtMs = 0;

  constructor(world: World, clock: VirtualClock) {
    this.world = world;
    this.clock = clock;
    this.writes = new EventRecorder(() => clock.now());
  }

  async play(): Promise<History> {
    const { world, clock } = this;
    const { box, recorder, scenario } = world;
    box.watch((event) => this.see(event));
    const onProblem = (problem: unknown): void => {
      const { kind, action, topic, partition } = problem as Record<string, string>;
      if (kind === 'inert-use')
        recorder.add({ kind: 'wrong', what: `${action} on a moved delivery of ${topic}-${partition}` });
    };
    diagnosticsChannel.subscribe('sluice:delivery-problem', onProblem);
    try {
      for (let at = 0; at < scenario.members; at++) this.join();
      await clock.run(Promise.all([this.write(), this.act(), delay(clock, LOAD_MS)]), 600_000);
      await this.mend();
      await this.drain();
    } catch (error) {
      recorder.add({ kind: 'wrong', what: (error as Error).message });
    } finally {
      diagnosticsChannel.unsubscribe('sluice:delivery-problem', onProblem);
    }
    for (const error of box.internalErrors) {
      recorder.add({ kind: 'wrong', what: `the box: ${String(error)}` });
    }
    const history = await this.history();
    await box.close();
    return history;
  }

  private join(): void {
    this.members.push(new Member(this.world, `member-${++this.names}`));
  }

  private get living(): Member[] {
    return this.members.filter(({ isEnding }) => !isEnding);
  }

  private async write(): Promise<void> {
    const { world, clock } = this;
    const { records, poisonEvery } = world.scenario;
    const process = new SimulatedProcess(clock, world.box.transport);
    const kafka = clientOf(world, 'writer', process);
    const producer = kafka.producer({ requestTimeoutMs: 4000, deliveryTimeoutMs: 600_000 });
    const random = seededRandom(`${world.seed} writer`);
    const inputs = inputsOf(world.scenario);
    // Over the whole time of the faults.
    const pauseMs = (LOAD_MS * 0.9) / (records * inputs.length * PAUSES_PER_RECORD);
    for (const { topic } of inputs) {
      for (let at = 0; at < records; at++) {
        const poison = poisonEvery > 0 && at % poisonEvery === poisonEvery - 1;
        const value = `${poison ? POISON : 'value'}-${topic}-${at}`;
        const key = `key-${Math.floor(random() * 50)}`;
        sendRecorded(producer, this.writes, { process: 'writer', send: value, topic, key, value });
        if (random() < PAUSES_PER_RECORD) await delay(clock, random() * 2 * pauseMs);
      }
    }
    await producer.flush();
    await producer.close();
    await kafka.close();
  }

  private async act(): Promise<void> {
    for (const act of this.world.scenario.acts) {
      await delay(this.clock, act.afterMs);
      this.perform(act);
      this.repopulate();
    }
  }

  private perform(act: Act): void {
    const { box, scenario } = this.world;
    const { living } = this;
    const chosen = 'who' in act ? living[act.who % living.length] : undefined;
    switch (act.act) {
      case 'join':
        if (living.length < MAX_MEMBERS) this.join();
        break;
      case 'leave':
        chosen?.leave();
        break;
      case 'abort':
        chosen?.abort();
        break;
      case 'crash':
        chosen?.crash(act.silently);
        break;
      case 'cut':
        chosen?.process.cut();
        break;
      case 'silence':
        chosen?.process.silence();
        break;
      case 'stop':
        chosen?.process.stop();
        this.clock.setTimeout(() => chosen?.process.resume(), act.forMs);
        break;
      case 'mute':
        if (chosen !== undefined)
          box.fault({
            match: { api: 'Heartbeat', clientId: chosen.name },
            do: fault.dropRequest,
            count: act.beats,
          });
        break;
      case 'moveLeader':
        moveLeader(box, 'in-1', act.partition % scenario.partitions);
        break;
      case 'moveOutput':
        moveLeader(box, OUTPUT, act.partition % 2);
        break;
      case 'grow':
        this.grow();
        break;
      case 'refuse':
        box.fault({
          match: { api: 'Produce', topic: OUTPUT },
          do: act.applies ? fault.applyThenError(act.error) : fault.error(act.error),
          count: act.count,
        });
        break;
      case 'rehash':
        box.rehashCoordinators();
        break;
      case 'stopNode':
        this.stopNode(box, act.node % scenario.brokers, act.forMs);
        break;
      case 'fault':
        box.fault({ match: { api: act.api }, do: actionOf(act), count: timesOf(act) });
        break;
    }
  }

  private grow(): void {
    const { box, scenario } = this.world;
    const count = this.partitionsOf('in-1');
    if (count < scenario.partitions + MAX_GROWTH) box.expandPartitions('in-1', count + 1);
  }

  private partitionsOf(topic: string): number {
    for (let count = 0; ; count++) {
      try {
        this.world.box.partition(topic, count);
      } catch {
        return count;
      }
    }
  }

  private stopNode(box: BrokerBox, node: number, forMs: number): void {
    void box.stop(node);
    this.clock.setTimeout(() => void box.start(node), forMs);
  }

  /** Somebody restarts what ended. */
  private repopulate(): void {
    if (this.isEnding || this.living.length > 0) return;
    this.clock.setTimeout(() => {
      if (!this.isEnding && this.living.length === 0) this.join();
    }, RESTART_MS);
  }

  private get isDone(): boolean {
    const { box, scenario } = this.world;
    return inputsOf(scenario).every(({ group, topic }) => {
      for (let partition = 0; partition < this.partitionsOf(topic); partition++) {
        const committed = box.committed(group, topic, partition)?.offset ?? 0;
        if (committed !== box.partition(topic, partition).highWatermark) return false;
      }
      return true;
    });
  }

  private get isQuiet(): boolean {
    const lastMs = this.world.recorder.events.at(-1)?.atMs ?? 0;
    return this.clock.now() - Math.max(lastMs, this.backAtMs) > QUIET_MS;
  }

  /** Everything works from now on; what is left is to come to its end, restarts included. */
  private async mend(): Promise<void> {
    const { clock } = this;
    const { box, scenario } = this.world;
    box.clearFaults();
    for (let node = 0; node < scenario.brokers; node++) await box.start(node);
    for (const { process } of this.members) process.resume();
    const keepAlive = (): void => {
      this.repopulate();
      if (!this.isEnding) clock.setTimeout(keepAlive, RESTART_MS);
    };
    keepAlive();
    const waits = countsForever([...(scenario.lane ?? []), ...scenario.stages]);
    for (let round = 0; ; round++) {
      this.backAtMs = clock.now() + RESTART_MS;
      await clock.runUntil(() => this.isDone || (waits && this.isQuiet), PATIENCE_MS);
      if (this.isDone || round === MAX_ROUNDS) break;
      // The last values of a count window come out when its flow ends, and then they may still fail.
      await this.endAll();
    }
    this.isEnding = true;
  }

  private async drain(): Promise<void> {
    const { clock, world } = this;
    await clock.advance(10_000);
    world.isMended = true;
    world.recorder.add({ kind: 'mended' });
    for (const { name, process } of await this.endAll()) {
      if (process.pendingTimers > 0)
        world.recorder.add({
          kind: 'wrong',
          what: `${name} is closed and has ${process.pendingTimers} timers`,
        });
    }
  }

  private async endAll(): Promise<Member[]> {
    for (const member of this.living) member.leave();
    const left = this.members.filter(({ isOver }) => !isOver);
    await this.clock.run(Promise.all(left.map(({ ended }) => ended)), 120_000);
    return left;
  }

  private see(event: ClusterEvent): void {
    const { recorder } = this.world;
    if (event.kind === 'append') {
      // What is in it is filled in at the end; its place in the history is now.
      this.appends.push({ index: recorder.events.length, event });
      return;
    }
    const { clientId, groupId, topic, partition, generationId, offset } = event;
    const source = sourceName(groupId, topic, partition);
    recorder.add({ kind: 'committed', member: clientId, source, generation: generationId, offset });
  }

  private async history(): Promise<History> {
    const { scenario, recorder } = this.world;
    const outputs = await this.recordsOf(OUTPUT, 2);
    const letters = await this.recordsOf(LETTERS, 1);
    const events: HistoryEvent[] = [];
    let done = 0;
    for (const { index, event } of this.appends) {
      for (; done < index; done++) events.push(recorder.events[done]!);
      const atMs = recorder.events[index - 1]?.atMs ?? 0;
      for (let offset = event.baseOffset; offset <= event.lastOffset; offset++) {
        if (event.topic === OUTPUT) {
          const {
            token,
            index: part,
            at,
          } = JSON.parse(outputs[event.partition]![offset]!.value!.toString()) as {
            token: number;
            index: number;
            at: string;
          };
          events.push({ kind: 'appended', atMs, token, index: part, at });
        } else if (event.topic === LETTERS) {
          const headers = new Map(letters[event.partition]![offset]!.headers);
          const text = (name: string): string => headers.get(letter(name))!.toString();
          const place = `${text('topic')}-${text('partition')}`;
          events.push({ kind: 'letter', atMs, place, offset: Number(text('offset')) });
        }
      }
    }
    events.push(...recorder.events.slice(done));
    const sources: SourceEnd[] = [];
    for (const { group, topic } of inputsOf(scenario)) {
      const records = await this.recordsOf(topic, this.partitionsOf(topic));
      for (const [partition, some] of records.entries()) {
        for (const { offset, value } of some)
          this.writes.add({
            kind: 'final',
            isolation: 'read_uncommitted',
            topic,
            partition,
            offset,
            send: value!.toString(),
          });
        this.writes.add({ kind: 'end', topic, partition, start: 0, end: some.length });
        const poison = some
          .filter(({ value }) => value!.toString().startsWith(POISON))
          .map(({ offset }) => offset);
        sources.push({ source: sourceName(group, topic, partition), endOffset: some.length, poison });
      }
    }
    return {
      sources,
      creditRecords: scenario.creditRecords,
      order: keepsOrder([...(scenario.lane ?? []), ...scenario.stages]) ? 'input' : 'none',
      mixesClaims: mixesClaims(scenario.stages),
      buriesPoison: scenario.buriesPoison,
      events,
      writes: this.writes.events,
    };
  }

  private recordsOf(topic: string, partitions: number): Promise<Awaited<ReturnType<BrokerBox['records']>>[]> {
    const all = Array.from({ length: partitions }, (_, partition) =>
      this.world.box.records(topic, partition),
    );
    return Promise.all(all);
  }
}

function moveLeader(box: BrokerBox, topic: string, partition: number): void {
  // Nobody leads it while no node is up.
  if (box.leaderOf(topic, partition) >= 0) box.moveLeader(topic, partition);
}

/** A member gives up its first join after a minute, of which each that stays without an answer takes a third: two of those it must get over. */
function timesOf({ api, does, count }: Act & { act: 'fault' }): number {
  return api === 'JoinGroup' && does !== 'error' ? Math.min(count, 2) : count;
}

function actionOf(act: Act & { act: 'fault' }): FaultAction {
  switch (act.does) {
    case 'error':
      return fault.error(act.error);
    case 'applyThenError':
      return fault.applyThenError(act.error);
    case 'delay':
      return fault.delay(3000);
    default:
      return fault[act.does];
  }
}
