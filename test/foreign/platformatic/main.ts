// @platformatic/kafka, under the Node that it needs.
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { act, bootstrap, play, prefix } from '../support/dialogue.ts';
import { deepEqual, equal, failure, ok, sameLines, until } from '../support/expect.ts';
import { line, lines, PARTITIONS, rows, type Row } from '../support/records.ts';

const resolve = createRequire(path.join(process.env['PACKAGES']!, 'x.js')).resolve;
const platformatic: any = await import(pathToFileURL(resolve('@platformatic/kafka')).href);
const { Admin, Producer, Consumer } = platformatic;

const shared = {
  clientId: 'foreign-platformatic',
  bootstrapBrokers: bootstrap.split(','),
  retries: 20,
  retryDelay: 50,
};
const admin = new Admin(shared);
const main = `${prefix}-main`;
const written: Row[] = [];
const CLASSIC = { heartbeatInterval: 200, sessionTimeout: 10_000 };
const READ_UNCOMMITTED = 0;
const READ_COMMITTED = 1;

interface Message {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  readonly key: Buffer | null | undefined;
  readonly value: Buffer | null | undefined;
  readonly headers: Map<Buffer, Buffer>;
}

const messageOf = (topic: string, { partition, key, value, headers }: Row) => ({
  topic,
  partition,
  ...(key !== null && { key }),
  ...(value !== null && { value }),
  headers: new Map(headers.map(([name, one]) => [Buffer.from(name), one])),
});

const rowOf = ({ partition, key, value, headers }: Message): Row => ({
  partition,
  key: key ?? null,
  value: value ?? null,
  headers: [...headers].map(([name, one]) => [name.toString(), one] as const),
});

const numbers = (from: number, count: number): Row[] =>
  Array.from({ length: count }, (_, at) => ({
    partition: at % PARTITIONS,
    key: null,
    value: Buffer.from(String(from + at)),
    headers: [],
  }));

const values = (list: readonly Row[]): number[] =>
  list.map(({ value }) => Number(value!.toString())).sort((a, b) => a - b);
const upTo = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, at) => from + at);

async function topic(name: string, configs: Readonly<Record<string, string>> = {}): Promise<string> {
  const full = `${prefix}-${name}`;
  await admin.createTopics({
    topics: [full],
    partitions: PARTITIONS,
    replicas: -1,
    configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
  });
  return full;
}

async function withProducer<R>(config: object, use: (producer: any) => Promise<R>): Promise<R> {
  const producer = new Producer({ ...shared, acks: -1, ...config });
  try {
    return await use(producer);
  } finally {
    await producer.close();
  }
}

const sendAll = (producer: any, to: string, list: readonly Row[], more: object = {}): Promise<any> =>
  producer.send({ messages: list.map((row) => messageOf(to, row)), ...more });
const send = (to: string, list: readonly Row[], config: object = {}): Promise<any> =>
  withProducer(config, (producer) => sendAll(producer, to, list));

let groups = 0;

/** Reads from the start or from given offsets until `done`, without commits. */
async function read(
  from: string,
  done: (found: Row[]) => boolean,
  more: object = {},
  start: object = { mode: 'earliest' },
): Promise<Row[]> {
  const consumer = new Consumer({
    ...shared,
    groupId: `${prefix}-read-${groups++}`,
    maxWaitTime: 100,
    isolationLevel: READ_UNCOMMITTED,
    autocommit: false,
    ...more,
  });
  const found: Row[] = [];
  const stream = await consumer.consume({ topics: [from], ...start });
  let failed: Error | undefined;
  stream.on('error', (error: Error) => (failed = error));
  stream.on('data', (message: Message) => found.push(rowOf(message)));
  try {
    await until(`the records of ${from}`, () => {
      if (failed !== undefined) throw failed;
      return done(found);
    });
  } finally {
    await stream.close();
    await consumer.close();
  }
  return found;
}

async function offsets(of: string, timestamp: bigint): Promise<number[]> {
  const partitions = upTo(0, PARTITIONS).map((partitionIndex) => ({ partitionIndex, timestamp }));
  const [listed] = await admin.listOffsets({ topics: [{ name: of, partitions }] });
  return [...listed.partitions]
    .sort((a: any, b: any) => a.partitionIndex - b.partitionIndex)
    .map(({ offset }: any) => Number(offset));
}

