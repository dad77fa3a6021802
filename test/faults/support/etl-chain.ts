// Three groups in a chain: each reads a topic and writes the next one, while members join and quit.
import type { FlowEnd } from '../../../src/flow/op.ts';
import { lastValueFrom } from 'rxjs';
import { settle, tap } from '../../../src/operators/index.ts';
import { Kafka, sluice, text, topology, type Running } from '../../../src/index.ts';
import { uniqueName } from '../../helpers/brokers.ts';
import { kindOptions, type GroupKind } from './group-kinds.ts';
import { commitsOf } from './marks.ts';
import { pacedFill } from './paced-fill.ts';

export interface EtlPlan {
  readonly kind: GroupKind;
  readonly sessionTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
  readonly records: number;
  /** Of each topic. */
  readonly partitions: readonly number[];
  /** Members of each level that stay to the end. */
  readonly standing: number;
  /** Of each that quits, after how many rounds. */
  readonly quitters: readonly number[];
  /** Records of a round. */
  readonly roundRecords: number;
  /** Members that join each level later, and when. */
  readonly joiners: number;
  readonly joinAfterMs: number;
  /** How long it takes to write the records. */
  readonly fillMs: number;
  readonly limitMs: number;
}

/** How one level went. */
export interface EtlLevel {
  /** Keys that were never seen. */
  readonly missing: number;
  /** Offsets that were handed over more than once. */
  readonly twice: number;
  readonly strange: number;
  readonly claims: number;
  readonly lost: number;
}

export interface EtlOutcome {
  readonly levels: readonly EtlLevel[];
  /** Records of each topic in the end. */
  readonly written: readonly number[];
  readonly committed: readonly number[];
  readonly failures: readonly string[];
  /** How many members quit. */
  readonly quits: number;
  readonly seconds: number;
}

const DRAIN_MS = 10_000;
const REBALANCE_MS = 30_000;
const COMMIT_INTERVAL_MS = 500;
/** A quitter that gets nothing goes as well. */
const IDLE_QUIT_MS = 4_000;
const POLL_MS = 200;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** What one group saw, all members together. */
class Level {
  readonly topic: string;
  readonly groupId: string;
  readonly partitions: number;
  readonly next: string | undefined;
  readonly offsets = new Set<string>();
  readonly keys = new Set<string>();
  twice = 0;
  claims = 0;
  lost = 0;

  constructor(topic: string, partitions: number, next: string | undefined) {
    this.topic = topic;
    this.partitions = partitions;
    this.next = next;
    this.groupId = `${topic}-group`;
  }

  see(partition: number, offset: number, key: string): void {
    const place = `${partition}-${offset}`;
    if (this.offsets.has(place)) this.twice++;
    this.offsets.add(place);
    this.keys.add(key);
  }
}

/** A member of a level, with a client of its own. */
class EtlMember {
  seen = 0;
  readonly running: Running;
  private readonly kafka: Kafka;
  private stopping: Promise<void> | undefined;
  private onSeen: () => void = () => undefined;

  constructor(brokers: readonly string[], level: Level, plan: EtlPlan, instance: string, failures: string[]) {
    this.kafka = new Kafka({ brokers });
    this.running = topology(instance, ({ fromGroup, toTopic }): FlowEnd => {
      const claims = fromGroup({
        groupId: level.groupId,
        topics: [level.topic],
        key: text(),
        value: text(),
        drainTimeoutMs: DRAIN_MS,
        rebalanceTimeoutMs: REBALANCE_MS,
        commitIntervalMs: COMMIT_INTERVAL_MS,
        ...kindOptions(plan.kind, instance, plan),
      });
      claims.rebalances.subscribe(({ kind }) => {
        if (kind === 'claimed') level.claims++;
        if (kind === 'lost') level.lost++;
      });
      const seen = claims.pipe(
        tap(({ partition, offset, key }) => {
          level.see(partition, offset, key);
          this.seen++;
          this.onSeen();
        }),
      );
      return level.next === undefined
        ? seen
        : seen.pipe(toTopic(level.next, ({ key, value }) => ({ key, value })));
    }).start(this.kafka);
    this.running.done.catch((error: unknown) => failures.push(`${instance}: ${String(error)}`));
  }

