import type { Owner } from '../../../src/flow/owner.ts';
import { RelayOwner } from '../../../src/flow/relay-owner.ts';

/** Stands before an owner, and tells when it is settled. */
export class Watched extends RelayOwner {
  private readonly onSettled: () => void;

  constructor(inner: Owner, onSettled: () => void) {
    super(inner);
    this.onSettled = onSettled;
  }

  override shareSettled(held: boolean): void {
    this.onSettled();
    super.shareSettled(held);
  }
}
