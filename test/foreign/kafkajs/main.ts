// kafkajs: all it has, transactions and admin included.
import kafkajs from 'kafkajs';
import { codecByName, prepareCodec } from '../../../src/core/compression/registry.ts';
import { act, bootstrap, play, prefix } from '../support/dialogue.ts';
import { deepEqual, equal, failure, ok, sameLines, sleep, until } from '../support/expect.ts';
import { line, lines, PARTITIONS, rows, type Row } from '../support/records.ts';

const { ConfigResourceTypes } = kafkajs;
const CompressionCodecs = kafkajs.CompressionCodecs as unknown as Record<number, () => unknown>;
const CODECS = {
  gzip: kafkajs.CompressionTypes.GZIP,
  snappy: kafkajs.CompressionTypes.Snappy,
  lz4: kafkajs.CompressionTypes.LZ4,
  zstd: kafkajs.CompressionTypes.ZSTD,
} as const;
const MAX_BYTES = 16 * 1024 * 1024;

const kafka = new kafkajs.Kafka({
  brokers: bootstrap.split(','),
  clientId: 'foreign-kafkajs',
  logLevel: kafkajs.logLevel.NOTHING,
  retry: { initialRetryTime: 50, retries: 8 },
});
const admin = kafka.admin();
const main = `${prefix}-main`;
const written: Row[] = [];

/** The codecs that kafkajs lets its user bring. */
async function bringCodecs(): Promise<void> {
  for (const name of ['snappy', 'lz4', 'zstd'] as const) {
    await prepareCodec(CODECS[name]);
    const codec = codecByName(name);
    CompressionCodecs[CODECS[name]] = () => ({
      compress: async (encoder: { buffer: Buffer }) => codec.compress(encoder.buffer),
      decompress: async (data: Buffer) => codec.decompress(data, MAX_BYTES),
    });
  }
}

const messageOf = ({ partition, key, value, headers }: Row): kafkajs.Message => ({
  partition,
  key,
  value,
  headers: Object.fromEntries(headers),
});

const rowOf = (partition: number, { key, value, headers }: kafkajs.KafkaMessage): Row => ({
  partition,
  key,
  value,
  headers: Object.entries(headers ?? {}).map(([name, one]) => [name, one as Buffer]),
});

async function withProducer<R>(
  config: kafkajs.ProducerConfig,
  use: (producer: kafkajs.Producer) => Promise<R>,
): Promise<R> {
  const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner, ...config });
  await producer.connect();
  try {
    return await use(producer);
  } finally {
    await producer.disconnect();
  }
}

/** Reads until `done`, without commits; the messages as they come. */
async function read(
  topic: string,
  done: (found: Row[]) => boolean,
  config: Partial<kafkajs.ConsumerConfig> = {},
  started?: (consumer: kafkajs.Consumer) => void,
): Promise<Row[]> {
  const consumer = kafka.consumer({
    groupId: `${prefix}-read-${Math.random().toString(36).slice(2)}`,
    maxWaitTimeInMs: 100,
    ...config,
  });
  const found: Row[] = [];
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  let crash: Error | undefined;
  consumer.on('consumer.crash', ({ payload }) => (crash = payload.error));
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ partition, message }) => void found.push(rowOf(partition, message)),
  });
  started?.(consumer);
  try {
    await until(`the records of ${topic}`, () => {
      if (crash !== undefined) throw crash;
      return done(found);
    });
  } finally {
    await consumer.disconnect();
  }
  return found;
}

const byPartition = (list: readonly { partition: number; offset: string }[]): number[] =>
  [...list].sort((a, b) => a.partition - b.partition).map(({ offset }) => Number(offset));

class Member {
  readonly consumer: kafkajs.Consumer;
  readonly seen: number[] = [];
  assigned: readonly number[] = [];

  constructor(groupId: string) {
    this.consumer = kafka.consumer({
      groupId,
      maxWaitTimeInMs: 100,
      heartbeatInterval: 100,
      sessionTimeout: 6_000,
    });
  }

  async start(topic: string): Promise<void> {
    this.consumer.on('consumer.group_join', ({ payload }) => {
      this.assigned = payload.memberAssignment[topic] ?? [];
    });
    await this.consumer.connect();
    await this.consumer.subscribe({ topic, fromBeginning: true });
    await this.consumer.run({
      autoCommitInterval: 100,
      eachMessage: async ({ message }) => void this.seen.push(Number(message.value!.toString())),
    });
  }
}

const numbers = (from: number, count: number): kafkajs.Message[] =>
  Array.from({ length: count }, (_, at) => ({ value: String(from + at), partition: at % PARTITIONS }));

