// The bugs that the checks must find, by name.
import * as consumer from './consumer-bugs.ts';
import * as producer from './producer-bugs.ts';
import * as windows from './window-bugs.ts';

export const BUGS = {
  'drop-acked': producer.dropAcked,
  'double-send-on-timeout': producer.doubleSendOnTimeout,
  'reuse-sequence': producer.reuseSequence,
  'reset-sequence-without-epoch': producer.resetSequenceWithoutEpoch,
  'ignore-abort-index': consumer.ignoreAbortIndex,
  'skip-control-offset': consumer.skipControlOffset,
  'commit-before-process': consumer.commitBeforeProcess,
  'commit-after-revoke': consumer.commitAfterRevoke,
  'position-plus-one-on-rebalance': consumer.positionPlusOneOnRebalance,
  'stale-leader-write': producer.staleLeaderWrite,
  'swap-two-batches-on-retry': producer.swapTwoBatchesOnRetry,
  'deliver-unassigned': consumer.deliverUnassigned,
  'forget-paused': consumer.forgetPaused,
  'timeout-reported-as-fail': producer.timeoutReportedAsFail,
  'lose-row': windows.loseRow,
  'repeat-row': windows.repeatRow,
  'settle-before-row': windows.settleBeforeRow,
  'mark-too-far': windows.markTooFar,
} as const;

export type BugName = keyof typeof BUGS;

export const BUG_NAMES = Object.keys(BUGS) as BugName[];

/** Puts the bug into this process's product; the function returned takes it out again. */
export function plant(name: BugName): () => void {
  return BUGS[name]();
}
