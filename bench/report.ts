// From the outcomes of a run to its tables.
import type { Outcome } from './clients/workload.ts';

/** What one client did in one round. */
export interface Sample extends Outcome {
  readonly work: 'produce' | 'consume';
  readonly client: string;
  readonly round: number;
}

/** One client at one work, over all rounds. */
export interface Row {
  readonly work: string;
  readonly client: string;
  /** Thousand records a second. */
  readonly rate: { readonly median: number; readonly least: number; readonly most: number };
  readonly cpuSecondsPerMillion: number;
  readonly peakRssMib: number;
  /** The median over the rounds of this rate by the peer's in the same round; undefined for the peer. */
  readonly ratio: number | undefined;
}

const MIB = 1024 * 1024;

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

const rate = ({ records, seconds }: Outcome): number => records / seconds / 1_000;

/** The rows of all clients; ratios are against `peer`. */
export function rowsOf(samples: readonly Sample[], peer: string): Row[] {
  const rows: Row[] = [];
  for (const work of new Set(samples.map((sample) => sample.work))) {
    const peers = samples.filter((sample) => sample.work === work && sample.client === peer);
    for (const client of new Set(samples.map((sample) => sample.client))) {
      const own = samples.filter((sample) => sample.work === work && sample.client === client);
      const rates = own.map(rate);
      const ratios = own.flatMap((sample) => {
        const other = peers.find(({ round }) => round === sample.round);
        return other === undefined || client === peer ? [] : [rate(sample) / rate(other)];
      });
      rows.push({
        work,
        client,
        rate: { median: median(rates), least: Math.min(...rates), most: Math.max(...rates) },
        cpuSecondsPerMillion: median(own.map(({ cpuSeconds, records }) => (cpuSeconds / records) * 1e6)),
        peakRssMib: median(own.map(({ peakRssBytes }) => peakRssBytes / MIB)),
        ratio: ratios.length === 0 ? undefined : median(ratios),
      });
    }
  }
  return rows;
}

const thousands = (value: number): string => Math.round(value).toLocaleString('en-US');

/** A Markdown table, which is also fit to be printed. */
export function tableOf(rows: readonly Row[], peer: string): string {
  const head = [
    '',
    'client',
    '1,000 records/s',
    'least to most',
    `x ${peer}`,
    'CPU s per million',
    'peak RSS, MiB',
  ];
  const cells = rows.map((row) => [
    row.work,
    row.client,
    thousands(row.rate.median),
    `${thousands(row.rate.least)} to ${thousands(row.rate.most)}`,
    row.ratio === undefined ? '' : row.ratio.toFixed(2),
    row.cpuSecondsPerMillion.toFixed(2),
    thousands(row.peakRssMib),
  ]);
  const widths = head.map((title, at) => Math.max(title.length, ...cells.map((cell) => cell[at]!.length)));
  const line = (cell: readonly string[]): string =>
    `| ${cell.map((text, at) => (at < 2 ? text.padEnd(widths[at]!) : text.padStart(widths[at]!))).join(' | ')} |`;
  const rule = `| ${widths.map((width, at) => (at < 2 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  return [line(head), rule, ...cells.map(line)].join('\n');
}
