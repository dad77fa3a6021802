import type { Clock } from '../../../core/clock.ts';
import type { Partition } from '../state/partition.ts';

/** Where a fetch reads. */
export interface FetchPlace {
  readonly partition: Partition;
  /** Who led the partition when it was read. */
  readonly leader: number;
  readonly leaderEpoch: number;
  readonly offset: number;
  /** Only up to the last stable offset. */
  readonly isCommitted: boolean;
}

export interface FetchWait<T> {
  readonly clock: Clock;
  readonly maxWaitMs: number;
  readonly minBytes: number;
  readonly places: readonly FetchPlace[];
  readonly onGone: (run: () => void) => void;
  readonly answer: () => T;
}

/** Answers as soon as `minBytes` are there to read, a leader has changed, or `maxWaitMs` have passed. */
export function waitForRecords<T>(wait: FetchWait<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    let isChecking = false;
    let isOver = false;
    const stop = (): void => {
      isOver = true;
      timer.cancel();
      for (const { partition } of wait.places) partition.removeWaiter(onChange);
    };
    const finish = (): void => {
      stop();
      try {
        resolve(wait.answer());
      } catch (error) {
        reject(error);
      }
    };
    const check = (): void => {
      isChecking = false;
      if (!isOver && isReady(wait)) finish();
    };
    // Looked at once per turn: a produce to many partitions wakes many times.
    const onChange = (): void => {
      if (isChecking) return;
      isChecking = true;
      wait.clock.defer(check);
    };
    const timer = wait.clock.setTimeout(finish, wait.maxWaitMs);
    for (const { partition } of wait.places) partition.addWaiter(onChange);
    wait.onGone(stop);
  });
}

function isReady<T>(wait: FetchWait<T>): boolean {
  let bytes = 0;
  for (const { partition, leader, leaderEpoch, offset, isCommitted } of wait.places) {
    if (partition.leader !== leader || partition.leaderEpoch !== leaderEpoch) return true;
    if (offset < partition.log.startOffset) return true;
    const { log } = partition;
    const limit = isCommitted ? log.lastStableOffset : log.highWatermark;
    bytes += log.bytesFrom(offset, wait.minBytes - bytes, limit);
    if (bytes >= wait.minBytes) return true;
  }
  return false;
}
