// Kafka's own command line tools, those of its system tests among them.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { act, bootstrap, play, prefix } from '../support/dialogue.ts';
import { deepEqual, equal, ok, sleep, until } from '../support/expect.ts';
import { Beside, end, run, type Ended } from '../support/processes.ts';

const LIB = process.env['TOOLS']!;
const JVM = [
  ...['-Xmx128m', '-XX:TieredStopAtLevel=1', '-Dorg.slf4j.simpleLogger.defaultLogLevel=error'],
  ...['-cp', path.join(LIB, '*')],
];
const TOOLS = 'org.apache.kafka.tools';
const server = ['--bootstrap-server', bootstrap];
const main = `${prefix}-main`;
const PARTITIONS = 3;
/** Each command is a Java of its own. */
const STEP_LIMIT_MS = 180_000;
const dir = mkdtempSync(path.join(os.tmpdir(), 'sluice-tools-'));

const tool = (name: string, args: readonly string[], input?: string): Promise<string> =>
  run('java', [...JVM, name, ...server, ...args], input);
const attempt = (name: string, args: readonly string[], input?: string): Promise<Ended> =>
  end('java', [...JVM, name, ...server, ...args], input);

const topics = (...args: string[]): Promise<string> => tool(`${TOOLS}.TopicCommand`, args);
const groups = (...args: string[]): Promise<string> =>
  tool(`${TOOLS}.consumer.group.ConsumerGroupCommand`, args);
const configs = (...args: string[]): Promise<string> => tool('kafka.admin.ConfigCommand', args);
const linesOf = (text: string): string[] => text.split('\n').filter((line) => line.trim() !== '');

async function topic(name: string, ...more: string[]): Promise<string> {
  const full = `${prefix}-${name}`;
  await topics('--create', '--topic', full, '--partitions', String(PARTITIONS), ...more);
  return full;
}

/** Lines of headers, key and value, as they are written and read; NULL is null. */
const rows = (name: string): string[] =>
  Array.from({ length: 30 }, (_, at) => {
    const headers = at % 3 === 0 ? `name:${name},nothing:NULL,empty:` : 'NULL';
    const key = at % 4 === 0 ? 'NULL' : `${name}-key-${at}`;
    const value =
      at % 7 === 3 ? 'NULL' : at % 7 === 5 ? '' : `${name} välue ${at} `.repeat(1 + (at % 5) * 20).trim();
    return `${headers}\t${key}\t${value}`;
  });
const written: string[] = [];

async function produce(to: string, list: readonly string[], ...more: string[]): Promise<void> {
  const reader = ['parse.headers=true', 'parse.key=true', 'null.marker=NULL'];
  const args = ['--topic', to, ...reader.flatMap((one) => ['--reader-property', one]), ...more];
  await tool(`${TOOLS}.ConsoleProducer`, args, `${list.join('\n')}\n`);
}

/** What the console consumer prints. */
async function consume(from: string, count: number, ...more: string[]): Promise<string[]> {
  const formatter = ['print.headers=true', 'print.key=true', 'null.literal=NULL', 'key.separator=\t'];
  const printed = await tool(`${TOOLS}.consumer.ConsoleConsumer`, [
    ...['--topic', from, '--max-messages', String(count), '--timeout-ms', '20000'],
    ...formatter.flatMap((one) => ['--formatter-property', one]),
    ...more,
  ]);
  return linesOf(printed).map((line) => line.replace(/^NO_HEADERS\t/, 'NULL\t'));
}

/** `partition -> offset` as kafka-get-offsets prints it. */
async function offsets(of: string, time: string): Promise<(number | undefined)[]> {
  const printed = await tool(`${TOOLS}.GetOffsetShell`, ['--topic', of, '--time', time]);
  const found: (number | undefined)[] = [];
  for (const line of linesOf(printed)) {
    const [, partition, offset] = line.split(':');
    found[Number(partition)] = offset === '' ? undefined : Number(offset);
  }
  return found;
}

async function verifiablyProduce(to: string, count: number, ...more: string[]): Promise<void> {
  const printed = await tool(`${TOOLS}.VerifiableProducer`, [
    ...['--topic', to, '--max-messages', String(count)],
    ...more,
  ]);
  const events = linesOf(printed).map((line) => JSON.parse(line) as { name: string; acked?: number });
  equal(events.filter(({ name }) => name === 'producer_send_success').length, count);
}

/** A verifiable consumer. */
class Member {
  readonly beside: Beside;

