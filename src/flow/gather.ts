import { Handle, handleOf, type Delivery } from './delivery.ts';
import type { Owner } from './owner.ts';
import { OwnerOfMany } from './owner-of-many.ts';
import type { Verdict } from './settlement.ts';

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

class Gathering extends OwnerOfMany {
  private readonly held: boolean[];

  constructor(owners: readonly Owner[], held: boolean[]) {
    super(owners);
    this.held = held;
  }

  shareSettled(): void {
    for (let at = 0; at < this.parts.length; at++) this.parts[at]!.shareSettled(this.held[at]!);
  }

  shareRejected(_held: boolean, cause: unknown, verdict: Verdict, rewindDelayMs: number): void {
    for (let at = 0; at < this.parts.length; at++) {
      this.parts[at]!.shareRejected(this.held[at]!, cause, verdict, rewindDelayMs);
    }
  }

  shareGivenUp(): void {
    for (let at = 0; at < this.parts.length; at++) this.parts[at]!.shareGivenUp(this.held[at]!);
  }

  shareHeld(): void {
    for (let at = 0; at < this.parts.length; at++) {
      if (this.held[at] === true) continue;
      this.held[at] = true;
      this.parts[at]!.shareHeld();
    }
  }
}
