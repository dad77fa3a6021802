// From the samples of a run to its tables.
import type { Sample } from './arena.ts';
import type { Workload } from './workloads.ts';

const MIB = 1024 * 1024;

export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** One client at one workload, over all rounds. */
export interface Row {
  readonly workload: string;
  readonly client: string;
  readonly recordsPerSecond: Spread;
  /** The median over the rounds of the first client's rate by this one's in the same round; undefined for the first. */
  readonly firstToThis: number | undefined;
  readonly mibPerSecond: number;
  readonly cpuSecondsPerMillion: number;
  readonly peakRssMib: number;
  readonly loopDelayP99Ms: number | undefined;
  readonly gcShare: number | undefined;
  readonly latencyMs: { readonly p50: Spread; readonly p99: Spread; readonly p999: Spread } | undefined;
}

export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

const rateOf = ({ records, seconds }: Sample): number => records / seconds;

function spreadOf(numbers: readonly number[]): Spread {
  return { median: median(numbers), least: Math.min(...numbers), most: Math.max(...numbers) };
}

function medianOf(
  samples: readonly Sample[],
  of: (sample: Sample) => number | undefined,
): number | undefined {
  const numbers = samples.flatMap((sample) => of(sample) ?? []);
  return numbers.length === 0 ? undefined : median(numbers);
}

/** The rows of one workload, in the order its clients are named in. */
export function rowsOf({ name, valueBytes, clients }: Workload, all: readonly Sample[]): Row[] {
  const samples = all.filter(({ workload }) => workload === name);
  const measured = [...new Set([...clients, ...samples.map(({ client }) => client)])].filter((client) =>
    samples.some((sample) => sample.client === client),
  );
  const firsts = samples.filter(({ client }) => client === measured[0]);
  return measured.map((client) => {
    const own = samples.filter((sample) => sample.client === client);
    const ratios = own.flatMap((sample) => {
      const first = firsts.find(({ round }) => round === sample.round);
      return first === undefined ? [] : [rateOf(first) / rateOf(sample)];
    });
    const rate = spreadOf(own.map(rateOf));
    const latency = own.flatMap(({ latencyMs }) => latencyMs ?? []);
    return {
      workload: name,
      client,
      recordsPerSecond: rate,
      firstToThis: client === measured[0] || ratios.length === 0 ? undefined : median(ratios),
      mibPerSecond: (rate.median * valueBytes) / MIB,
      cpuSecondsPerMillion: median(own.map(({ cpuSeconds, records }) => (cpuSeconds / records) * 1e6)),
      peakRssMib: median(own.map(({ peakRssBytes }) => peakRssBytes / MIB)),
      loopDelayP99Ms: medianOf(own, ({ loopDelayP99Ms }) => loopDelayP99Ms),
      gcShare: medianOf(own, ({ gcShare }) => gcShare),
      latencyMs:
        latency.length === 0
          ? undefined
          : {
              p50: spreadOf(latency.map(({ p50 }) => p50)),
              p99: spreadOf(latency.map(({ p99 }) => p99)),
              p999: spreadOf(latency.map(({ p999 }) => p999)),
            },
    };
  });
}
