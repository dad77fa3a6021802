// What every client does per record it reads: weigh it, and keep every other one. The clock runs from the assignment of the partitions, so that what a
// client fetches before it hands over the first record counts.
import type { Stopwatch } from './stopwatch.ts';
import type { Done } from './run-task.ts';
import { documentWeight, textWeight, weight, type Document } from './values.ts';

export class Tally {
  private readonly records: number;
  private readonly watch: Stopwatch;
  private seen = 0;
  private sum = 0;
  private kept = 0;
  private begun = false;
  private reached = (): void => undefined;
  /** Resolves with the last record. */
  readonly all = new Promise<void>((resolve) => {
    this.reached = resolve;
  });

  constructor(records: number, watch: Stopwatch) {
    this.records = records;
    this.watch = watch;
  }

  /** The partitions are assigned; later assignments change nothing. */
  begin(): void {
    if (this.begun) return;
    this.begun = true;
    this.watch.start();
  }

  /** True for a value that is kept. */
  add(value: Uint8Array): boolean {
    return this.count(weight(value), (value[value.length >> 1]! & 1) === 0);
  }

  addText(value: string): boolean {
    return this.count(textWeight(value), (value.charCodeAt(value.length >> 1) & 1) === 0);
  }

  addDocument(value: Document): boolean {
    return this.count(documentWeight(value), (value.id & 1) === 0);
  }

  private count(weighed: number, kept: boolean): boolean {
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
    if (!this.begun) throw new Error('the clock was not started');
    if (this.kept === 0) throw new Error('nothing was kept');
    return { sum: this.sum };
  }
}
