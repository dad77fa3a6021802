// Rows P-01 to P-05: a producer to write to without waiting.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { lastValueFrom, take, toArray } from 'rxjs';
import {
  asyncProducer,
  UsageError,
  type Message,
  type Produced,
  type ProduceFailure,
} from '../../src/index.ts';
import { brokers, testKafka, uniqueName } from '../helpers/brokers.ts';
import { numbered, readAll } from './support/producing.ts';
import { createTopic } from './support/reading.ts';

interface Tagged extends Message<string, string> {
  readonly metadata: object;
}

(brokers === undefined ? describe.skip : describe)('an async producer', () => {
  const kafka = testKafka();
  const topics: string[] = [];
  const newTopic = async (partitions = 1, configs = {}): Promise<string> => {
    const topic = await createTopic(kafka, uniqueName('p01'), partitions, configs);
    topics.push(topic);
    return topic;
  };
  afterAll(async () => {
    await kafka.admin().deleteTopics(topics);
    await kafka.close();
  });

  it('P-01: answers each of 100,000 messages once, with the very object that was written', async () => {
    const topic = await newTopic(3);
    const producer = asyncProducer<string, string, Tagged>(kafka, { topic });
    const results = new Map<object, number>();
    let sameObject = 0;
    const written = new Set<Tagged>();
    producer.successes.subscribe(({ message }) => {
      if (written.has(message)) sameObject += 1;
      results.set(message.metadata, (results.get(message.metadata) ?? 0) + 1);
    });
    producer.errors.subscribe(({ message }) => results.set(message.metadata, -1));
    for (let at = 0; at < 100_000; at += 1) {
      const message = { value: `v${at}`, metadata: { at } };
      written.add(message);
      if (!producer.write(message)) await producer.ready();
    }
    const counts = await producer.close();
    expect(counts).toEqual({ written: 100_000, succeeded: 100_000, failed: 0 });
    expect(sameObject).toBe(100_000);
    expect(results.size).toBe(100_000);
    expect(new Set(results.values())).toEqual(new Set([1]));
    expect(new Set((await readAll(kafka, topic)).map(({ value }) => value)).size).toBe(100_000);
  });

  it.each([
    [false, false],
    [false, true],
    [true, false],
    [true, true],
  ])(
    'P-02: successes wanted %s, errors wanted %s: what nobody wants is counted, and the end comes',
    async (s, e) => {
      const topic = await newTopic();
      const producer = asyncProducer(kafka, { topic, producer: { maxRecordBytes: 1_000 } });
      const successes: Produced<Message>[] = [];
      const errors: ProduceFailure<Message>[] = [];
      if (s) producer.successes.subscribe((one) => successes.push(one));
      if (e) producer.errors.subscribe((one) => errors.push(one));
      for (let at = 0; at < 20; at += 1) producer.write({ value: at % 4 === 0 ? 'x'.repeat(2_000) : 'fits' });
      expect(await producer.close()).toEqual({ written: 20, succeeded: 15, failed: 5 });
      expect(successes).toHaveLength(s ? 15 : 0);
      expect(errors).toHaveLength(e ? 5 : 0);
      if (e) expect(errors[0]!.error).toMatchObject({ errorName: 'MESSAGE_TOO_LARGE' });
    },
  );

  it('P-03: a reader that stops holds writing back within a bound, and loses nothing', async () => {
    const topic = await newTopic();
    const producer = asyncProducer<string, string>(kafka, { topic, maxPending: 500 });
    const reader = producer.successes[Symbol.asyncIterator]();
    let written = 0;
    while (producer.write({ value: `v${written++}` }));
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(producer.hasRoom()).toBe(false);
    expect(producer.successes.unread).toBeLessThanOrEqual(500);
    expect(written).toBeLessThanOrEqual(500);
    const read: (string | null)[] = [];
    const takeOne = async (): Promise<void> => {
      const { value } = await reader.next();
      if (value !== undefined) read.push(String(value.message.value));
    };
    while (written < 2_000) {
      if (producer.hasRoom()) producer.write({ value: `v${written++}` });
      else await takeOne();
    }
    const closed = producer.close();
    while (read.length < 2_000) await takeOne();
    expect((await closed).succeeded).toBe(2_000);
    expect(read).toEqual(numbered(2_000, 'v'));
    expect(await reader.next()).toEqual({ value: undefined, done: true });
  });

  it('P-04: close drains 10,000 buffered messages, closes once, and takes no more', async () => {
    const topic = await newTopic();
    const producer = asyncProducer(kafka, { topic, producer: { lingerMs: 60_000 } });
    for (let at = 0; at < 10_000; at += 1) producer.write({ value: `v${at}` });
    const completed = lastValueFrom(producer.successes.pipe(toArray()));
    producer.closeSoon();
    expect(() => producer.write({ value: 'late' })).toThrow(UsageError);
    const [first, second] = [producer.close(), producer.close()];
    expect(await first).toEqual({ written: 10_000, succeeded: 10_000, failed: 0 });
    expect(await second).toEqual(await first);
    await completed;
    expect((await readAll(kafka, topic)).map(({ value }) => value)).toEqual(numbered(10_000, 'v'));
  });

  it('P-04: an Observer with a policy for what comes while there is no room', async () => {
    const topic = await newTopic();
    const producer = asyncProducer<string, string>(kafka, { topic, maxPending: 10 });
    const errors: string[] = [];
    const done = lastValueFrom(producer.successes.pipe(take(30), toArray()));
    producer.errors.subscribe(({ message }) => errors.push(String(message.value)));
    const observer = producer.observer({ overflow: 'drop-oldest', capacity: 20 });
    for (const value of numbered(100)) observer.next({ value });
    const kept = (await done).map(({ message }) => String(message.value));
    expect(kept).toEqual([...numbered(10), ...numbered(100).slice(80)]);
    expect(errors).toEqual(numbered(100).slice(10, 80));
    expect(await producer.close()).toEqual({ written: 100, succeeded: 30, failed: 70 });
    const strict = asyncProducer<string, string>(kafka, { topic, maxPending: 5 });
    const refusing = strict.observer({ overflow: 'error', capacity: 0 });
    expect(() => {
      for (const value of numbered(10)) refusing.next({ value });
    }).toThrow('no room');
    await strict.close();
  });

  it('P-05: written = succeeded + failed = the log, after SIGINT in the middle', async () => {
    const topic = await newTopic();
    const program = path.join('test', 'rows', 'programs', 'produce-until-sigint.ts');
    const child = spawn(process.execPath, ['--import', 'tsx', program, brokers!.join(','), topic], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      if (output === '') setTimeout(() => child.kill('SIGINT'), 300);
      output += chunk.toString();
    });
    const code = await new Promise<number | null>((resolve) => child.once('exit', resolve));
    expect(code).toBe(0);
    const [, line] = output.trim().split('\n');
    const { written, succeeded, failed } = JSON.parse(line!) as Record<string, number>;
    expect(written).toBeGreaterThan(0);
    expect(succeeded! + failed!).toBe(written);
    expect(await readAll(kafka, topic)).toHaveLength(succeeded!);
  });
});
