import type { Owner, Rooted } from './owner.ts';
import type { PressureSource, Settlement, Verdict } from './settlement.ts';

/** Answers what is asked about the owners behind it; a subclass says what becomes of their shares. */
export abstract class OwnerOfMany implements Owner {
  readonly parts: readonly Owner[];

  constructor(parts: readonly Owner[]) {
    this.parts = parts;
  }

  abstract shareSettled(held: boolean): void;
  abstract shareRejected(held: boolean, cause: unknown, verdict: Verdict, rewindDelayMs: number): void;
  abstract shareGivenUp(held: boolean): void;
  abstract shareHeld(): void;

  addRoots(into: Set<Rooted>): void {
    for (const part of this.parts) part.addRoots(into);
  }

  bytesBehind(): number {
    let bytes = 0;
    for (const part of this.parts) bytes += part.bytesBehind();
    return bytes;
  }

  newestTimestamp(): number {
    let newest = -1;
    for (const part of this.parts) newest = Math.max(newest, part.newestTimestamp());
    return newest;
  }

  visitSettlements(visit: (settlement: Settlement) => void): void {
    for (const part of this.parts) part.visitSettlements(visit);
  }

  visitPressures(visit: (source: PressureSource) => void): void {
    for (const part of this.parts) part.visitPressures(visit);
  }

  everySettlement(test: (settlement: Settlement) => boolean): boolean {
    return this.parts.length > 0 && this.parts.every((part) => part.everySettlement(test));
  }

  someSettlement(): Settlement | undefined {
    for (const part of this.parts) {
      const settlement = part.someSettlement();
      if (settlement !== undefined) return settlement;
    }
    return undefined;
  }

  report(action: string): void {
    this.parts[0]?.report(action);
  }
}