async function committed(groupId: string): Promise<Record<number, number>> {
  const [group] = await admin.listConsumerGroupOffsets({ groups: [groupId] });
  const partitions = group.topics.flatMap((one: any) => one.partitions);
  return Object.fromEntries(
    partitions.map(({ partitionIndex, committedOffset }: any) => [partitionIndex, Number(committedOffset)]),
  );
}

const sizeOf = (assignments: readonly { readonly partitions: readonly number[] }[] | undefined): number =>
  (assignments ?? []).reduce((sum, { partitions }) => sum + partitions.length, 0);

class Member {
  readonly consumer: any;
  readonly seen = new Set<number>();
  assigned = 0;
  joins = 0;
  stream: any;
  failure: Error | undefined;
  private isStopping = false;

  constructor(groupId: string, more: object) {
    this.consumer = new Consumer({
      ...shared,
      groupId,
      maxWaitTime: 100,
      autocommit: 100,
      ...more,
    });
    // A join that is tried again meets the end of its connection when the consumer closes.
    this.consumer.on('error', (error: Error) => {
      if (!this.isStopping) this.failure = error;
    });
    this.consumer.on('consumer:group:join', ({ assignments }: any) => {
      this.joins++;
      this.assigned = sizeOf(assignments);
    });
  }

  async start(from: string): Promise<void> {
    this.stream = await this.consumer.consume({
      topics: [from],
      mode: 'committed',
      fallbackMode: 'earliest',
    });
    this.stream.on('error', (error: Error) => (this.failure = error));
    this.stream.on('data', ({ value }: Message) => this.seen.add(Number(value!.toString())));
  }

  async stop(): Promise<void> {
    this.isStopping = true;
    await this.stream.close();
    await this.consumer.close();
    if (this.failure !== undefined) throw this.failure;
  }
}

async function group(name: string, more: object): Promise<void> {
  const from = await topic(`shared-${name}`);
  const [one, two, again] = [new Member(from, more), new Member(from, more), new Member(from, more)];
  await send(from, numbers(0, 60));
  await one.start(from);
  await until('one reads all', () => one.seen.size === 60);
  await two.start(from);
  await until('they share', () => {
    const sizes = [one, two].map(({ consumer }) => sizeOf(consumer.assignments));
    return sizes[0]! + sizes[1]! === PARTITIONS && sizes[0]! > 0 && sizes[1]! > 0;
  });
  await send(from, numbers(60, 60));
  await until('both read all', () => new Set([...one.seen, ...two.seen]).size === 120 && two.seen.size > 0);
  const commits = (): Promise<number> =>
    committed(from).then((found) => Object.values(found).reduce((sum, offset) => sum + offset, 0));
  await until('the commits', async () => (await commits()) === 120);
  await one.stop();
  await two.stop();
  await send(from, numbers(120, 30));
  await again.start(from);
  await until('the rest', () => again.seen.size >= 30);
  deepEqual(
    [...again.seen].sort((a, b) => a - b),
    upTo(120, 150),
  );
  await until('the commits', async () => (await commits()) === 150);
  await again.stop();
}

async function statics(): Promise<void> {
  const from = await topic('static');
  const [one, two] = ['a', 'b'].map((id) => new Member(from, { ...CLASSIC, groupInstanceId: id })) as [
    Member,
    Member,
  ];
  await one.start(from);
  await until('one has all', () => one.assigned === PARTITIONS);
  await two.start(from);
  await until('they share', () => one.assigned + two.assigned === PARTITIONS && two.assigned > 0);
  const described = await admin.describeGroups({ groups: [from] });
  const ids = [...described.get(from).members.values()].map(({ groupInstanceId }: any) => groupInstanceId);
  deepEqual(ids.sort(), ['a', 'b']);
  await two.stop();
  await one.stop();
}

async function transactions(): Promise<void> {
  const [source, target] = [await topic('source'), await topic('target')];
  const groupId = `${prefix}-txn`;
  await send(source, numbers(0, 30));
  const config = { transactionalId: groupId, idempotent: true };
  await withProducer(config, async (producer) => {
    const aborted = await producer.beginTransaction();
    await aborted.send({ messages: numbers(1_000, 9).map((row) => messageOf(target, row)) });
    await aborted.abort();
    const done = await producer.beginTransaction();
    await done.send({ messages: numbers(0, 9).map((row) => messageOf(target, row)) });
    await done.commit();

    const consumer = new Consumer({ ...shared, groupId, maxWaitTime: 100, autocommit: false });
    const stream = await consumer.consume({ topics: [source], mode: 'committed', fallbackMode: 'earliest' });
    const found: Message[] = [];
    stream.on('data', (message: Message) => found.push(message));
    await until('the source', () => found.length === 30);
    const last = found.filter(({ partition }) => partition === 0).at(-1)!;
    const copy = await producer.beginTransaction();
    await copy.addConsumer(consumer);
    await copy.send({ messages: numbers(9, 9).map((row) => messageOf(target, row)) });
    await copy.addOffset(last);
    await copy.commit();
    await stream.close();
    await consumer.close();
  });
  const isDone = (count: number) => (list: Row[]) => list.length >= count;
  deepEqual(values(await read(target, isDone(18), { isolationLevel: READ_COMMITTED })), upTo(0, 18));
  equal((await read(target, isDone(27))).length, 27);
  deepEqual(await committed(groupId), { 0: 10 });
}

