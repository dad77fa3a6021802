// Some members of one group in processes of their own, started and ended by hand.
import { Kafka } from '../../../src/index.ts';
import { uniqueName } from '../../helpers/brokers.ts';
import type { GroupMemberOptions } from '../programs/group-member.ts';
import { Child } from './child.ts';
import { ownersAt, type MemberEvent, type MemberHistory } from './group-history.ts';
import type { GroupKind } from './group-kinds.ts';
import { commitsOf } from './marks.ts';

export interface StartedMember {
  readonly name: string;
  readonly child: Child;
  readonly events: readonly MemberEvent[];
  endedAt: number | undefined;
}

export interface GroupSetting {
  readonly kind: GroupKind;
  readonly partitions: number;
  readonly sessionTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
  readonly commitIntervalMs: number;
}

const LIMIT_MS = 120_000;
const POLL_MS = 50;

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until it holds. @throws Error naming `what` after two minutes, with what `detail` says then. */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
  detail: () => string = () => '',
): Promise<void> {
  const deadline = Date.now() + LIMIT_MS;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`waited ${LIMIT_MS} ms for ${what}; ${detail()}`);
    await pause(POLL_MS);
  }
}

/** A topic, a group that reads it, and its members. */
export class StartedGroup {
  readonly topic = uniqueName('group');
  readonly groupId = uniqueName('group');
  readonly kafka: Kafka;
  readonly members: StartedMember[] = [];
  private readonly brokers: readonly string[];
  private readonly setting: GroupSetting;

  constructor(brokers: readonly string[], setting: GroupSetting) {
    this.brokers = brokers;
    this.setting = setting;
    this.kafka = new Kafka({ brokers });
  }

  async createTopic(): Promise<void> {
    await this.kafka.admin().createTopics([{ name: this.topic, partitions: this.setting.partitions }]);
  }

  start(instance: string): StartedMember {
    const { kind, sessionTimeoutMs, heartbeatIntervalMs, commitIntervalMs } = this.setting;
    const options: GroupMemberOptions = {
      brokers: this.brokers,
      groupId: this.groupId,
      topic: this.topic,
      kind,
      instance,
      sessionTimeoutMs,
      heartbeatIntervalMs,
      commitIntervalMs,
      maxDelayMs: 0,
    };
    const child = new Child('group-member.ts', options);
    const member: StartedMember = {
      name: `${instance} (${this.members.length})`,
      child,
      events: child.events as unknown as MemberEvent[],
      endedAt: undefined,
    };
    this.members.push(member);
    void child.exited.then(() => (member.endedAt ??= Date.now()));
    return member;
  }

  async end(member: StartedMember, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    if (signal === 'SIGKILL') member.endedAt = Date.now();
    await member.child.kill(signal);
  }

  /** The partitions of a member as things stand. */
  owned(member: StartedMember): Set<number> {
    return ownersAt([{ ...member }], Date.now());
  }

  /** Every member has as many partitions as the others, or one less. */
  isBalanced(): boolean {
    const running = this.members.filter(({ endedAt }) => endedAt === undefined);
    const counts = running.map((member) => this.owned(member).size);
    const all = counts.reduce((sum, count) => sum + count, 0);
    return all === this.setting.partitions && Math.max(...counts) - Math.min(...counts) <= 1;
  }

  async hasCommitted(perPartition: number): Promise<boolean> {
    const commits = await commitsOf(this.kafka, this.groupId, this.setting.partitions);
    return commits.every((offset) => offset === perPartition);
  }

  history(): MemberHistory[] {
    return this.members.map(({ name, events, endedAt }) => ({ name, events, endedAt }));
  }

  /** Members first, in order. */
  async close(): Promise<void> {
    const running = this.members.filter(({ endedAt }) => endedAt === undefined);
    await Promise.all(running.map((member) => this.end(member, 'SIGTERM')));
    await this.kafka.close();
  }

  /** However a test ends, no process stays behind. */
  killAll(): void {
    for (const { child, endedAt } of this.members) if (endedAt === undefined) child.process.kill('SIGKILL');
  }
}
