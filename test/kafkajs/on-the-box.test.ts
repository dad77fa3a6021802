// Topologies over a real kafkajs, on the broker in the box.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { text, topology, type Topology } from '../../src/index.ts';
import { kafkajs } from '../../src/kafkajs/index.ts';
import { createBroker, type BrokerBox } from '../../src/testing/index.ts';
import { until } from '../helpers/until.ts';
import { kafkajsOf } from './support.ts';

const PARTITIONS = 3;
let box: BrokerBox;

beforeEach(async () => {
  box = await createBroker({ brokers: 2 });
  box.createTopic('in', { partitions: PARTITIONS });
  box.createTopic('out', { partitions: PARTITIONS });
});
afterEach(() => box.close());

async function fill(count: number, from = 0): Promise<void> {
  const producer = kafkajsOf(box.bootstrap).producer();
  await producer.connect();
  await producer.send({
    topic: 'in',
    messages: Array.from({ length: count }, (_, at) => ({
      key: `k${(from + at) % 10}`,
      value: `${from + at}`,
    })),
  });
  await producer.disconnect();
}

async function written(topic = 'out'): Promise<string[]> {
  const all = await Promise.all(Array.from({ length: PARTITIONS }, (_, at) => box.records(topic, at)));
  return all.flat().map(({ value }) => String(value));
}

const numbers = (count: number): string[] => Array.from({ length: count }, (_, at) => `${at}`);
const sorted = (values: readonly string[]): string[] => [...values].sort((a, b) => Number(a) - Number(b));

function committed(groupId: string): number {
  let sum = 0;
  for (let at = 0; at < PARTITIONS; at++) sum += box.committed(groupId, 'in', at)?.offset ?? 0;
  return sum;
}

const copyTopology = (groupId = 'copy'): Topology =>
  topology('copy', ({ fromGroup, toTopic }) =>
    fromGroup({ groupId, topics: ['in'], key: text(), value: text() }).pipe(
      toTopic('out', ({ key, value }) => ({ key, value })),
    ),
  );

describe('a topology over kafkajs', () => {
  it('copies every record once, in order per key, commits and leaves', async () => {
    await fill(500);
    const run = copyTopology().start(kafkajs(kafkajsOf(box.bootstrap)));
    await run.ready;
    await until('all is copied', async () => (await written()).length >= 500);
    const summary = await run.drain();
    expect(summary).toEqual({ recordsIn: 500, recordsOut: 500, unsettled: 0 });
    expect(sorted(await written())).toEqual(numbers(500));
    expect(committed('copy')).toBe(500);
    expect(box.group('copy')?.members).toEqual([]);
    expect(box.internalErrors).toEqual([]);
  });
});
