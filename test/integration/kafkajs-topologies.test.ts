// Topologies over kafkajs on a real broker: the move of docs/migrating-from-kafkajs.md, and members that come, go and are killed.
import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Names } from '../../examples/migrating/orders.ts';
import { lastValueFrom, toArray } from 'rxjs';
import { mapAsync, nullable, settle, sluice, text, topology } from '../../src/index.ts';
import { kafkajs } from '../../src/kafkajs/index.ts';
import { expected, orders, priceService, startStep, type Step } from '../helpers/interop/migrating.ts';
import { targets, type Target } from '../helpers/interop/targets.ts';
import { until } from '../helpers/until.ts';
import { cuttable, kafkajsOf } from '../kafkajs/support.ts';

interface Found {
  readonly partition: number;
  readonly key: string | null;
  readonly value: string | null;
}

// On the real one where there is one: the box has its own tests of it.
describe.each(targets.slice(0, 1))('kafkajs under topologies, on %s', (_name, start) => {
  let target: Target;
  beforeAll(async () => {
    target = await start();
  });
  afterAll(() => target.close());

  const read = (topic: string): Promise<Found[]> =>
    lastValueFrom(
      sluice(target.kafka)
        .fromPartitions({
          topic,
          key: nullable(text()),
          value: nullable(text()),
          from: 'earliest',
          to: 'latest',
        })
        .pipe(settle())
        .pipe(toArray()),
    );

  async function write(topic: string, messages: readonly { key: string; value: string }[]): Promise<void> {
    const producer = kafkajsOf(target.bootstrap.split(',')).producer();
    await producer.connect();
    await producer.send({ topic, messages: [...messages] });
    await producer.disconnect();
  }

  async function names(base: string): Promise<Names> {
    const [orderTopic, priced, dead] = await Promise.all([
      target.topic(`${base}-orders`, 3),
      target.topic(`${base}-priced`, 3),
      target.topic(`${base}-dead`, 3),
    ]);
    return { group: target.group(base), orders: orderTopic, priced, dead };
  }

  const existing = () => kafkajsOf(target.bootstrap.split(','));

  /** Runs one step until everything written is done with. */
  async function run(step: Step, of: Names, total: { priced: number; dead: number }): Promise<void> {
    const stop = await startStep(step, existing(), target.bootstrap, of, priceService());
    const admin = existing().admin();
    await admin.connect();
    const ends = async (topic: string): Promise<number> => {
      const offsets = await admin.fetchTopicOffsets(topic);
      return offsets.reduce((sum, { high }) => sum + Number(high), 0);
    };
    await until(
      `step ${step} is done`,
      async () => (await ends(of.priced)) >= total.priced && (await ends(of.dead)) >= total.dead,
    );
    await admin.disconnect();
    await stop();
  }

  it('before, over the existing client and over ours: the same results in the same partitions', async () => {
    const list = orders(300);
    const total = expected(list);
    const results: { priced: string[]; dead: string[] }[] = [];
    for (const step of [0, 1, 2] as const) {
      const of = await names(`step-${step}`);
      await write(of.orders, list);
      await run(step, of, total);
      const lines = (found: readonly Found[]): string[] =>
        found.map(({ partition, key, value }) => `${partition} ${key} ${value}`).sort();
      const found = { priced: lines(await read(of.priced)), dead: lines(await read(of.dead)) };
      expect(found.priced).toHaveLength(total.priced);
      results.push(found);
    }
    expect(results[1]).toEqual(results[0]);
    expect(results[2]).toEqual(results[0]);
  });

  it('the group goes on where the program before it stopped', async () => {
    const of = await names('moving');
    const total = { priced: 0, dead: 0 };
    for (const step of [0, 1, 2] as const) {
      const list = orders(100, step * 100);
      const more = expected(list);
      total.priced += more.priced;
      total.dead += more.dead;
      await write(of.orders, list);
      await run(step, of, total);
    }
    const priced = (await read(of.priced)).map(({ key }) => key);
    expect(priced).toHaveLength(total.priced);
    expect(new Set(priced).size).toBe(total.priced);
    expect(await read(of.dead)).toHaveLength(total.dead);
  });

  it('two members, one of them killed in the middle: nothing is lost', async () => {
    const total = 400;
    const [from, to] = [await target.topic('killed-in', 4), await target.topic('killed-out', 1)];
    const groupId = target.group('killed');
    const seen = new Set<string>();
    const copying = topology('copying', ({ fromGroup, toTopic }) =>
      fromGroup({
        groupId,
        topics: [from],
        value: text(),
        credit: { records: 20 },
        sessionTimeoutMs: 6_000,
        heartbeatIntervalMs: 200,
        commitIntervalMs: 200,
      }).pipe(
        mapAsync(
          async ({ value }) => {
            await new Promise((resolve) => setTimeout(resolve, 5));
            seen.add(value);
            return value;
          },
          { concurrency: 4, order: 'input' },
        ),
        toTopic(to, (value) => ({ value })),
      ),
    );
    await write(
      from,
      Array.from({ length: total }, (_, at) => ({ key: `${at}`, value: `${at}` })),
    );
    const dying = cuttable(target.bootstrap.split(','));
    const killed = copying.start(kafkajs(dying.client), { drainTimeoutMs: 500 });
    await until('one works', () => seen.size > 50);
    const other = copying.start(kafkajs(existing()));
    await other.ready;
    await until('both work', () => seen.size > 100);
    dying.kill();
    const dead = killed.abort().catch(() => undefined);
    await until('all is seen', () => seen.size === total);
    expect(await other.drain()).toMatchObject({ unsettled: 0 });
    await dead;
    await dying.ended();
    expect(new Set((await read(to)).map(({ value }) => value))).toEqual(
      new Set(Array.from({ length: total }, (_, at) => `${at}`)),
    );
  });

  it('examples/01-word-count.ts runs over kafkajs as it is', async () => {
    const root = path.resolve(__dirname, '../..');
    const dir = path.join(root, '.cache/kafkajs-example');
    const texts = path.join(dir, 'node_modules/some');
    rmSync(dir, { recursive: true, force: true });
    mkdirSync(texts, { recursive: true });
    for (const file of ['README.md', 'LICENSE']) copyFileSync(path.join(root, file), path.join(texts, file));
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--import', pathToFileURL(require.resolve('tsx')).href, path.join(root, 'examples/01-word-count.ts')],
      {
        cwd: dir,
        env: {
          ...process.env,
          KAFKA_BROKERS: target.bootstrap,
          SLUICE_CLIENT: 'kafkajs',
          TSX_TSCONFIG_PATH: path.join(root, 'tsconfig.json'),
        },
      },
    );
    expect(stdout).toMatch(/the same as a plain count/);
    expect(stdout).toMatch(/lag 0$/m);
  });
});
