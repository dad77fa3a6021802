// What every client does per record it reads: weigh it, and keep every other one.
import type { Stopwatch } from './stopwatch.ts';
import type { Done } from './run-task.ts';
import { weight } from './values.ts';

export class Tally {
  private readonly records: number;
  private readonly watch: Stopwatch;
  private seen = 0;
  private sum = 0;
  private kept = 0;
  private reached = (): void => undefined;
  /** Resolves with the last record. */
  readonly all = new Promise<void>((resolve) => {
    this.reached = resolve;
  });

  constructor(records: number, watch: Stopwatch) {
    this.records = records;
    this.watch = watch;
  }

  /** True for a value that is kept. */
  add(value: Uint8Array): boolean {
    return this.count(weight(value), (value[0]! & 1) === 0);
  }

  count(weighed: number, kept: boolean): boolean {
    if (this.seen === 0) this.watch.start();
    this.sum += weighed;
    if (kept) this.kept++;
    if (++this.seen === this.records) {
      this.watch.stop();
      this.reached();
    }
    return kept;
  }

  get complete(): boolean {
    return this.seen >= this.records;
  }

  done(): Done {
    if (this.kept === 0) throw new Error('nothing was kept');
    return { sum: this.sum };
  }
}
