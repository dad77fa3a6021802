import type { Origin } from './origin.ts';
import type { PressureSource, Settlement, Verdict } from './settlement.ts';

/** A root delivery, as what its record's origin is made from. */
export interface Rooted {
  origin(): Origin;
}

/**
 * What a live handle answers to: a root, a fork or a gathering. Exactly one live handle exists for each share of an owner, so each share is
 * answered once; `held` tells whether that share had given its credit back.
 */
export interface Owner {
  shareSettled(held: boolean): void;
  shareRejected(held: boolean, cause: unknown, verdict: Verdict, rewindDelayMs: number): void;
  /** The share stays unsettled on purpose. */
  shareGivenUp(held: boolean): void;
  shareHeld(): void;
  /** Adds the roots behind it, each once. */
  addRoots(into: Set<Rooted>): void;
  /** Bytes of the records behind it, on the wire. */
  bytesBehind(): number;
  /** The largest timestamp of the records behind it; -1 without any. */
  newestTimestamp(): number;
  /** Calls `visit` for each claim or plain source behind it; one may be visited more than once. */
  visitSettlements(visit: (settlement: Settlement) => void): void;
  /** As above, with the stages on the way whose room its settling frees. */
  visitPressures(visit: (source: PressureSource) => void): void;
  /** True when `test` holds for every claim behind it. */
  everySettlement(test: (settlement: Settlement) => boolean): boolean;
  /** One of the claims behind it; undefined for a delivery made from nothing. */
  someSettlement(): Settlement | undefined;
  /** Where a `timeout` can take the share back: calls `listener` when it does. The function returned stops that. */
  onExpired?(listener: () => void): (() => void) | undefined;
  report(action: string): void;
}

/** The owner of what comes from an inert handle: nothing is settled by it. */
export const nobody: Owner = {
  shareSettled() {},
  shareRejected() {},
  shareGivenUp() {},
  shareHeld() {},
  addRoots() {},
  bytesBehind: () => 0,
  newestTimestamp: () => -1,
  visitSettlements() {},
  visitPressures() {},
  everySettlement: () => false,
  someSettlement: () => undefined,
  report() {},
};
