// Markdown tables, which are also fit to be printed.
import type { Row, Spread } from './report.ts';

/** The first cell of a row is left-aligned, the others right-aligned. */
export function markdownTable(head: readonly string[], cells: readonly (readonly string[])[]): string {
  const widths = head.map((title, at) => Math.max(3, title.length, ...cells.map((cell) => cell[at]!.length)));
  const line = (cell: readonly string[]): string =>
    `| ${cell.map((text, at) => (at === 0 ? text.padEnd(widths[at]!) : text.padStart(widths[at]!))).join(' | ')} |`;
  const rule = widths.map((width, at) => (at === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return [line(head), `| ${rule.join(' | ')} |`, ...cells.map(line)].join('\n');
}

const thousands = (value: number): string =>
  value >= 10_000 ? Math.round(value / 1_000).toLocaleString('en-US') : (value / 1_000).toFixed(1);

const latency = ({ median, most }: Spread): string => `${median.toFixed(2)} (${most.toFixed(2)})`;

const optional = (value: number | undefined, digits: number): string => value?.toFixed(digits) ?? '';

/** The table of one workload. */
export function tableOf(rows: readonly Row[]): string {
  const first = rows[0]?.client ?? '';
  const timed = rows.some(({ latencyMs }) => latencyMs !== undefined);
  const head = [
    'client',
    '1,000 records/s',
    'least to most',
    'MiB/s',
    `${first} is x times`,
    ...(timed ? ['p50 ms (worst)', 'p99 ms (worst)', 'p99.9 ms (worst)'] : []),
    'CPU s/million',
    'RSS MiB',
    'loop p99 ms',
    'GC %',
  ];
  const cells = rows.map((row) => {
    const { recordsPerSecond: rate, latencyMs } = row;
    const times =
      latencyMs === undefined
        ? ['', '', '']
        : [latency(latencyMs.p50), latency(latencyMs.p99), latency(latencyMs.p999)];
    return [
      row.client,
      thousands(rate.median),
      `${thousands(rate.least)} to ${thousands(rate.most)}`,
      row.mibPerSecond.toFixed(row.mibPerSecond < 10 ? 1 : 0),
      optional(row.firstToThis, 2),
      ...(timed ? times : []),
      row.cpuSecondsPerMillion.toFixed(2),
      row.peakRssMib.toFixed(0),
      optional(row.loopDelayP99Ms, 1),
      row.gcShare === undefined ? '' : (row.gcShare * 100).toFixed(1),
    ];
  });
  return markdownTable(head, cells);
}