async function topic(name: string, configs: Readonly<Record<string, string>> = {}): Promise<string> {
  const full = `${prefix}-${name}`;
  const configEntries = Object.entries(configs).map(([key, value]) => ({ name: key, value }));
  await admin.createTopics({ topics: [{ topic: full, numPartitions: PARTITIONS, configEntries }] });
  return full;
}

async function errors(): Promise<void> {
  const unknown = await failure(() =>
    withProducer({ retry: { retries: 1, initialRetryTime: 50 }, allowAutoTopicCreation: false }, (producer) =>
      producer.send({ topic: `${prefix}-nowhere`, messages: [{ value: 'x' }] }),
    ),
  );
  equal(unknown.type ?? unknown.cause?.type, 'UNKNOWN_TOPIC_OR_PARTITION');
  const small = await topic('small', { 'max.message.bytes': '1000' });
  const large = await failure(() =>
    withProducer({}, (producer) =>
      producer.send({ topic: small, messages: [{ value: Buffer.alloc(5_000) }] }),
    ),
  );
  equal(large.type, 'MESSAGE_TOO_LARGE');

  const cut = await topic('cut');
  await withProducer({ idempotent: true }, async (producer) => {
    await producer.send({ topic: cut, messages: [{ partition: 0, value: '0' }] });
    await act({ act: 'cut', api: 'Produce', topic: cut, applied: false });
    await producer.send({ topic: cut, messages: [{ partition: 0, value: '1' }] });
    await act({ act: 'cut', api: 'Produce', topic: cut, applied: true });
    await producer.send({ topic: cut, messages: [{ partition: 0, value: '2' }] });
    await act({ act: 'moveLeader', topic: cut, partition: 0 });
    await producer.send({ topic: cut, messages: [{ partition: 0, value: '3' }] });
  });
  // No fetch is cut: kafkajs then at times turns in a loop that lets nothing else run, on a real Kafka as well.
  let moved = false;
  const found = await read(cut, (list) => {
    if (list.length === 4 && !moved) {
      moved = true;
      void act({ act: 'moveLeader', topic: cut, partition: 0 }).then(() =>
        withProducer({}, (producer) =>
          producer.send({ topic: cut, messages: [{ partition: 0, value: '4' }] }),
        ),
      );
    }
    return list.length >= 5;
  });
  deepEqual(
    found.map(({ value }) => value!.toString()),
    ['0', '1', '2', '3', '4'],
  );
  await admin.disconnect();
}

