// The way of a dead letter: buried by a topology, redriven by the command, and processed.
import path from 'node:path';
import { spawn } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { map, text, topology, type Kafka } from '../../src/index.ts';
import { brokers, testKafka, uniqueName } from '../helpers/brokers.ts';
import { readAll } from '../rows/support/producing.ts';
import { until } from '../helpers/until.ts';

const MAIN = path.resolve(__dirname, '../../src/cli/main.ts');
const RECORDS = 40;

function redrive(...args: readonly string[]): Promise<{ code: number | null; lines: readonly string[] }> {
  const child = spawn(process.execPath, ['--import', 'tsx', MAIN, 'redrive', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return new Promise((resolve) => {
    child.once('close', (code) => resolve({ code, lines: output.trim().split('\n') }));
  });
}

describe('sluice redrive', () => {
  let kafka: Kafka;
  const name = uniqueName('redrive');
  const [input, output, dead] = [`${name}-in`, `${name}-out`, `${name}-dead`];

  beforeAll(async () => {
    kafka = testKafka();
    await kafka.admin().createTopics([input, output, dead].map((topic) => ({ name: topic, partitions: 2 })));
  });

  afterAll(async () => {
    await kafka.admin().deleteTopics([input, output, dead]);
    await kafka.close();
  });

  it('brings dead letters back to where they are from, each once, and the topology processes them', async () => {
    let isBroken = true;
    const copy = topology('copy', ({ fromGroup, toTopic, deadLetter }) =>
      fromGroup({ groupId: name, topics: [input], key: text(), value: text(), commitIntervalMs: 200 }).pipe(
        map(
          ({ key, value }) => {
            if (isBroken && Number(value) % 2 === 1) throw new Error('odd');
            return { key, value };
          },
          { onError: deadLetter(dead) },
        ),
        toTopic(output, (record) => record, { key: text(), value: text() }),
      ),
    );
    const producer = kafka.producer();
    for (let at = 0; at < RECORDS; at++)
      await producer.sendAsync(input, { key: `k${at % 5}`, value: String(at) });
    await producer.close();
    const running = copy.start(kafka);
    await until('dead letters', async () => (await readAll(kafka, dead)).length === RECORDS / 2);
    isBroken = false;
    const options = ['--brokers', brokers!.join(','), '--from', dead];
    const { code, lines } = await redrive(...options);
    expect(code).toBe(0);
    expect(JSON.parse(lines.at(-1)!)).toMatchObject({ name: 'summary', redriven: RECORDS / 2, skipped: 0 });
    await until('output', async () => (await readAll(kafka, output)).length >= RECORDS);
    expect(await running.drain()).toMatchObject({ unsettled: 0 });
    const values = (await readAll(kafka, output)).map(({ value }) => Number(value));
    expect(values.sort((a, b) => a - b)).toEqual(Array.from({ length: RECORDS }, (_, at) => at));
    const offsets = await kafka.admin().fetchOffsets(`sluice-redrive-${dead}`);
    expect(offsets.reduce((sum, { offset }) => sum + offset, 0)).toBe(RECORDS / 2);
    const again = await redrive(...options);
    expect(JSON.parse(again.lines.at(-1)!)).toMatchObject({ redriven: 0 });
  });
});
