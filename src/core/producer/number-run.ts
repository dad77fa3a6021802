const NONE: number[] = [];

/** Numbers that mostly go up by the same step, which may be 0: as long as they do, they take no memory. */
export class NumberRun {
  count = 0;
  private first = 0;
  private step = 0;
  private isEven = true;
  private rest: number[] = NONE;

  push(value: number): void {
    const { count } = this;
    this.count = count + 1;
    if (!this.isEven) {
      this.rest.push(value);
      return;
    }
    if (count === 0) this.first = value;
    else if (count === 1) this.step = value - this.first;
    else if (value !== this.first + this.step * count) this.spell(count, value);
  }

  at(index: number): number {
    return this.isEven ? this.first + this.step * index : this.rest[index]!;
  }

  private spell(count: number, value: number): void {
    this.rest = [];
    for (let index = 0; index < count; index += 1) this.rest.push(this.at(index));
    this.rest.push(value);
    this.isEven = false;
  }
}
