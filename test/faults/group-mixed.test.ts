// Java's verifiable consumer and ours share one group, while members join, leave and are killed. Held to what Kafka's own system tests assert. SLUICE_SEED plays a
// schedule again.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Kafka } from '../../src/index.ts';
import { seededRandom } from '../../src/testing/simulation/seeded-random.ts';
import { short, uniqueName } from '../helpers/brokers.ts';
import { commitsOf } from './support/marks.ts';
import { canStartKafka, startOwnKafka, type OwnKafka } from './support/own-kafka.ts';
import { pacedFill } from './support/paced-fill.ts';
import { report } from './support/report.ts';
import { seedOf } from './support/seed.ts';
import { eventually, pause } from './support/started-group.ts';
import { VerifiableConsumer, checkConsumer, coverage, type Program } from './support/verifiable.ts';

const PARTITIONS = 6;
const PER_SECOND = 120;
const ACTS_FOR_MS = short ? 6_000 : 600_000;
const LEAST_PAUSE_MS = 1_500;
const MOST_PAUSE_MS = short ? 2_000 : 5_000;
const MOST_OF_EACH = 2;
const SESSION_MS = 4_000;
const HEARTBEAT_MS = 500;
const RECORD_EACH_MS = 5_000;

/** The usual: one more of each program joins, then ours is killed and one of Java leaves. */
const seed = seedOf(20_261_151);

interface Way {
  readonly name: string;
  readonly options: readonly string[];
  /** The members choose the times of their sessions; otherwise the broker does. */
  readonly choosesTimes: boolean;
}

const ASSIGNORS = 'org.apache.kafka.clients.consumer';
const WAYS: readonly Way[] = [
  { name: 'range', options: ['--assignment-strategy', `${ASSIGNORS}.RangeAssignor`], choosesTimes: true },
  {
    name: 'cooperative-sticky',
    options: ['--assignment-strategy', `${ASSIGNORS}.CooperativeStickyAssignor`],
    choosesTimes: true,
  },
  { name: 'consumer protocol', options: ['--group-protocol', 'consumer'], choosesTimes: false },
];

/** Members of both kinds that come and go as a seed says; one of each stays, so that the group is mixed all the time. */
class MixedGroup {
  readonly members: VerifiableConsumer[] = [];
  readonly killed = new Set<VerifiableConsumer>();
  readonly acts = { joins: 0, leaves: 0, kills: 0 };
  private readonly told = new Set<VerifiableConsumer>();
  private readonly random = seededRandom(seed);
  private readonly start: (name: string, program: Program) => VerifiableConsumer;

  constructor(start: (name: string, program: Program) => VerifiableConsumer) {
    this.start = start;
  }

  join(program: Program): void {
    this.members.push(this.start(`${program} ${this.members.length}`, program));
  }

  async play(forMs: number): Promise<void> {
    const until = Date.now() + forMs;
    while (Date.now() < until) {
      await pause(LEAST_PAUSE_MS + this.random() * (MOST_PAUSE_MS - LEAST_PAUSE_MS));
      const program: Program = this.random() < 0.5 ? 'java' : 'sluice';
      const running = this.running().filter((one) => one.program === program);
      if (running.length < MOST_OF_EACH) {
        this.acts.joins++;
        this.join(program);
        continue;
      }
      // Whoever it is has taken part.
      const member = running.find((one) => one.hasStarted);
      if (member === undefined) continue;
      if (this.random() < 0.5) {
        this.acts.leaves++;
        this.told.add(member);
        member.process.kill('SIGTERM');
      } else {
        this.acts.kills++;
        this.killed.add(member);
        member.process.kill('SIGKILL');
      }
    }
  }

  /** Those that did not end as they were told to. */
  async stop(): Promise<string[]> {
    for (const member of this.running()) member.process.kill('SIGTERM');
    const ends = await Promise.all(
      this.members.map(async (member) => ({ member, code: await member.exited })),
    );
    // One that is told before it listens just ends; Java's ends with the number of the signal.
    const isFine = ({ program, hasStarted }: VerifiableConsumer, code: number | null): boolean =>
      code === 0 || !hasStarted || (program === 'java' && code === 143);
    return ends
      .filter(({ member, code }) => !this.killed.has(member) && !isFine(member, code))
      .map(({ member, code }) => `${member.name} ended with ${code}: ${member.errors}`);
  }

