// Windows in processes that die: their rows are those of one clean run, some of them several times, to the byte.
import { lastValueFrom } from 'rxjs';
import { describe, expect, it } from '@jest/globals';
import type { ConsumerRecord } from '../../src/core/records/types.ts';
import { fanOut, settle, tap } from '../../src/operators/index.ts';
import { fromIterable, sluice, text, type Kafka } from '../../src/index.ts';
import { brokers, short, testKafka, uniqueName } from '../helpers/brokers.ts';
import { collect } from '../flow/manual-source.ts';
import { CommittingSource } from '../operators/windows/committing-source.ts';
import { Child } from './support/child.ts';
import { report } from './support/report.ts';
import { standingOf } from './support/standing.ts';
import { lateLine, timesOf, windowsOf, type Line } from './support/windows.ts';

const PARTITIONS = 3;
const KILLS = short ? 2 : 20;
const RECORDS = short ? 1_200 : 20_000;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function fill(kafka: Kafka, topic: string): Promise<void> {
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const rows = fromIterable(timesOf(RECORDS, partition));
    const write = sluice(kafka).toTopic(
      topic,
      ({ key, timestamp }: { key: string; timestamp: number }) => ({ partition, timestamp, key, value: 'x' }),
      { key: text(), value: text() },
    );
    await lastValueFrom(rows.pipe(write, settle()));
  }
}

/** What a run that nothing happens to makes of it. */
function cleanRows(topic: string): Set<string> {
  const rows = new Set<string>();
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const source = new CommittingSource<Line>();
    const late = (name: string) => tap((line: Line) => void rows.add(lateLine(name, line)));
    const [tumbling, hopping, session, changes, device] = windowsOf(late);
    const { values } = collect(source.flow.pipe(fanOut(tumbling!, hopping!, session!, changes!, device!)));
    timesOf(RECORDS, partition).forEach(({ key, timestamp }, offset) => {
      const record = { topic, partition, offset, timestamp, key, value: 'x' } as Line;
      source.emit(record, 1, record as unknown as ConsumerRecord);
    });
    for (const row of values) rows.add(row);
  }
  return rows;
}

async function writtenRows(kafka: Kafka, topic: string): Promise<string[]> {
  const rows: string[] = [];
  const records = sluice(kafka).fromPartitions({ topic, value: text(), from: 'earliest', until: 'end' });
  const keep = tap(({ value }: ConsumerRecord<Buffer | null, string>) => void rows.push(value));
  await lastValueFrom(records.pipe(keep, settle()), { defaultValue: undefined });
  return rows;
}

describe('windows in a process that is killed', () => {
  it(`${KILLS} times make the rows of one clean run, each at least once, and no other`, async () => {
    const kafka = testKafka();
    const [input, output, groupId] = ['in', 'out', 'group'].map((name) => uniqueName(`windows-${name}`)) as [
      string,
      string,
      string,
    ];
    await kafka.admin().createTopics([input, output].map((name) => ({ name, partitions: PARTITIONS })));
    await fill(kafka, input);
    const clean = cleanRows(input);

    const options = { brokers, input, output, groupId };
    const start = (paceMs: number, maxDelayMs: number): Child =>
      new Child('windows.ts', { ...options, paceMs, maxDelayMs });
    const areMarked = async (): Promise<boolean> =>
      (await kafka.admin().fetchOffsets(groupId)).some(({ metadata }) => metadata.includes('"e":'));
    for (let run = 0; run < KILLS; run++) {
      const child = start(4, 60);
      await child.until(() => Number(child.latest('written') ?? 0) > 0);
      // The next process begins in the middle of windows.
      await child.poll(areMarked);
      await pause(Math.random() * 600);
      await child.kill();
    }
    const last = start(0, 5);
    await last.until(() => Number(last.latest('written') ?? 0) > 0);
    await last.poll(
      async () => new Set(await writtenRows(kafka, output)).size >= clean.size,
      undefined,
      async () => {
        const there = new Set(await writtenRows(kafka, output));
        const missing = [...clean].filter((row) => !there.has(row));
        return { missing, ...(await standingOf(kafka, options)) };
      },
    );
    expect(await last.kill('SIGTERM')).toBe(0);

    const rows = await writtenRows(kafka, output);
    const distinct = new Set(rows);
    report('windows, killed', {
      kills: KILLS,
      records: RECORDS * PARTITIONS,
      rows: distinct.size,
      repeats: rows.length - distinct.size,
    });
    expect([...distinct].filter((row) => !clean.has(row))).toEqual([]);
    expect([...clean].filter((row) => !distinct.has(row))).toEqual([]);
    await kafka.admin().deleteTopics([input, output]);
    await kafka.close();
  });
});
