// Which broker a partition is read from: its leader, or for a while a follower that the leader named as nearer (KIP-392).

import type { Clock } from '../clock.ts';
import type { PartitionReader } from './partition-reader.ts';

/** A follower that failed is not gone to again for so long: more than a broker needs to be taken for dead (9 s), until when the leader goes on naming it. */
const AVOID_MS = 10_000;

/** Leases of followers. */
export class ReadReplicas {
  private readonly clock: Clock;
  private readonly leaseMs: number;

  constructor(clock: Clock, leaseMs: number) {
    this.clock = clock;
    this.leaseMs = leaseMs;
  }

  /** The leader named this broker. */
  lease({ feed: { fetch } }: PartitionReader, nodeId: number): void {
    fetch.follower = nodeId;
    fetch.followerUntilMs = this.clock.now() + this.leaseMs;
  }

  /** The lease is over: the leader is asked, and may name the same one again. False when there was none. */
  end({ feed: { fetch } }: PartitionReader): boolean {
    if (fetch.follower < 0) return false;
    fetch.follower = -1;
    fetch.followerUntilMs = Infinity;
    return true;
  }

  /** The follower failed, or could not answer: for a while the leader serves. False when there was none. */
  leave(reader: PartitionReader): boolean {
    if (!this.end(reader)) return false;
    reader.feed.fetch.leaderUntilMs = this.clock.now() + AVOID_MS;
    return true;
  }
}
