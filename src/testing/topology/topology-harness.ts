// A topology under test: its cluster, its members, and what a test does to them.
import { Kafka } from '../../core/client.ts';
import type { Random } from '../../core/clock.ts';
import type { Producer } from '../../core/producer/producer.ts';
import type { Sent } from '../../core/producer/receipt.ts';
import type { ConsumerRecord } from '../../core/records/types.ts';
import { UsageError } from '../../errors.ts';
import type { RunSummary, Topology } from '../../topology/types.ts';
import type { BrokerBox } from '../broker/broker-box.ts';
import type { VirtualClock } from '../simulation/virtual-clock.ts';
import { deadLetterOf } from './dead-letters.ts';
import { GroupActs } from './group-acts.ts';
import type { TopologyPlan } from './plan.ts';
import { ProblemWatch } from './problem-watch.ts';
import { RunMember, type Surroundings } from './run-member.ts';
import { TimeDriver } from './time-driver.ts';
import { TopicFormats } from './topic-formats.ts';
import { TopicLog, type PlacedRecord } from './topic-log.ts';
import type {
  DeadLetterRecord,
  PipedRecord,
  TestMember,
  TestProblem,
  TestTopologyOptions,
  TopicPartition,
} from './types.ts';
import { partitionsOf, whatLeaked, whatWaits } from './waiting.ts';

/** What a harness is made of. */
export interface HarnessParts {
  readonly topology: Topology;
  readonly plan: TopologyPlan;
  readonly clock: VirtualClock;
  readonly box: BrokerBox;
  readonly options: TestTopologyOptions;
  random(name: string): Random;
  restoreTimers(): void;
}

type AnyRecord = ConsumerRecord<unknown, unknown>;

const LIMIT_MS = 600_000;
/** How often, in virtual ms, it is looked whether all is done when no commit says so. */
const LOOK_MS = 1_000;
const CALL_TIMEOUT_MS = 1_000;
/** By then the fetches of a new claim are with the broker, so that what is piped is handed over without time passing. */
const WARM_UP_MS = 10;
/** By then a dead letter is written; what is still in no stage then never will be settled. */
const LEAK_MS = 10_000;
/** Records that one call may lead to: beyond, a topology feeds itself. */
const RUNAWAY_RECORDS = 100_000;
const MAX_LINES = 20;

/** `TestTopology` without its types of topics. */
export class TopologyHarness {
  readonly clock: VirtualClock;
  readonly box: BrokerBox;
  private readonly plan: TopologyPlan;
  private readonly around: Surroundings;
  private readonly options: TestTopologyOptions;
  private readonly runs: RunMember[] = [];
  private readonly formats = new Map<string, TopicFormats>();
  private readonly log: TopicLog;
  private readonly watch: ProblemWatch;
  private readonly driver: TimeDriver;
  private readonly groups: GroupActs;
  private readonly operator: Kafka;
  private readonly producer: Producer;
  private readonly restoreTimers: () => void;
  private failures: unknown[] = [];
  private appended = 0;
  private committedAny = false;
  /** A call has rejected with what waits, leaks among it. */
  private toldLeaks = false;
  private closing: Promise<void> | undefined;

