// Groups on a real broker: members of ours, and of ours beside kafkajs's and Java's, each as leader and as follower.
import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import kafkajs from 'kafkajs';
import { Kafka } from '../../src/core/client.ts';
import { delay, systemClock } from '../../src/core/clock.ts';
import type { GroupClaim } from '../../src/core/group/claim.ts';
import { GroupConsumer } from '../../src/core/group/group-consumer.ts';
import type { GroupListener, RebalanceEvent } from '../../src/core/group/listener.ts';
import type { GroupConsumerOptions } from '../../src/core/group/options.ts';
import { Producer } from '../../src/core/producer/producer.ts';
import type { FetchedRecord } from '../../src/core/records/fetched-record.ts';
import type { KafkaError } from '../../src/errors.ts';

const brokers = process.env['KAFKA_BROKERS'];
const lib = process.env['KAFKA_LIB'];
const withBroker = brokers === undefined ? describe.skip : describe;
const withJava = lib === undefined ? it.skip : it;
const PARTITIONS = 4;

/** A consumer that settles at once, or after `workMs`. */
class Member implements GroupListener {
  readonly consumer: GroupConsumer;
  readonly records: string[] = [];
  readonly events: RebalanceEvent[] = [];
  failure: KafkaError | undefined;
  private readonly workMs: number;

  constructor(kafka: Kafka, options: GroupConsumerOptions, workMs = 0) {
    this.consumer = new GroupConsumer(kafka.cluster, options, this);
    this.workMs = workMs;
    this.consumer.start();
  }

  get open(): number {
    return this.consumer.claims.length;
  }

  onClaim(claim: GroupClaim): void {
    claim.start({
      onRecord: (record: FetchedRecord, sequence: number) => {
        this.records.push(`${record.partition}:${record.offset}`);
        if (this.workMs === 0) claim.settle(sequence);
        else systemClock.setTimeout(() => claim.settle(sequence), this.workMs);
      },
      onPressure() {},
      onEnd() {},
      onError: (error) => (this.failure = error),
      onRevoking() {},
      onLost() {},
    });
  }

  onRebalance(event: RebalanceEvent): void {
    this.events.push(event);
  }

  onFailed(error: KafkaError): void {
    this.failure = error;
  }
}

async function until(what: string, holds: () => boolean, limitMs = 120_000): Promise<void> {
  const from = systemClock.now();
  while (!holds()) {
    if (systemClock.now() - from > limitMs) throw new Error(`${what}: not within ${limitMs} ms`);
    await delay(systemClock, 20);
  }
}

