// The transactional copier against the broker in the box.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { EventWriter } from '../../src/cli/event-writer.ts';
import { transactionalCopier } from '../../src/cli/transactional-copier.ts';
import { systemClock } from '../../src/core/clock.ts';
import { Kafka } from '../../src/core/index.ts';
import { KafkaError } from '../../src/errors.ts';
import type { BrokerBox } from '../../src/testing/broker/broker-box.ts';
import { createBroker } from '../../src/testing/broker/create-broker.ts';
import { fault } from '../../src/testing/broker/faults/fault.ts';
import { until } from '../helpers/until.ts';
import { numbered, readAll, type Logged } from '../rows/support/producing.ts';
import { Reader } from './support/reader.ts';

interface Line {
  readonly transactionalId: string;
  readonly stage: string;
  readonly time: string;
  readonly totalProcessed: number;
  readonly consumed: number;
  readonly remaining: number;
}

/** A copier in this process. */
class Copier {
  readonly reader = new Reader();
  readonly notes: string[] = [];
  readonly done: Promise<number | KafkaError>;
  private readonly stopping = new AbortController();

  constructor(options: Readonly<Record<string, string | true>>) {
    const args = Object.entries(options).flatMap(([name, value]) =>
      value === true ? [`--${name}`] : [`--${name}`, value],
    );
    const events = new EventWriter(this.reader, systemClock);
    const surroundings = {
      clock: systemClock,
      events,
      note: (line: string) => void this.notes.push(line),
      stop: this.stopping.signal,
    };
    this.done = transactionalCopier
      .run(args, surroundings)
      .catch((error: unknown) => {
        if (error instanceof KafkaError) return error;
        throw error;
      })
      .finally(() => events.flushed());
  }

  get lines(): Line[] {
    return this.reader.lines.map((line) => JSON.parse(line) as Line);
  }

  stop(): Promise<number | KafkaError> {
    this.stopping.abort('SIGTERM');
    return this.done;
  }
}

let box: BrokerBox;
let kafka: Kafka;
const running: Copier[] = [];
let names = 0;
/** A file of settings with which a rebalance takes no seconds. */
let quick: string;
let dir: string;

beforeAll(async () => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'sluice-copier-'));
  quick = path.join(dir, 'quick.properties');
  writeFileSync(quick, 'heartbeat.interval.ms=100\nmax.poll.interval.ms=170000\n');
  box = await createBroker({ autoCreateTopics: false });
  kafka = new Kafka({ brokers: box.bootstrap });
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((copier) => copier.stop()));
  box.clearFaults();
});
afterAll(async () => {
  rmSync(dir, { recursive: true });
  await kafka.close();
  await box.close();
  expect(box.internalErrors).toEqual([]);
});

interface Scene {
  readonly input: string;
  readonly output: string;
  readonly group: string;
  readonly values: readonly string[];
  start(options?: Readonly<Record<string, string | true>>): Copier;
  copied(): Promise<Logged[]>;
}

async function scene(count: number, partitions = 1): Promise<Scene> {
  names += 1;
  const [input, output, group] = [`in-${names}`, `out-${names}`, `group-${names}`];
  box.createTopic(input, partitions);
  box.createTopic(output, partitions);
  const producer = kafka.producer();
  const values = numbered(count);
  await Promise.all(
    values.map((value, at) =>
      producer.sendAsync(input, { key: `k${value}`, value, partition: at % partitions }),
    ),
  );
  await producer.close();
  return {
    ...{ input, output, group, values },
    start(options = {}) {
      const copier = new Copier({
        'broker-list': box.bootstrap.join(','),
        'input-topic': input,
        'input-partition': '0',
        'output-topic': output,
        'transactional-id': `id-${input}`,
        'consumer-group': group,
        'transaction-size': '50',
        ...options,
      });
      running.push(copier);
      return copier;
    },
    copied: () => readAll(kafka, output, 'read_committed'),
  };
}

const byValue = (records: readonly Logged[]): (string | null)[] =>
  records.map(({ value }) => value).sort((a, b) => Number(a) - Number(b));

