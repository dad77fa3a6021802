// `sluice redrive`, in this process: what goes where, what is committed, and how it ends. On the box, or on the broker of the run.
import { Writable } from 'node:stream';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { systemClock } from '../../src/core/clock.ts';
import { Kafka } from '../../src/core/index.ts';
import { redrive } from '../../src/cli/redrive.ts';
import { EventWriter } from '../../src/cli/event-writer.ts';
import { failureHeaders, type FailureHeaders } from '../../src/flow/failure-headers.ts';
import type { BrokerBox } from '../../src/testing/broker/broker-box.ts';
import { createBroker } from '../../src/testing/broker/create-broker.ts';
import { rejection } from '../helpers/rejection.ts';

interface Event {
  readonly name: string;
  readonly [field: string]: unknown;
}

let box: BrokerBox;
let kafka: Kafka;
let dead = '';
let orders = '';
let topics = 0;

beforeAll(async () => {
  box = await createBroker({ autoCreateTopics: false });
  kafka = new Kafka({ brokers: box.bootstrap });
});

beforeEach(async () => {
  dead = `dead-${++topics}`;
  orders = `orders-${topics}`;
  await kafka.admin().createTopics([
    { name: dead, partitions: 2 },
    { name: orders, partitions: 3 },
  ]);
});

afterAll(async () => {
  await kafka.close();
  await box.close();
});

interface LetterFields {
  readonly partition?: number;
  readonly origin?: number;
  readonly failedAt?: number;
  readonly family?: FailureHeaders;
  readonly headers?: readonly (readonly [string, string])[];
}

/** Dead letters, as a policy writes them; the value is what they are told apart by. */
async function bury(values: readonly string[], fields: LetterFields = {}): Promise<void> {
  const {
    partition = 0,
    origin = 1,
    failedAt = 1_700_000_000_000,
    family = 'streams',
    headers = [],
  } = fields;
  const producer = kafka.producer();
  for (const [at, value] of values.entries())
    await producer.sendAsync(dead, {
      key: 'k',
      value,
      partition,
      timestamp: 1_600_000_000_000,
      headers: [
        ['own', 'header'],
        ...headers,
        ...failureHeaders(
          {
            topic: orders,
            partition: origin,
            offset: at,
            cause: { name: 'Error', message: 'no', stack: '' },
            stage: 'work',
            attempts: 1,
            retries: 0,
            firstFailedAt: undefined,
            failedAt,
            dueAt: undefined,
          },
          family,
          false,
        ),
      ],
    });
  await producer.close();
}

async function run(
  ...args: string[]
): Promise<{ code: number; events: Event[]; notes: string[]; summary: Event }> {
  return runUntil(new AbortController().signal, ...args);
}

async function runUntil(
  stop: AbortSignal,
  ...args: string[]
): Promise<{ code: number; events: Event[]; notes: string[]; summary: Event }> {
  let text = '';
  const out = new Writable({
    write(chunk: Buffer, _, done) {
      text += chunk.toString();
      done();
    },
  });
  const events = new EventWriter(out, systemClock);
  const notes: string[] = [];
  const code = await redrive.run(['--brokers', box.bootstrap.join(','), '--from', dead, ...args], {
    clock: systemClock,
    events,
    note: (line) => void notes.push(line),
    stop,
  });
  await events.flushed();
  const all = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Event);
  return { code, events: all, notes, summary: all.at(-1)! };
}

async function valuesIn(topic: string, partitions: number): Promise<string[]> {
  const all = await Promise.all(Array.from({ length: partitions }, (_, at) => box.records(topic, at)));
  return all.flat().map(({ value }) => value!.toString());
}

const committed = (partition = 0, group = `sluice-redrive-${dead}`): number =>
  box.committed(group, dead, partition)?.offset ?? 0;

