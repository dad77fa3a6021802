// librdkafka, through node-rdkafka. Of administration that has topics and partitions only.
import { createRequire } from 'node:module';
import path from 'node:path';
import { act, bootstrap, play, prefix } from '../support/dialogue.ts';
import { deepEqual, equal, failure, ok, sameLines, until } from '../support/expect.ts';
import { line, lines, PARTITIONS, rows as everyRow, type Row } from '../support/records.ts';

const rdkafka: any = createRequire(path.join(process.env['PACKAGES']!, 'x.js'))('node-rdkafka');
const { CODES } = rdkafka;

const shared = {
  'metadata.broker.list': bootstrap,
  'client.id': 'foreign-rdkafka',
  'retry.backoff.ms': 50,
  'reconnect.backoff.ms': 20,
  'topic.metadata.refresh.fast.interval.ms': 50,
};
const LIMIT_MS = 20_000;

/** It takes headers for C's strings, which end at a zero byte, and an empty value for null. */
const rows = (name: string): Row[] =>
  everyRow(name).map((row) => ({
    ...row,
    value: row.value?.length === 0 ? null : row.value,
    headers: row.headers.filter(([, one]) => !one.includes(0)),
  }));

const main = `${prefix}-main`;
const written: Row[] = [];

interface Message {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly key: Buffer | string | null;
  readonly value: Buffer | null;
  readonly headers?: readonly Readonly<Record<string, Buffer>>[];
}

/** Calls a method whose last argument is a callback of Node's kind. */
const call = (on: any, method: string, ...args: readonly unknown[]): Promise<any> =>
  new Promise((resolve, reject) =>
    on[method](...args, (error: unknown, found: unknown) =>
      error === null || error === undefined ? resolve(found) : reject(error),
    ),
  );

async function connected(client: any): Promise<any> {
  client.on('event.error', () => undefined);
  await call(client, 'connect', { timeout: LIMIT_MS });
  return client;
}

const bufferOf = (data: Buffer | string | null): Buffer | null =>
  typeof data === 'string' ? Buffer.from(data) : data;

