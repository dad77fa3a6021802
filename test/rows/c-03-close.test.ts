// Row C-03: closing leaves nothing behind.
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from '@jest/globals';
import { Fetcher } from '../../src/core/consumer/fetcher.ts';
import { brokers, testKafka, uniqueName } from '../helpers/brokers.ts';
import { createTopic, startReading, write } from './support/reading.ts';

const PROGRAM = path.join('test', 'rows', 'programs', 'read-and-close.ts');

(brokers === undefined ? describe.skip : describe)('C-03: closing', () => {
  const kafka = testKafka();
  const topic = uniqueName('c03');
  afterAll(async () => {
    await kafka.admin().deleteTopics([topic]);
    await kafka.close();
  });

  it('leaves no handle a second later, and the process ends by itself', async () => {
    await createTopic(kafka, topic, 3);
    await write(kafka, topic, 0, 100, 1);
    const args = ['--import', 'tsx', PROGRAM, brokers!.join(','), topic];
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 50_000 });
    expect((JSON.parse(stdout) as { left: string[] }).left).toEqual([]);
  });

  it('hands over nothing more, and a second close does nothing', async () => {
    const { seen, fetcher, close } = await startReading(kafka, { topic, from: 'earliest' });
    close();
    close();
    expect(fetcher).toBeInstanceOf(Fetcher);
    expect(fetcher.budget.usedBytes).toBe(0);
    await write(kafka, topic, 100, 5, 1);
    expect(seen.flatMap(({ offsets }) => offsets)).toEqual([]);
  });
});