  constructor(from: string, group: string, ...more: string[]) {
    const args = [
      ...JVM,
      `${TOOLS}.VerifiableConsumer`,
      ...server,
      '--topic',
      from,
      '--group-id',
      group,
      '--verbose',
    ];
    this.beside = new Beside('java', [...args, ...more]);
  }

  private all(name: string): any[] {
    return this.beside.events().filter((event) => event.name === name);
  }

  get assigned(): number {
    const count = (name: string): number =>
      this.all(name).reduce((sum: number, { partitions }) => sum + (partitions as unknown[]).length, 0);
    return count('partitions_assigned') - count('partitions_revoked');
  }

  get revocations(): number {
    return this.all('partitions_revoked').filter(({ partitions }) => partitions.length > 0).length;
  }

  get seen(): number[] {
    return this.all('record_data').map(({ value }) => Number(value));
  }

  /** Where its commits stand, added up. */
  get committed(): number {
    const last = new Map<number, number>();
    for (const { offsets: some, success } of this.all('offsets_committed'))
      if (success) for (const { partition, offset } of some) last.set(partition, offset);
    return [...last.values()].reduce((sum, offset) => sum + offset, 0);
  }
}

/** A group of two, and what is read after both are gone. */
async function group(name: string, ...more: string[]): Promise<void> {
  const shared = await topic(`shared-${name}`);
  await verifiablyProduce(shared, 60, '--repeating-keys', '30');
  const one = new Member(shared, shared, ...more);
  await until('one reads all', () => one.seen.length === 60 && one.assigned === PARTITIONS);
  const two = new Member(shared, shared, ...more);
  await until('they share', () => two.assigned > 0 && one.assigned + two.assigned === PARTITIONS);
  await verifiablyProduce(shared, 60, '--repeating-keys', '30');
  await until('both read all', () => one.seen.length + two.seen.length === 120 && two.seen.length > 0);
  await one.beside.stop();
  await until('two has all', () => two.assigned === PARTITIONS);
  await two.beside.stop();
  const again = new Member(shared, shared, ...more);
  await verifiablyProduce(shared, 30, '--repeating-keys', '30');
  await until('the rest', () => again.seen.length >= 30);
  equal(again.seen.length, 30);
  await until('the commits', () => again.committed === 150);
  await again.beside.stop();
}

async function statics(name: string, ...more: string[]): Promise<void> {
  const shared = await topic(`static-${name}`);
  const member = (id: string): Member => new Member(shared, shared, '--group-instance-id', id, ...more);
  const one = member('a');
  await until('one has all', () => one.assigned === PARTITIONS);
  const two = member('b');
  await until('they share', () => two.assigned > 0 && one.assigned + two.assigned === PARTITIONS);
  const before = one.revocations;
  await two.beside.stop();
  const back = member('b');
  await until('it has its part again', () => back.assigned > 0);
  equal(one.revocations, before);
  await Promise.all([one.beside.stop(), back.beside.stop()]);
}

const row = (text: string, ...wanted: readonly (string | number)[]): boolean =>
  linesOf(text).some((line) => {
    const cells = line.trim().split(/\s+/);
    return wanted.every((one, at) => cells[at] === String(one));
  });

async function errors(): Promise<void> {
  const nowhere = await attempt(
    `${TOOLS}.ConsoleProducer`,
    ['--topic', `${prefix}-nowhere`, '--max-block-ms', '1500'],
    'x\n',
  );
  ok(/not present in metadata/.test(nowhere.stderr + nowhere.stdout), nowhere.stderr);
  const small = await topic('small', '--config', 'max.message.bytes=1000');
  const large = await attempt(`${TOOLS}.ConsoleProducer`, ['--topic', small], `${'x'.repeat(5_000)}\n`);
  ok(/RecordTooLargeException/.test(large.stderr + large.stdout), large.stderr);
  const cut = await topic('cut');
  const producer = new Beside('java', [
    ...[...JVM, `${TOOLS}.ConsoleProducer`, ...server, '--topic', cut, '--batch-size', '200'],
    ...['--message-send-max-retries', '20'],
  ]);
  const arrived = async (): Promise<number> =>
    (await offsets(cut, 'latest')).reduce<number>((sum, offset) => sum + offset!, 0);
  let next = 0;
  const send = async (): Promise<void> => {
    for (const end = next + 100; next < end; next++) {
      producer.write(`${next}\n`);
      await sleep(5);
    }
  };
  await send();
  await act({ act: 'cut', api: 'Produce', topic: cut, applied: false });
  await send();
  await act({ act: 'cut', api: 'Produce', topic: cut, applied: true });
  await send();
  for (let partition = 0; partition < PARTITIONS; partition++)
    await act({ act: 'moveLeader', topic: cut, partition });
  await send();
  await producer.ended();
  equal(await arrived(), 400);
  const found = await consume(cut, 400, '--from-beginning', '--formatter-property', 'print.key=false');
  deepEqual(
    found.map((line) => Number(line.split('\t').at(-1))).sort((a, b) => a - b),
    Array.from({ length: 400 }, (_, at) => at),
  );
  rmSync(dir, { recursive: true });
}

