// Which claim a commit belongs to. A claim may outlive generations: where others come and go beside it, and with them its epoch, it stays.

interface Term {
  /** The generation, or member epoch, in which the group gave it. */
  readonly since: number;
  isOpen: boolean;
}

/** What members were given, by the generation in which it began. */
export class GroupTerms {
  private readonly terms = new Map<string, Term[]>();

  /** A member has a claim; one that starts over is still of the term of the one before. */
  begin(process: string, place: string, generation: number): number {
    const key = `${process}|${place}`;
    const terms = this.terms.get(key) ?? [];
    this.terms.set(key, terms);
    const last = terms.at(-1);
    if (last?.isOpen === true) return last.since;
    terms.push({ since: generation, isOpen: true });
    return generation;
  }

  /** The group has taken it away, in order or not. */
  end(process: string, place: string): void {
    const last = this.terms.get(`${process}|${place}`)?.at(-1);
    if (last !== undefined) last.isOpen = false;
  }

  /** The term that a commit of that generation is of; the generation itself where the member had nothing in it. */
  of(process: string, place: string, generation: number): number {
    const terms = this.terms.get(`${process}|${place}`) ?? [];
    return terms.findLast(({ since }) => since <= generation)?.since ?? generation;
  }
}
