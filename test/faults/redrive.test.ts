// `sluice redrive` killed in the middle and started again: every dead letter comes back, some of them twice.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Kafka } from '../../src/index.ts';
import { brokers, short, testKafka, uniqueName } from '../helpers/brokers.ts';
import { readAll } from '../rows/support/producing.ts';
import type { RedriverOptions } from './programs/redriver.ts';
import { Child } from './support/child.ts';

const PARTITIONS = 2;
const RECORDS = 2_000;
const KILLS = short ? 1 : 4;
/** A run is killed when it has told of so many, of which the first are committed; at this rate a minute before the end. */
const KILLED_AFTER = 120;
const PER_SECOND = 20;
/** For a machine that is busy with other things; nothing is measured. */
const PATIENCE_MS = 300_000;

describe('sluice redrive, killed', () => {
  let kafka: Kafka;
  const name = uniqueName('redriven');
  const [dead, back] = [`${name}-dead`, `${name}-back`];

  beforeAll(async () => {
    kafka = testKafka();
    await kafka.admin().createTopics([dead, back].map((topic) => ({ name: topic, partitions: PARTITIONS })));
  });

  afterAll(async () => {
    await kafka.admin().deleteTopics([dead, back]);
    await kafka.close();
  });

  it(`loses no dead letter, and goes on where it stood, after ${KILLS} kills`, async () => {
    const values = Array.from({ length: RECORDS }, (_, at) => String(at));
    const producer = kafka.producer();
    const receipt = { onAcked: () => undefined, onFailed: () => undefined };
    for (const value of values) producer.send(dead, { key: `k${Number(value) % 20}`, value }, receipt);
    await producer.close();
    const args = ['--brokers', brokers!.join(','), '--from', dead, '--to', back];
    const redriven = (child: Child): number =>
      child.events.filter((event) => event['name'] === 'redriven').length;
    const written = async (): Promise<number> => (await readAll(kafka, back)).length;

    for (let kill = 0; kill < KILLS; kill++) {
      const options: RedriverOptions = { args: [...args, '--rate', String(PER_SECOND)] };
      const child = new Child('redriver.ts', options);
      try {
        await child.until(() => redriven(child) >= KILLED_AFTER, PATIENCE_MS);
      } finally {
        await child.kill();
      }
      expect(await written()).toBeLessThan(RECORDS);
    }

    const last = new Child('redriver.ts', { args } satisfies RedriverOptions);
    try {
      await last.until(() => last.latest('redriven') !== undefined, PATIENCE_MS);
      expect(await last.exited).toBe(0);
    } finally {
      last.process.kill('SIGKILL');
    }
    const found = (await readAll(kafka, back)).map(({ value }) => String(value));
    expect(new Set(found)).toEqual(new Set(values));
    const committed = await kafka.admin().fetchOffsets(`sluice-redrive-${dead}`);
    expect(committed.reduce((sum, { offset }) => sum + offset, 0)).toBe(RECORDS);
    const { redriven: count } = last.events.at(-1) as { readonly redriven: number };
    expect(found.length - count).toBeGreaterThanOrEqual(KILLS * KILLED_AFTER);
  });
});