const rowOf = ({ partition, key, value, headers }: Message): Row => ({
  partition,
  key: bufferOf(key),
  value,
  headers: (headers ?? []).flatMap((one) => Object.entries(one)),
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

async function withProducer<R>(config: object, use: (producer: any) => Promise<R>): Promise<R> {
  const producer = await connected(
    new rdkafka.Producer({ ...shared, dr_cb: true, 'linger.ms': 5, acks: -1, ...config }, {}),
  );
  producer.setPollInterval(10);
  try {
    return await use(producer);
  } finally {
    await call(producer, 'disconnect', LIMIT_MS);
  }
}

/** Produces and awaits the delivery reports; partition null is the partitioner's choice. */
function sendWith(
  producer: any,
  to: string,
  list: readonly (Omit<Row, 'partition'> & {
    readonly partition: number | null;
    readonly timestamp?: number;
  })[],
): Promise<void> {
  return new Promise((resolve, reject) => {
    let left = list.length;
    let failed: unknown;
    const report = (error: unknown): void => {
      failed ??= error;
      if (--left > 0) return;
      producer.removeListener('delivery-report', report);
      if (failed === null || failed === undefined) resolve();
      else reject(failed);
    };
    producer.on('delivery-report', report);
    for (const { partition, key, value, headers, timestamp } of list)
      producer.produce(
        to,
        partition,
        value,
        key,
        timestamp ?? null,
        null,
        headers.map(([name, one]) => ({ [name]: one })),
      );
  });
}

const send = (to: string, list: readonly Row[], config: object = {}): Promise<void> =>
  withProducer(config, (producer) => sendWith(producer, to, list));

const admin = rdkafka.AdminClient.create(shared);

async function topic(name: string, config: Readonly<Record<string, string>> = {}): Promise<string> {
  const full = `${prefix}-${name}`;
  await call(
    admin,
    'createTopic',
    { topic: full, num_partitions: PARTITIONS, replication_factor: 1, config },
    LIMIT_MS,
  );
  return full;
}

async function consumerOf(config: object): Promise<any> {
  const consumer = new rdkafka.KafkaConsumer(
    {
      ...shared,
      'group.id': `${prefix}-none`,
      'enable.auto.commit': false,
      'fetch.wait.max.ms': 100,
      ...config,
    },
    { 'auto.offset.reset': 'earliest' },
  );
  await connected(consumer);
  consumer.setDefaultConsumeTimeout(50);
  return consumer;
}

const poll = async (consumer: any): Promise<Message[]> => call(consumer, 'consume', 100);

/** By assignment from the start, or from given offsets, until there are `count`. */
async function read(
  from: string,
  count: number,
  config: object = {},
  offsets: readonly number[] = [0, 0, 0],
): Promise<Row[]> {
  const consumer = await consumerOf(config);
  consumer.assign(offsets.map((offset, partition) => ({ topic: from, partition, offset })));
  const found: Row[] = [];
  try {
    await until(`the records of ${from}`, async () => {
      found.push(...(await poll(consumer)).map(rowOf));
      return found.length >= count;
    });
    found.push(...(await poll(consumer)).map(rowOf));
  } finally {
    await call(consumer, 'disconnect');
  }
  return found;
}

/** A member of a group that polls until it is stopped. */
class Member {
  readonly seen = new Set<number>();
  revocations = 0;
  private consumer: any;
  private stopping = false;
  private running: Promise<void> | undefined;
  private readonly topic: string;
  private readonly config: object;

  constructor(from: string, config: object) {
    this.topic = from;
    this.config = { 'group.id': from, 'enable.auto.commit': true, 'auto.commit.interval.ms': 100, ...config };
  }

  get assigned(): number {
    return this.stopping ? 0 : this.consumer.assignments().length;
  }

  async start(): Promise<this> {
    this.consumer = await consumerOf({ ...this.config, rebalance_cb: true });
    this.consumer.on('rebalance', ({ code }: { code: number }) => {
      if (code === CODES.ERRORS.ERR__REVOKE_PARTITIONS) this.revocations++;
    });
    this.consumer.subscribe([this.topic]);
    this.running = this.loop();
    return this;
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await this.running;
    await call(this.consumer, 'disconnect');
  }

  private async loop(): Promise<void> {
    while (!this.stopping)
      for (const { value } of await poll(this.consumer)) this.seen.add(Number(value!.toString()));
  }
}

async function committed(group: string, of: string): Promise<(number | undefined)[]> {
  const consumer = await consumerOf({ 'group.id': group });
  const asked = upTo(0, PARTITIONS).map((partition) => ({ topic: of, partition }));
  const found: { partition: number; offset?: number }[] = await call(consumer, 'committed', asked, LIMIT_MS);
  await call(consumer, 'disconnect');
  return [...found].sort((a, b) => a.partition - b.partition).map(({ offset }) => offset);
}

async function group(name: string, config: object): Promise<void> {
  const from = await topic(`shared-${name}`);
  await send(from, numbers(0, 60));
  const one = await new Member(from, config).start();
  await until('one reads all', () => one.seen.size === 60);
  const two = await new Member(from, config).start();
  await until('they share', () => one.assigned + two.assigned === PARTITIONS && two.assigned > 0);
  await send(from, numbers(60, 60));
  await until('both read all', () => new Set([...one.seen, ...two.seen]).size === 120 && two.seen.size > 0);
  await until('the commits', async () => String(await committed(from, from)) === '40,40,40');
  await one.stop();
  await until('two has all', () => two.assigned === PARTITIONS);
  await two.stop();
  await send(from, numbers(120, 30));
  const again = await new Member(from, config).start();
  await until('the rest', () => again.seen.size >= 30);
  await again.stop();
  deepEqual(
    [...again.seen].sort((a, b) => a - b),
    upTo(120, 150),
  );
}

async function statics(name: string, config: object): Promise<void> {
  const from = await topic(`static-${name}`);
  const member = (id: string): Promise<Member> =>
    new Member(from, { ...config, 'group.instance.id': id }).start();
  const one = await member('a');
  await until('one has all', () => one.assigned === PARTITIONS);
  const two = await member('b');
  await until('they share', () => one.assigned + two.assigned === PARTITIONS && two.assigned > 0);
  const before = one.revocations;
  await two.stop();
  const back = await member('b');
  await until('it has its part again', () => back.assigned > 0);
  equal(one.revocations, before);
  await back.stop();
  await one.stop();
}

const CLASSIC = { 'session.timeout.ms': 10_000, 'heartbeat.interval.ms': 200 };

async function transactions(): Promise<void> {
  const [source, target] = [await topic('source'), await topic('target')];
  const id = `${prefix}-txn`;
  await send(source, numbers(0, 30));
  const config = { 'transactional.id': id, 'transaction.timeout.ms': 30_000, 'linger.ms': 0 };
  await withProducer(config, async (first) => {
    await call(first, 'initTransactions', LIMIT_MS);
    const transact = async (from: number, end: string): Promise<void> => {
      await call(first, 'beginTransaction');
      await sendWith(first, target, numbers(from, 9));
      await call(first, end, LIMIT_MS);
    };
    await transact(1_000, 'abortTransaction');
    await transact(0, 'commitTransaction');
    const consumer = await consumerOf({ 'group.id': id });
    consumer.subscribe([source]);
    const found: Message[] = [];
    await until('the source', async () => found.push(...(await poll(consumer))) >= 0 && found.length === 30);
    const offsets = (partition: number, offset: number) => [{ topic: source, partition, offset }];
    await call(first, 'beginTransaction');
    await sendWith(first, target, numbers(9, 9));
    await call(first, 'sendOffsetsToTransaction', offsets(0, 7), consumer, LIMIT_MS);
    await call(first, 'commitTransaction', LIMIT_MS);
    await call(first, 'beginTransaction');
    await sendWith(first, target, numbers(2_000, 9));
    await call(first, 'sendOffsetsToTransaction', offsets(1, 8), consumer, LIMIT_MS);
    await call(first, 'abortTransaction', LIMIT_MS);
    await call(consumer, 'disconnect');
    // The open one is fenced by the next producer of the id.
    await call(first, 'beginTransaction');
    await sendWith(first, target, numbers(3_000, 9));
    await withProducer(config, async (second) => {
      await call(second, 'initTransactions', LIMIT_MS);
      await call(second, 'beginTransaction');
      await sendWith(second, target, numbers(18, 9));
      await call(second, 'commitTransaction', LIMIT_MS);
    });
    await failure(() => call(first, 'commitTransaction', LIMIT_MS));
  });
  deepEqual(values(await read(target, 27, { 'isolation.level': 'read_committed' })), upTo(0, 27));
  equal((await read(target, 54, { 'isolation.level': 'read_uncommitted' })).length, 54);
  deepEqual(await committed(id, source), [7, undefined, undefined]);
}

async function errors(): Promise<void> {
  const nowhere = await failure(() =>
    send(`${prefix}-nowhere`, numbers(0, 1), {
      'message.timeout.ms': 3_000,
      'allow.auto.create.topics': false,
      'topic.metadata.propagation.max.ms': 500,
    }),
  );
  ok(/unknown topic/i.test(nowhere.message), nowhere.message);
  const small = await topic('small', { 'max.message.bytes': '1000' });
  const large = await failure(() =>
    send(small, [{ partition: 0, key: null, value: Buffer.alloc(5_000), headers: [] }]),
  );
  ok(/too large/i.test(large.message), large.message);
  const cut = await topic('cut');
  await withProducer({ 'enable.idempotence': true }, async (producer) => {
    let next = 0;
    const one = (): Promise<void> => sendWith(producer, cut, [{ ...numbers(next++, 1)[0]!, partition: 0 }]);
    await one();
    await act({ act: 'cut', api: 'Produce', topic: cut, applied: false });
    await one();
    await act({ act: 'cut', api: 'Produce', topic: cut, applied: true });
    await one();
    await act({ act: 'moveLeader', topic: cut, partition: 0 });
    await one();
    const consumer = await consumerOf({});
    consumer.assign([{ topic: cut, partition: 0, offset: 0 }]);
    const found: Row[] = [];
    const has = (count: number): Promise<void> =>
      until(`${count} records`, async () => {
        found.push(...(await poll(consumer)).map(rowOf));
        return found.length >= count;
      });
    await has(4);
    await act({ act: 'cut', api: 'Fetch', applied: false });
    await act({ act: 'moveLeader', topic: cut, partition: 0 });
    await one();
    await has(5);
    deepEqual(values(found), upTo(0, 5));
    await call(consumer, 'disconnect');
  });
  admin.disconnect();
}

void play({
  1: () =>
    withProducer({}, async (producer) => {
      const { brokers } = await call(producer, 'getMetadata', { allTopics: true, timeout: LIMIT_MS });
      ok(brokers.length > 0);
    }),
  2: async () => {
    await topic('main', { 'retention.ms': '-1' });
    equal((await failure(() => topic('main'))).code, CODES.ERRORS.ERR_TOPIC_ALREADY_EXISTS);
    await withProducer({}, async (producer) => {
      const { topics } = await call(producer, 'getMetadata', { topic: main, timeout: LIMIT_MS });
      const { partitions } = topics.find(({ name }: { name: string }) => name === main);
      equal(partitions.length, PARTITIONS);
      for (const { leader, replicas, isrs } of partitions)
        ok(replicas.includes(leader) && isrs.includes(leader));
    });
  },
  3: async () => {
    await send(main, rows('plain'));
    written.push(...rows('plain'));
    const keyed = await topic('keyed');
    const keys = upTo(0, 90).map((at) => ({
      partition: null,
      key: Buffer.from(`key ${at % 30}`),
      value: Buffer.from(String(at)),
      headers: [],
    }));
    await withProducer({}, (producer) => sendWith(producer, keyed, keys));
    const where = new Map<string, Set<number>>();
    for (const { key, partition } of await read(keyed, 90)) {
      const name = key!.toString();
      where.set(name, (where.get(name) ?? new Set()).add(partition));
    }
    equal(where.size, 30);
    ok([...where.values()].every((partitions) => partitions.size === 1));
  },
  4: async () => {
    // Its build has no zstd; kcat's has.
    for (const codec of ['gzip', 'snappy', 'lz4']) {
      await send(main, rows(codec), { 'compression.codec': codec });
      written.push(...rows(codec));
    }
  },
  5: async () => {
    for (const name of ['once', 'twice']) {
      const config = { 'enable.idempotence': true, 'batch.num.messages': 2, 'linger.ms': 0 };
      await send(main, rows(name), config);
      written.push(...rows(name));
    }
    const acks = await topic('acks');
    for (const wanted of [0, 1]) await send(acks, numbers(wanted * 30, 30), { acks: wanted });
    deepEqual(values(await read(acks, 60)), upTo(0, 60));
  },
  6: async () => {
    sameLines(lines(await read(main, written.length)), lines(written));
    const small = { 'max.partition.fetch.bytes': 500, 'fetch.message.max.bytes': 500, 'check.crcs': true };
    sameLines(lines(await read(main, written.length, small)), lines(written));
  },
  7: async () => {
    const each = written.length / PARTITIONS;
    const timed = await topic('timed', { 'retention.ms': '-1' });
    const consumer = await consumerOf({});
    await withProducer({}, async (producer) => {
      for (const timestamp of [1_000, 2_000, 3_000])
        await sendWith(producer, timed, [{ ...numbers(timestamp, 1)[0]!, partition: 0, timestamp }]);
      const ends = await call(producer, 'queryWatermarkOffsets', main, 0, LIMIT_MS);
      deepEqual([ends.lowOffset, ends.highOffset], [0, each]);
      const at = async (offset: number): Promise<number> => {
        const [found] = await call(
          consumer,
          'offsetsForTimes',
          [{ topic: timed, partition: 0, offset }],
          LIMIT_MS,
        );
        return found.offset;
      };
      deepEqual([await at(0), await at(1_500), await at(3_000)], [0, 1, 2]);
    });
    const tail = written.filter(({ partition }) => partition === 1).slice(-5);
    sameLines((await read(main, 5, {}, [each, each - 5, each])).map(line), tail.map(line));
    consumer.assign([{ topic: timed, partition: 0, offset: 0 }]);
    const found: Row[] = [];
    const has = (count: number): Promise<void> =>
      until(`${count} records`, async () => {
        found.push(...(await poll(consumer)).map(rowOf));
        return found.length >= count;
      });
    await has(3);
    await call(consumer, 'seek', { topic: timed, partition: 0, offset: 1 }, LIMIT_MS);
    await has(5);
    deepEqual(
      found.map(({ value }) => Number(value!.toString())),
      [1_000, 2_000, 3_000, 2_000, 3_000],
    );
    await call(consumer, 'disconnect');
  },
  8: async () => {
    await group('classic', CLASSIC);
    await statics('classic', CLASSIC);
  },
  9: async () => {
    await group('cooperative', { ...CLASSIC, 'partition.assignment.strategy': 'cooperative-sticky' });
    await group('consumer', { 'group.protocol': 'consumer' });
    await statics('consumer', { 'group.protocol': 'consumer', 'group.remote.assignor': 'range' });
  },
  10: transactions,
  11: async () => {
    const keyed = `${prefix}-keyed`;
    await call(admin, 'createPartitions', keyed, 5, LIMIT_MS);
    const partitions = (): Promise<number> =>
      withProducer({}, async (producer) => {
        const { topics } = await call(producer, 'getMetadata', { allTopics: true, timeout: LIMIT_MS });
        return topics.find(({ name }: { name: string }) => name === keyed)?.partitions.length ?? 0;
      });
    await until('five partitions', async () => (await partitions()) === 5);
    await call(admin, 'deleteTopic', keyed, LIMIT_MS);
    await until('it is gone', async () => (await partitions()) === 0);
  },
  12: errors,
});
