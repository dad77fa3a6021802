// A process that is killed while it reads at most once: values may be missing, none is there twice.
import { readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { brokers, short, testKafka, uniqueName } from '../helpers/brokers.ts';
import { Child } from './support/child.ts';
import { commitsOf, fill } from './support/marks.ts';

const PARTITIONS = 3;
const KILLS = short ? 3 : 20;
const CREDIT = 500;
const READ_LIMIT_MS = 600_000;
const PROGRAM = '../../rows/programs/at-most-once.ts';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

(brokers === undefined ? describe.skip : describe)('atMostOnce', () => {
  it(`killed ${KILLS} times at random moments repeats nothing, and loses no more than it had taken`, async () => {
    const records = 18_000 * KILLS;
    const kafka = testKafka();
    const [topic, groupId] = [uniqueName('at-most-once'), uniqueName('at-most-once')];
    await kafka.admin().createTopics([{ name: topic, partitions: PARTITIONS }]);
    await fill(kafka, topic, records, PARTITIONS);
    const file = path.join(os.tmpdir(), `${groupId}.txt`);

    for (let kill = 0; kill < KILLS; kill++) {
      const child = new Child(PROGRAM, { brokers, groupId, topic, file, workMs: 0.05 });
      await child.until(() => child.events.length > 0);
      await pause(Math.random() * 800);
      await child.kill();
    }
    const last = new Child(PROGRAM, { brokers, groupId, topic, file, workMs: 0 });
    const end = new Array(PARTITIONS).fill(records / PARTITIONS);
    const isRead = async (): Promise<boolean> =>
      String(await commitsOf(kafka, groupId, PARTITIONS)) === String(end);
    try {
      await last.poll(isRead, READ_LIMIT_MS);
      // What is committed is emitted at once; the last lines may still be on their way.
      await pause(500);
    } finally {
      await last.kill();
    }

    const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
    rmSync(file);
    expect(new Set(lines).size).toBe(lines.length);
    const lost = records - lines.length;
    console.info(`atMostOnce: ${KILLS} kills, ${records} records, ${lost} lost, 0 repeated`);
    expect(lost).toBeLessThanOrEqual(KILLS * CREDIT * 2 * PARTITIONS);
    await kafka.admin().deleteTopics([topic]);
    await kafka.close();
  });
});
