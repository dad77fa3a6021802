// The verifiable producer and consumer beside Kafka's own: same events, one log, one group.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { HarnessRules } from '../cli/support/harness-rules.ts';
import type { Event } from '../cli/support/reader.ts';
import { kafkaTool, sluice, type Tool } from '../cli/support/tool.ts';
import * as java from '../helpers/interop/java-side.ts';
import { targets, type Target } from '../helpers/interop/targets.ts';
import { until } from '../helpers/until.ts';

const suite = java.lib === undefined ? describe.skip : describe;
const PARTITIONS = 6;

/** How each side starts a tool. */
const SIDES = {
  Java: (...args: string[]) => kafkaTool(java.lib!, ...(args as [string, ...string[]])),
  ours: (name: string, ...args: string[]) =>
    sluice(name === 'VerifiableProducer' ? 'verifiable-producer' : 'verifiable-consumer', ...args),
} as const;
type Side = keyof typeof SIDES;

suite.each(targets)("Kafka's verifiable tools and ours, on %s", (_name, startTarget) => {
  let target: Target;
  let dir: string;
  const running: Tool[] = [];

  beforeAll(async () => {
    target = await startTarget();
    dir = mkdtempSync(path.join(os.tmpdir(), 'sluice-verifiable-'));
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((tool) => tool.end('SIGKILL')));
  });
  afterAll(async () => {
    rmSync(dir, { recursive: true });
    await target.close();
  });

  function start(side: Side, name: string, ...args: string[]): Tool {
    const tool = SIDES[side](name, '--bootstrap-server', target.bootstrap, ...args);
    running.push(tool);
    return tool;
  }

  async function events(side: Side, name: string, ...args: string[]): Promise<Event[]> {
    const tool = start(side, name, ...args);
    const code = await tool.exited;
    if (code !== 0) throw new Error(`${side} ${name}: exit ${code}\n${tool.errors}`);
    return tool.events;
  }

  /** Without what is another time for each run. */
  const timeless = ({ timestamp: _timestamp, avg_throughput: _average, ...event }: Event): object => event;

  const produced = (side: Side, topic: string, ...args: string[]): Promise<Event[]> =>
    events(side, 'VerifiableProducer', '--topic', topic, ...args);

  it('the producers say the same, line by line', async () => {
    const args = [
      '--max-messages',
      '50',
      '--value-prefix',
      '3',
      '--repeating-keys',
      '7',
      '--throughput',
      '1000',
    ];
    const theirs = await produced('Java', await target.topic('said', 1), ...args);
    const ours = await produced('ours', await target.topic('said', 1), ...args);
    const named = (topic: unknown) => (topic === undefined ? {} : { topic: 'said' });
    const lines = (list: Event[]) =>
      list.map((event) => JSON.stringify({ ...timeless(event), ...named(event['topic']) }));
    expect(lines(ours)).toEqual(lines(theirs));
    expect(ours.map((event) => Object.keys(event))).toEqual(theirs.map((event) => Object.keys(event)));
    expect(ours).toHaveLength(53);
  });

  it.each([
    ['Java', 'ours'],
    ['ours', 'Java'],
  ] as const)('what %s wrote, %s reads, with keys, values and places', async (writer, reader) => {
    const topic = await target.topic('crossed', 3);
    const written = (await produced(writer, topic, '--max-messages', '200', '--repeating-keys', '9')).filter(
      ({ name }) => name === 'producer_send_success',
    );
    const args = [
      '--topic',
      topic,
      '--group-id',
      target.group('crossed'),
      '--max-messages',
      '200',
      '--verbose',
    ];
    const read = await events(reader, 'VerifiableConsumer', ...args);
    const place = ({ partition, offset, key, value }: Event) => `${partition}@${offset} ${key}=${value}`;
    expect(
      read
        .filter(({ name }) => name === 'record_data')
        .map(place)
        .sort(),
    ).toEqual(written.map(place).sort());
  });

  it('the consumers say the same', async () => {
    const topic = await target.topic('told', 1);
    await produced('ours', topic, '--max-messages', '30');
    const read = (side: Side) => {
      const args = [
        '--topic',
        topic,
        '--group-id',
        target.group('told'),
        '--max-messages',
        '30',
        '--verbose',
      ];
      return events(side, 'VerifiableConsumer', ...args);
    };
    const theirs = await read('Java');
    const ours = await read('ours');
    // Java tells of its own end once more when its process ends by itself.
    expect(theirs.at(-1)!.name).toBe('shutdown_requested');
    expect(ours.map(timeless)).toEqual(theirs.slice(0, -1).map(timeless));
    expect(ours.map((event) => Object.keys(event))).toEqual(
      theirs.slice(0, -1).map((event) => Object.keys(event)),
    );
  });

  it('share a group through joins, a kill and a leave: nothing is lost, no rule is broken', async () => {
    const topic = await target.topic('shared', PARTITIONS);
    const group = target.group('shared');
    const file = path.join(dir, 'consumer.properties');
    writeFileSync(file, 'heartbeat.interval.ms=300\nfetch.max.wait.ms=100\n');
    const consumer = (side: Side): Tool => {
      const settings = ['--session-timeout', '6000', '--command-config', file];
      return start(side, 'VerifiableConsumer', '--topic', topic, '--group-id', group, ...settings);
    };
    const assigned = (tool: Tool): number =>
      (
        tool.events.findLast(({ name }) => name.startsWith('partitions_'))?.['partitions'] as
          unknown[] | undefined
      )?.length ?? 0;
    const divided = (...tools: Tool[]): Promise<void> =>
      until(
        `the group is divided among ${tools.length}`,
        () =>
          tools.every((tool) => assigned(tool) === PARTITIONS / tools.length) &&
          tools.every(
            (tool) =>
              tool.events.findLast(({ name }) => name.startsWith('partitions_'))!.name ===
              'partitions_assigned',
          ),
        60_000,
      );
    const producer = start(
      'ours',
      'VerifiableProducer',
      '--topic',
      topic,
      '--throughput',
      '400',
      '--repeating-keys',
      '50',
    );
    const acked = () => producer.named('producer_send_success').length;

    const first = consumer('Java');
    await divided(first);
    const second = consumer('ours');
    await divided(first, second);
    const third = consumer('ours');
    await divided(first, second, third);
    const before = acked();
    await until('the three work', () => acked() > before + 400);
    second.process.kill('SIGKILL');
    await divided(first, third);
    const fourth = consumer('Java');
    await divided(first, third, fourth);
    expect(await third.end('SIGTERM')).toBe(0);
    await divided(first, fourth);
    const fifth = consumer('ours');
    await divided(first, fourth, fifth);
    expect(await producer.end('SIGTERM')).toBe(0);

    const all = [first, second, third, fourth, fifth];
    const check = (): HarnessRules => {
      const rules = new HarnessRules();
      const members = all.map((_, at) => rules.member(`member ${at + 1}`));
      all
        .flatMap((tool, at) => tool.events.map((event) => ({ event, at })))
        .sort((a, b) => a.event.timestamp - b.event.timestamp)
        .forEach(({ event, at }) => members[at]!.see(event));
      return rules;
    };
    const total = acked();
    await until('all is consumed and committed', () => {
      const rules = check();
      return rules.total === total && rules.totalCommitted === total;
    });
    await Promise.all([first, fourth, fifth].map((tool) => tool.end('SIGTERM')));
    const rules = check();
    expect(rules.broken).toEqual([]);
    expect([rules.total, rules.totalCommitted]).toEqual([total, total]);
    const commits = await target.kafka.admin().fetchOffsets(group);
    expect(commits.reduce((sum, { offset }) => sum + offset, 0)).toBe(total);
  }, 240_000);
});