withBroker('groups on a real broker', () => {
  let kafka: Kafka;
  let topic: string;
  let groupId: string;
  const groups: string[] = [];
  const topics: string[] = [];

  beforeAll(() => {
    kafka = new Kafka({ brokers: brokers!.split(',') });
  });
  afterAll(async () => {
    await kafka
      .admin()
      .deleteGroups(groups)
      .catch(() => {});
    await kafka.admin().deleteTopics(topics);
    await kafka.close();
  });

  async function prepare(): Promise<void> {
    topic = `sluice-group-${randomUUID()}`;
    groupId = topic;
    topics.push(topic);
    groups.push(groupId);
    await kafka.admin().createTopics([{ name: topic, partitions: PARTITIONS, replicationFactor: 1 }]);
  }

  async function produce(count: number, partitions = PARTITIONS): Promise<void> {
    const producer = new Producer(kafka.cluster);
    const sent = Array.from({ length: count }, (_, at) =>
      producer.sendAsync(topic, { key: null, value: `value ${at}`, partition: at % partitions }),
    );
    await Promise.all(sent);
    await producer.close();
  }

  const member = (options: Partial<GroupConsumerOptions> = {}, workMs = 0): Member =>
    new Member(kafka, { groupId, topics: [topic], ...options }, workMs);

  async function committed(): Promise<number[]> {
    const offsets = await kafka.admin().fetchOffsets(groupId);
    return Array.from(
      { length: PARTITIONS },
      (_, partition) => offsets.find((one) => one.partition === partition)?.offset ?? -1,
    );
  }

  it('one member reads everything; what the admin reads back is the end of each partition', async () => {
    await prepare();
    await produce(4_000);
    const one = member();
    await until('all read', () => one.records.length === 4_000);
    const summary = await one.consumer.drain(10_000);
    expect(summary).toMatchObject({ unsettled: 0, held: 0, committed: true });
    expect(await committed()).toEqual([1_000, 1_000, 1_000, 1_000]);
    const [described] = await kafka.admin().describeGroups([groupId]);
    expect(described).toMatchObject({ state: 'Empty', members: [] });
  });

  it('a second member comes and goes under load: nothing missing, nothing twice, commits never go back', async () => {
    await prepare();
    const main = member({ heartbeatIntervalMs: 200 }, 5);
    await until('all claimed', () => main.open === PARTITIONS);
    const members = [main];
    let producing = true;
    let produced = 0;
    const load = (async () => {
      while (producing) {
        await produce(200);
        produced += 200;
      }
    })();
    load.catch(() => (producing = false));
    let before = await committed();
    for (let round = 0; round < 5; round += 1) {
      const other = member({ heartbeatIntervalMs: 200 }, 5);
      members.push(other);
      await until('shared', () => main.open === 2 && other.open === 2);
      await delay(systemClock, 300);
      const now = await committed();
      for (const [partition, offset] of now.entries())
        expect(offset).toBeGreaterThanOrEqual(before[partition]!);
      before = now;
      expect(await other.consumer.drain(10_000)).toMatchObject({ unsettled: 0, committed: true });
      await until('all back', () => main.open === PARTITIONS);
    }
    producing = false;
    await load;
    const all = (): string[] => members.flatMap(({ records }) => records);
    await until('all read', () => all().length >= produced);
    expect(await main.consumer.drain(10_000)).toMatchObject({ unsettled: 0, committed: true });
    expect(all()).toHaveLength(produced);
    expect(new Set(all()).size).toBe(produced);
    expect((await committed()).reduce((sum, offset) => sum + offset, 0)).toBe(produced);
    expect(main.events.filter(({ kind }) => kind === 'lost')).toEqual([]);
  });

  it('starts at the end are in the log before anything comes', async () => {
    await prepare();
    await produce(40);
    const one = member({ from: 'latest' });
    await until('all claimed', () => one.open === PARTITIONS);
    expect(await committed()).toEqual([10, 10, 10, 10]);
    await produce(4);
    await until('the new ones', () => one.records.length === 4);
    await one.consumer.drain(10_000);
    expect(await committed()).toEqual([11, 11, 11, 11]);
  });

  it('a static member comes back to its partitions without a rebalance of the other', async () => {
    await prepare();
    const names = { heartbeatIntervalMs: 200 };
    const other = member({ ...names, groupInstanceId: 'b' });
    let one = member({ ...names, groupInstanceId: 'a' });
    await until('shared', () => one.open === 2 && other.open === 2);
    await delay(systemClock, 500);
    const { generation } = other.consumer;
    await one.consumer.drain(10_000);
    one = member({ ...names, groupInstanceId: 'a' });
    await until('claimed again', () => one.open === 2);
    await delay(systemClock, 500);
    expect(other.consumer.generation).toBe(generation);
    await Promise.all([one.consumer.drain(10_000), other.consumer.drain(10_000)]);
  });

  it.each(['ours', 'kafkajs'] as const)('beside kafkajs, led by %s', async (leader) => {
    await prepare();
    await produce(400);
    const theirs = new kafkajs.Kafka({ brokers: brokers!.split(','), logLevel: kafkajs.logLevel.NOTHING });
    const consumer = theirs.consumer({ groupId, heartbeatInterval: 200, partitionAssigners: [kafkajsRange] });
    const seen: string[] = [];
    let joined = 0;
    consumer.on('consumer.group_join', ({ payload }) => {
      joined = Object.values(payload.memberAssignment).flat().length;
    });
    const startTheirs = async (): Promise<void> => {
      await consumer.connect();
      await consumer.subscribe({ topic, fromBeginning: true });
      await consumer.run({
        eachMessage: async ({ partition, message }) => void seen.push(`${partition}:${message.offset}`),
      });
    };
    if (leader === 'kafkajs') {
      await startTheirs();
      await until('theirs alone', () => joined === PARTITIONS);
    }
    const one = member({ heartbeatIntervalMs: 200 });
    if (leader === 'ours') {
      await until('ours alone', () => one.open === PARTITIONS);
      await startTheirs();
    }
    await until('shared', () => one.open === 2 && joined === 2);
    await produce(400);
    await until('all read', () => new Set([...one.records, ...seen]).size === 800);
    await consumer.disconnect();
    await until('all ours', () => one.open === PARTITIONS);
    await one.consumer.drain(10_000);
    expect(await committed()).toEqual([200, 200, 200, 200]);
  });

  withJava.each(['ours', 'Java'] as const)('beside Java, led by %s', async (leader) => {
    await prepare();
    await produce(400);
    const seen: string[] = [];
    let java: ChildProcess | undefined;
    const startJava = (): void => {
      java = javaConsumer(topic, groupId, seen);
    };
    if (leader === 'Java') {
      startJava();
      await until('Java alone', () => seen.length === 400);
    }
    const one = member({ heartbeatIntervalMs: 200 });
    if (leader === 'ours') {
      await until('ours alone', () => one.open === PARTITIONS);
      startJava();
    }
    await until('shared', () => one.open === 2);
    await produce(400);
    await until('all read', () => one.records.length + seen.length >= 800);
    const gone = new Promise((resolve) => java!.once('exit', resolve));
    java!.kill('SIGTERM');
    await gone;
    await until('all ours', () => one.open === PARTITIONS);
    expect(await one.consumer.drain(10_000)).toMatchObject({ committed: true });
    expect(await committed()).toEqual([200, 200, 200, 200]);
    expect(one.failure).toBeUndefined();
  });
});

