import type { Event } from './event.ts';

/** An invariant that does not hold. */
export interface Violation {
  /** The name of the invariant's breach: Jepsen's where it has one. */
  readonly check: string;
  readonly what: string;
  /** Indices of the events that show it. */
  readonly at: readonly number[];
}

/** A pure function from a history to the breaches of one invariant in it. */
export type Check = (events: readonly Event[]) => Violation[];

/** So many of one kind say enough. */
const MANY = 5;

/** Gathers the breaches of one invariant. */
export class Findings {
  readonly all: Violation[] = [];
  private readonly check: string;

  constructor(check: string) {
    this.check = check;
  }

  add(what: string, ...at: (number | undefined)[]): void {
    if (this.all.length >= MANY) return;
    this.all.push({ check: this.check, what, at: at.filter((index) => index !== undefined) });
  }
}
