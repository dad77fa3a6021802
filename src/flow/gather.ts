import { Handle, handleOf, type Delivery } from './delivery.ts';
import type { Owner, Rooted } from './owner.ts';
import type { PressureSource, Settlement, Verdict } from './settlement.ts';

/**
 * Makes one delivery of many: its origins are the union of theirs, and what becomes of it becomes of each of them. The parts are inert from
 * then on; a part that already was is reported and left out.
 */
export function gather<A, R>(parts: readonly Delivery<A>[], value: R): Delivery<R> {
  const owners: Owner[] = [];
  const held: boolean[] = [];
  for (const part of parts) handleOf(part).moveInto(owners, held);
  return new Handle<R>(value, new Gathering(owners, held));
}

class Gathering implements Owner {
  private readonly owners: readonly Owner[];
  private readonly held: boolean[];

  constructor(owners: readonly Owner[], held: boolean[]) {
    this.owners = owners;
    this.held = held;
  }

  shareSettled(): void {
    for (let at = 0; at < this.owners.length; at++) this.owners[at]!.shareSettled(this.held[at]!);
  }

  shareRejected(_held: boolean, cause: unknown, verdict: Verdict, rewindDelayMs: number): void {
    for (let at = 0; at < this.owners.length; at++) {
      this.owners[at]!.shareRejected(this.held[at]!, cause, verdict, rewindDelayMs);
    }
  }

  shareGivenUp(): void {
    for (let at = 0; at < this.owners.length; at++) this.owners[at]!.shareGivenUp(this.held[at]!);
  }

  shareHeld(): void {
    for (let at = 0; at < this.owners.length; at++) {
      if (this.held[at] === true) continue;
      this.held[at] = true;
      this.owners[at]!.shareHeld();
    }
  }

  addRoots(into: Set<Rooted>): void {
    for (const owner of this.owners) owner.addRoots(into);
  }

  bytesBehind(): number {
    let bytes = 0;
    for (const owner of this.owners) bytes += owner.bytesBehind();
    return bytes;
  }

  newestTimestamp(): number {
    let newest = -1;
    for (const owner of this.owners) newest = Math.max(newest, owner.newestTimestamp());
    return newest;
  }

  visitSettlements(visit: (settlement: Settlement) => void): void {
    for (const owner of this.owners) owner.visitSettlements(visit);
  }

  visitPressures(visit: (source: PressureSource) => void): void {
    for (const owner of this.owners) owner.visitPressures(visit);
  }

  everySettlement(test: (settlement: Settlement) => boolean): boolean {
    return this.owners.length > 0 && this.owners.every((owner) => owner.everySettlement(test));
  }

  someSettlement(): Settlement | undefined {
    for (const owner of this.owners) {
      const settlement = owner.someSettlement();
      if (settlement !== undefined) return settlement;
    }
    return undefined;
  }

  report(action: string): void {
    this.owners[0]?.report(action);
  }
}
