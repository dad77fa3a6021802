import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import readline from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Kafka } from '../../src/core/client.ts';
import { brokers, testKafka, uniqueName } from '../helpers/brokers.ts';
import { until } from '../helpers/until.ts';
import { answersTo } from './support/answers.ts';

const lib = process.env['KAFKA_LIB'];
const withJava = brokers === undefined || lib === undefined ? describe.skip : describe;
const PROGRAM = path.join(__dirname, 'programs', 'OpenTransaction.java');
const BEFORE = 7;
const WITHIN = 42;

/** A transaction of Java's with an offset in it, open until it is ended. */
class JavaTransaction {
  private readonly process: ChildProcess;

  private constructor(process: ChildProcess) {
    this.process = process;
  }

  static async open(groupId: string, topic: string, offset: number): Promise<JavaTransaction> {
    const args = [brokers!.join(','), groupId, topic, '0', String(offset)];
    const child = spawn(
      'java',
      [
        '-Xmx128m',
        '-XX:TieredStopAtLevel=1',
        '-Dorg.slf4j.simpleLogger.defaultLogLevel=error',
        '-cp',
        path.join(lib!, '*'),
        PROGRAM,
        ...args,
      ],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    const lines = readline.createInterface({ input: child.stdout });
    const [line] = (await once(lines, 'line')) as [string];
    expect(line).toBe('open');
    return new JavaTransaction(child);
  }

  async end(how: 'commit' | 'abort'): Promise<void> {
    const over = once(this.process, 'exit');
    this.process.stdin!.end(`${how}\n`);
    expect((await over)[0]).toBe(0);
  }
}

withJava('O-05: offsets of an open transaction are waited for under read_committed', () => {
  let kafka: Kafka;
  const topic = uniqueName('o-05');

  beforeAll(async () => {
    kafka = testKafka();
    await kafka.admin().createTopics([{ name: topic, partitions: 1 }]);
  });
  afterAll(async () => {
    await kafka.admin().deleteTopics([topic]);
    await kafka.close();
  });

  it.each([
    ['commit', WITHIN, 'of a transaction'],
    ['abort', BEFORE, 'before'],
  ] as const)('after %s the next offset is %p', async (how, nextOffset, metadata) => {
    const groupId = uniqueName('o-05');
    const before = kafka.offsets({ groupId });
    (await before.manage(topic, 0)).markNextOffset(BEFORE, 'before');
    await before.close();
    const transaction = await JavaTransaction.open(groupId, topic, WITHIN);

    const uncommitted = kafka.offsets({ groupId });
    expect((await uncommitted.manage(topic, 0)).nextOffset).toBe(BEFORE);
    await uncommitted.close();

    const committed = kafka.offsets({ groupId, isolationLevel: 'read_committed' });
    const fetches = answersTo('OffsetFetch');
    let isManaged = false;
    const managing = committed.manage(topic, 0).finally(() => (isManaged = true));
    // Each answer says that there is a transaction.
    await until('asked again and again', () => fetches.count >= 3);
    fetches.stop();
    expect(isManaged).toBe(false);
    await transaction.end(how);
    expect(await managing).toMatchObject({ nextOffset, metadata });
    await committed.close();
  });
});
