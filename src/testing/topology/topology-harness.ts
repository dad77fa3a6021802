// A topology under test: its cluster, its members, and what a test does to them.
import { Kafka } from '../../core/client.ts';
import type { Random } from '../../core/clock.ts';
import type { Producer } from '../../core/producer/producer.ts';
import type { Sent } from '../../core/producer/receipt.ts';
import { UsageError } from '../../errors.ts';
import type { RunSummary, Topology } from '../../topology/types.ts';
import type { BrokerBox } from '../broker/broker-box.ts';
import type { VirtualClock } from '../simulation/virtual-clock.ts';
import { GroupActs } from './group-acts.ts';
import { LIMIT_MS, Patience } from './patience.ts';
import type { TopologyPlan } from './plan.ts';
import { ProblemWatch } from './problem-watch.ts';
import { RunMember, type Surroundings } from './run-member.ts';
import { TopicAccess, type ReadRecord } from './topic-access.ts';
import type {
  DeadLetterRecord,
  PipedRecord,
  TestMember,
  TestProblem,
  TestTopologyOptions,
  TopicPartition,
} from './types.ts';

/** What a harness is made of. */
export interface HarnessParts {
  readonly topology: Topology;
  readonly plan: TopologyPlan;
  readonly clock: VirtualClock;
  readonly box: BrokerBox;
  readonly options: TestTopologyOptions;
  readonly random: (name: string) => Random;
  readonly restoreTimers: () => void;
}

interface Limit {
  readonly limitMs?: number | undefined;
}

/** `TestTopology` without its types of topics. */
export class TopologyHarness {
  readonly clock: VirtualClock;
  readonly box: BrokerBox;
  private readonly plan: TopologyPlan;
  private readonly around: Surroundings;
  private readonly runs: RunMember[] = [];
  private readonly topics: TopicAccess;
  private readonly watch: ProblemWatch;
  private readonly patience: Patience;
  private readonly groups: GroupActs;
  private readonly operator: Kafka;
  private readonly producer: Producer;
  private readonly restoreTimers: () => void;
  private closing: Promise<void> | undefined;

  constructor(parts: HarnessParts) {
    const { topology, plan, clock, box, options, random } = parts;
    this.clock = clock;
    this.box = box;
    this.plan = plan;
    this.restoreTimers = parts.restoreTimers;
    this.topics = new TopicAccess(plan, box, options.topics ?? {});
    this.patience = new Patience(plan, box, this.runs, clock, options);
    this.watch = new ProblemWatch((topic) => box.topics().includes(topic));
    box.watch((event) => {
      this.topics.log.see(event);
      this.patience.see(event);
    });
    const failed = (cause: unknown): void => void this.patience.failures.push(cause);
    this.around = { topology, clock, box, run: options.run, random, failed };
    this.operator = new Kafka(
      { brokers: box.bootstrap, clientId: 'test' },
      { clock, random: random('test'), transport: box.transport },
    );
    this.producer = this.operator.producer();
    this.groups = new GroupActs(box, this.operator.cluster);
  }

  get members(): readonly TestMember[] {
    return this.runs;
  }

  get problems(): readonly TestProblem[] {
    return this.watch.problems;
  }

  get now(): number {
    return this.clock.wallNow();
  }

  /** Starts the first members; when one fails, everything ends. */
  async begin(members: number): Promise<void> {
    try {
      for (let at = 0; at < members; at++) this.newMember().start();
      await this.ready(this.runs);
      const isWhole = (groupId: string): boolean =>
        this.groups.isStable(groupId) && this.groups.size(groupId) >= members;
      if (members > 0)
        await this.patience.reach('has no stable groups', () =>
          this.plan.groups.every(({ groupId }) => isWhole(groupId)),
        );
      await this.patience.warmUp();
    } catch (error) {
      this.patience.failures = [];
      await this.close();
      throw error;
    }
  }

  async pipe(
    topic: string,
    records: PipedRecord<unknown, unknown> | readonly PipedRecord<unknown, unknown>[],
  ): Promise<Sent[]> {
    this.beginCall();
    const preparation = this.topics.prepare(topic);
    if (preparation !== undefined) await this.patience.settled(`pipe '${topic}'`, preparation);
    const encoded = this.topics.encode(topic, records);
    const sent = await this.patience.settled(
      `pipe '${topic}'`,
      Promise.all(encoded.map((record) => this.producer.sendAsync(topic, record))),
    );
    await this.patience.settle();
    return sent;
  }

  async advance(durationMs: number): Promise<void> {
    if (!(durationMs >= 0) || durationMs === Infinity)
      throw new UsageError(`advance: ${String(durationMs)} is not a number of milliseconds`, 'durationMs');
    this.beginCall();
    await this.patience.advance(durationMs);
  }

  async idle({ limitMs = LIMIT_MS }: Limit = {}): Promise<void> {
    this.beginCall();
    await this.patience.idle(limitMs);
  }

  async until(condition: () => boolean, { limitMs }: Limit = {}): Promise<void> {
    this.beginCall();
    await this.patience.reach('has not come to the condition', condition, limitMs);
  }

  read(topic: string): Promise<ReadRecord[]> {
    return this.topics.readNew(topic);
  }

  readAll(topic: string): Promise<ReadRecord[]> {
    return this.topics.readAll(topic);
  }

  deadLetters(topic?: string): Promise<DeadLetterRecord[]> {
    return this.topics.deadLetters(topic);
  }

  committed(topic: string, groupId?: string): { [partition: number]: number } {
    return this.topics.committed(topic, groupId);
  }

