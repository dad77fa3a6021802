// The users' programs of test/api/programs, run as they stand against the built package: on the box and on the broker of this run. What they
// name but do not have (a price service, a database) is put in their way; their brokers are replaced.
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { lastValueFrom } from 'rxjs';
import { settle, tap } from '../../src/operators/index.ts';
import { fromIterable, Kafka, sluice, text, type ProducerRecord } from '../../src/index.ts';
import { createBroker, type BrokerBox } from '../../src/testing/index.ts';
import { brokers as realBrokers } from '../helpers/brokers.ts';

const root = path.resolve(__dirname, '../..');
const programs = path.join(root, 'test/api/programs');

/** What the programs expect around them. */
const prelude = `
globalThis.fetch = async () => ({ ok: true, json: async () => ({ p: 42 }) });
globalThis.db = {
  upsert: async (rows) => { for (const row of rows) console.log('upsert', row.id); },
  delete: async (ids) => { for (const id of ids) console.log('delete', id); },
};
`;

const readers = ['orders', 'refunds', 'users', 'lines', 'access-log'];
const writers = [
  'priced',
  'orders.dead',
  'ledger',
  'sums',
  'orders.all',
  'orders.big',
  'words',
  'hits',
  'hits.late',
];

/** A machine that is busy with other tests may take its time to start a program. */
const PATIENCE_MS = 50_000;
const running: ChildProcess[] = [];

afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL');
});

function start(
  program: string,
  brokers: readonly string[],
  appendix = '',
): { output: () => string; stop: () => Promise<number | null> } {
  const dir = path.join(root, '.cache/programs');
  mkdirSync(dir, { recursive: true });
  const surface = ['sluice', 'sluice/operators', 'sluice/testing']
    .map((entry) => `export * from '${entry}';`)
    .join('\n');
  writeFileSync(path.join(dir, 'surface.ts'), surface);
  writeFileSync(path.join(dir, 'prelude.mjs'), prelude);
  const name = `${path.basename(program, '.ts')}-${Date.now().toString(36)}${Math.random().toString(36).slice(2, 6)}.ts`;
  const list = JSON.stringify(brokers);
  const source = readFileSync(path.join(programs, program), 'utf8')
    .replaceAll("'../surface.ts'", "'./surface.ts'")
    .replace(/brokers: \[[^\]]*\]/g, `brokers: ${list}`);
  writeFileSync(
    path.join(dir, name),
    `${source}\n${appendix.replaceAll('KAFKA', `new Kafka({ brokers: ${list} })`)}`,
  );
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', '--import', './.cache/programs/prelude.mjs', path.join('.cache/programs', name)],
    {
      cwd: root,
      env: { ...process.env, TSX_TSCONFIG_PATH: 'test/api/tsconfig.json' },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  running.push(child);
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  return {
    output: () => output,
    stop: () => {
      child.kill('SIGTERM');
      return exited;
    },
  };
}

const json = (key: string, value: object | null, timestamp?: number): ProducerRecord => ({
  key,
  value: value === null ? null : JSON.stringify(value),
  timestamp,
});

