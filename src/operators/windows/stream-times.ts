const MOST = 2 ** 18;

/** Which stream time the values before an offset made, for as long as that offset may be committed. Two numbers for each value that moved it. */
export class StreamTimes {
  private offsets: number[] = [];
  private times: number[] = [];
  private first = 0;
  private base: number;

  constructor(base: number) {
    this.base = base;
  }

  /** A value at `offset` moved it to `time`. */
  push(offset: number, time: number): void {
    this.offsets.push(offset);
    this.times.push(time);
    if (this.offsets.length - this.first > MOST) this.thinOut();
  }

  /** As it was when all values before `offset` had come; offsets that are asked for ascend. */
  before(offset: number): number {
    const { offsets, times } = this;
    while (this.first < offsets.length && offsets[this.first]! < offset) this.base = times[this.first++]!;
    if (this.first * 2 > offsets.length) {
      this.offsets = offsets.slice(this.first);
      this.times = times.slice(this.first);
      this.first = 0;
    }
    return this.base;
  }

  // Nobody commits, so nobody asks. An earlier time than the true one lets a value in again that had been late; it never loses one.
  private thinOut(): void {
    const kept = (_: unknown, at: number): boolean => at >= this.first && (at - this.first) % 2 === 1;
    this.offsets = this.offsets.filter(kept);
    this.times = this.times.filter(kept);
    this.first = 0;
  }
}
