// Members of one group that come, leave and die as a seed says, while records come in.
import { Kafka } from '../../../src/index.ts';
import { seededRandom } from '../../../src/testing/simulation/seeded-random.ts';
import { uniqueName } from '../../helpers/brokers.ts';
import type { GroupMemberOptions } from '../programs/group-member.ts';
import { Child } from './child.ts';
import { coordinatorLog } from './coordinator-log.ts';
import { judge, ownersAt, type MemberEvent, type MemberHistory, type Verdict } from './group-history.ts';
import type { GroupKind } from './group-kinds.ts';
import { commitsOf } from './marks.ts';
import type { OwnKafka } from './own-kafka.ts';
import { pacedFill } from './paced-fill.ts';

export interface FuzzPlan {
  readonly kind: GroupKind;
  readonly seed: number;
  readonly records: number;
  readonly partitions: number;
  /** Most members at a time; so many join at the start. */
  readonly slots: number;
  readonly leastQuota: number;
  readonly mostQuota: number;
  /** Joins, leaves and kills after that. */
  readonly acts: number;
  readonly sessionTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
}

const LEAST_PAUSE_MS = 1_000;
const MOST_PAUSE_MS = 1_400;
const COMMIT_INTERVAL_MS = 400;
const MOST_DELAY_MS = 30;
/** A partition may be without an owner for the session and this. */
const OWNERLESS_GRACE_MS = 5_000;
const LIMIT_MS = 60_000;
const POLL_MS = 200;

interface Member {
  readonly slot: number;
  readonly name: string;
  readonly child: Child;
  killedAt: number | undefined;
  endedAt: number | undefined;
  isTold: boolean;
}

type Acts = Record<'joins' | 'leaves' | 'kills' | 'quotas', number>;

export interface Fuzzed extends Verdict {
  readonly acts: Readonly<Acts>;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Plays a plan and judges what came of it. */
export async function fuzzGroup(own: OwnKafka, plan: FuzzPlan): Promise<Fuzzed> {
  const { partitions, records, sessionTimeoutMs, acts } = plan;
  const kafka = new Kafka({ brokers: own.brokers });
  const [topic, groupId] = [uniqueName('fuzz'), uniqueName('fuzz')];
  await kafka.admin().createTopics([{ name: topic, partitions }]);
  const perPartition = records / partitions;
  const ownerlessMs = sessionTimeoutMs + OWNERLESS_GRACE_MS;
  const fuzz = new Fuzz(own, plan, topic, groupId);
  try {
    await fuzz.begin();
    const filling = pacedFill(
      kafka,
      topic,
      records,
      partitions,
      (acts * (LEAST_PAUSE_MS + MOST_PAUSE_MS)) / 2,
    );
    await fuzz.play();
    await filling.rest();
    const lastActAt = fuzz.lastActAt();
    const deadline = Date.now() + LIMIT_MS;
    const isDone = async (): Promise<boolean> =>
      ownersAt(fuzz.history(), Date.now()).size === partitions &&
      (await commitsOf(kafka, groupId, partitions)).every((offset) => offset === perPartition);
    while (!(await isDone()) && Date.now() < deadline) await pause(POLL_MS);
    const endAt = Date.now();
    const problems = await fuzz.stop();
    const { violations, figures } = judge({
      members: fuzz.history(),
      log: await coordinatorLog(own, groupId),
      records: new Array<number>(partitions).fill(perPartition),
      lastActAt,
      ownerlessMs,
      endAt,
    });
    return { violations: [...problems, ...violations], figures, acts: fuzz.acts };
  } finally {
    fuzz.killAll();
    await kafka.close();
  }
}

/** One run. */
class Fuzz {
  readonly acts: Acts = { joins: 0, leaves: 0, kills: 0, quotas: 0 };
  private readonly kafka: OwnKafka;
  private readonly plan: FuzzPlan;
  private readonly topic: string;
  private readonly groupId: string;
  private readonly random: () => number;
  private readonly replacements: () => number;
  private readonly members: Member[] = [];
  private isOver = false;

  constructor(kafka: OwnKafka, plan: FuzzPlan, topic: string, groupId: string) {
    this.kafka = kafka;
    this.plan = plan;
    this.topic = topic;
    this.groupId = groupId;
    this.random = seededRandom(plan.seed);
    // When a quota is reached depends on the machine: it must not change what the seed says about the rest.
    this.replacements = seededRandom(`${plan.seed} replacements`);
  }

  /** Resolves when the first members have their claims. */
  async begin(): Promise<void> {
    for (let slot = 0; slot < this.plan.slots; slot++) this.join(slot);
    await Promise.race(
      this.members.map(({ child }) => child.until(() => child.latest('claimed') !== undefined, LIMIT_MS)),
    );
  }