describe.each([
  ['on the box', false],
  ['on the broker of this run', true],
])('the programs of users, %s', (_where, onReal) => {
  const here = onReal && realBrokers === undefined ? it.skip : it;
  let box: BrokerBox | undefined;
  let brokers: readonly string[] = [];
  let kafka: Kafka;

  beforeAll(async () => {
    if (onReal && realBrokers === undefined) return;
    if (!onReal) box = await createBroker({ brokers: 1 });
    brokers = box?.bootstrap ?? realBrokers!;
    kafka = new Kafka({ brokers });
    await kafka.admin().createTopics([...readers, ...writers].map((name) => ({ name, partitions: 2 })));
    const orders = Array.from({ length: 100 }, (_, n) =>
      json(`o${n}`, { id: `o${n}`, total: n * 20, at: '2026-01-15T00:00:00Z' }, Date.parse('2026-01-15')),
    );
    const refunds = Array.from({ length: 10 }, (_, n) => json(`r${n}`, { orderId: `o${n}`, amount: n }));
    const users = Array.from({ length: 50 }, (_, n) =>
      json(`u${n}`, n % 5 === 0 ? null : { id: `u${n}`, name: 'n' }),
    );
    const hits = Array.from({ length: 300 }, (_, n) => ({
      partition: 0,
      value: `${n % 2 === 0 ? 200 : 404} /`,
      timestamp: Date.now() - 600_000 + n * 1_000,
    }));
    const { toTopic } = sluice(kafka);
    for (const [topic, records] of Object.entries({ orders, refunds, users, 'access-log': hits })) {
      await lastValueFrom(
        fromIterable<ProducerRecord>(records).pipe(
          toTopic(topic, (record) => record),
          settle(),
        ),
      );
    }
  });

  afterAll(async () => {
    if (brokers.length === 0) return;
    await kafka.admin().deleteTopics([...readers, ...writers]);
    await kafka.close();
    await box?.close();
  });

  async function values(topic: string): Promise<string[]> {
    const found: string[] = [];
    await lastValueFrom(
      sluice(kafka)
        .fromPartitions({ topic, value: text(), from: 'earliest', until: 'end' })
        .pipe(
          tap((record) => found.push(record.value)),
          settle(),
        ),
      { defaultValue: undefined },
    );
    return found;
  }

  async function until(
    what: () => Promise<boolean> | boolean,
    program: { output: () => string },
  ): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS;
    while (!(await what())) {
      if (Date.now() > deadline)
        throw new Error(`waited ${String(PATIENCE_MS / 1000)} s; the program said: ${program.output()}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  const reaches = async (
    program: ReturnType<typeof start>,
    topic: string,
    count: number,
  ): Promise<string[]> => {
    await until(async () => (await values(topic)).length >= count, program);
    const code = await program.stop();
    if (code !== 0) throw new Error(`exit code ${code}: ${program.output()}`);
    return values(topic);
  };

  here('01 sends the lines of a file and counts words in windows', async () => {
    const lines = readFileSync(path.join(root, 'LICENSE'), 'utf8').replace(/\n$/, '').split('\n');
    const program = start('01-word-count.ts', brokers);
    await until(async () => (await values('lines')).length === lines.length, program);
    // The program may have written its lines before it has joined its group.
    const committed = async (): Promise<boolean> => {
      const groups = await kafka.admin().listGroups();
      return groups.some(({ groupId, state }) => groupId === 'word-count' && state === 'Stable');
    };
    await until(committed, program);
    expect(await program.stop()).toBe(0);
    expect((await values('lines')).sort()).toEqual([...lines].sort());
  });

  here('02 prices orders above zero', async () => {
    const priced = await reaches(start('02-enrich.ts', brokers), 'priced', 99);
    expect(priced).toHaveLength(99);
    expect(JSON.parse(priced[0]!)).toMatchObject({ price: 42 });
  });

  here('03 writes users to a database, deletes tombstones', async () => {
    const program = start(
      '03-batch-db.ts',
      brokers,
      `import { Kafka } from './surface.ts';\nawait toDatabase.run(KAFKA);`,
    );
    await until(
      () =>
        program
          .output()
          .split('\n')
          .filter((line) => /^(upsert|delete) /.test(line)).length >= 50,
      program,
    );
    expect(await program.stop()).toBe(0);
    expect(program.output().match(/^delete /gm)).toHaveLength(10);
  });

  here('04 merges topics of one group, and two groups', async () => {
    const ledger = start(
      '04-merge.ts',
      brokers,
      `import { Kafka } from './surface.ts';\nawait ledger.run(KAFKA);`,
    );
    expect(await reaches(ledger, 'ledger', 110)).toHaveLength(110);
    const two = start('04-merge.ts', brokers, `import { Kafka } from './surface.ts';\nawait two.run(KAFKA);`);
    expect(await reaches(two, 'sums', 110)).toHaveLength(110);
  });

  here('05 sends every order one way and big ones another', async () => {
    const program = start(
      '05-fanout.ts',
      brokers,
      `import { Kafka } from './surface.ts';\nawait split.run(KAFKA);`,
    );
    await until(async () => (await values('orders.big')).length >= 49, program);
    expect(await reaches(program, 'orders.all', 100)).toHaveLength(100);
    expect(await values('orders.big')).toHaveLength(49);
  });

  here('06 counts hits per minute and status', async () => {
    const program = start(
      '06-windows.ts',
      brokers,
      `import { Kafka } from './surface.ts';\nawait hits.run(KAFKA);`,
    );
    const rows = await reaches(program, 'hits', 6);
    const counted = rows.map((row) => Number(row.split(' ')[1]));
    expect(Math.max(...counted)).toBe(30);
  });

  here('07 adds up what was ordered in January', async () => {
    const program = start('07-replay.ts', brokers, 'console.log("total", total);');
    await until(() => program.output().includes('total'), program);
    expect(program.output()).toContain(`total ${(99 * 100 * 20) / 2}`);
    await program.stop();
  });

  it('08 tests its pipeline with marbles', async () => {
    const program = start('08-test.ts', ['127.0.0.1:1'], 'console.log("passed");');
    await until(() => program.output().includes('passed'), program);
    await program.stop();
  });
});
