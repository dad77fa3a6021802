// librdkafka as Debian has it, through kcat, which creates no topics: our client does.
import { Kafka } from '../../../src/index.ts';
import { act, bootstrap, play, prefix } from '../support/dialogue.ts';
import { deepEqual, equal, ok, sameLines, sleep, until } from '../support/expect.ts';
import { Beside, end, run } from '../support/processes.ts';

const PARTITIONS = 3;
const kafka = new Kafka({ brokers: bootstrap.split(',') });
const main = `${prefix}-main`;
const written: string[] = [];
const SHOWN = '%p %K %S %k %s %h\n';

async function topic(name: string, configs: Readonly<Record<string, string>> = {}): Promise<string> {
  const full = `${prefix}-${name}`;
  await kafka.admin().createTopics([{ name: full, partitions: PARTITIONS, configs }]);
  return full;
}

const settings = (more: Readonly<Record<string, string | number>>): string[] =>
  Object.entries({ 'retry.backoff.ms': 50, 'topic.metadata.refresh.fast.interval.ms': 50, ...more }).flatMap(
    ([name, value]) => ['-X', `${name}=${value}`],
  );
const kcat = (args: readonly string[], input?: string): Promise<string> =>
  run('kcat', ['-b', bootstrap, ...args], input);
const linesOf = (text: string): string[] => text.split('\n').filter((line) => line !== '');

interface Line {
  readonly partition: number;
  readonly key: string | null;
  readonly value: string | null;
}

const rows = (name: string): Line[] =>
  Array.from({ length: 30 }, (_, at) => ({
    partition: at % PARTITIONS,
    key: at % 4 === 0 ? null : `${name}-key-${at}`,
    value: at % 7 === 3 ? null : `${name}-välue-${at}-`.repeat(1 + (at % 5) * 20),
  }));

const bytes = (text: string | null): number => (text === null ? -1 : Buffer.byteLength(text));
const shown = ({ partition, key, value }: Line, headers = ''): string =>
  `${partition} ${bytes(key)} ${bytes(value)} ${key ?? ''} ${value ?? ''} ${headers}`;

/** Writes rows partition by partition; an empty part is null. */
async function produce(to: string, list: readonly Line[], ...more: string[]): Promise<void> {
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const some = list.filter((one) => one.partition === partition);
    const input = some.map(({ key, value }) => `${key ?? ''}\t${value ?? ''}`).join('\n');
    await kcat(['-P', '-t', to, '-p', String(partition), '-Z', '-K', '\t', ...settings({}), ...more], input);
  }
}

const numbers = (to: string, from: number, count: number, ...more: string[]): Promise<unknown> => {
  const list = Array.from({ length: count }, (_, at) => ({
    partition: at % PARTITIONS,
    key: null,
    value: String(from + at),
  }));
  return produce(to, list, ...more);
};

/** By assignment, up to the end. */
const read = async (from: string, ...more: string[]): Promise<string[]> => {
  const args = ['-C', '-t', from, '-o', 'beginning', '-e', '-q', '-f', SHOWN, '-X', 'fetch.wait.max.ms=100'];
  return linesOf(await kcat([...args, ...more]));
};
const values = (list: readonly string[]): number[] =>
  list.map((line) => Number(line.split(' ')[4])).sort((a, b) => a - b);
const upTo = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, at) => from + at);
const byPartition = (list: readonly string[]): string[] =>
  [...list].sort((a, b) => Number(a.split(' ')[0]) - Number(b.split(' ')[0]));

/** A line with a number that kcat does not wait for more of: it reads its input by kilobytes. */
const padded = (number: number): string => `${number} ${'.'.repeat(1_500)}\n`;

class Member {
  readonly beside: Beside;

  constructor(from: string, group: string, more: Readonly<Record<string, string | number>>) {
    const config = {
      'auto.offset.reset': 'earliest',
      'auto.commit.interval.ms': 100,
      'session.timeout.ms': 10_000,
      'heartbeat.interval.ms': 200,
      ...more,
    };
    this.beside = new Beside('kcat', [
      '-b',
      bootstrap,
      '-G',
      group,
      '-u',
      '-f',
      'seen %s\n',
      ...settings(config),
      from,
    ]);
  }

  get seen(): number[] {
    return this.beside.lines.filter((line) => line.startsWith('seen ')).map((line) => Number(line.slice(5)));
  }

