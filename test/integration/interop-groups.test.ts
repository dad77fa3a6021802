// Members of several clients in one group: each gets its part, and each goes on where another has committed.
import { spawn, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { lastValueFrom, toArray } from 'rxjs';
import { settle, sluice, tap, text, topology, type Running } from '../../src/index.ts';
import * as java from '../helpers/interop/java-side.ts';
import { kafkajsOf, kafkajsRange } from '../helpers/interop/kafkajs-side.ts';
import { realTargets, type Target } from '../helpers/interop/targets.ts';
import { until } from '../helpers/until.ts';

const suite = realTargets.length === 0 || java.lib === undefined ? describe.skip : describe;
const PARTITIONS = 6;

suite('one group of kafkajs, Java and ours', () => {
  let target: Target;
  let produced: number;

  beforeAll(async () => {
    target = await realTargets[0]![1]();
  });
  afterAll(() => target.close());

  async function produce(topic: string, count: number): Promise<string[]> {
    const producer = target.kafka.producer();
    const values = Array.from({ length: count }, (_, at) => `value ${produced + at}`);
    produced += count;
    const sends = values.map((value, at) =>
      producer.sendAsync(topic, { key: null, value, partition: at % PARTITIONS }),
    );
    await Promise.all(sends);
    await producer.close();
    return values;
  }

  function startOurs(topic: string, groupId: string, seen: string[]): Running {
    const work = topology('ours', ({ fromGroup }) =>
      fromGroup({ groupId, topics: [topic], value: text(), heartbeatIntervalMs: 300 }).pipe(
        tap((record) => void seen.push(record.value)),
      ),
    );
    return work.start(target.kafka);
  }

  async function startKafkajs(topic: string, groupId: string, seen: string[]) {
    const consumer = kafkajsOf(target.bootstrap).consumer({
      groupId,
      heartbeatInterval: 300,
      maxWaitTimeInMs: 100,
      partitionAssigners: [kafkajsRange],
    });
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({ eachMessage: async ({ message }) => void seen.push(message.value!.toString()) });
    return consumer;
  }

  function startJava(topic: string, group: string, seen: string[]): ChildProcess {
    const config = {
      'group.protocol': 'classic',
      'heartbeat.interval.ms': '300',
      'fetch.max.wait.ms': '100',
    };
    const child = spawn(
      'java',
      [
        ...[
          '-Xmx256m',
          '-XX:TieredStopAtLevel=1',
          '-cp',
          path.join(java.lib!, '*'),
          'org.apache.kafka.tools.consumer.ConsoleConsumer',
        ],
        ...['--bootstrap-server', target.bootstrap, '--topic', topic, '--group', group, '--from-beginning'],
        ...Object.entries(config).flatMap(([name, value]) => ['--command-property', `${name}=${value}`]),
      ],
      { stdio: ['ignore', 'pipe', 'ignore'] },
    );
    let rest = '';
    child.stdout.on('data', (chunk: Buffer) => {
      const parts = (rest + chunk.toString()).split('\n');
      rest = parts.pop()!;
      seen.push(...parts);
    });
    return child;
  }

  async function stopJava(child: ChildProcess): Promise<void> {
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await gone;
  }

  const partsOf = async (group: string): Promise<{ protocol: string; parts: Map<string, number> }> => {
    const [described] = await target.kafka.admin().describeGroups([group]);
    const parts = new Map<string, number>();
    for (const { clientId, assignment } of described!.members)
      parts.set(
        clientId,
        assignment.reduce((sum, { partitions }) => sum + partitions.length, 0),
      );
    return { protocol: described!.protocol, parts };
  };

  it('share the partitions by range, and miss nothing', async () => {
    produced = 0;
    const topic = await target.topic('shared', PARTITIONS);
    const group = target.group('shared');
    const seen = { ours: [] as string[], kafkajs: [] as string[], java: [] as string[] };
    await produce(topic, 600);
    const running = startOurs(topic, group, seen.ours);
    const child = startJava(topic, group, seen.java);
    const consumer = await startKafkajs(topic, group, seen.kafkajs);
    let last: Awaited<ReturnType<typeof partsOf>> | undefined;
    await until('each has two', async () => {
      last = await partsOf(group);
      return last.parts.size === 3 && [...last.parts.values()].every((count) => count === 2);
    });
    expect(last!.protocol).toBe('range');
    expect([...last!.parts.keys()].sort()).toEqual(['console-consumer', 'kafkajs', 'sluice']);
    const before = { ours: seen.ours.length, kafkajs: seen.kafkajs.length, java: seen.java.length };
    await produce(topic, 600);
    const all = (): Set<string> => new Set(Object.values(seen).flat());
    await until('all read', () => all().size === 1200);
    for (const who of ['ours', 'kafkajs', 'java'] as const)
      expect(seen[who].length - before[who]).toBeGreaterThanOrEqual(200);
    await Promise.all([consumer.disconnect(), stopJava(child)]);
    await until('all ours', async () => (await partsOf(group)).parts.get('sluice') === PARTITIONS);
    const more = await produce(topic, 60);
    await until('the last ones', () => more.every((value) => seen.ours.includes(value)));
    expect(await running.drain()).toMatchObject({ unsettled: 0 });

    const ends = Array.from({ length: PARTITIONS }, () => 1260 / PARTITIONS);
    expect(await java.commits(target.bootstrap, group, topic)).toEqual(ends);
    const admin = kafkajsOf(target.bootstrap).admin();
    await admin.connect();
    const [offsets] = await admin.fetchOffsets({ groupId: group, topics: [topic] });
    await admin.disconnect();
    const byPartition = offsets!.partitions.sort((a, b) => a.partition - b.partition);
    expect(byPartition.map(({ offset }) => Number(offset))).toEqual(ends);
  });

  it('each goes on where another has committed', async () => {
    produced = 0;
    const topic = await target.topic('in-turn', PARTITIONS);
    const group = target.group('in-turn');
    const turns = ['ours', 'kafkajs', 'ours', 'java', 'kafkajs', 'java', 'ours'] as const;
    for (const who of turns) {
      const values = await produce(topic, 120);
      const seen: string[] = [];
      const all = () => until(`all read by ${who}`, () => seen.length >= values.length);
      if (who === 'ours') {
        const running = startOurs(topic, group, seen);
        await all();
        await running.drain();
      } else if (who === 'kafkajs') {
        const consumer = await startKafkajs(topic, group, seen);
        await all();
        await consumer.disconnect();
      } else {
        const child = startJava(topic, group, seen);
        await all();
        await stopJava(child);
      }
      expect([who, ...seen.sort()]).toEqual([who, ...values.sort()]);
    }
    const rest = sluice(target.kafka).fromPartitions({ topic, from: { committedBy: group }, until: 'end' });
    expect(await lastValueFrom(rest.pipe(settle()).pipe(toArray()))).toEqual([]);
  });
});
