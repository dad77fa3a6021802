// One partition's sink stands still: its neighbours do not notice, and memory, heartbeats and the generation stay as they were.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { brokers, short, testKafka, uniqueName } from '../helpers/brokers.ts';
import { Child } from './support/child.ts';
import { commitsOf } from './support/marks.ts';
import { Arrivals, Pacer } from './support/paced.ts';
import { median, percentile } from './support/percentile.ts';
import { report } from './support/report.ts';
import { longestGap } from './support/wire-spy.ts';

const MIB = 1024 * 1024;
const PARTITIONS = 3;
const STALLED = 0;
const OTHERS = [1, 2];
const VALUE_BYTES = 1_000;
const PART_OF_CAPACITY = 0.3;

const ROUNDS = short ? 2 : 1;
const WARM_MS = short ? 800 : 10_000;
const BASELINE_MS = short ? 1_200 : 60_000;
const STALL_MS = short ? 2_000 : 30_000;
const AFTER_MS = short ? 300 : 5_000;
const FLOOD_MS = short ? 1_800 : 10_000;
const HEARTBEAT_MS = short ? 1_000 : 3_000;
/** Others use the machine too: a percentile is taken of each window, and of these the median. */
const WINDOW_MS = short ? 200 : 1_000;

interface Sample {
  readonly at: number;
  readonly rss: number;
  readonly copied: number;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const samplesOf = (child: Child): Sample[] => child.events.filter((event) => 'rss' in event) as never;

const timesOf = (child: Child, field: string): number[] =>
  child.events.filter((event) => field in event).map(({ at }) => at as number);

/** The children's events carry the time of day. */
const wall = (at: number): number => performance.timeOrigin + at;

const peakRss = (child: Child, { from, to }: Span): number =>
  Math.max(...samplesOf(child).map(({ at, rss }) => (at >= wall(from) && at < wall(to) ? rss : 0)));

interface Names {
  readonly input: string;
  readonly output: string;
  readonly groupId: string;
}

async function makeTopics(): Promise<Names> {
  const names = {
    input: uniqueName('stall-in'),
    output: uniqueName('stall-out'),
    groupId: uniqueName('stall'),
  };
  await kafka
    .admin()
    .createTopics([names.input, names.output].map((name) => ({ name, partitions: PARTITIONS })));
  return names;
}

/** A program that copies, what it is fed, and what comes out of it. */
class Line {
  readonly child: Child;
  readonly pacer: Pacer;
  readonly arrivals: Arrivals;
  private readonly names: Names;

  constructor(names: Names, budgetBytes?: number) {
    this.names = names;
    this.child = new Child('stalled.ts', {
      brokers,
      ...names,
      stalledPartition: STALLED,
      heartbeatIntervalMs: HEARTBEAT_MS,
      budgetBytes,
    });
    this.pacer = new Pacer(kafka, names.input, PARTITIONS, VALUE_BYTES);
    this.arrivals = new Arrivals(kafka, names.output, PARTITIONS);
  }

  /** Everything is copied and has arrived. */
  async finish(): Promise<void> {
    const total = this.pacer.sent.reduce((sum, { length }) => sum + length, 0);
    await this.pacer.stop();
    await this.child.until(() => Number(this.child.latest('copied')) >= total);
    while (this.arrivals.count < total) await pause(20);
    expect(await this.child.kill('SIGTERM')).toBe(0);
    this.arrivals.close();
  }

  async remove(): Promise<void> {
    await kafka.admin().deleteTopics([this.names.input, this.names.output]);
    await kafka.admin().deleteGroups([this.names.groupId]);
  }