describe('sluice redrive', () => {
  it.each<FailureHeaders>(['streams', 'connect', 'spring'])(
    'writes letters with the headers of %s back to topic and partition, as they were, and commits',
    async (family) => {
      await bury(['a', 'b'], { family });
      await bury(['c'], { family, partition: 1, origin: 2 });
      const { code, events, summary } = await run();
      expect(code).toBe(0);
      expect(summary).toMatchObject({ name: 'summary', redriven: 3, skipped: 0 });
      expect(events.filter(({ name }) => name === 'redriven')).toHaveLength(3);
      expect(events[0]).toMatchObject({ from: { topic: dead }, to: { topic: orders } });
      const back = await box.records(orders, 1);
      expect(back.map(({ value }) => value!.toString())).toEqual(['a', 'b']);
      expect(back[0]).toMatchObject({
        timestamp: 1_600_000_000_000,
        headers: [['own', Buffer.from('header')]],
      });
      expect(await valuesIn(orders, 3)).toEqual(['a', 'b', 'c']);
      expect([committed(0), committed(1)]).toEqual([2, 1]);
    },
  );

  it('goes on where the last run ended', async () => {
    await bury(['a', 'b', 'c', 'd']);
    expect((await run('--max', '3')).summary).toMatchObject({ redriven: 3 });
    expect(committed()).toBe(3);
    expect((await run()).summary).toMatchObject({ redriven: 1 });
    expect((await run()).summary).toMatchObject({ redriven: 0 });
    expect(await valuesIn(orders, 3)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('writes to another topic, in the name of another group, with its headers', async () => {
    await bury(['a']);
    const { code } = await run('--to', orders, '--group', `mine-${dead}`, '--keep-headers');
    expect([code, committed(0, `mine-${dead}`), committed()]).toEqual([0, 1, 0]);
    const [record] = (await Promise.all([0, 1, 2].map((at) => box.records(orders, at)))).flat();
    expect(record!.headers.map(([name]) => name)).toContain('__streams.errors.topic');
  });

  it('passes over what was not asked for', async () => {
    await bury(['old'], { failedAt: 1_000 });
    await bury(['new', 'newer'], { headers: [['tenant', 'a']] });
    await bury(['other'], { headers: [['tenant', 'b']] });
    const { summary } = await run(
      '--since',
      '2020-01-01',
      '--filter-header',
      'tenant=a',
      '--filter-header',
      'own',
    );
    expect(summary).toMatchObject({ redriven: 2, skipped: 2 });
    expect(await valuesIn(orders, 3)).toEqual(['new', 'newer']);
    expect(committed()).toBe(4);
    expect(await valuesIn(dead, 1)).toHaveLength(4);
  });

  it('writes nothing and commits nothing in a dry run', async () => {
    await bury(['a', 'b', 'c']);
    await run('--max', '1');
    const { code, events, summary } = await run('--dry-run');
    expect(code).toBe(0);
    expect(events.filter(({ name }) => name === 'would_redrive')).toMatchObject([
      { from: { topic: dead, partition: 0, offset: 1 }, to: { topic: orders, partition: 1 } },
      { from: { topic: dead, partition: 0, offset: 2 }, to: { topic: orders, partition: 1 } },
    ]);
    expect(summary).toMatchObject({ redriven: 0, wouldRedrive: 2 });
    expect([committed(), await valuesIn(orders, 3)]).toEqual([1, ['a']]);
  });

  it('keeps to a rate', async () => {
    await bury(['a', 'b', 'c', 'd', 'e']);
    const startedAt = systemClock.now();
    expect((await run('--rate', '20')).summary).toMatchObject({ redriven: 5 });
    // Five at twenty a second: the last one is due after 200 ms.
    expect(systemClock.now() - startedAt).toBeGreaterThan(199);
  });

  it('stops at a record that does not say where it is from, and commits nothing beyond it', async () => {
    await bury(['a']);
    const producer = kafka.producer();
    await producer.sendAsync(dead, { value: 'stray', partition: 0 });
    await producer.close();
    await bury(['b']);
    const { code, events, notes } = await run();
    expect(code).toBe(2);
    expect(events.some(({ name }) => name === 'redrive_failed')).toBe(true);
    expect(notes.join()).toContain(`${dead}-0 offset 1 has no header that says where it is from; say --to`);
    expect(committed()).toBe(1);
    expect((await run('--to', orders)).summary).toMatchObject({ redriven: 2 });
    expect((await valuesIn(orders, 3)).sort()).toEqual(['a', 'b', 'stray']);
  });

  it('commits nothing that is not acknowledged: a topic that refuses it', async () => {
    await bury(['a']);
    await kafka
      .admin()
      .alterConfigs([
        { type: 'TOPIC', name: orders, configEntries: [{ name: 'max.message.bytes', value: '1' }] },
      ]);
    const { code } = await run();
    expect([code, committed()]).toEqual([2, 0]);
  });

  it('ends in order when it is stopped', async () => {
    const total = 1_500;
    await bury(Array.from({ length: total }, (_, at) => String(at)));
    const stop = new AbortController();
    const running = runUntil(stop.signal, '--rate', '50');
    while ((await valuesIn(orders, 3)).length < 3) await new Promise((resolve) => setImmediate(resolve));
    stop.abort();
    const { code, summary } = await running;
    expect(code).toBe(0);
    const written = (await valuesIn(orders, 3)).length;
    expect(written).toBeLessThan(total);
    expect([summary['redriven'], committed()]).toEqual([written, written]);
  });

  it('shares the work with another of its group, each record once', async () => {
    await bury(Array.from({ length: 50 }, (_, at) => `a${at}`));
    await bury(
      Array.from({ length: 50 }, (_, at) => `b${at}`),
      { partition: 1 },
    );
    const both = await Promise.all([run(), run()]);
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    expect(new Set(await valuesIn(orders, 3)).size).toBe(100);
    expect([committed(0), committed(1)]).toEqual([50, 50]);
  });

  it('refuses what cannot be', async () => {
    for (const [args, message] of [
      [['--to', dead], 'is what is read'],
      [['--since', 'yesterday'], '--since must be a time'],
      [['--filter-header', '=x'], "--filter-header must be a header's name"],
      [['--max', '0'], '--max must be a whole number'],
    ] as const)
      expect(await rejection(run(...args))).toMatchObject({
        code: 'USAGE',
        message: expect.stringContaining(message) as unknown,
      });
  });
});
