import type { Owner, Rooted } from './owner.ts';
import type { PressureSource, Settlement, Verdict } from './settlement.ts';

/** Stands before another owner and passes everything on; a subclass listens. */
export abstract class RelayOwner implements Owner {
  protected readonly inner: Owner;

  constructor(inner: Owner) {
    this.inner = inner;
  }

  shareSettled(held: boolean): void {
    this.inner.shareSettled(held);
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

  onExpired(listener: () => void): (() => void) | undefined {
    return this.inner.onExpired?.(listener);
  }

  report(action: string): void {
    this.inner.report(action);
  }
}
