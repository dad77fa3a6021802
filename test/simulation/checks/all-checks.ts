// Every invariant there is.
import type { Event } from '../history/event.ts';
import { Findings } from '../history/violation.ts';
import type { Check, Violation } from '../history/violation.ts';
import { creditExceeded, memoryExceeded } from './budgets.ts';
import {
  doubleClaim,
  drainedLeaves,
  drainedUncommitted,
  lostClaimAppend,
  pausedPoll,
  unassignedPoll,
} from './claims.ts';
import {
  commitBeyondPosition,
  commitBeyondSettled,
  commitRegressed,
  commitUnassigned,
  startSkip,
} from './commits.ts';
import { g1c } from './cycles.ts';
import { failedWhenWell, slowRecovery, stuckPartition, stuckSend } from './liveness.ts';
import { duplicate, inconsistentOffsets } from './offsets.ts';
import { internalNonmonotonicPoll, internalPollSkip, nonmonotonicPoll, pollSkip } from './polls.ts';
import { sinceRecreation } from './recreated.ts';
import { internalNonmonotonicSend, nonmonotonicSend } from './sends.ts';
import { g1a, garbage, lostWrite, precommittedRead, tornTransaction, unseen } from './writes.ts';

/** What the player itself saw go wrong. */
function wrong(events: readonly Event[]): Violation[] {
  const findings = new Findings('wrong');
  for (const [index, event] of events.entries()) if (event.kind === 'wrong') findings.add(event.what, index);
  return findings.all;
}

export const CHECKS: readonly Check[] = [
  wrong,
  inconsistentOffsets,
  duplicate,
  lostWrite,
  unseen,
  g1a,
  precommittedRead,
  garbage,
  tornTransaction,
  pollSkip,
  nonmonotonicPoll,
  internalPollSkip,
  internalNonmonotonicPoll,
  nonmonotonicSend,
  internalNonmonotonicSend,
  g1c,
  unassignedPoll,
  doubleClaim,
  pausedPoll,
  drainedLeaves,
  drainedUncommitted,
  lostClaimAppend,
  commitBeyondPosition,
  commitBeyondSettled,
  commitUnassigned,
  commitRegressed,
  startSkip,
  creditExceeded,
  memoryExceeded,
  stuckPartition,
  stuckSend,
  failedWhenWell,
  slowRecovery,
];

/** Every breach of every invariant; empty for a good history. */
export function checkEvents(events: readonly Event[]): Violation[] {
  const seen = sinceRecreation(events);
  return CHECKS.flatMap((check) => check(seen));
}
