// Row G-14, beside Java: members of both clients in one group of the consumer protocol, and groups that change their protocol while they run.
import { afterEach, describe, expect, it } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import readline from 'node:readline';
import { brokers, isKafka39 } from '../helpers/brokers.ts';
import { until as untilSoon } from '../helpers/until.ts';
import { EpochGroup } from './programs/epoch-group.ts';

const PARTITIONS = 6;
/** A Java process takes its time to come up on a busy machine. */
const LIMIT_MS = 180_000;
const WAIT_MS = 60_000;
const COOPERATIVE = 'org.apache.kafka.clients.consumer.CooperativeStickyAssignor';
const until = (what: string, holds: () => boolean | Promise<boolean>): Promise<void> =>
  untilSoon(what, holds, WAIT_MS);
const lib = process.env['KAFKA_LIB'];

interface JavaEvent {
  readonly name: string;
  readonly count?: number;
  readonly exception?: string;
  readonly message?: string;
  readonly partitions?: readonly { readonly topic: string; readonly partition: number }[];
}

/** Java's verifiable consumer in a process of its own. */
class JavaMember {
  readonly owned = new Set<string>();
  readonly errors: string[] = [];
  records = 0;
  private readonly process: ChildProcess;
  private readonly exited: Promise<void>;

  constructor({ topic, groupId }: EpochGroup, options: readonly string[]) {
    const quiet = ['-Xmx128m', '-XX:TieredStopAtLevel=1', '-Dorg.slf4j.simpleLogger.defaultLogLevel=error'];
    const program = ['-cp', path.join(lib!, '*'), 'org.apache.kafka.tools.VerifiableConsumer'];
    const place = ['--bootstrap-server', brokers!.join(','), '--topic', topic, '--group-id', groupId];
    const rest = ['--reset-policy', 'earliest', ...options];
    this.process = spawn('java', [...quiet, ...program, ...place, ...rest]);
    readline.createInterface({ input: this.process.stdout! }).on('line', (line) => {
      if (line.startsWith('{')) this.take(JSON.parse(line) as JavaEvent);
    });
    this.process.stderr!.on('data', (chunk: Buffer) => this.errors.push(chunk.toString()));
    this.exited = new Promise((resolve) => this.process.once('close', () => resolve()));
  }

  private take({ name, count = 0, partitions = [], exception, message }: JavaEvent): void {
    for (const { topic, partition } of partitions) {
      if (name === 'partitions_assigned') this.owned.add(`${topic}-${partition}`);
      if (name === 'partitions_revoked') this.owned.delete(`${topic}-${partition}`);
    }
    if (name === 'records_consumed') this.records += count;
    if (name === 'error') this.errors.push(`${exception}: ${message}`);
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.process.exitCode === null) this.process.kill(signal);
    await this.exited;
  }
}

const withJava = brokers === undefined || isKafka39 || lib === undefined ? describe.skip : describe;

withJava('G-14: groups that are shared with Java', () => {
  let group: EpochGroup;
  let java: JavaMember[] = [];

  afterEach(async () => {
    await Promise.all(java.map((one) => one.stop('SIGKILL')));
    java = [];
    await group.close();
  });

  function startJava(...options: string[]): JavaMember {
    const one = new JavaMember(group, options);
    java.push(one);
    return one;
  }

  const groupType = async (): Promise<string | undefined> => {
    const groups = await group.kafka.admin().listGroups();
    return groups.find(({ groupId }) => groupId === group.groupId)?.type;
  };

  it(
    'both protocols are the same to both clients: whoever comes first, leaves or dies',
    async () => {
      group = await EpochGroup.create(PARTITIONS);
      await group.produce(20, PARTITIONS);
      const theirs = startJava('--group-protocol', 'consumer');
      await until("Java's member to own all", () => theirs.owned.size === 6);
      const ours = group.join();
      await until('halves', () => theirs.owned.size === 3 && ours.owned.length === 3);
      expect([...theirs.owned, ...ours.owned].sort()).toEqual(
        Array.from({ length: PARTITIONS }, (_, at) => `${group.topic}-${at}`),
      );
      const described = await group.describe();
      expect(described.members.map(({ memberType }) => memberType)).toEqual([1, 1]);
      await theirs.stop('SIGKILL');
      await group.balanced('all of it after the session', [ours, 6]);
      const second = startJava('--group-protocol', 'consumer', '--group-remote-assignor', 'range');
      await until('halves again', () => second.owned.size === 3 && ours.owned.length === 3);
      await ours.leave();
      await until("all of it to be Java's", () => second.owned.size === 6);
      expect(second.errors).toEqual([]);
      expect(ours.failure).toBeUndefined();
      expect(ours.count('lost')).toBe(0);
    },
    LIMIT_MS,
  );

  it(
    "online from classic to consumer and back: Java's classic members and ours of the new protocol",
    async () => {
      group = await EpochGroup.create(PARTITIONS);
      await group.produce(20, PARTITIONS);
      const classic = startJava('--assignment-strategy', COOPERATIVE, '--session-timeout', '6000');
      await until("Java's member to own all", () => classic.owned.size === 6);
      expect(await groupType()).toBe('classic');
      const ours = group.join();
      await until('halves', () => classic.owned.size === 3 && ours.owned.length === 3);
      expect(await groupType()).toBe('consumer');
      const types = (await group.describe()).members.map(({ memberType }) => memberType);
      expect(types.sort()).toEqual([0, 1]);
      await ours.leave();
      await until('all of it to be the classic member', () => classic.owned.size === 6);
      await until('the group to be classic again', async () => (await groupType()) === 'classic');
      expect(classic.errors).toEqual([]);
      expect(ours.failure).toBeUndefined();
    },
    LIMIT_MS,
  );

  it(
    'online from classic to consumer and back: our members of both protocols',
    async () => {
      group = await EpochGroup.create(PARTITIONS);
      await group.produce(20, PARTITIONS);
      const times = { sessionTimeoutMs: 6_000, heartbeatIntervalMs: 300 };
      const before = group.join({ groupProtocol: 'classic', ...times });
      await group.balanced('the classic one', [before, 6]);
      const fresh = group.join();
      await group.balanced('both protocols', [before, 3], [fresh, 3]);
      expect(await groupType()).toBe('consumer');
      const classic = group.join({ groupProtocol: 'classic', ...times });
      await group.balanced('two classic ones and a new one', [before, 2], [fresh, 2], [classic, 2]);
      await fresh.leave();
      await group.balanced('classic ones only', [before, 3], [classic, 3]);
      await until('the group to be classic again', async () => (await groupType()) === 'classic');
      await before.leave();
      await classic.leave();
      const last = group.join();
      await group.balanced('a new one in the empty classic group', [last, 6]);
      await until('everything to be committed', async () => (await group.committed()) === 120);
      expect(await groupType()).toBe('consumer');
      for (const { failure } of group.members) expect(failure).toBeUndefined();
    },
    LIMIT_MS,
  );
});
