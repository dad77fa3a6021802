// Processes that die: what they had committed is not done again, and nothing is missing.
import { describe, expect, it } from '@jest/globals';
import { brokers, short, testKafka, uniqueName } from '../helpers/brokers.ts';
import { Child } from './support/child.ts';
import { commitsOf, compare, fill, marksOf } from './support/marks.ts';

const PARTITIONS = 3;
const KILLS = short ? 3 : 10;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('a process that is killed', () => {
  it(`${KILLS} times at random moments loses nothing and repeats only what came after its last commit`, async () => {
    const records = 30_000 * KILLS;
    const kafka = testKafka();
    const [input, output, groupId] = [uniqueName('kill-in'), uniqueName('kill-out'), uniqueName('kill')];
    await kafka.admin().createTopics([input, output].map((name) => ({ name, partitions: PARTITIONS })));
    await fill(kafka, input, records, PARTITIONS);

    const commitsBefore: number[][] = [];
    for (let run = 0; run < KILLS; run++) {
      commitsBefore.push(await commitsOf(kafka, groupId, PARTITIONS));
      const child = new Child('copier.ts', {
        brokers,
        input,
        output,
        groupId,
        run,
        // Slow enough that on no machine the killed runs get to the end by themselves.
        maxDelayMs: 20,
        concurrency: 20,
      });
      await child.until(() => Number(child.latest('copied') ?? 0) > 0);
      await pause(200 + Math.random() * 1_800);
      await child.kill();
    }
    commitsBefore.push(await commitsOf(kafka, groupId, PARTITIONS));
    const last = new Child('copier.ts', {
      brokers,
      input,
      output,
      groupId,
      run: KILLS,
      maxDelayMs: 0,
      concurrency: 200,
    });
    const done = async (): Promise<boolean> => {
      const commits = await commitsOf(kafka, groupId, PARTITIONS);
      return commits.every((offset) => offset === records / PARTITIONS);
    };
    await last.until(() => Number(last.latest('copied') ?? 0) > 0);
    await last.poll(done);
    expect(await last.kill('SIGTERM')).toBe(0);

    const marks = await marksOf(kafka, output);
    expect(compare(marks, records, PARTITIONS).missing).toBe(0);
    const belowCommit = marks.filter(
      ({ partition, offset, run }) => offset < commitsBefore[run]![partition]!,
    );
    expect(belowCommit).toEqual([]);
    for (let run = 1; run <= KILLS; run++) {
      for (let partition = 0; partition < PARTITIONS; partition++) {
        const before = marks.filter((mark) => mark.run < run && mark.partition === partition);
        const reached = before.reduce((most, { offset }) => Math.max(most, offset + 1), 0);
        const replayed = marks.filter(
          (mark) => mark.run === run && mark.partition === partition && mark.offset < reached,
        ).length;
        expect(replayed).toBeLessThanOrEqual(reached - Math.max(0, commitsBefore[run]![partition]!));
      }
    }
    await kafka.admin().deleteTopics([input, output]);
    await kafka.close();
  });

  it('with megabytes prefetched and nothing in flight has committed its delivery position, not its fetch position', async () => {
    const records = 30_000;
    const handed = 100;
    const kafka = testKafka();
    const [input, output, groupId] = [
      uniqueName('prefetch-in'),
      uniqueName('prefetch-out'),
      uniqueName('prefetch'),
    ];
    await kafka.admin().createTopics([input, output].map((name) => ({ name, partitions: PARTITIONS })));
    await fill(kafka, input, records, PARTITIONS, 500);

    const options = { brokers, input, output, groupId, maxDelayMs: 20, concurrency: 1 };
    const slow = new Child('copier.ts', { ...options, run: 0, pauseAfter: handed });
    await slow.until(() => slow.latest('copied') === handed * PARTITIONS);
    await slow.poll(async () =>
      (await commitsOf(kafka, groupId, PARTITIONS)).every((offset) => offset >= handed),
    );
    await slow.kill();
    expect(await commitsOf(kafka, groupId, PARTITIONS)).toEqual(new Array(PARTITIONS).fill(handed));

    const rest = new Child('copier.ts', { ...options, run: 1, maxDelayMs: 0, concurrency: 200 });
    await rest.poll(async () =>
      (await commitsOf(kafka, groupId, PARTITIONS)).every((offset) => offset === records / PARTITIONS),
    );
    expect(await rest.kill('SIGTERM')).toBe(0);
    expect(compare(await marksOf(kafka, output), records, PARTITIONS)).toEqual({ missing: 0, doubled: 0 });
    await kafka.admin().deleteTopics([input, output]);
    await kafka.close();
  });
});