  /** Quits after so many records, or when it gets none for a while. */
  async quitAfter(records: number): Promise<void> {
    await this.running.ready;
    const enough = new Promise<void>((resolve) => {
      this.onSeen = () => {
        if (this.seen >= records) resolve();
      };
      this.onSeen();
    });
    await Promise.race([enough, pause(IDLE_QUIT_MS)]);
    await this.stop();
  }

  stop(): Promise<void> {
    this.stopping ??= this.running
      .drain()
      .then(() => undefined)
      .catch(() => undefined)
      .then(() => this.kafka.close());
    return this.stopping;
  }
}

/** Plays a plan. */
export async function runEtlChain(brokers: readonly string[], plan: EtlPlan): Promise<EtlOutcome> {
  const { records, partitions } = plan;
  const startedAt = Date.now();
  const kafka = new Kafka({ brokers });
  const topics = partitions.map((_, at) => uniqueName(`etl-${at + 1}`));
  await kafka.admin().createTopics(topics.map((name, at) => ({ name, partitions: partitions[at]! })));
  const levels = topics.map((topic, at) => new Level(topic, partitions[at]!, topics[at + 1]));
  const failures: string[] = [];
  const members: EtlMember[] = [];
  const join = (level: Level, name: string): EtlMember => {
    const member = new EtlMember(brokers, level, plan, `${level.topic}-${name}`, failures);
    members.push(member);
    return member;
  };
  try {
    const filling = pacedFill(kafka, topics[0]!, records, partitions[0]!, plan.fillMs);
    const quits: Promise<void>[] = [];
    for (const level of levels) {
      for (let nth = 0; nth < plan.standing; nth++) join(level, `standing-${nth}`);
      plan.quitters.forEach((rounds, nth) =>
        quits.push(join(level, `quitter-${nth}`).quitAfter(rounds * plan.roundRecords)),
      );
    }
    await pause(plan.joinAfterMs);
    for (const level of levels) for (let nth = 0; nth < plan.joiners; nth++) join(level, `joiner-${nth}`);
    await Promise.all(quits);
    await pause(Math.max(0, startedAt + plan.fillMs - Date.now()));
    await filling.rest();

    const deadline = Date.now() + plan.limitMs;
    const committedOf = (level: Level): Promise<number> => sumOfCommits(kafka, level);
    const isDone = async (): Promise<boolean> => {
      for (const level of levels) if ((await committedOf(level)) < records) return false;
      return true;
    };
    while (failures.length === 0 && !(await isDone()) && Date.now() < deadline) await pause(POLL_MS);
    await Promise.all(members.map((member) => member.stop()));
    return {
      levels: levels.map(({ keys, twice, claims, lost }) => {
        let missing = 0;
        for (let n = 0; n < records; n++) if (!keys.has(`k${n}`)) missing++;
        return { missing, twice, strange: keys.size - (records - missing), claims, lost };
      }),
      written: await Promise.all(topics.map((topic) => countOf(kafka, topic))),
      committed: await Promise.all(levels.map(committedOf)),
      failures,
      quits: quits.length,
      seconds: (Date.now() - startedAt) / 1_000,
    };
  } finally {
    await Promise.all(members.map((member) => member.stop()));
    await kafka.admin().deleteTopics(topics);
    await kafka.close();
  }
}

async function sumOfCommits(kafka: Kafka, { groupId, partitions }: Level): Promise<number> {
  const commits = await commitsOf(kafka, groupId, partitions);
  return commits.reduce((sum, offset) => sum + Math.max(0, offset), 0);
}

/** The records of a topic, as somebody without a group reads them. */
async function countOf(kafka: Kafka, topic: string): Promise<number> {
  let count = 0;
  await lastValueFrom(
    sluice(kafka)
      .fromPartitions({ topic, from: 'earliest', until: 'end' })
      .pipe(
        tap(() => count++),
        settle(),
      ),
    { defaultValue: undefined },
  );
  return count;
}
