// Java's consumers of both protocols and Kafka's tool for groups, on the box. They need Java and the jars: KAFKA_LIB names their folder.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import path from 'node:path';
import type { BrokerBox } from '../../../../src/testing/broker/broker-box.ts';
import { createBroker } from '../../../../src/testing/broker/create-broker.ts';
import { isOnPath, lines, run, runJava } from '../command.ts';

const lib = process.env['KAFKA_LIB'] ?? '';
const suite = lib !== '' && isOnPath('java') ? describe : describe.skip;
const TOOL = 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand';
const PROGRAM = path.join('test', 'testing', 'broker', 'groups', 'GroupScript.java');

/** What the program writes on a real Kafka 4.3.1, where it was tried too. */
const SHARED = (type: string, fresh: string) => [
  'alone: 6 partitions, 60 records',
  'together: 3 and 3, 90 records',
  `described: ${type} Stable [3${fresh}, 3${fresh}]`,
  'alone again: 6 partitions, 90 different records',
  'committed: 90',
  'static: came back to the same: true, the other kept its own: true',
];
const ADMIN = (type: string) => [
  `listed: Optional[${type}] Empty consumer`,
  'altered: 2 by hand',
  'left: 5',
  'deleted: GroupIdNotFoundException',
];
const EXPECTED = {
  classic: [...SHARED('Classic', ''), ...ADMIN('Classic')],
  consumer: [
    ...SHARED('Consumer', ' new'),
    'pattern: {script-consumer=6, script-consumer-more=1}',
    'wrong pattern: InvalidRegularExpression',
    'before: Classic Stable [6]',
    'upgraded: Consumer Stable [3, 3 new]',
    'downgraded: Classic Stable [6]',
    ...ADMIN('Consumer'),
  ],
};

suite("Kafka's Java clients in groups", () => {
  let box: BrokerBox;
  let server: string[];

  beforeAll(async () => {
    box = await createBroker({ brokers: 2, group: { consumerHeartbeatIntervalMs: 300 } });
    server = ['--bootstrap-server', box.bootstrap.join(',')];
  });

  afterAll(async () => {
    await box.close();
    expect(box.internalErrors).toEqual([]);
  });

  const tool = (...args: string[]) => runJava(lib, TOOL, [...server, ...args]);

  it.each(['classic', 'consumer'] as const)(
    'share partitions, come back, and are administered: %s',
    async (protocol) => {
      const quiet = '-Dorg.slf4j.simpleLogger.defaultLogLevel=off';
      const jars = path.join(lib, '*');
      const out = await run('java', [
        '-Xmx256m',
        '-XX:TieredStopAtLevel=1',
        quiet,
        '-cp',
        jars,
        PROGRAM,
        box.bootstrap.join(','),
        protocol,
      ]);
      expect(lines(out)).toEqual(EXPECTED[protocol]);
    },
    300_000,
  );

  it('the tool describes, resets and deletes', async () => {
    box.createTopic('tooled', 2);
    await runJava(
      lib,
      'org.apache.kafka.tools.ConsoleProducer',
      [...server, '--topic', 'tooled'],
      Array.from({ length: 20 }, (_, at) => `line ${at}`).join('\n'),
    );
    const consumed = await runJava(lib, 'org.apache.kafka.tools.consumer.ConsoleConsumer', [
      ...server,
      ...['--topic', 'tooled', '--group', 'tooled', '--from-beginning', '--max-messages', '20'],
      ...['--command-property', 'group.protocol=consumer'],
    ]);
    expect(lines(consumed)).toHaveLength(20);
    expect(box.group('tooled')).toMatchObject({ type: 'consumer', state: 'Empty', members: [] });
    expect(await tool('--list', '--type', 'consumer')).toMatch(/^tooled\s+Consumer/m);
    expect(await tool('--group', 'tooled', '--describe', '--state')).toMatch(/tooled.*uniform.*Empty\s+0/);
    const described = await tool('--group', 'tooled', '--describe');
    expect(described).toMatch(/tooled\s+tooled\s+0\s+\d+\s+\d+\s+0\s/);
    const reset = ['--group', 'tooled', '--topic', 'tooled', '--reset-offsets'];
    await tool(...reset, '--to-earliest', '--execute');
    expect(box.committed('tooled', 'tooled', 0)?.offset).toBe(0);
    await tool(...reset, '--to-latest', '--execute');
    expect(box.committed('tooled', 'tooled', 0)!.offset + box.committed('tooled', 'tooled', 1)!.offset).toBe(
      20,
    );
    await tool('--group', 'tooled', '--delete-offsets', '--topic', 'tooled:0');
    expect(box.committed('tooled', 'tooled', 0)).toBeUndefined();
    await tool('--group', 'tooled', '--delete');
    expect(box.group('tooled')).toBeUndefined();
  }, 300_000);
});
