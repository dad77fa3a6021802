import type { Clock } from '../../../core/clock.ts';
import { ERRORS } from '../../../core/protocol/error-codes.ts';
import type { Partition } from '../state/partition.ts';

/** An append that a producer with acks=all waits for. */
export interface UnreplicatedAppend {
  /** The answer as it is when all goes well. */
  readonly response: { errorCode: number; baseOffset: number };
  readonly partition: Partition;
  readonly endOffset: number;
  readonly leaderEpoch: number;
  /** Whether enough replicas are in sync now. */
  readonly hasEnough: () => boolean;
}

export interface ReplicaWait {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly unreplicated: readonly UnreplicatedAppend[];
  readonly onGone: (run: () => void) => void;
}

/** Resolves when the replicas have all appends, or it is clear that they will not, or the time is up; the answers say which. */
export function waitForReplicas(wait: ReplicaWait): Promise<void> {
  return new Promise((resolve) => {
    const open = new Set(wait.unreplicated);
    const look = (): void => {
      for (const append of open) {
        if (!settle(append)) continue;
        append.partition.removeWaiter(look);
        open.delete(append);
      }
      if (open.size > 0) return;
      timer.cancel();
      resolve();
    };
    const stop = (): void => {
      timer.cancel();
      for (const { partition } of open) partition.removeWaiter(look);
    };
    const timer = wait.clock.setTimeout(() => {
      stop();
      for (const { response } of open) refuse(response, ERRORS.REQUEST_TIMED_OUT);
      resolve();
    }, wait.timeoutMs);
    for (const { partition } of open) partition.addWaiter(look);
    wait.onGone(stop);
  });
}

/** True when the append's fate is known, which is then in its answer. */
function settle({ response, partition, endOffset, leaderEpoch, hasEnough }: UnreplicatedAppend): boolean {
  if (partition.leaderEpoch !== leaderEpoch) {
    refuse(response, ERRORS.NOT_LEADER_OR_FOLLOWER);
    return true;
  }
  if (partition.log.highWatermark < endOffset) return false;
  if (hasEnough()) partition.acknowledgedByAll = Math.max(partition.acknowledgedByAll, endOffset);
  else refuse(response, ERRORS.NOT_ENOUGH_REPLICAS_AFTER_APPEND);
  return true;
}

function refuse(response: UnreplicatedAppend['response'], errorCode: number): void {
  response.errorCode = errorCode;
  response.baseOffset = -1;
}
