// A process that is killed while it reads at most once: values may be missing, none is there twice.
import { readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { brokers, short, testKafka, uniqueName } from '../helpers/brokers.ts';
import { Child } from './support/child.ts';
import { fill } from './support/marks.ts';

const PARTITIONS = 3;
const KILLS = short ? 3 : 20;
const CREDIT = 500;
const PER_KILL = 18_000;
const READ_LIMIT_MS = 600_000;
const PROGRAM = '../../rows/programs/at-most-once.ts';

/** Dynamic members wait for the end of the session of the one before them. */
const KINDS: readonly (readonly [string, string | undefined])[] = [
  ['a static member', 'reader'],
  ...(short ? [] : [['a dynamic member', undefined] as const]),
];

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

(brokers === undefined ? describe.skip : describe)('atMostOnce', () => {
  it.each(KINDS)(
    `%s that is killed ${KILLS} times at random moments repeats nothing, and loses only what was in flight`,
    async (kind, groupInstanceId) => {
      const records = PER_KILL * KILLS;
      const end = records / PARTITIONS;
      const kafka = testKafka();
      const [topic, groupId] = [uniqueName('at-most-once'), uniqueName('at-most-once')];
      await kafka.admin().createTopics([{ name: topic, partitions: PARTITIONS }]);
      await fill(kafka, topic, records, PARTITIONS);
      const file = path.join(os.tmpdir(), `${groupId}.txt`);
      const options = { brokers, groupId, topic, file, credit: CREDIT, groupInstanceId };
      const lines = (): string[] => readFileSync(file, 'utf8').split('\n').slice(0, -1);

      for (let kill = 0; kill < KILLS; kill++) {
        const child = new Child(PROGRAM, { ...options, workMs: 0.05 });
        // Of each partition something, so that the gaps of two kills are two.
        await child.until(() => child.latest('partitions') === PARTITIONS);
        await pause(Math.random() * 800);
        await child.kill();
      }
      const last = new Child(PROGRAM, { ...options, workMs: 0 });
      try {
        const isRead = (seen: ReadonlySet<string>): boolean =>
          partitions.every((partition) => seen.has(`${partition}:${end - 1}`));
        await last.poll(async () => isRead(new Set(lines())), READ_LIMIT_MS);
      } finally {
        await last.kill();
      }

      const seen = lines();
      rmSync(file);
      const gaps = partitions.map((partition) => gapsOf(partition, end, new Set(seen)));
      const [lost, largest] = [sum(gaps.flat()), Math.max(0, ...gaps.flat())];
      console.info(
        `atMostOnce, ${kind}: ${KILLS} kills, ${records} records, ${seen.length - new Set(seen).size} repeated, ${lost} lost, ${largest} at once`,
      );
      // Nothing twice, and each partition in its order.
      for (const partition of partitions) {
        const offsets = seen.filter((line) => line.startsWith(`${partition}:`)).map(offsetOf);
        expect(offsets.find((offset, at) => at > 0 && offset <= offsets[at - 1]!)).toBeUndefined();
      }
      // A kill makes one gap in a partition, of what its claim had taken and not emitted.
      for (const some of gaps) expect(some.length).toBeLessThanOrEqual(KILLS);
      expect(largest).toBeLessThanOrEqual(CREDIT);
      await kafka.admin().deleteTopics([topic]);
      await kafka.close();
    },
  );
});

const partitions = Array.from({ length: PARTITIONS }, (_, partition) => partition);
const offsetOf = (line: string): number => Number(line.slice(line.indexOf(':') + 1));
const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

/** How long each run of offsets is that are missing. */
function gapsOf(partition: number, end: number, seen: ReadonlySet<string>): number[] {
  const gaps: number[] = [];
  let missing = 0;
  for (let offset = 0; offset < end; offset++) {
    if (!seen.has(`${partition}:${offset}`)) missing += 1;
    else if (missing > 0) {
      gaps.push(missing);
      missing = 0;
    }
  }
  return gaps;
}
