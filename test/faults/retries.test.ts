// A stage that fails one time in ten, with retry topics by key and dead letters, in a process that is killed over and over.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Kafka } from '../../src/index.ts';
import { brokers, short, testKafka, uniqueName } from '../helpers/brokers.ts';
import { readAll } from '../rows/support/producing.ts';
import { Child } from './support/child.ts';
import { seedOf } from './support/seed.ts';
import type { RetrierOptions } from './programs/retrier.ts';

const PARTITIONS = 3;
const KEYS = 40;
const RECORDS = short ? 800 : 20_000;
const KILLS = short ? 2 : 5;

const seed = seedOf(20_261_121);

/** For a machine that is busy with other things; nothing is measured. */
const PATIENCE_MS = 400_000;

/** The same for the same words, evenly spread. */
function chance(...words: readonly (string | number)[]): number {
  let hash = 2_166_136_261 ^ seed;
  for (const character of words.join(' ')) hash = Math.imul(hash ^ character.charCodeAt(0), 16_777_619);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 2_246_822_519);
  return ((hash ^ (hash >>> 13)) >>> 0) / 2 ** 32;
}

const isHopeless = (value: string): boolean => chance('hopeless', value) < 0.01;

describe(`a stage that fails one time in ten, behind retry topics by key, seed ${seed}`, () => {
  let kafka: Kafka;
  let server: Server;
  let url = '';
  let calls = 0;
  let failures = 0;
  const asked = new Map<string, number>();

  beforeAll(async () => {
    kafka = testKafka();
    server = createServer((request, response) => {
      let value = '';
      request.on('data', (chunk: Buffer) => (value += chunk.toString()));
      request.on('end', () => {
        calls++;
        const times = (asked.get(value) ?? 0) + 1;
        asked.set(value, times);
        const fails = isHopeless(value) || chance(value, times) < 0.1;
        if (fails) failures++;
        response.writeHead(fails ? 503 : 200).end(fails ? 'not now' : value);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  });

  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await kafka.close();
  });

  it.each([
    ['at least once', false],
    ['exactly once', true],
  ])(
    `%s: every record is in the output or the dead letter topic, each key in its order, after ${KILLS} kills`,
    async (_, exactlyOnce) => {
      asked.clear();
      calls = 0;
      failures = 0;
      const name = uniqueName('retries');
      const [input, output, deadLetter] = [`${name}-in`, `${name}-out`, `${name}-dead`];
      const levels = [
        { topic: `${name}-1`, delayMs: 100 },
        { topic: `${name}-2`, delayMs: short ? 300 : 2_000 },
      ];
      const topics = [input, output, deadLetter, ...levels.map(({ topic }) => topic)];
      await kafka.admin().createTopics(topics.map((topic) => ({ name: topic, partitions: PARTITIONS })));
      const values = Array.from({ length: RECORDS }, (__, at) => `${at % KEYS}:${at}`);
      const producer = kafka.producer();
      const receipt = { onAcked: () => undefined, onFailed: () => undefined };
      for (const value of values) producer.send(input, { key: value.split(':')[0]!, value }, receipt);
      await producer.close();

      const options: RetrierOptions = {
        brokers: brokers!,
        url,
        input,
        output,
        levels,
        deadLetter,
        groupId: name,
        instanceId: `${name}-a`,
        exactlyOnce,
      };
      let child = new Child('retrier.ts', options);
      try {
        for (let kill = 0; kill < KILLS; kill++) {
          const some = RECORDS / (KILLS + 3);
          const answered = (): number => child.events.filter((event) => 'answered' in event).length;
          await child.until(() => answered() >= some * (0.5 + chance('kill', kill)), PATIENCE_MS);
          await child.kill();
          child = new Child('retrier.ts', options);
        }
        const isDone = async (): Promise<boolean> => {
          if (exactlyOnce) {
            const [out, dead] = await Promise.all(
              [output, deadLetter].map((topic) => readAll(kafka, topic, 'read_committed')),
            );
            return out!.length + dead!.length >= RECORDS;
          }
          const points = await kafka.admin().fetchOffsets(name);
          for (const topic of [input, ...levels.map((level) => level.topic)])
            for (const { partition, offset } of await kafka.admin().listOffsets(topic, 'latest')) {
              const point = points.find((one) => one.topic === topic && one.partition === partition);
              if ((point?.offset ?? 0) < offset) return false;
            }
          return true;
        };
        await child.poll(isDone, PATIENCE_MS);
        expect(await child.kill('SIGTERM')).toBe(0);
      } finally {
        await child.kill().catch(() => undefined);
      }

      const isolation = exactlyOnce ? 'read_committed' : 'read_uncommitted';
      const written = (await readAll(kafka, output, isolation)).map(({ value }) => String(value));
      const buried = (await readAll(kafka, deadLetter, isolation)).map(({ value }) => String(value));
      const all = [...written, ...buried];
      expect(new Set(all)).toEqual(new Set(values));
      for (const value of values.filter(isHopeless)) {
        expect(buried).toContain(value);
        expect(written).not.toContain(value);
      }
      expect(failures / calls).toBeGreaterThan(0.05);
      if (exactlyOnce) expect(all).toHaveLength(RECORDS);
      // One that was buried, and then by a repeat of it written, was done with when it was buried.
      const dead = new Set(buried);
      const both = new Set(written.filter((value) => dead.has(value)));
      expect(both.size).toBeLessThanOrEqual(exactlyOnce ? 0 : RECORDS / 50);
      for (let key = 0; key < KEYS; key++) {
        const ofKey = written
          .filter((value) => value.startsWith(`${key}:`) && !both.has(value))
          .map((value) => Number(value.split(':')[1]));
        const order = exactlyOnce ? ofKey : [...new Set(ofKey)];
        expect(order).toEqual([...order].sort((a, b) => a - b));
      }
      await kafka.admin().deleteTopics(topics);
    },
  );
});