  constructor(parts: HarnessParts) {
    const { topology, plan, clock, box, options, random } = parts;
    this.clock = clock;
    this.box = box;
    this.plan = plan;
    this.options = options;
    this.restoreTimers = () => parts.restoreTimers();
    this.log = new TopicLog(box);
    box.watch((event) => {
      this.log.see(event);
      if (event.kind === 'append') this.appended += event.lastOffset - event.baseOffset + 1;
      else this.committedAny = true;
    });
    this.watch = new ProblemWatch((topic) => box.topics().includes(topic));
    this.around = {
      topology,
      clock,
      box,
      run: options.run,
      random: (name) => random(name),
      failed: (_member, cause) => this.failures.push(cause),
    };
    this.driver = new TimeDriver(
      clock,
      {
        calls: () => this.runs.reduce((sum, member) => sum + member.calls(), 0),
        isBroken: () => this.failures.length > 0 || this.appended > RUNAWAY_RECORDS,
      },
      options.callTimeoutMs ?? CALL_TIMEOUT_MS,
    );
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
      await this.awaitReady(this.runs);
      const isWhole = (groupId: string): boolean => this.groups.size(groupId) >= members;
      if (members > 0)
        await this.reach(
          'the groups were not formed',
          () => this.groupIds.every((id) => this.groups.isStable(id) && isWhole(id)),
          LIMIT_MS,
        );
      await this.warmUp();
    } catch (error) {
      this.failures = [];
      await this.close();
      throw error;
    }
  }

  async pipe(
    topic: string,
    records: PipedRecord<unknown, unknown> | readonly PipedRecord<unknown, unknown>[],
  ): Promise<Sent[]> {
    this.checkTopic(topic);
    const list = Array.isArray(records) ? (records as readonly PipedRecord<unknown, unknown>[]) : [records];
    const formats = this.formatsOf(topic);
    const encoded = list.map((record) =>
      formats.encode(record as PipedRecord<unknown, unknown>, Math.floor(this.now)),
    );
    this.beginCall();
    const sent = await this.settled(
      `pipe '${topic}'`,
      Promise.all(encoded.map((record) => this.producer.sendAsync(topic, record))),
    );
    await this.settle();
    return sent;
  }

  async advance(durationMs: number): Promise<void> {
    if (!(durationMs >= 0) || durationMs === Infinity)
      throw new UsageError(`advance: ${String(durationMs)} is not a number of milliseconds`, 'durationMs');
    this.beginCall();
    await this.driver.move(durationMs, () => false);
    this.throwIfBroken();
  }

  async idle({ limitMs = LIMIT_MS }: { readonly limitMs?: number | undefined } = {}): Promise<void> {
    this.beginCall();
    await this.settle();
    const { clock } = this;
    const until = clock.now() + limitMs;
    for (;;) {
      const waiting = whatWaits(this.plan, this.box, this.runs);
      if (waiting.length === 0) return;
      const leftMs = until - clock.now();
      if (leftMs <= 0 || !this.runs.some(({ isUp }) => isUp))
        throw this.notDone('is not idle', limitMs, waiting);
      this.committedAny = false;
      await this.driver.move(Math.min(leftMs, LOOK_MS), () => this.committedAny);
      this.throwIfBroken();
    }
  }

  async until(
    condition: () => boolean,
    { limitMs = LIMIT_MS }: { readonly limitMs?: number | undefined } = {},
  ): Promise<void> {
    this.beginCall();
    await this.reach('has not come to the condition', condition, limitMs);
  }

  async read(topic: string): Promise<AnyRecord[]> {
    this.checkTopic(topic);
    return this.decode(topic, await this.log.readNew(topic));
  }

  async readAll(topic: string): Promise<AnyRecord[]> {
    this.checkTopic(topic);
    return this.decode(topic, await this.log.readAll(topic));
  }

  async deadLetters(topic?: string): Promise<DeadLetterRecord[]> {
    if (topic !== undefined) this.checkTopic(topic);
    const letters: DeadLetterRecord[] = [];
    for (const name of topic === undefined ? this.plan.deadLetterTopics : [topic]) {
      const raw = new TopicFormats(name, {});
      for (const { partition, record } of await this.log.readAll(name))
        letters.push(deadLetterOf((await raw.decode(partition, record)) as ConsumerRecord));
    }
    return letters;
  }

  committed(topic: string, groupId?: string): { [partition: number]: number } {
    this.checkTopic(topic);
    const group = this.plan.groupOf(topic, groupId);
    const offsets: { [partition: number]: number } = {};
    for (let partition = 0; partition < partitionsOf(this.box, topic); partition++) {
      const committed = this.box.committed(group, topic, partition);
      if (committed !== undefined) offsets[partition] = committed.offset;
    }
    return offsets;
  }

  async addMember(): Promise<TestMember> {
    this.beginCall();
    const member = this.newMember();
    member.start();
    await this.awaitReady([member]);
    return member;
  }

  async removeMember(member?: TestMember): Promise<RunSummary> {
    const leaving = this.chosen(
      member,
      this.runs.findLast(({ isUp }) => isUp),
      'removeMember',
    );
    this.beginCall();
    const summary = await this.settled(`removeMember: ${leaving.name}`, leaving.drain());
    await this.settle();
    return summary;
  }

  crash(member?: TestMember): void {
    this.chosen(member, this.firstUp, 'crash').crash();
  }

  async restart(member?: TestMember): Promise<void> {
    const down = this.runs.filter(({ isUp }) => !isUp);
    const chosen = member === undefined ? down : down.filter((one) => one === member);
    if (chosen.length === 0)
      throw new UsageError(`restart: ${member === undefined ? 'every member' : member.name} runs`, 'member');
    this.beginCall();
    for (const one of chosen) one.start();
    await this.awaitReady(chosen);
  }

  freeze(member?: TestMember): void {
    this.chosen(member, this.firstUp, 'freeze').freeze();
  }

  thaw(member?: TestMember): void {
    if (member !== undefined) this.chosen(member, undefined, 'thaw').thaw();
    else for (const one of this.runs) one.thaw();
  }

  async rebalance(groupId?: string): Promise<void> {
    const groups = this.plan.groupIds(groupId);
    this.beginCall();
    for (const id of groups) {
      await this.reach(`group '${id}' is not stable`, () => this.groups.isStable(id), LIMIT_MS);
      const before = this.groups.generation(id);
      this.groups.askLeaderToRejoin(id);
      await this.reach(
        `group '${id}' has not rebalanced`,
        () => this.groups.generation(id) > before && this.groups.isStable(id),
        LIMIT_MS,
      );
    }
    await this.warmUp();
  }

  async lose(from?: TestMember | TopicPartition): Promise<void> {
    const member = this.chosen(
      from !== undefined && 'partition' in from ? this.ownerOf(from) : from,
      this.firstUp,
      'lose',
    );
    this.beginCall();
    for (const id of this.plan.groupIds(undefined)) {
      const expelled = this.groups.memberIds(id, member.name);
      if (expelled.length === 0) continue;
      const isBack = (): boolean =>
        this.groups.isStable(id) &&
        this.groups.memberIds(id, member.name).some((memberId) => !expelled.includes(memberId));
      await this.settled(`lose: ${member.name}`, this.groups.expel(id, expelled));
      await this.reach(`${member.name} has not come back to group '${id}'`, isBack, LIMIT_MS);
    }
    await this.warmUp();
  }

  async drain(timeoutMs?: number): Promise<RunSummary> {
    this.beginCall();
    const running = this.runs.filter(({ isUp }) => isUp);
    const summaries = await this.settled('drain', Promise.all(running.map((one) => one.drain(timeoutMs))));
    await this.settle();
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
    try {
      await this.findLeaks();
      await this.clock.run(Promise.all(this.runs.map((member) => member.abort())), LIMIT_MS);
      await this.clock.run(this.producer.close({ timeoutMs: 0 }), LIMIT_MS);
      await this.clock.run(Promise.all([this.operator.close(), this.box.close()]), LIMIT_MS);
    } finally {
      this.restoreTimers();
      this.watch.close();
    }
    if (this.failures.length > 0) throw this.failures[0];
    const wrong = this.problems.filter(({ kind }) => kind !== 'stuck');
    if (wrong.length === 0) return;
    const list = wrong.map(({ message }) => `\n  ${message}`).join('');
    throw new Error(`topology '${this.plan.name}' handles deliveries wrongly:${list}`);
  }

  private async findLeaks(): Promise<void> {
    if (this.toldLeaks || this.failures.length > 0 || whatLeaked(this.runs).length === 0) return;
    this.appended = 0;
    await this.driver.move(LEAK_MS, () => whatLeaked(this.runs).length === 0);
    for (const message of whatLeaked(this.runs)) this.watch.problems.push({ kind: 'leaked', message });
  }

  private get groupIds(): readonly string[] {
    return this.plan.groups.map(({ groupId }) => groupId);
  }

  private get firstUp(): RunMember | undefined {
    return this.runs.find(({ isUp }) => isUp);
  }

  private newMember(): RunMember {
    const member = new RunMember(`member-${this.runs.length + 1}`, this.around);
    this.runs.push(member);
    return member;
  }

  private chosen(member: TestMember | undefined, otherwise: RunMember | undefined, what: string): RunMember {
    const found = member === undefined ? otherwise : this.runs.find((one) => one === member);
    if (found === undefined)
      throw new UsageError(
        member === undefined
          ? `${what}: no member runs`
          : `${what}: ${member.name} is no member of this test topology`,
        'member',
      );
    if (!found.isUp)
      throw new UsageError(`${what}: ${found.name} does not run, it has ${found.state}`, 'member');
    return found;
  }

  private ownerOf({ topic, partition }: TopicPartition): RunMember {
    const owner = this.runs.find(({ claims }) => claims.includes(`${topic}-${partition}`));
    if (owner === undefined) throw new UsageError(`no member has claimed ${topic}-${partition}`, 'partition');
    return owner;
  }

  private checkTopic(topic: string): void {
    const topics = this.box.topics();
    if (topics.includes(topic)) return;
    throw new UsageError(
      `there is no topic '${topic}': neither topology '${this.plan.name}' nor the option 'topics' names it; there are ${topics.join(', ')}`,
      'topic',
    );
  }

  private formatsOf(topic: string): TopicFormats {
    let formats = this.formats.get(topic);
    if (formats === undefined) {
      const given = this.options.topics?.[topic];
      formats = new TopicFormats(topic, typeof given === 'object' ? given : {});
      this.formats.set(topic, formats);
    }
    return formats;
  }

  private async decode(topic: string, records: readonly PlacedRecord[]): Promise<AnyRecord[]> {
    const formats = this.formatsOf(topic);
    const decoded: AnyRecord[] = [];
    for (const { partition, record } of records) decoded.push(await formats.decode(partition, record));
    return decoded;
  }

  private async awaitReady(members: readonly RunMember[]): Promise<void> {
    await this.settled('the start', Promise.all(members.map(({ ready }) => ready)));
    await this.warmUp();
  }

  private async warmUp(): Promise<void> {
    await this.driver.move(WARM_UP_MS, () => false);
    this.throwIfBroken();
  }

  /** Lets run what is due now. */
  private async settle(): Promise<void> {
    await this.driver.move(0, () => false);
    this.throwIfBroken();
  }

  private async settled<T>(what: string, promise: Promise<T>): Promise<T> {
    let isSettled = false;
    const mark = (): void => void (isSettled = true);
    promise.then(mark, mark);
    await this.reach(`${what} does not come to its end`, () => isSettled, LIMIT_MS);
    return promise;
  }

  private async reach(what: string, condition: () => boolean, limitMs: number): Promise<void> {
    const reached = await this.driver.move(limitMs, condition);
    this.throwIfBroken();
    if (!reached) throw this.notDone(what, limitMs, whatWaits(this.plan, this.box, this.runs));
  }

  private beginCall(): void {
    if (this.closing !== undefined) throw new UsageError('the test topology is closed');
    this.appended = 0;
  }

  private throwIfBroken(): void {
    if (this.failures.length > 0) {
      const [first] = this.failures;
      this.failures = [];
      throw first;
    }
    if (this.appended <= RUNAWAY_RECORDS) return;
    const topics = [...this.log.counts].map(([topic, count]) => `${topic}: ${count}`).join(', ');
    throw new Error(
      `topology '${this.plan.name}' has written more than ${RUNAWAY_RECORDS} records within one call, and no end is in sight: does it read what it writes? Records by topic: ${topics}`,
    );
  }

  private notDone(what: string, limitMs: number, waiting: readonly string[]): Error {
    this.toldLeaks = true;
    const shown = waiting.slice(0, MAX_LINES).map((line) => `\n  ${line}`);
    if (waiting.length > MAX_LINES) shown.push(`\n  and ${waiting.length - MAX_LINES} more`);
    const lines = waiting.length === 0 ? '' : `; what waits:${shown.join('')}`;
    return new Error(`topology '${this.plan.name}' ${what} after ${limitMs} ms of virtual time${lines}`);
  }
}