  describe(): string {
    return this.members
      .map(({ name, events, errors }) => `${name}: ${JSON.stringify(events.slice(-3))} ${errors}`)
      .join('\n');
  }

  killAll(): void {
    for (const member of this.members) if (member.isRunning) member.process.kill('SIGKILL');
  }

  private running(): VerifiableConsumer[] {
    return this.members.filter((one) => one.isRunning && !this.killed.has(one) && !this.told.has(one));
  }
}

(canStartKafka ? describe : describe.skip)(
  `Java's verifiable consumer and ours in one group, seed ${seed}`,
  () => {
    let own: OwnKafka;
    let settings: string;
    beforeAll(async () => {
      own = await startOwnKafka({ sessionTimeoutMs: SESSION_MS, heartbeatIntervalMs: HEARTBEAT_MS });
      settings = path.join(own.logDir, 'consumer.properties');
      writeFileSync(settings, `heartbeat.interval.ms=${HEARTBEAT_MS}\n`);
    });
    afterAll(() => own?.stop());

    it.each(WAYS)(
      `$name: ${ACTS_FOR_MS / 1_000} s of joins, leaves and kills: no commit behind a position, nothing of partitions that are not one's own, nothing missing`,
      async ({ name, options, choosesTimes }) => {
        const kafka = new Kafka({ brokers: own.brokers });
        const [topic, groupId] = [uniqueName('mixed'), uniqueName('mixed')];
        await kafka.admin().createTopics([{ name: topic, partitions: PARTITIONS }]);
        const setting = {
          ...own,
          topic,
          groupId,
          sessionTimeoutMs: choosesTimes ? SESSION_MS : undefined,
          options: choosesTimes ? [...options, '--command-config', settings] : options,
        };
        const group = new MixedGroup((member, program) => new VerifiableConsumer(member, program, setting));
        try {
          // Java first: it leads. Whoever is left when it is killed leads next.
          group.join('java');
          group.join('sluice');
          await eventually(
            'both to have partitions',
            () =>
              group.members.every(({ events }) =>
                events.some((event) => (event.partitions?.length ?? 0) > 0),
              ),
            () => group.describe(),
          );
          const records = Math.ceil((PER_SECOND * ACTS_FOR_MS) / 1_000 / PARTITIONS) * PARTITIONS;
          const filling = pacedFill(kafka, topic, records, PARTITIONS, ACTS_FOR_MS);
          await group.play(ACTS_FOR_MS);
          await filling.rest();
          // The last ones may have been killed.
          group.join('sluice');
          let perPartition = records / PARTITIONS;
          let nextMs = Date.now();
          await eventually(
            'everything to be committed',
            async () => {
              if ((await commitsOf(kafka, groupId, PARTITIONS)).every((offset) => offset === perPartition))
                return true;
              // Java's program commits after what it has polled alone: where a rebalance came between, it takes another record to make it try again.
              if (Date.now() >= nextMs) {
                nextMs = Date.now() + RECORD_EACH_MS;
                await pacedFill(kafka, topic, PARTITIONS, PARTITIONS, 1).rest();
                perPartition += 1;
              }
              return false;
            },
            () => group.describe(),
          );
          const problems = await group.stop();
          const checked = group.members.map((member) => ({
            member,
            ...checkConsumer(member.name, member.events),
          }));
          const { missing, repeated } = coverage(
            group.members.map(({ events }) => events),
            PARTITIONS,
            perPartition,
          );
          const sum = (program: Program, what: 'records' | 'commits' | 'assignments'): number =>
            checked
              .filter(({ member }) => member.program === program)
              .reduce((all, one) => all + one[what], 0);
          report(`mixed group, ${name}, seed ${seed}`, {
            ...group.acts,
            records: perPartition * PARTITIONS,
            missing,
            repeated,
            'consumed by java': sum('java', 'records'),
            'consumed by sluice': sum('sluice', 'records'),
            'assignments of java': sum('java', 'assignments'),
            'assignments of sluice': sum('sluice', 'assignments'),
          });
          expect([...problems, ...checked.flatMap(({ violations }) => violations)]).toEqual([]);
          expect(missing).toBe(0);
          expect(sum('java', 'records')).toBeGreaterThan(0);
          expect(sum('sluice', 'records')).toBeGreaterThan(0);
        } finally {
          group.killAll();
          await kafka.close();
        }
      },
    );
  },
);