async function errors(): Promise<void> {
  const names = (error: any): string[] => [
    error.apiId ?? error.code ?? '',
    error.message,
    ...[...(error.errors ?? []), error.cause].filter(Boolean).flatMap(names),
  ];
  const failsWith = async (what: RegExp, call: () => Promise<unknown>): Promise<void> => {
    const found = names(await failure(call)).join(' | ');
    ok(what.test(found), found);
  };
  await failsWith(/Unknown topic/, () =>
    send(`${prefix}-nowhere`, numbers(0, 1), { retries: 1, autocreateTopics: false }),
  );
  const small = await topic('small', { 'max.message.bytes': '1000' });
  await failsWith(/MESSAGE_TOO_LARGE|larger than/, () =>
    send(small, [{ partition: 0, key: null, value: Buffer.alloc(5_000), headers: [] }], { retries: 1 }),
  );
  const cut = await topic('cut');
  await withProducer({ idempotent: true }, async (producer) => {
    let next = 0;
    const one = (): Promise<unknown> =>
      sendAll(producer, cut, [{ partition: 0, key: null, value: Buffer.from(String(next++)), headers: [] }]);
    await one();
    await act({ act: 'cut', api: 'Produce', topic: cut, applied: false });
    await one();
    await act({ act: 'cut', api: 'Produce', topic: cut, applied: true });
    await one();
    await act({ act: 'moveLeader', topic: cut, partition: 0 });
    await one();
    let asked = false;
    const found = await read(cut, (list) => {
      if (list.length === 4 && !asked) {
        asked = true;
        void act({ act: 'moveLeader', topic: cut, partition: 0 }).then(one);
      }
      return list.length >= 5;
    });
    deepEqual(values(found), upTo(0, 5));
  });
  await admin.close();
}

