/**
 * The subscribers of one topic by load, handed out from both ends while partitions move: the least loaded first and round by round, level by
 * level; the most loaded last first. The levels are those of the plan; loads are read when a level is opened.
 */
export class LoadLevels {
  readonly #loads: readonly number[];
  readonly #members: number[];
  /** Members before this place are on the lowest level. */
  #lowEnd = 0;
  #lowLoad: number;
  #nextLow = 0;
  /** Members from `#highStart` up to `#highEnd` are on the highest level; those behind it have nothing to give. */
  #highStart: number;
  #highEnd: number;
  #highLoad: number;
  #nextHigh: number;
  /** Between the lowest and the highest load at the start. */
  readonly spread: number;

  constructor(subscribers: readonly number[], loads: readonly number[]) {
    this.#loads = loads;
    this.#members = [...subscribers].sort((a, b) => loads[a]! - loads[b]! || a - b);
    const [lowest, highest] = [this.#loadAt(0), this.#loadAt(this.#members.length - 1)];
    this.#lowLoad = lowest - 1;
    this.#highLoad = highest + 1;
    this.#highStart = this.#members.length;
    this.#highEnd = this.#members.length;
    this.#nextHigh = this.#members.length - 1;
    this.spread = highest - lowest;
  }

  get areEven(): boolean {
    return this.#highLoad - this.#lowLoad <= 1;
  }

  /** The next to get a partition. */
  nextLeast(): number {
    if (this.#nextLow >= this.#lowEnd) {
      this.#lowLoad++;
      while (this.#lowEnd < this.#members.length && this.#loadAt(this.#lowEnd) === this.#lowLoad)
        this.#lowEnd++;
      this.#nextLow = 0;
    }
    return this.#members[this.#nextLow++]!;
  }

  /** The next to lose a partition, undefined when nobody is left. */
  nextMost(): number | undefined {
    if (this.#nextHigh < this.#highStart) {
      const isLevelGone = this.#highEnd <= this.#highStart && this.#highStart > 0;
      this.#highLoad = isLevelGone ? this.#loadAt(this.#highStart - 1) : this.#highLoad - 1;
      while (this.#highStart > 0 && this.#loadAt(this.#highStart - 1) === this.#highLoad) this.#highStart--;
      this.#nextHigh = this.#highEnd - 1;
    }
    return this.#nextHigh < 0 ? undefined : this.#members[this.#nextHigh--];
  }

  /** The member that `nextMost` gave last has nothing to lose. */
  excludeMost(): void {
    const at = this.#nextHigh + 1;
    const last = this.#highEnd - 1;
    [this.#members[at], this.#members[last]] = [this.#members[last]!, this.#members[at]!];
    this.#highEnd--;
  }

  #loadAt(place: number): number {
    return this.#loads[this.#members[place]!]!;
  }
}