  /** What it says of rebalances. */
  get rebalances(): string[] {
    return this.beside.lines.filter((line) => /rebalanced/.test(line));
  }

  get revocations(): number {
    return this.rebalances.filter((line) => /revoke/.test(line)).length;
  }
}

async function group(name: string, config: Readonly<Record<string, string | number>>): Promise<void> {
  const from = await topic(`shared-${name}`);
  const total = async (): Promise<number> =>
    (await kafka.admin().fetchOffsets(from)).reduce((sum, { offset }) => sum + Math.max(0, offset), 0);
  await numbers(from, 0, 60);
  const one = new Member(from, from, config);
  await until('one reads all', () => one.seen.length === 60);
  const two = new Member(from, from, config);
  await until('two has some', () => two.rebalances.some((line) => /assign.*\[\d\]/.test(line)));
  await numbers(from, 60, 60);
  await until('both read all', () => new Set([...one.seen, ...two.seen]).size === 120 && two.seen.length > 0);
  await until('the commits', async () => (await total()) === 120);
  await one.beside.stop('SIGINT');
  await two.beside.stop('SIGINT');
  await numbers(from, 120, 30);
  const again = new Member(from, from, config);
  await until('the rest', () => again.seen.length >= 30);
  deepEqual(
    [...again.seen].sort((a, b) => a - b),
    upTo(120, 150),
  );
  await until('the commits', async () => (await total()) === 150);
  await again.beside.stop('SIGINT');
}

async function statics(): Promise<void> {
  const from = await topic('static');
  const one = new Member(from, from, { 'group.instance.id': 'a' });
  await until('one has all', () => one.rebalances.length > 0);
  const two = new Member(from, from, { 'group.instance.id': 'b' });
  await until('two has some', () => two.rebalances.length > 0);
  const before = one.rebalances.length;
  await two.beside.stop('SIGINT');
  const back = new Member(from, from, { 'group.instance.id': 'b' });
  await until('it has its part again', () => back.rebalances.length > 0);
  equal(one.rebalances.length, before);
  await Promise.all([one.beside.stop('SIGINT'), back.beside.stop('SIGINT')]);
}

async function errors(): Promise<void> {
  const nowhere = await end(
    'kcat',
    ['-b', bootstrap, '-P', '-t', `${prefix}-nowhere`, ...settings({ 'message.timeout.ms': 3_000 })],
    'x\n',
  );
  ok(/[Uu]nknown topic|Message timed out/.test(nowhere.stderr), nowhere.stderr);
  const small = await topic('small', { 'max.message.bytes': '1000' });
  const large = await end('kcat', ['-b', bootstrap, '-P', '-t', small, '-p', '0'], `${'x'.repeat(5_000)}\n`);
  ok(/Message size too large/.test(large.stderr), large.stderr);
  const cut = await topic('cut');
  const config = settings({ 'enable.idempotence': 'true', 'linger.ms': 0 });
  const producer = new Beside('kcat', ['-b', bootstrap, '-P', '-u', '-t', cut, '-p', '0', '-E', ...config]);
  let next = 0;
  const send = async (): Promise<void> => {
    for (const last = next + 100; next < last; next++) {
      producer.write(padded(next));
      await sleep(2);
    }
  };
  await send();
  await act({ act: 'cut', api: 'Produce', topic: cut, applied: false });
  await send();
  await act({ act: 'cut', api: 'Produce', topic: cut, applied: true });
  await send();
  await act({ act: 'moveLeader', topic: cut, partition: 0 });
  await send();
  await producer.ended();
  await act({ act: 'cut', api: 'Fetch', applied: false });
  const found = await read(cut, '-p', '0', '-E');
  deepEqual(
    found.map((line) => Number(line.split(' ')[4])),
    upTo(0, 400),
  );
  await kafka.close();
}

