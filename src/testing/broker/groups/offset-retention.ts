import type { Clock } from '../../../core/clock.ts';
import type { GroupTimings } from '../options.ts';
import { agesSince, isEmpty, readsTopic } from './group.ts';
import type { Group } from './group.ts';

/** Lets commits that nobody needs any more expire, at the times at which Kafka would look (`offsets.retention.check.interval.ms`). */
export class OffsetRetention {
  readonly #clock: Clock;
  readonly #timings: GroupTimings;
  #nextAtMs: number;

  constructor(clock: Clock, timings: GroupTimings) {
    this.#clock = clock;
    this.#timings = timings;
    this.#nextAtMs = clock.now() + timings.offsetsRetentionCheckIntervalMs;
  }

  /** Removes expired commits, when it is time to look; the groups that are left without any commit and member are to be removed. */
  sweep(groups: Iterable<Group>): Group[] {
    const { offsetsRetentionCheckIntervalMs: intervalMs } = this.#timings;
    const nowMs = this.#clock.now();
    if (nowMs < this.#nextAtMs) return [];
    const lookedAtMs = nowMs - ((nowMs - this.#nextAtMs) % intervalMs);
    this.#nextAtMs = lookedAtMs + intervalMs;
    return [...groups].filter((group) => this.#expire(group, lookedAtMs));
  }

  #expire(group: Group, lookedAtMs: number): boolean {
    const { offsets } = group;
    const since = agesSince(group);
    if (since !== undefined) {
      for (const [topic, partitions] of [...offsets.topics()]) {
        if (readsTopic(group, topic)) continue;
        for (const [partition, committed] of [...partitions]) {
          const { atMs, expiresAtMs } = offsets.timesOf(committed, lookedAtMs);
          const endMs = expiresAtMs ?? since(atMs) + this.#timings.offsetsRetentionMs;
          if (lookedAtMs >= endMs && !offsets.hasPending(topic, partition)) offsets.forget(topic, partition);
        }
      }
    }
    return offsets.isEmpty && !offsets.hasPending() && isEmpty(group);
  }
}