describe('sluice transactional-copier', () => {
  it("copies a partition with its keys in transactions, and says so in Kafka's words", async () => {
    const { start, copied, values, input, group } = await scene(500);
    const copier = start();
    expect(await copier.done).toBe(0);
    const records = await copied();
    expect(records.map(({ key, value }) => [key, value])).toEqual(
      values.map((value) => [`k${value}`, value]),
    );
    expect(box.committed(group, input, 0)?.offset).toBe(500);
    const { lines } = copier;
    expect(Object.keys(lines[0]!)).toEqual([
      ...['transactionalId', 'stage', 'time', 'totalProcessed', 'consumed', 'remaining'],
    ]);
    expect(lines[0]!.time).toMatch(/^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d:\d{3}$/);
    expect(
      lines.map(({ stage, totalProcessed, consumed, remaining }) => [
        stage,
        totalProcessed,
        consumed,
        remaining,
      ]),
    ).toEqual([
      ...Array.from({ length: 10 }, (_, n) => ['ProcessLoop', 50 * n, 50 * n, 500 - 50 * n]),
      ['ShutdownComplete', 500, 500, 0],
    ]);
    expect(copier.notes).toEqual([]);
    expect(await start().done).toBe(0);
    expect(await copied()).toHaveLength(500);
  });

  it('copies about --max-messages, and goes on there the next time', async () => {
    const { start, copied, input, group } = await scene(120);
    expect(await start({ 'max-messages': '60' }).done).toBe(0);
    expect(await copied()).toHaveLength(100);
    expect(box.committed(group, input, 0)?.offset).toBe(100);
    const rest = start();
    expect(await rest.done).toBe(0);
    expect(rest.lines[0]).toMatchObject({ remaining: 20, totalProcessed: 0 });
    expect(await copied()).toHaveLength(120);
  });

  it('with aborts by chance copies each message once, in order', async () => {
    const { start, copied, values } = await scene(600);
    const copier = start({ 'enable-random-aborts': true, 'transaction-size': '20' });
    expect(await copier.done).toBe(0);
    expect((await copied()).map(({ value }) => value)).toEqual(values);
  });

  it.each(['TRANSACTION_ABORTABLE', 'COORDINATOR_NOT_AVAILABLE', 'UNKNOWN_PRODUCER_ID'] as const)(
    'goes on after %s at a commit',
    async (name) => {
      const { start, copied, values } = await scene(300);
      box.fault({ match: { api: 'EndTxn', nth: 2 }, do: fault.error(name) });
      expect(await start().done).toBe(0);
      expect((await copied()).map(({ value }) => value)).toEqual(values);
    },
  );

  it.each([[{}], [{ 'use-group-metadata': true }]] as const)(
    'in group mode shares the topic, and what one gives up the other copies: %j',
    async (options) => {
      const { start, copied, values, input, group } = await scene(1_000, 4);
      const own = { 'transaction-size': '5', 'command-config': quick };
      const mode = { 'group-mode': true, ...own, ...options } as const;
      const first = start(mode);
      await until('the first copies', () => (first.lines.at(-1)?.totalProcessed ?? 0) > 50);
      const second = start({ ...mode, 'transactional-id': `other-${input}` });
      await until('both copy', () => (second.lines.at(-1)?.totalProcessed ?? 0) > 0);
      expect(await first.stop()).toBe(0);
      expect(await second.done).toBe(0);
      // It may have been through with its own part before it was given the other.
      expect(await start(mode).done).toBe(0);
      const records = await copied();
      expect(byValue(records)).toEqual(values);
      for (const partition of [0, 1, 2, 3]) {
        expect(
          records.filter((one) => one.partition === partition).map(({ value }) => Number(value)),
        ).toEqual(Array.from({ length: 250 }, (_, n) => 4 * n + partition));
        expect(box.committed(group, input, partition)?.offset).toBe(250);
      }
      const stages = first.lines.map(({ stage }) => stage);
      const joined = stages.indexOf('RebalanceComplete');
      expect(new Set(stages.slice(0, joined))).toEqual(new Set(['ProcessLoop']));
      expect(first.reader.lines[0]).toContain('"remaining":9223372036854775807}');
      expect(first.lines[joined]).toMatchObject({ consumed: 0, remaining: 1_000 });
      expect(stages.filter((stage) => stage === 'RebalanceComplete').length).toBeGreaterThanOrEqual(2);
      expect(second.lines.at(-1)).toMatchObject({ stage: 'ShutdownComplete', remaining: 0 });
    },
  );

  it('in group mode copies each message once with aborts by chance', async () => {
    const { start, copied, values } = await scene(600, 3);
    const copier = start({ 'group-mode': true, 'enable-random-aborts': true, 'transaction-size': '20' });
    expect(await copier.done).toBe(0);
    expect(byValue(await copied())).toEqual(values);
  });

  it('is shut out by a later one of its transactional id', async () => {
    const { start, copied } = await scene(400);
    const hold = box.fault({ match: { api: 'EndTxn' }, do: fault.delay(300), count: 1 });
    const first = start();
    await until('it commits', () => hold.hits > 0);
    const second = start();
    const failure = await first.done;
    expect(failure).toMatchObject({
      name: 'TransactionFatalError',
      errorName: expect.stringMatching(/FENCED|EPOCH/),
    });
    expect(first.lines.at(-1)!.stage).toBe('ShutdownComplete');
    expect(await second.done).toBe(0);
    const records = await copied();
    expect(new Set(records.map(({ value }) => value)).size).toBe(records.length);
    expect(records).toHaveLength(400);
  });
});