void play({
  1: async () => {
    await bringCodecs();
    await admin.connect();
    const { brokers, controller, clusterId } = await admin.describeCluster();
    ok(brokers.length > 0 && clusterId.length > 0);
    ok(brokers.some(({ nodeId }) => nodeId === controller));
  },
  2: async () => {
    ok(await admin.createTopics({ topics: [{ topic: main, numPartitions: PARTITIONS }] }));
    equal(await admin.createTopics({ topics: [{ topic: main }] }), false);
    ok((await admin.listTopics()).includes(main));
    const { topics } = await admin.fetchTopicMetadata({ topics: [main] });
    deepEqual(topics[0]!.partitions.map(({ partitionId }) => partitionId).sort(), [0, 1, 2]);
    ok(
      topics[0]!.partitions.every(
        ({ leader, replicas, isr }) => replicas.includes(leader) && isr.includes(leader),
      ),
    );
  },
  3: async () => {
    const some = rows('plain');
    const sent = await withProducer({}, (producer) =>
      producer.send({ topic: main, messages: some.map(messageOf) }),
    );
    deepEqual(
      sent.map(({ partition, errorCode, baseOffset }) => [partition, errorCode, baseOffset]).sort(),
      [0, 1, 2].map((partition) => [partition, 0, '0']),
    );
    written.push(...some);
    const keyed = await topic('keyed');
    await withProducer({}, (producer) =>
      producer.send({
        topic: keyed,
        messages: Array.from({ length: 90 }, (_, at) => ({ key: `key ${at % 30}`, value: String(at) })),
      }),
    );
    const where = new Map<string, Set<number>>();
    for (const { key, partition } of await read(keyed, (list) => list.length >= 90)) {
      const name = key!.toString();
      where.set(name, (where.get(name) ?? new Set()).add(partition));
    }
    ok([...where.values()].every((partitions) => partitions.size === 1));
  },
  4: async () => {
    for (const [name, compression] of Object.entries(CODECS)) {
      const some = rows(name);
      await withProducer({}, (producer) =>
        producer.send({
          topic: main,
          compression,
          messages: some.map(messageOf),
        }),
      );
      written.push(...some);
    }
  },
  5: async () => {
    for (const name of ['once', 'twice']) {
      const some = rows(name);
      await withProducer({ idempotent: true, maxInFlightRequests: 1 }, async (producer) => {
        for (let at = 0; at < some.length; at += 3)
          await producer.send({ topic: main, acks: -1, messages: some.slice(at, at + 3).map(messageOf) });
      });
      written.push(...some);
    }
    const acks = await topic('acks');
    await withProducer({}, async (producer) => {
      for (const wanted of [0, 1])
        await producer.send({ topic: acks, acks: wanted, messages: numbers(wanted * 30, 30) });
    });
    equal((await read(acks, (list) => list.length >= 60)).length, 60);
  },
  6: async () => {
    const found = await read(main, (list) => list.length >= written.length);
    sameLines(lines(found), lines(written));
  },
  7: async () => {
    const ends = await admin.fetchTopicOffsets(main);
    const each = written.length / PARTITIONS;
    deepEqual(
      ends.map(({ low, high }) => [low, high]),
      Array(3).fill(['0', String(each)]),
    );
    const timed = await topic('timed');
    await withProducer({}, async (producer) => {
      for (const at of [1_000, 2_000, 3_000])
        await producer.send({
          topic: timed,
          messages: [{ partition: 0, timestamp: String(at), value: String(at) }],
        });
    });
    const at = async (timestamp: number): Promise<number> =>
      byPartition(await admin.fetchTopicOffsetsByTimestamp(timed, timestamp))[0]!;
    deepEqual(
      [await at(0), await at(1_500), await at(2_000), await at(3_000), await at(3_001)],
      [0, 1, 1, 2, 3],
    );
    const tail = written.filter(({ partition }) => partition === 1).slice(-5);
    const found = await read(
      main,
      (list) => list.filter(({ partition }) => partition === 1).length >= 5,
      {},
      (consumer) => {
        for (const partition of [0, 2]) consumer.pause([{ topic: main, partitions: [partition] }]);
        consumer.seek({ topic: main, partition: 1, offset: String(each - 5) });
      },
    );
    deepEqual(
      found
        .filter(({ partition }) => partition === 1)
        .slice(-5)
        .map(line),
      tail.map(line),
    );
  },
  8: async () => {
    const shared = await topic('shared');
    const groupId = `${prefix}-shared`;
    const total = async (): Promise<number> => {
      const [offsets] = await admin.fetchOffsets({ groupId, topics: [shared] });
      return byPartition(offsets!.partitions).reduce((sum, offset) => sum + Math.max(0, offset), 0);
    };
    const send = (from: number): Promise<unknown> =>
      withProducer({}, (producer) => producer.send({ topic: shared, messages: numbers(from, 60) }));
    const [one, two] = [new Member(groupId), new Member(groupId)];
    await one.start(shared);
    await until('one has all', () => one.assigned.length === 3);
    await send(0);
    await until('one reads all', () => one.seen.length === 60);
    await two.start(shared);
    await until(
      'both have some',
      () => one.assigned.length + two.assigned.length === 3 && two.assigned.length > 0,
    );
    await send(60);
    const all = (): number => new Set([...one.seen, ...two.seen]).size;
    await until('both read all', () => all() === 120);
    ok(two.seen.length >= 20);
    await until('the commits', async () => (await total()) === 120);
    await one.consumer.disconnect();
    await until('two has all', () => two.assigned.length === 3);
    await two.consumer.disconnect();
    await send(120);
    const again = new Member(groupId);
    await again.start(shared);
    await until('the rest', () => again.seen.length === 60);
    await sleep(200);
    deepEqual(
      [...again.seen].sort((a, b) => a - b),
      Array.from({ length: 60 }, (_, n) => 120 + n),
    );
    await again.consumer.disconnect();
  },
  10: async () => {
    const [source, target] = [await topic('source'), await topic('target')];
    const groupId = `${prefix}-txn`;
    await withProducer({}, (producer) => producer.send({ topic: source, messages: numbers(0, 30) }));
    const config = { transactionalId: `${prefix}-txn`, idempotent: true, maxInFlightRequests: 1 };
    await withProducer(config, async (producer) => {
      const aborted = await producer.transaction();
      await aborted.send({ topic: target, messages: numbers(1_000, 9) });
      await aborted.abort();
      const committed = await producer.transaction();
      await committed.send({ topic: target, messages: numbers(0, 9) });
      await committed.sendOffsets({
        consumerGroupId: groupId,
        topics: [{ topic: source, partitions: [{ partition: 0, offset: '7' }] }],
      });
      await committed.commit();
      const again = await producer.transaction();
      await again.send({ topic: target, messages: numbers(9, 9) });
      await again.sendOffsets({
        consumerGroupId: groupId,
        topics: [{ topic: source, partitions: [{ partition: 1, offset: '8' }] }],
      });
      await again.abort();
    });
    // Of the same id, the later producer fences the earlier one.
    await withProducer(config, async (first) => {
      const open = await first.transaction();
      await open.send({ topic: target, messages: numbers(2_000, 3) });
      await withProducer(config, async (second) => {
        const next = await second.transaction();
        await next.send({ topic: target, messages: numbers(18, 3) });
        await next.commit();
      });
      const fenced = await failure(() => open.commit());
      ok(['INVALID_PRODUCER_EPOCH', 'PRODUCER_FENCED'].includes(fenced.type), fenced.type);
    });
    const values = (found: Row[]): number[] =>
      found.map(({ value }) => Number(value!.toString())).sort((a, b) => a - b);
    const committed = await read(target, (list) => list.length >= 12);
    deepEqual(values(committed), [...Array(9).keys(), 18, 19, 20]);
    const everything = await read(target, (list) => list.length >= 33, { readUncommitted: true });
    equal(everything.length, 33);
    const [offsets] = await admin.fetchOffsets({ groupId, topics: [source] });
    deepEqual(byPartition(offsets!.partitions), [7, -1, -1]);
  },
  11: async () => {
    const groupId = `${prefix}-shared`;
    const shared = `${prefix}-shared`;
    const { groups } = await admin.describeGroups([groupId]);
    equal(groups[0]!.state, 'Empty');
    ok((await admin.listGroups()).groups.some((group) => group.groupId === groupId));
    await admin.resetOffsets({ groupId, topic: shared, earliest: true });
    await admin.setOffsets({ groupId, topic: shared, partitions: [{ partition: 2, offset: '5' }] });
    const [offsets] = await admin.fetchOffsets({ groupId, topics: [shared], resolveOffsets: true });
    deepEqual(byPartition(offsets!.partitions), [0, 0, 5]);
    await admin.deleteGroups([groupId]);
    equal((await admin.describeGroups([groupId])).groups[0]!.state, 'Dead');

    await admin.createPartitions({ topicPartitions: [{ topic: shared, count: 5 }] });
    equal((await admin.fetchTopicMetadata({ topics: [shared] })).topics[0]!.partitions.length, 5);
    const type = ConfigResourceTypes.TOPIC;
    await admin.alterConfigs({
      validateOnly: false,
      resources: [{ type, name: shared, configEntries: [{ name: 'retention.ms', value: '123456' }] }],
    });
    const described = await admin.describeConfigs({
      includeSynonyms: true,
      resources: [
        { type, name: shared, configNames: ['retention.ms', 'cleanup.policy'] },
        { type: ConfigResourceTypes.BROKER, name: String((await admin.describeCluster()).controller) },
      ],
    });
    const entries = new Map(described.resources[0]!.configEntries.map((entry) => [entry.configName, entry]));
    equal(entries.get('retention.ms')!.configValue, '123456');
    equal(entries.get('retention.ms')!.configSource, 1);
    equal(entries.get('cleanup.policy')!.configValue, 'delete');
    ok(described.resources[1]!.configEntries.length > 10);
    // It looks for leaders before it asks for them.
    await admin.fetchTopicOffsets(main);
    await admin.deleteTopicRecords({ topic: main, partitions: [{ partition: 0, offset: '10' }] });
    const lows = (await admin.fetchTopicOffsets(main)).sort((a, b) => a.partition - b.partition);
    deepEqual(
      lows.map(({ low }) => low),
      ['10', '0', '0'],
    );
    const acl = {
      resourceType: kafkajs.AclResourceTypes.TOPIC,
      resourceName: main,
      resourcePatternType: kafkajs.ResourcePatternTypes.LITERAL,
      principal: 'User:x',
      host: '*',
      operation: kafkajs.AclOperationTypes.READ,
      permissionType: kafkajs.AclPermissionTypes.ALLOW,
    };
    equal((await failure(() => admin.createAcls({ acl: [acl] }))).type, 'SECURITY_DISABLED');
    equal((await failure(() => admin.describeAcls(acl))).type, 'SECURITY_DISABLED');
    deepEqual((await admin.listPartitionReassignments({})).topics, []);
    await admin.deleteTopics({ topics: [shared] });
    await until('it is gone', async () => !(await admin.listTopics()).includes(shared));
  },
  12: errors,
});