void play({
  1: async () => {
    const metadata = await admin.metadata({ topics: [] });
    ok(metadata.brokers.size > 0 && metadata.brokers.has(metadata.controllerId));
    ok(metadata.id.length > 0);
    ok((await admin.listApis()).length > 10);
  },
  2: async () => {
    await topic('main');
    await failure(() => topic('main'));
    ok((await admin.listTopics()).includes(main));
    const metadata = await admin.metadata({ topics: [main] });
    const { partitions } = metadata.topics.get(main);
    equal(Object.keys(partitions).length, PARTITIONS);
    for (const { leader, replicas, isr } of Object.values<any>(partitions))
      ok(replicas.includes(leader) && (isr === undefined || isr.includes(leader)));
  },
  3: async () => {
    const some = rows('plain');
    await send(main, some);
    written.push(...some);
    const keyed = await topic('keyed');
    const keys = Array.from({ length: 90 }, (_, at) => ({
      topic: keyed,
      key: Buffer.from(`key ${at % 30}`),
      value: Buffer.from(String(at)),
    }));
    await withProducer({}, (producer) => producer.send({ messages: keys }));
    const where = new Map<string, Set<number>>();
    for (const { key, partition } of await read(keyed, (list) => list.length >= 90)) {
      const name = key!.toString();
      where.set(name, (where.get(name) ?? new Set()).add(partition));
    }
    equal(where.size, 30);
    ok([...where.values()].every((partitions) => partitions.size === 1));
  },
  4: async () => {
    for (const compression of ['gzip', 'snappy', 'lz4', 'zstd']) {
      const some = rows(compression);
      await send(main, some, { compression });
      written.push(...some);
    }
  },
  5: async () => {
    for (const name of ['once', 'twice']) {
      const some = rows(name);
      await withProducer({ idempotent: true }, async (producer) => {
        for (let at = 0; at < some.length; at += 3) await sendAll(producer, main, some.slice(at, at + 3));
      });
      written.push(...some);
    }
    const acks = await topic('acks');
    for (const wanted of [0, 1]) await send(acks, numbers(wanted * 30, 30), { acks: wanted });
    deepEqual(values(await read(acks, (list) => list.length >= 60)), upTo(0, 60));
  },
  6: async () => {
    const all = (list: readonly Row[]): boolean => list.length >= written.length;
    sameLines(lines(await read(main, all)), lines(written));
    // By assignment, without a group's ends.
    const from = upTo(0, PARTITIONS).map((partition) => ({ topic: main, partition, offset: 0n }));
    sameLines(lines(await read(main, all, {}, { mode: 'manual', offsets: from })), lines(written));
  },
  7: async () => {
    const each = written.length / PARTITIONS;
    deepEqual(await offsets(main, -2n), [0, 0, 0]);
    deepEqual(await offsets(main, -1n), [each, each, each]);
    const timed = await topic('timed');
    for (const at of [1_000n, 2_000n, 3_000n])
      await withProducer({}, (producer) =>
        producer.send({ messages: [{ topic: timed, partition: 0, value: Buffer.from('x'), timestamp: at }] }),
      );
    const at = async (time: bigint): Promise<number> => (await offsets(timed, time))[0]!;
    deepEqual([await at(0n), await at(1_500n), await at(3_000n), await at(3_001n)], [0, 1, 2, -1]);
    const start = upTo(0, PARTITIONS).map((partition) => ({
      topic: main,
      partition,
      offset: BigInt(partition === 1 ? each - 5 : each),
    }));
    const found = await read(main, (list) => list.length >= 5, {}, { mode: 'manual', offsets: start });
    sameLines(
      found.map(line),
      written
        .filter(({ partition }) => partition === 1)
        .slice(-5)
        .map(line),
    );
  },
  8: async () => {
    await group('classic', CLASSIC);
    await statics();
  },
  9: () => group('consumer', { groupProtocol: 'consumer' }),
  10: transactions,
  11: async () => {
    const from = `${prefix}-shared-classic`;
    const described = await admin.describeGroups({ groups: [from] });
    ok(/empty/i.test(described.get(from).state), described.get(from).state);
    ok([...(await admin.listGroups()).keys()].includes(from));
    await admin.alterConsumerGroupOffsets({
      groupId: from,
      topics: [{ name: from, partitionOffsets: [{ partition: 0, offset: 3n }] }],
    });
    await admin.deleteConsumerGroupOffsets({
      groupId: from,
      topics: [{ name: from, partitionIndexes: [1] }],
    });
    deepEqual(await committed(from), { 0: 3, 2: 50 });
    await admin.deleteGroups({ groups: [from] });
    ok(![...(await admin.listGroups()).keys()].includes(from));

    await admin.createPartitions({ topics: [{ name: from, count: 5, assignments: null }] });
    const grown = async (): Promise<number> =>
      Object.keys((await admin.metadata({ topics: [from], forceUpdate: true })).topics.get(from).partitions)
        .length;
    await until('five partitions', async () => (await grown()) === 5);
    const TOPIC = 2;
    const config = async (name: string): Promise<string> => {
      const resources = [{ resourceType: TOPIC, resourceName: from, configurationKeys: [name] }];
      const [one] = await admin.describeConfigs({ resources });
      return one.configs.find((entry: any) => entry.name === name).value;
    };
    await admin.incrementalAlterConfigs({
      resources: [
        {
          resourceType: TOPIC,
          resourceName: from,
          configs: [{ name: 'retention.ms', configOperation: 0, value: '123456' }],
        },
      ],
    });
    await until('the config', async () => (await config('retention.ms')) === '123456');
    await admin.alterConfigs({
      resources: [
        { resourceType: TOPIC, resourceName: from, configs: [{ name: 'segment.bytes', value: '1048576' }] },
      ],
    });
    await until('the configs', async () => (await config('retention.ms')) !== '123456');
    equal(await config('segment.bytes'), '1048576');
    const [deleted] = await admin.deleteRecords({
      topics: [{ name: main, partitions: [{ partition: 0, offset: 10n }] }],
    });
    equal(Number(deleted.partitions[0].lowWatermark), 10);
    deepEqual(await offsets(main, -2n), [10, 0, 0]);
    ok((await admin.describeLogDirs({ topics: [{ name: main, partitions: [0] }] })).length > 0);
    await admin.deleteTopics({ topics: [from] });
    ok(!(await admin.listTopics()).includes(from));
  },
  12: errors,
});
