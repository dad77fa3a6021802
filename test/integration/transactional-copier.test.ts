// Kafka's transactional copier beside ours: the same lines, the same copies, the same commits.
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { kafkaTool, sluice, type Tool } from '../cli/support/tool.ts';
import * as java from '../helpers/interop/java-side.ts';
import { targets, type Target } from '../helpers/interop/targets.ts';
import { numbered, readAll } from '../rows/support/producing.ts';

const suite = java.lib === undefined ? describe.skip : describe;
const SIDES = {
  Java: (...args: string[]) => kafkaTool(java.lib!, 'TransactionalMessageCopier', ...args),
  ours: (...args: string[]) => sluice('transactional-copier', ...args),
} as const;
type Side = keyof typeof SIDES;

suite.each(targets)("Kafka's transactional copier and ours, on %s", (_name, startTarget) => {
  let target: Target;
  const running: Tool[] = [];

  beforeAll(async () => {
    target = await startTarget();
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((tool) => tool.end('SIGKILL')));
  });
  afterAll(() => target.close());

  async function filled(count: number, partitions: number): Promise<string> {
    const topic = await target.topic('copied-from', partitions);
    const producer = target.kafka.producer();
    await Promise.all(
      numbered(count).map((value, at) =>
        producer.sendAsync(topic, { key: `k${value}`, value, partition: at % partitions }),
      ),
    );
    await producer.close();
    return topic;
  }

  function start(side: Side, from: string, to: string, group: string, ...args: string[]): Tool {
    const tool = SIDES[side](
      ...['--broker-list', target.bootstrap, '--input-topic', from, '--input-partition', '0'],
      ...['--output-topic', to, '--consumer-group', group, ...args],
    );
    running.push(tool);
    return tool;
  }

  const read = async (topic: string): Promise<[number, string | null, string | null][]> =>
    (await readAll(target.kafka, topic, 'read_committed')).map(({ partition, key, value }) => [
      partition,
      key,
      value,
    ]);

  it('say the same, line by line, and copy the same', async () => {
    const from = await filled(1_000, 1);
    const run = async (side: Side) => {
      const to = await target.topic(`copied-by-${side}`, 1);
      const group = target.group(`copied-by-${side}`);
      const id = ['--transactional-id', 'said', '--transaction-size', '100', '--max-messages', '850'];
      const tool = start(side, from, to, group, ...id);
      expect([side, await tool.exited]).toEqual([side, 0]);
      const commits = await target.kafka.admin().fetchOffsets(group);
      return {
        lines: tool.lines.map((line) =>
          line.replace(/"time":"\d{4}(\/\d\d){2} \d\d(:\d\d){2}:\d{3}"/, '"time":""'),
        ),
        records: await read(to),
        commits: commits.map(({ offset, metadata }) => [offset, metadata]),
      };
    };
    const theirs = await run('Java');
    const ours = await run('ours');
    // A poll of Java's may return before anything has come.
    const told = ({ lines }: { lines: string[] }) => lines.filter((line, at) => line !== lines[at - 1]);
    expect(told(ours)).toEqual(told(theirs));
    expect(ours.records).toEqual(theirs.records);
    expect(ours.commits).toEqual(theirs.commits);
  });
});
