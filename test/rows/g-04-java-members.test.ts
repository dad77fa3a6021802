import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import readline from 'node:readline';
import { resolveAssignors, type AssignorName } from '../../src/core/group/assignors/named.ts';
import { divideBoth, readGroups } from '../core/group/assignors/kafka-groups.ts';
import { brokers } from '../helpers/brokers.ts';
import { until as untilSoon } from '../helpers/until.ts';
import { ClassicGroup, type ClassicMember } from './programs/classic-group.ts';

const lib = process.env['KAFKA_LIB'];
/** A Java process takes its time to come up on a busy machine. */
const WAIT_MS = 60_000;
const until = (what: string, holds: () => boolean): Promise<void> => untilSoon(what, holds, WAIT_MS);

/** Java consumers of test/rows/programs/JavaMembers.java. */
class JavaMembers {
  private readonly process: ChildProcess;
  private readonly owned = new Map<string, string>();
  private errors = '';

  constructor() {
    const quiet = ['-Xmx192m', '-XX:TieredStopAtLevel=1', '-Dorg.slf4j.simpleLogger.defaultLogLevel=error'];
    const program = ['-cp', path.join(lib!, '*'), 'test/rows/programs/JavaMembers.java', brokers!.join(',')];
    this.process = spawn('java', [...quiet, ...program]);
    readline.createInterface({ input: this.process.stdout! }).on('line', (line) => {
      const [name, partitions] = line.split(' ') as [string, string];
      this.owned.set(name, partitions);
    });
    this.process.stderr!.on('data', (chunk: Buffer) => (this.errors += String(chunk)));
  }

  join(name: string, { groupId, topic }: ClassicGroup, assignor: string): void {
    this.process.stdin!.write(`join ${name} ${groupId} ${topic} ${assignor}\n`);
  }

  leave(name: string): void {
    this.process.stdin!.write(`leave ${name}\n`);
  }

  partitions(name: string): number[] {
    if (this.errors !== '') throw new Error(this.errors);
    const owned = this.owned.get(name) ?? '';
    return owned === '' || owned === 'left' ? [] : owned.split(',').map(Number);
  }

  async end(): Promise<void> {
    this.process.stdin!.end();
    await new Promise((resolve) => this.process.once('close', resolve));
  }
}

const JAVA_NAMES: { readonly [name in AssignorName]: string } = {
  range: 'RangeAssignor',
  roundrobin: 'RoundRobinAssignor',
  sticky: 'StickyAssignor',
  'cooperative-sticky': 'CooperativeStickyAssignor',
};

(brokers === undefined || lib === undefined ? describe.skip : describe)(
  'G-04: groups of ours and Java members',
  () => {
    let java: JavaMembers;
    let group: ClassicGroup;
    beforeAll(() => {
      java = new JavaMembers();
    });
    afterAll(() => java.end());
    afterEach(() => group.close());

    const split = (theirs: number[], ours: ClassicMember): string =>
      [...theirs, ...ours.partitions(group.topic)].sort((a, b) => a - b).join();
    const whole = '0,1,2,3,4,5';

    it.each(['range', 'roundrobin', 'sticky', 'cooperative-sticky'] as const)(
      '%s: ours leads and Java follows, Java leads and ours follows; each takes over from the other',
      async (assignor) => {
        group = await ClassicGroup.create(6);
        await group.produce([5, 5, 5, 5, 5, 5]);
        const first = group.join({ assignors: [assignor] });
        await group.balanced([first, 6]);
        const name = `java-${assignor}`;
        java.join(name, group, JAVA_NAMES[assignor]);
        await until('three each, led by ours', () => {
          return java.partitions(name).length === 3 && split(java.partitions(name), first) === whole;
        });
        if (assignor === 'cooperative-sticky') expect(first.count('released')).toBe(3);
        await first.leave();
        await until('all with Java', () => java.partitions(name).length === 6);

        const second = group.join({ assignors: [assignor] });
        await until('three each, led by Java', () => {
          return java.partitions(name).length === 3 && split(java.partitions(name), second) === whole;
        });
        java.leave(name);
        await group.balanced([second, 6]);
        expect([...first.failures, ...second.failures]).toEqual([]);
        expect([...first.failedCommits, ...second.failedCommits]).toEqual([]);
      },
      3 * WAIT_MS,
    );
  },
);

const kcat = spawnSync('kcat', ['-V']).status === 0;

/** A member of librdkafka's. */
class KcatMember {
  partitions: number[] = [];
  private readonly process: ChildProcess;

  constructor({ groupId, topic }: ClassicGroup, assignor: AssignorName) {
    const settings = ['heartbeat.interval.ms=100', 'session.timeout.ms=10000', 'auto.offset.reset=earliest'];
    const options = [`partition.assignment.strategy=${assignor}`, ...settings].flatMap((one) => ['-X', one]);
    this.process = spawn('kcat', ['-b', brokers!.join(','), ...options, '-G', groupId, topic]);
    readline.createInterface({ input: this.process.stderr! }).on('line', (line) => {
      if (!line.includes('rebalanced')) return;
      const named = [...line.matchAll(/\[(\d+)\]/g)].map(([, partition]) => Number(partition));
      const isCooperative = assignor === 'cooperative-sticky';
      const kept = isCooperative ? this.partitions.filter((one) => !named.includes(one)) : [];
      if (/assigned:|incremental assignment/.test(line)) this.partitions = [...kept, ...named];
      else this.partitions = kept;
    });
  }

  async stop(): Promise<void> {
    this.process.kill('SIGTERM');
    await new Promise((resolve) => this.process.once('close', resolve));
  }
}

(brokers === undefined || !kcat ? describe.skip : describe)('G-04: groups of ours and librdkafka', () => {
  let group: ClassicGroup;
  let theirs: KcatMember | undefined;
  afterEach(async () => {
    await theirs?.stop();
    await group.close();
  });

  it.each(['range', 'roundrobin', 'cooperative-sticky'] as const)(
    '%s: ours leads and it follows, it leads and ours follows',
    async (assignor) => {
      group = await ClassicGroup.create(6);
      const isSplit = (ours: ClassicMember): boolean => {
        const all = [...theirs!.partitions, ...ours.partitions(group.topic)].sort((a, b) => a - b);
        return theirs!.partitions.length === 3 && all.join() === '0,1,2,3,4,5';
      };
      const first = group.join({ assignors: [assignor] });
      await group.balanced([first, 6]);
      theirs = new KcatMember(group, assignor);
      await until('three each, led by ours', () => isSplit(first));
      await first.leave();
      await until('all with librdkafka', () => theirs!.partitions.length === 6);
      const second = group.join({ assignors: [assignor] });
      await until('three each, led by librdkafka', () => isSplit(second));
      expect([...first.failures, ...second.failures]).toEqual([]);
    },
    WAIT_MS,
  );
});

describe('G-04: divisions', () => {
  it.each(resolveAssignors(['range', 'roundrobin']))("$name is Java's on 200 random groups", (assignor) => {
    for (const group of readGroups()) {
      for (const round of group) {
        const { kafka, ours } = divideBoth(assignor, round);
        expect(ours).toEqual(kafka);
      }
    }
  });
});
