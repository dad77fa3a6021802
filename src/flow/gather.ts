import { Handle, handleOf, type Delivery } from './delivery.ts';
import type { Owner } from './owner.ts';
import { OwnerOfMany } from './owner-of-many.ts';
import { ending } from './policy.ts';
import type { Verdict } from './settlement.ts';

const GIVEN_UP = 'A value of several claims was given up with the claim of one of them';

function hasEnding(owner: Owner): boolean {
  let found = false;
  owner.visitSettlements((settlement) => {
    found ||= ending(settlement);
  });
  return found;
}

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

  // A claim that goes on where another one's is over would wait for its record for ever.
  shareGivenUp(): void {
    const someOver = hasEnding(this);
    for (let at = 0; at < this.parts.length; at++) {
      const part = this.parts[at]!;
      const held = this.held[at]!;
      if (someOver && !hasEnding(part)) part.shareRejected(held, new Error(GIVEN_UP), 'rewind', 0);
      else part.shareGivenUp(held);
    }
  }

  shareHeld(): void {
    for (let at = 0; at < this.parts.length; at++) {
      if (this.held[at] === true) continue;
      this.held[at] = true;
      this.parts[at]!.shareHeld();
    }
  }
}