void play(
  {
    1: async () => {
      const printed = await tool(`${TOOLS}.BrokerApiVersionsCommand`, []);
      ok(/Produce\(0\): .*\[usable: \d+\]/.test(printed), printed.slice(0, 500));
      ok(
        /Cluster ID: \S+/.test(await run('java', [...JVM, `${TOOLS}.ClusterTool`, 'cluster-id', ...server])),
      );
      const features = await run('java', [...JVM, `${TOOLS}.FeatureCommand`, ...server, 'describe']);
      ok(/Feature: metadata.version/.test(features), features);
    },
    2: async () => {
      await topic('main', '--config', 'retention.ms=-1');
      ok((await topics('--list')).split('\n').includes(main));
      const described = await topics('--describe', '--topic', main);
      ok(
        /PartitionCount: 3\s+ReplicationFactor: \d+\s+Configs: .*retention.ms=-1/.test(described),
        described,
      );
      equal(described.match(/Leader: \d+\s+Replicas: [\d,]+\s+Isr: \d/g)?.length, PARTITIONS, described);
      const twice = await attempt(`${TOOLS}.TopicCommand`, [
        '--create',
        '--topic',
        main,
        '--partitions',
        '1',
      ]);
      ok(twice.code !== 0 && /already exists/.test(twice.stdout + twice.stderr));
    },
    3: async () => {
      await produce(main, rows('plain'), '--command-property', 'enable.idempotence=false');
      written.push(...rows('plain'));
    },
    4: async () => {
      for (const codec of ['gzip', 'snappy', 'lz4', 'zstd']) {
        await produce(main, rows(codec), '--compression-codec', codec);
        written.push(...rows(codec));
      }
    },
    5: async () => {
      await produce(main, rows('once'), '--request-required-acks', 'all');
      written.push(...rows('once'));
      for (const acks of ['0', '1']) {
        await produce(
          main,
          rows(`acks${acks}`),
          '--request-required-acks',
          acks,
          '--command-property',
          'enable.idempotence=false',
        );
        written.push(...rows(`acks${acks}`));
      }
    },
    6: async () => {
      const ends = await offsets(main, '-1');
      equal(
        ends.reduce<number>((sum, offset) => sum + offset!, 0),
        written.length,
      );
      const found: string[] = [];
      for (const [partition, count] of ends.entries())
        if (count! > 0)
          found.push(
            ...(await consume(main, count!, '--partition', String(partition), '--offset', 'earliest')),
          );
      deepEqual(found.sort(), [...written].sort());
    },
    7: async () => {
      const timed = await topic('timed', '--config', 'retention.ms=-1');
      await verifiablyProduce(timed, 1, '--message-create-time', '1000');
      await verifiablyProduce(timed, 1, '--message-create-time', '3000');
      const sum = async (time: string): Promise<number> =>
        (await offsets(timed, time)).reduce<number>((total, offset) => total + (offset ?? 0), 0);
      equal(await sum('earliest'), 0);
      equal(await sum('latest'), 2);
      const [by, max] = [await offsets(timed, '2000'), await offsets(timed, '-3')];
      equal(by.filter((offset) => offset !== undefined).length, 1, JSON.stringify(by));
      ok(max.some((offset) => offset !== undefined));
      const ends = await offsets(main, 'latest');
      const partition = ends.findIndex((offset) => offset! > 5);
      const from = ends[partition]! - 5;
      const tail = await consume(main, 5, '--partition', String(partition), '--offset', String(from));
      equal(tail.length, 5);
      ok(tail.every((line) => written.includes(line)));
    },
    8: async () => {
      await group('classic', '--session-timeout', '6000');
      await statics('classic', '--session-timeout', '30000');
    },
    9: async () => {
      const sticky = 'org.apache.kafka.clients.consumer.CooperativeStickyAssignor';
      await group('sticky', '--session-timeout', '6000', '--assignment-strategy', sticky);
      await group('consumer', '--group-protocol', 'consumer');
      const listed = await groups('--list', '--type', 'consumer');
      ok(row(listed, `${prefix}-shared-consumer`, 'Consumer'), listed);
    },
    10: async () => {
      const [source, target] = [await topic('source'), await topic('target')];
      await verifiablyProduce(source, 300, '--repeating-keys', '30');
      const id = `${prefix}-copier`;
      for (let partition = 0; partition < PARTITIONS; partition++) {
        const printed = await run('java', [
          ...[...JVM, `${TOOLS}.TransactionalMessageCopier`, '--broker-list', bootstrap],
          ...['--input-topic', source, '--input-partition', String(partition), '--output-topic', target],
          ...['--transactional-id', id, '--consumer-group', id, '--transaction-size', '10'],
          ...['--enable-random-aborts', '--use-group-metadata'],
        ]);
        equal(JSON.parse(linesOf(printed).at(-1)!).remaining, 0);
      }
      const plain = [
        '--formatter-property',
        'print.key=false',
        '--formatter-property',
        'print.headers=false',
      ];
      const committed = await consume(
        target,
        300,
        '--from-beginning',
        '--isolation-level',
        'read_committed',
        ...plain,
      );
      deepEqual(
        committed.map(Number).sort((a, b) => a - b),
        Array.from({ length: 300 }, (_, at) => at),
      );
      const ends = await offsets(source, 'latest');
      const described = await groups('--describe', '--group', id, '--offsets');
      for (const [partition, offset] of ends.entries())
        if (offset! > 0) ok(row(described, id, source, partition, offset!, offset!, 0), described);
      const transactions = (...args: string[]): Promise<string> => tool(`${TOOLS}.TransactionsCommand`, args);
      ok(row(await transactions('list'), id), 'the id is listed');
      const one = await transactions('describe', '--transactional-id', id);
      ok(/CompleteCommit|CompleteAbort/.test(one), one);
      const producers = await transactions('describe-producers', '--topic', target, '--partition', '0');
      ok(/ProducerId/.test(producers), producers);
    },
    11: async () => {
      const shared = `${prefix}-shared-classic`;
      ok((await groups('--list')).split('\n').includes(shared));
      ok(/Empty/.test(await groups('--describe', '--group', shared, '--state')));
      await groups(
        '--reset-offsets',
        '--group',
        shared,
        '--topic',
        `${shared}:0`,
        '--to-earliest',
        '--execute',
      );
      const described = await groups('--describe', '--group', shared);
      ok(row(described, shared, shared, 0, 0), described);
      await groups('--delete-offsets', '--group', shared, '--topic', `${shared}:0`);
      ok(!row(await groups('--describe', '--group', shared), shared, shared, 0, 0));
      await groups('--delete', '--group', shared);
      ok(!(await groups('--list')).split('\n').includes(shared));

      await topics('--alter', '--topic', shared, '--partitions', '5');
      ok(/PartitionCount: 5/.test(await topics('--describe', '--topic', shared)));
      await configs(
        '--alter',
        '--entity-type',
        'topics',
        '--entity-name',
        shared,
        '--add-config',
        'retention.ms=123456',
      );
      const shown = await configs('--describe', '--entity-type', 'topics', '--entity-name', shared);
      ok(/retention.ms=123456/.test(shown), shown);
      await configs(
        '--alter',
        '--entity-type',
        'topics',
        '--entity-name',
        shared,
        '--delete-config',
        'retention.ms',
      );
      const file = path.join(dir, 'records.json');
      const ends = await offsets(main, 'latest');
      const partition = ends.findIndex((offset) => offset! > 5);
      writeFileSync(
        file,
        JSON.stringify({ partitions: [{ topic: main, partition, offset: 5 }], version: 1 }),
      );
      await tool(`${TOOLS}.DeleteRecordsCommand`, ['--offset-json-file', file]);
      equal((await offsets(main, 'earliest'))[partition], 5);
      const dirs = await tool(`${TOOLS}.LogDirsCommand`, ['--describe', '--topic-list', main]);
      ok(dirs.includes(`${main}-0`), dirs);
      await topics('--delete', '--topic', shared);
      ok(!(await topics('--list')).split('\n').includes(shared));
    },
    12: errors,
  },
  STEP_LIMIT_MS,
);