  /** The 99th percentile of each window between these times. */
  p99s(from: number, to: number): number[] {
    const windows: number[] = [];
    for (let at = from; at + WINDOW_MS <= to; at += WINDOW_MS)
      windows.push(percentile(this.arrivals.between(at, at + WINDOW_MS, OTHERS), 0.99));
    return windows;
  }
}

interface Span {
  readonly from: number;
  readonly to: number;
}

const kafka = testKafka();
let capacity = 0;

describe('a partition whose sink stalls', () => {
  // Records a second of the whole way, producer and reader included, when it gets all it can take.
  beforeAll(async () => {
    const line = new Line(await makeTopics());
    await line.child.until(() => timesOf(line.child, 'beat').length > 0);
    line.pacer.flood();
    await pause(FLOOD_MS / 3);
    const from = performance.now();
    const { count } = line.arrivals;
    await pause((FLOOD_MS * 2) / 3);
    capacity = ((line.arrivals.count - count) / (performance.now() - from)) * 1_000;
    await line.finish();
    await line.remove();
  });

  afterAll(() => kafka.close());

  it.each([16, 64])('holds up nobody else, at a budget of %i MiB', async (budgetMib) => {
    const names = await makeTopics();
    const line = new Line(names, budgetMib * MIB);
    const { child, pacer, arrivals } = line;
    await child.until(() => timesOf(child, 'beat').length > 0);
    pacer.start(capacity * PART_OF_CAPACITY);
    await pause(WARM_MS);

    const baselines: Span[] = [];
    const stalls: Span[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const from = performance.now();
      await pause(BASELINE_MS);
      baselines.push({ from, to: performance.now() });
      child.process.kill('SIGUSR2');
      const stallFrom = performance.now();
      await pause(STALL_MS);
      stalls.push({ from: stallFrom, to: performance.now() });
      child.process.kill('SIGUSR2');
      await pause(AFTER_MS);
    }
    const copiedWhileStalled = stalls.map(({ from, to }) => {
      const late = arrivals.between(from + 100, to - 100, [STALLED]);
      return late.filter((tookMs) => tookMs < 100).length;
    });
    await line.finish();

    const of = (spans: readonly Span[], what: (span: Span) => readonly number[]): number[] =>
      spans.flatMap((span) => what(span));
    const before = of(baselines, ({ from, to }) => arrivals.between(from, to, OTHERS));
    const during = of(stalls, ({ from, to }) => arrivals.between(from, to, OTHERS));
    const p99Before = median(of(baselines, ({ from, to }) => line.p99s(from, to)));
    const p99During = median(of(stalls, ({ from, to }) => line.p99s(from, to)));
    const rssBefore = baselines.map((span) => peakRss(child, span));
    const rssDuring = stalls.map((span) => peakRss(child, span));
    const growth = rssDuring.map((rss, round) => rss - rssBefore[round]!);
    const gaps = stalls.map(({ from, to }) => longestGap(timesOf(child, 'beat'), wall(from), wall(to)));
    report(`stall at ${budgetMib} MiB`, {
      'records/s': capacity * PART_OF_CAPACITY,
      'of capacity': capacity,
      'p50 ms before': percentile(before, 0.5),
      'p50 ms during': percentile(during, 0.5),
      'p99 ms before': p99Before,
      'p99 ms during': p99During,
      'pooled p99 ms before': percentile(before, 0.99),
      'pooled p99 ms during': percentile(during, 0.99),
      'longest ms before': percentile(before, 1),
      'longest ms during': percentile(during, 1),
      'RSS MiB before': Math.max(...rssBefore) / MIB,
      'RSS MiB during': Math.max(...rssDuring) / MIB,
      'most RSS MiB added': Math.max(...growth) / MIB,
      'heartbeat gap ms': Math.max(...gaps),
    });

    expect(copiedWhileStalled).toEqual(stalls.map(() => 0));
    expect(during.length).toBeGreaterThan(0);
    expect(p99During).toBeLessThanOrEqual(2 * p99Before);
    // Over minutes what others do to the machine evens out.
    if (!short) expect(percentile(during, 0.99)).toBeLessThanOrEqual(2 * percentile(before, 0.99));
    expect(percentile(during, 1)).toBeLessThan(1_000);
    expect(Math.max(...growth)).toBeLessThanOrEqual((budgetMib + 50) * MIB);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(1.5 * HEARTBEAT_MS);
    const generations = child.events.filter((event) => 'beat' in event).map(({ beat }) => beat);
    expect(new Set(generations).size).toBe(1);
    expect(timesOf(child, 'join').every((at) => at < wall(baselines[0]!.from))).toBe(true);
    expect(arrivals.sentAt).toEqual(pacer.sent);
    expect(pacer.failures).toEqual([]);
    expect(await commitsOf(kafka, names.groupId, PARTITIONS)).toEqual(pacer.sent.map(({ length }) => length));
    await line.remove();
  });
});