void play({
  1: async () => {
    const { brokers, controllerid } = JSON.parse(await kcat(['-L', '-J'])) as {
      brokers: { id: number }[];
      controllerid: number;
    };
    ok(brokers.some(({ id }) => id === controllerid));
    await topic('main', { 'retention.ms': '-1' });
    const { topics } = JSON.parse(await kcat(['-L', '-J', '-t', main])) as {
      topics: { partitions: { leader: number; isrs: { id: number }[] }[] }[];
    };
    equal(topics[0]!.partitions.length, PARTITIONS);
    for (const { leader, isrs } of topics[0]!.partitions) ok(isrs.some(({ id }) => id === leader));
  },
  3: async () => {
    await produce(main, rows('plain'), '-H', 'name=plain', '-H', 'name=twice', '-H', 'nothing');
    written.push(...rows('plain').map((row) => shown(row, 'name=plain,name=twice,nothing=NULL')));
    const keyed = await topic('keyed');
    const keys = Array.from({ length: 90 }, (_, at) => `key ${at % 30}\t${at}`);
    await kcat(['-P', '-t', keyed, '-K', '\t'], keys.join('\n'));
    const where = new Map<string, string>();
    for (const line of linesOf(await kcat(['-C', '-t', keyed, '-e', '-q', '-f', '%p %k\n']))) {
      const [partition, key] = [line.slice(0, 1), line.slice(2)];
      equal(where.get(key) ?? partition, partition);
      where.set(key, partition);
    }
    equal(where.size, 30);
  },
  4: async () => {
    for (const codec of ['gzip', 'snappy', 'lz4', 'zstd']) {
      await produce(main, rows(codec), '-z', codec);
      written.push(...rows(codec).map((row) => shown(row)));
    }
  },
  5: async () => {
    await produce(main, rows('once'), ...settings({ 'enable.idempotence': 'true', 'linger.ms': 0 }));
    written.push(...rows('once').map((row) => shown(row)));
    const acks = await topic('acks');
    for (const wanted of [0, 1]) await numbers(acks, wanted * 30, 30, '-X', `topic.acks=${wanted}`);
    deepEqual(values(await read(acks)), upTo(0, 60));
  },
  6: async () => {
    sameLines(byPartition(await read(main)), byPartition(written));
    const small = settings({ 'fetch.message.max.bytes': 500, 'check.crcs': 'true' });
    sameLines(byPartition(await read(main, ...small)), byPartition(written));
  },
  7: async () => {
    const timed = await topic('timed');
    const stamps: number[] = [];
    for (let at = 0; at < 3; at++) {
      await kcat(['-P', '-t', timed, '-p', '0'], `${at}\n`);
      await sleep(20);
    }
    stamps.push(...linesOf(await kcat(['-C', '-t', timed, '-p', '0', '-e', '-q', '-f', '%T\n'])).map(Number));
    const query = async (stamp: number): Promise<string> =>
      (await kcat(['-Q', '-t', `${timed}:0:${stamp}`])).trim();
    equal(await query(stamps[1]!), `${timed} [0] offset 1`);
    equal(await query(stamps[1]! + 1), `${timed} [0] offset 2`);
    equal(await query(-2), `${timed} [0] offset 0`);
    equal(await query(-1), `${timed} [0] offset 3`);
    deepEqual(values(await read(timed, '-p', '0', '-o', `s@${stamps[1]!}`)), [1, 2]);
    deepEqual(values(await read(timed, '-p', '0', '-o', '-1')), [2]);
    deepEqual(values(await read(timed, '-p', '0', '-o', '1')), [1, 2]);
    const from = ['-o', `s@${stamps[0]!}`, '-o', `e@${stamps[2]!}`];
    deepEqual(values(await read(timed, '-p', '0', ...from)), [0, 1]);
  },
  8: async () => {
    await group('classic', {});
    await statics();
  },
  9: () => group('cooperative', { 'partition.assignment.strategy': 'cooperative-sticky' }),
  10: async () => {
    const target = await topic('target');
    const config = ['-X', `transactional.id=${prefix}-txn`];
    const args = ['-b', bootstrap, '-P', '-t', target, '-p', '0'];
    await kcat([...args.slice(2), ...config], upTo(0, 9).join('\n'));
    const aborted = new Beside('kcat', [...args, ...config, '-u']);
    aborted.write(upTo(1_000, 1_300).map(padded).join(''));
    const ends = ['-X', 'isolation.level=read_uncommitted'];
    await until('some are there', async () => (await read(target, ...ends)).length > 9);
    deepEqual(values(await read(target, '-X', 'isolation.level=read_committed')), upTo(0, 9));
    await aborted.stop('SIGINT');
    await kcat([...args.slice(2), ...config], upTo(9, 18).join('\n'));
    deepEqual(values(await read(target, '-X', 'isolation.level=read_committed')), upTo(0, 18));
    ok((await read(target, ...ends)).length > 18);
  },
  12: errors,
});
