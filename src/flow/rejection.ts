import type { Owner } from './owner.ts';
import type { Verdict } from './settlement.ts';

/** The strongest verdict wins: replaying in place covers a later replay, and a replay covers giving up. */
const strength: { readonly [verdict in Verdict]: number } = { reject: 0, retry: 1, rewind: 2 };

/** What the refused children of one fork come to, once all their siblings are settled. */
export class Rejection {
  private readonly causes: unknown[] = [];
  private verdict: Verdict = 'reject';
  private rewindDelayMs = 0;

  add(cause: unknown, verdict: Verdict, rewindDelayMs: number): void {
    this.causes.push(cause);
    if (strength[verdict] > strength[this.verdict]) this.verdict = verdict;
    this.rewindDelayMs = Math.max(this.rewindDelayMs, rewindDelayMs);
  }

  pass(owner: Owner, held: boolean): void {
    const cause =
      this.causes.length === 1
        ? this.causes[0]
        : new AggregateError(this.causes, `${this.causes.length} of the deliveries made from one failed`);
    owner.shareRejected(held, cause, this.verdict, this.rewindDelayMs);
  }
}