  async addMember(): Promise<TestMember> {
    this.beginCall();
    const member = this.newMember();
    member.start();
    await this.ready([member]);
    return member;
  }

  async removeMember(member?: TestMember): Promise<RunSummary> {
    const lastUp = this.runs.findLast(({ isUp }) => isUp);
    const leaving = this.chosen('removeMember', member, lastUp);
    this.beginCall();
    const summary = await this.patience.settled(`removeMember: ${leaving.name}`, leaving.drain());
    await this.patience.settle();
    return summary;
  }

  crash(member?: TestMember): void {
    this.chosen('crash', member).crash();
  }

  async restart(member?: TestMember): Promise<void> {
    const down = this.runs.filter(({ isUp }) => !isUp);
    const chosen = member === undefined ? down : down.filter((one) => one === member);
    if (chosen.length === 0)
      throw new UsageError(`restart: ${member === undefined ? 'every member' : member.name} runs`, 'member');
    this.beginCall();
    for (const one of chosen) one.start();
    await this.ready(chosen);
  }

  freeze(member?: TestMember): void {
    this.chosen('freeze', member).freeze();
  }

  thaw(member?: TestMember): void {
    if (member !== undefined) this.chosen('thaw', member).thaw();
    else for (const one of this.runs) one.thaw();
  }

  async rebalance(groupId?: string): Promise<void> {
    this.beginCall();
    const { groups, patience } = this;
    for (const id of this.plan.groupIds(groupId)) {
      await patience.reach(`has no stable group '${id}'`, () => groups.isStable(id));
      const before = groups.generation(id);
      groups.askLeaderToRejoin(id);
      const isOver = (): boolean => groups.generation(id) > before && groups.isStable(id);
      await patience.reach(`has not rebalanced group '${id}'`, isOver);
    }
    await patience.warmUp();
  }

  async lose(from?: TestMember | TopicPartition): Promise<void> {
    const member = this.chosen('lose', from !== undefined && 'partition' in from ? this.ownerOf(from) : from);
    this.beginCall();
    const { groups, patience } = this;
    for (const id of this.plan.groupIds(undefined)) {
      const expelled = groups.memberIds(id, member.name);
      if (expelled.length === 0) continue;
      const isBack = (): boolean =>
        groups.isStable(id) && groups.memberIds(id, member.name).some((one) => !expelled.includes(one));
      await patience.settled(`lose: ${member.name}`, groups.expel(id, expelled));
      await patience.reach(`does not see ${member.name} back in group '${id}'`, isBack);
    }
    await patience.warmUp();
  }

  async drain(timeoutMs?: number): Promise<RunSummary> {
    this.beginCall();
    const running = this.runs.filter(({ isUp }) => isUp);
    const summaries = await this.patience.settled(
      'drain',
      Promise.all(running.map((one) => one.drain(timeoutMs))),
    );
    await this.patience.settle();
    const sum = (of: (summary: RunSummary) => number): number =>
      summaries.reduce((total, summary) => total + of(summary), 0);
    return {
      recordsIn: sum(({ recordsIn }) => recordsIn),
      recordsOut: sum(({ recordsOut }) => recordsOut),
      unsettled: sum(({ unsettled }) => unsettled),
    };
  }

  close(): Promise<void> {
    this.closing ??= this.end();
    return this.closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private async end(): Promise<void> {
    const { clock, patience, watch } = this;
    try {
      for (const message of await patience.leaks()) watch.problems.push({ kind: 'leaked', message });
      await clock.run(Promise.all(this.runs.map((member) => member.abort())), LIMIT_MS);
      await clock.run(this.producer.close({ timeoutMs: 0 }), LIMIT_MS);
      await clock.run(Promise.all([this.operator.close(), this.box.close()]), LIMIT_MS);
    } finally {
      this.restoreTimers();
      watch.close();
    }
    if (patience.failures.length > 0) throw patience.failures[0];
    const wrong = watch.problems.filter(({ kind }) => kind !== 'stuck');
    if (wrong.length === 0) return;
    const list = wrong.map(({ message }) => `\n  ${message}`).join('');
    throw new Error(`topology '${this.plan.name}' handles deliveries wrongly:${list}`);
  }

  private newMember(): RunMember {
    const member = new RunMember(`member-${this.runs.length + 1}`, this.around);
    this.runs.push(member);
    return member;
  }

  private chosen(
    what: string,
    member: TestMember | undefined,
    otherwise = this.runs.find(({ isUp }) => isUp),
  ): RunMember {
    const found = member === undefined ? otherwise : this.runs.find((one) => one === member);
    if (found === undefined)
      throw new UsageError(
        member === undefined
          ? `${what}: no member runs`
          : `${what}: ${member.name} is no member of this test topology`,
        'member',
      );
    if (found.isUp) return found;
    throw new UsageError(`${what}: ${found.name} does not run: ${found.state}`, 'member');
  }

  private ownerOf({ topic, partition }: TopicPartition): RunMember {
    const owner = this.runs.find(({ claims }) => claims.includes(`${topic}-${partition}`));
    if (owner === undefined) throw new UsageError(`no member has claimed ${topic}-${partition}`, 'partition');
    return owner;
  }

  private async ready(members: readonly RunMember[]): Promise<void> {
    await this.patience.settled('the start', Promise.all(members.map(({ ready }) => ready)));
    await this.patience.warmUp();
  }

  private beginCall(): void {
    if (this.closing !== undefined) throw new UsageError('the test topology is closed');
    this.patience.begin();
  }
}
