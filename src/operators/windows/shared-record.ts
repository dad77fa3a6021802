import type { Owner, Rooted } from '../../flow/owner.ts';
import type { PressureSource, Settlement, Verdict } from '../../flow/settlement.ts';

/**
 * One record in several windows, or in a window and in rows that tell of its change. It is settled when all of them are. It gives its credit back when the
 * rows on their way are settled or held, for a window may stay open for long. One refusal is passed on at once: a failure cannot wait until a window closes.
 */
export class SharedRecord implements Owner {
  private readonly parent: Owner;
  private parentHeld: boolean;
  private open: number;
  /** Rows neither settled nor held. */
  private busy: number;
  private answered = false;

  /** `parts` shares of windows, which hold it, and `rows` shares of rows. */
  constructor(parent: Owner, parentHeld: boolean, parts: number, rows: number) {
    this.parent = parent;
    this.parentHeld = parentHeld;
    this.open = parts + rows;
    this.busy = rows;
  }

  shareSettled(held: boolean): void {
    this.open--;
    if (!held) this.busy--;
    if (this.answered) return;
    if (this.open === 0) {
      this.answered = true;
      this.parent.shareSettled(this.parentHeld);
    } else this.holdParent();
  }

  shareRejected(_held: boolean, cause: unknown, verdict: Verdict, rewindDelayMs: number): void {
    if (this.answered) return;
    this.answered = true;
    this.parent.shareRejected(this.parentHeld, cause, verdict, rewindDelayMs);
  }

  shareGivenUp(): void {
    if (this.answered) return;
    this.answered = true;
    this.parent.shareGivenUp(this.parentHeld);
  }

  shareHeld(): void {
    this.busy--;
    if (!this.answered) this.holdParent();
  }

  addRoots(into: Set<Rooted>): void {
    this.parent.addRoots(into);
  }

  bytesBehind(): number {
    return this.parent.bytesBehind();
  }

  newestTimestamp(): number {
    return this.parent.newestTimestamp();
  }

  visitSettlements(visit: (settlement: Settlement) => void): void {
    this.parent.visitSettlements(visit);
  }

  visitPressures(visit: (source: PressureSource) => void): void {
    this.parent.visitPressures(visit);
  }

  everySettlement(test: (settlement: Settlement) => boolean): boolean {
    return this.parent.everySettlement(test);
  }

  someSettlement(): Settlement | undefined {
    return this.parent.someSettlement();
  }

  report(action: string): void {
    this.parent.report(action);
  }

  private holdParent(): void {
    if (this.busy > 0 || this.parentHeld) return;
    this.parentHeld = true;
    this.parent.shareHeld();
  }
}
