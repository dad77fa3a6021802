const NONE: number[] = [];
/** Runs that are shorter than this on average are spelled out. */
const WORTH_A_RUN = 8;
/** So many runs are kept whatever their length. */
const FEW_RUNS = 16;

/**
 * Numbers that mostly go up by the same step, which may be 0, or change seldom, as the time of day does: what is kept is where each such run begins.
 * Reading is fast in order.
 */
export class NumberRun {
  count = 0;
  /** Of the run that grows: its first place, its first number, its step. */
  private start = 0;
  private first = 0;
  private step = 0;
  /** Triples of the same for the runs before it, oldest first. */
  private before = NONE;
  /** Where the run that was read last begins in `before`. */
  private cursor = 0;
  private spelled: number[] | undefined;

  push(value: number): void {
    const { count, spelled } = this;
    this.count = count + 1;
    if (spelled !== undefined) {
      spelled.push(value);
      return;
    }
    const at = count - this.start;
    if (at === 1) this.step = value - this.first;
    else if (value !== this.first + this.step * at) this.begin(count, value);
  }

  at(index: number): number {
    if (this.spelled !== undefined) return this.spelled[index]!;
    if (index >= this.start) return this.first + this.step * (index - this.start);
    return this.find(index);
  }

  private begin(count: number, value: number): void {
    const { before } = this;
    if (count > 0) {
      if (before.length >= 3 * Math.max(FEW_RUNS, count / WORTH_A_RUN)) {
        this.spell(count, value);
        return;
      }
      if (before === NONE) this.before = [this.start, this.first, this.step];
      else before.push(this.start, this.first, this.step);
    }
    this.start = count;
    this.first = value;
    this.step = 0;
  }

  private find(index: number): number {
    const { before } = this;
    let { cursor } = this;
    if (before[cursor]! > index) cursor = 0;
    while (cursor + 3 < before.length && before[cursor + 3]! <= index) cursor += 3;
    this.cursor = cursor;
    return before[cursor + 1]! + before[cursor + 2]! * (index - before[cursor]!);
  }

  private spell(count: number, value: number): void {
    const spelled: number[] = [];
    for (let index = 0; index < count; index += 1) spelled.push(this.at(index));
    spelled.push(value);
    this.spelled = spelled;
    this.before = NONE;
  }
}