  async play(): Promise<void> {
    for (let act = 0; act < this.plan.acts; act++) {
      await pause(this.between(LEAST_PAUSE_MS, MOST_PAUSE_MS));
      this.act();
    }
    this.isOver = true;
    // One that stays: whatever the others do, there is somebody at the end.
    const { child } = this.join(this.plan.slots, false);
    await child.until(() => child.latest('up') !== undefined, LIMIT_MS);
  }

  /** When somebody last came up, left or was killed. */
  lastActAt(): number {
    const times = this.members.flatMap(({ child, endedAt }) => [
      ...child.events.flatMap((event) =>
        'up' in event || 'leaving' in event ? [event['at'] as number] : [],
      ),
      endedAt ?? 0,
    ]);
    return Math.max(...times);
  }

  history(): MemberHistory[] {
    return this.members.map(({ name, child, killedAt, endedAt }) => ({
      name,
      events: child.events as unknown as MemberEvent[],
      endedAt: killedAt ?? endedAt,
    }));
  }

  /** Ends what is left; answers with those that did not end well. */
  async stop(): Promise<string[]> {
    for (const member of this.alive()) member.child.process.kill('SIGTERM');
    const ends = await Promise.all(
      this.members.map(async (member) => ({ ...member, code: await member.child.exited })),
    );
    return ends
      .filter(
        ({ code, child, killedAt }) =>
          code !== 0 && killedAt === undefined && child.latest('up') !== undefined,
      )
      .map(({ name, code }) => `${name} ended with ${code}`);
  }

  /** However a run ends, no process stays behind. */
  killAll(): void {
    this.isOver = true;
    for (const { child, endedAt } of this.members) if (endedAt === undefined) child.process.kill('SIGKILL');
  }

  private act(): void {
    const alive = this.alive();
    const canJoin = alive.length < this.plan.slots;
    const kinds = [...(canJoin ? ['join', 'join'] : []), ...(alive.length > 1 ? ['leave', 'kill'] : [])];
    const kind = this.any(kinds);
    if (kind === 'join') {
      this.acts.joins++;
      this.join(this.freeSlot());
      return;
    }
    const member = this.any(alive);
    if (kind === 'leave') {
      this.acts.leaves++;
      member.isTold = true;
      member.child.process.kill('SIGTERM');
    } else {
      this.acts.kills++;
      member.killedAt = Date.now();
      member.child.process.kill('SIGKILL');
    }
  }

  private join(slot: number, hasQuota = true): Member {
    const { kind, leastQuota, mostQuota, sessionTimeoutMs, heartbeatIntervalMs } = this.plan;
    const quota = Math.round(this.between(leastQuota, mostQuota));
    const options: GroupMemberOptions = {
      brokers: this.kafka.brokers,
      groupId: this.groupId,
      topic: this.topic,
      kind,
      instance: `slot-${slot}`,
      sessionTimeoutMs,
      heartbeatIntervalMs,
      commitIntervalMs: COMMIT_INTERVAL_MS,
      maxDelayMs: MOST_DELAY_MS,
      ...(hasQuota ? { quota } : {}),
    };
    const child = new Child('group-member.ts', options);
    const name = `member ${this.members.length} in slot ${slot}`;
    const member: Member = { slot, name, child, killedAt: undefined, endedAt: undefined, isTold: false };
    this.members.push(member);
    void child.exited.then(() => this.ended(member));
    return member;
  }

  private ended(member: Member): void {
    member.endedAt = Date.now();
    if (this.isOver || member.isTold || member.killedAt !== undefined) return;
    this.acts.quotas++;
    // Some whose quota is reached are replaced, some are not.
    if (this.replacements() < 0.5) this.join(member.slot);
  }

  private alive(): Member[] {
    return this.members.filter(
      ({ endedAt, killedAt, isTold }) => endedAt === undefined && killedAt === undefined && !isTold,
    );
  }

  /** Of a static member also one whose process was killed a moment ago: the next one takes its name over. */
  private freeSlot(): number {
    const taken = new Set(
      this.members.filter(({ endedAt }) => endedAt === undefined).map(({ slot }) => slot),
    );
    const slots = Array.from({ length: this.plan.slots }, (_, slot) => slot);
    const free = slots.filter((slot) => !taken.has(slot));
    return this.any(free.length > 0 ? free : slots);
  }

  private any<T>(list: readonly T[]): T {
    return list[Math.floor(this.random() * list.length)]!;
  }

  private between(least: number, most: number): number {
    return least + this.random() * (most - least);
  }
}