/** Kafka's console consumer, on the classic protocol. */
function javaConsumer(topic: string, groupId: string, seen: string[]): ChildProcess {
  const child = spawn(
    'java',
    [
      '-XX:TieredStopAtLevel=1',
      '-cp',
      path.join(lib!, '*'),
      'org.apache.kafka.tools.consumer.ConsoleConsumer',
      ...['--bootstrap-server', brokers!, '--topic', topic, '--group', groupId, '--from-beginning'],
      ...['--command-property', 'group.protocol=classic', '--command-property', 'heartbeat.interval.ms=200'],
    ],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  let rest = '';
  child.stdout.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split('\n');
    rest = lines.pop()!;
    seen.push(...lines);
  });
  return child;
}

/** The range assignor for kafkajs, which has round robin only. */
const kafkajsRange: kafkajs.PartitionAssigner = ({ cluster }) => ({
  name: 'range',
  version: 0,
  async assign({ members, topics: names }) {
    const ordered = members.map(({ memberId }) => memberId).sort();
    const assignments = new Map<string, { [topic: string]: number[] }>();
    for (const memberId of ordered) assignments.set(memberId, {});
    for (const name of names) {
      const partitions = cluster.findTopicPartitionMetadata(name).map(({ partitionId }) => partitionId);
      partitions.sort((a, b) => a - b);
      const each = Math.floor(partitions.length / ordered.length);
      const extra = partitions.length % ordered.length;
      for (const [at, memberId] of ordered.entries()) {
        assignments.get(memberId)![name] = partitions.splice(0, each + (at < extra ? 1 : 0));
      }
    }
    return ordered.map((memberId) => ({
      memberId,
      memberAssignment: kafkajs.AssignerProtocol.MemberAssignment.encode({
        version: 0,
        assignment: assignments.get(memberId)!,
        userData: Buffer.alloc(0),
      }),
    }));
  },
  protocol: ({ topics: names }) => ({
    name: 'range',
    metadata: kafkajs.AssignerProtocol.MemberMetadata.encode({
      version: 0,
      topics: names,
      userData: Buffer.alloc(0),
    }),
  }),
});
