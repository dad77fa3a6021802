// A record that becomes a million, for a sink that stands still: what is not taken is not made.
import { afterAll, describe, expect, it } from '@jest/globals';
import { lastValueFrom } from 'rxjs';
import { settle, tap } from '../../src/operators/index.ts';
import { sluice } from '../../src/index.ts';
import { brokers, short, testKafka, uniqueName } from '../helpers/brokers.ts';
import { Child } from './support/child.ts';
import { commitsOf, fill } from './support/marks.ts';
import { report } from './support/report.ts';
import { longestGap } from './support/wire-spy.ts';

const MIB = 1024 * 1024;
const CHILDREN = 1_000_000;
const STALL_AFTER = CHILDREN / 4;
const STALL_MS = short ? 2_000 : 10_000;
const HEARTBEAT_MS = short ? 1_000 : 3_000;
/** What the stall may add to the memory, for the collector's and the timers' sake: a hundredth of what the children would take. */
const FLAT_MIB = 8;
/** What the rest of the run may add: the producer's buffer, and as much again as that for the collector, is a third of what the children would take. */
const RUNNING_MIB = 64 + 64;
/** `flatMap`'s bound on open children. */
const OPEN_CHILDREN = 1_024;

interface Sample {
  readonly at: number;
  readonly rss: number;
  readonly made: number;
  readonly passed: number;
}

/** Milliseconds of processor time between two turns of a 5 ms timer. */
interface LoopDelay {
  readonly p99: number;
  readonly max: number;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('a flatMap into a sink that stalls', () => {
  const kafka = testKafka();
  afterAll(() => kafka.close());

  it(`makes no more of ${CHILDREN} values than are taken, and loses none`, async () => {
    const [input, output, groupId] = [uniqueName('many-in'), uniqueName('many-out'), uniqueName('many')];
    await kafka.admin().createTopics([input, output].map((name) => ({ name, partitions: 1 })));
    await fill(kafka, input, 1, 1);
    const child = new Child('exploder.ts', {
      brokers,
      input,
      output,
      groupId,
      children: CHILDREN,
      stallAfter: STALL_AFTER,
      heartbeatIntervalMs: HEARTBEAT_MS,
    });
    await child.until(() => child.latest('gate') === 'closed');
    await pause(STALL_MS);
    child.process.kill('SIGUSR2');
    await child.until(() => child.latest('passed') === CHILDREN);
    expect(await child.kill('SIGTERM')).toBe(0);

    const at = (gate: string): number =>
      child.events.find((event) => event['gate'] === gate)!['at'] as number;
    const [closedAt, openAt] = [at('closed'), at('open')];
    const samples = child.events.filter((event) => 'rss' in event) as unknown as Sample[];
    const stalled = samples.filter((sample) => sample.at > closedAt && sample.at < openAt);
    const [first] = stalled as [Sample];
    const peak = (some: readonly Sample[]): number => Math.max(...some.map(({ rss }) => rss)) / MIB;
    const waiting = Math.max(...stalled.map(({ made, passed }) => made - passed));
    const after = samples.filter((sample) => sample.at >= openAt);
    const [loopStalled, loopRunning] = child.events
      .filter((event) => 'loopMs' in event)
      .map((event) => event['loopMs'] as LoopDelay) as [LoopDelay, LoopDelay];
    const beats = child.events.filter((event) => 'beat' in event).map((event) => event['at'] as number);
    const gap = longestGap(beats, beats[0]!, samples.at(-1)!.at);
    report('flatMap', {
      'RSS MiB at the stall': first.rss / MIB,
      'peak MiB of the stall': peak(stalled),
      'peak MiB before it': peak(samples.filter((sample) => sample.at <= closedAt)),
      'peak MiB after it': peak(after),
      'waiting values': waiting,
      'loop p99 ms stalled': loopStalled.p99,
      'loop p99 ms running': loopRunning.p99,
      'loop longest ms running': loopRunning.max,
      'heartbeat gap ms': gap,
    });

    expect(peak(stalled)).toBeLessThanOrEqual(first.rss / MIB + FLAT_MIB);
    expect(peak(after)).toBeLessThanOrEqual(first.rss / MIB + RUNNING_MIB);
    expect(waiting).toBeLessThanOrEqual(OPEN_CHILDREN);
    expect(new Set(stalled.map(({ made }) => made)).size).toBe(1);
    expect(loopStalled.p99).toBeLessThanOrEqual(10);
    expect(loopRunning.p99).toBeLessThanOrEqual(25);
    expect(loopRunning.max).toBeLessThanOrEqual(100);
    expect(gap).toBeLessThanOrEqual(1.5 * HEARTBEAT_MS);
    let next = 0;
    await lastValueFrom(
      sluice(kafka)
        .fromPartitions({ topic: output, from: 'earliest', until: 'end' })
        .pipe(
          tap(({ value }) => {
            if (Number(value) === next) next++;
          }),
          settle(),
        ),
    );
    expect(next).toBe(CHILDREN);
    const [end] = await kafka.admin().listOffsets(output, 'latest');
    expect(end!.offset).toBe(CHILDREN);
    expect(await commitsOf(kafka, groupId, 1)).toEqual([1]);
    await kafka.admin().deleteTopics([input, output]);
    await kafka.admin().deleteGroups([groupId]);
  });
});
