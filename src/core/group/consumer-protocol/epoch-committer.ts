// Commits with the epoch the member has at the moment: it may move while one is on its way.

import { BrokerError, type KafkaError } from '../../../errors.ts';
import type { Clock } from '../../clock.ts';
import type { CommitOptions, Committer, Generation, OffsetPoint } from '../committer.ts';

/** Where a newer epoch comes from. */
export interface EpochSource {
  /**
   * The member's next word from the coordinator after `generation` was refused as stale, which is asked for at once; undefined when the member is
   * not the same any more, or nothing came in time.
   */
  epochAfter(
    generation: Generation,
    timeoutMs: number,
    signal: AbortSignal | undefined,
  ): Promise<Generation | undefined>;
}

/**
 * The coordinator moves a member to the next epoch with the answer to a heartbeat; a commit that arrives before the member has that answer is stale,
 * though the partitions are the member's. It is repeated with the epoch of the answer, and so never with one the coordinator has left behind.
 */
export class EpochCommitter implements Committer {
  private readonly clock: Clock;
  private readonly inner: Committer;
  private readonly epochs: EpochSource;

  constructor(clock: Clock, inner: Committer, epochs: EpochSource) {
    this.clock = clock;
    this.inner = inner;
    this.epochs = epochs;
  }

  async commit(
    points: readonly OffsetPoint[],
    generation: Generation,
    options: CommitOptions,
  ): Promise<void> {
    const untilMs = this.clock.now() + options.deadlineMs;
    for (let current = generation; ;) {
      const remainingMs = Math.max(1, untilMs - this.clock.now());
      try {
        await this.inner.commit(points, current, { ...options, deadlineMs: remainingMs });
        return;
      } catch (error) {
        if (!isStaleEpoch(error)) throw error;
        const leftMs = untilMs - this.clock.now();
        if (leftMs <= 0) throw error;
        const newer = await this.epochs.epochAfter(current, leftMs, options.signal);
        if (newer === undefined) throw error;
        current = newer;
      }
    }
  }
}

/** Whether a request was refused for its member epoch alone. */
function isStaleEpoch(error: unknown): error is KafkaError {
  return error instanceof BrokerError && error.errorName === 'STALE_MEMBER_EPOCH';
}
