import type { Owner, Rooted } from '../../flow/owner.ts';
import type { PressureSource, Settlement, Verdict } from '../../flow/settlement.ts';

/** Stands before another owner and tells when what it answers for was settled. */
export class ObservedOwner implements Owner {
  private readonly inner: Owner;
  private readonly onSettled: () => void;

  constructor(inner: Owner, onSettled: () => void) {
    this.inner = inner;
    this.onSettled = onSettled;
  }

  shareSettled(held: boolean): void {
    this.inner.shareSettled(held);
    this.onSettled();
  }

  shareRejected(held: boolean, cause: unknown, verdict: Verdict, rewindDelayMs: number): void {
    this.inner.shareRejected(held, cause, verdict, rewindDelayMs);
  }

  shareGivenUp(held: boolean): void {
    this.inner.shareGivenUp(held);
  }

  shareHeld(): void {
    this.inner.shareHeld();
  }

  addRoots(into: Set<Rooted>): void {
    this.inner.addRoots(into);
  }

  bytesBehind(): number {
    return this.inner.bytesBehind();
  }

  newestTimestamp(): number {
    return this.inner.newestTimestamp();
  }

  visitSettlements(visit: (settlement: Settlement) => void): void {
    this.inner.visitSettlements(visit);
  }

  visitPressures(visit: (source: PressureSource) => void): void {
    this.inner.visitPressures(visit);
  }

  everySettlement(test: (settlement: Settlement) => boolean): boolean {
    return this.inner.everySettlement(test);
  }

  someSettlement(): Settlement | undefined {
    return this.inner.someSettlement();
  }

  report(action: string): void {
    this.inner.report(action);
  }
}
