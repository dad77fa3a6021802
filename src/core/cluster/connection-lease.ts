// Fetchers of one client do not share connections, nor do members of groups that join. A broker answers one request at a time per connection: the long
// poll of a fetcher whose partitions are idle would stand before every fetch of one whose partitions are busy, and a join that waits for others
// before every other join.
import type { Cluster } from './cluster.ts';

/** What connections are held for. */
export type LeasedFor = 'fetch' | 'join';

const leasesOf = new WeakMap<Cluster, { readonly [use in LeasedFor]: Leases }>();

class Leases {
  /** When each lease is free for the next holder; Infinity while it is taken. */
  private readonly freeAtMs: number[] = [];

  take(nowMs: number): number {
    const free = this.freeAtMs.findIndex((atMs) => atMs <= nowMs);
    const lease = free < 0 ? this.freeAtMs.length : free;
    this.freeAtMs[lease] = Infinity;
    return lease;
  }

  give(lease: number, atMs: number): void {
    this.freeAtMs[lease] = atMs;
  }
}

/** What a fetcher or a member has to itself: a number that no other of its client has now, small, so that connections are used again. */
export class ConnectionLease {
  readonly number: number;
  private readonly leases: Leases;
  private isReleased = false;

  constructor(cluster: Cluster, use: LeasedFor) {
    let leases = leasesOf.get(cluster);
    if (leases === undefined) {
      leases = { fetch: new Leases(), join: new Leases() };
      leasesOf.set(cluster, leases);
    }
    this.leases = leases[use];
    this.number = this.leases.take(cluster.clock.now());
  }

  /** Free from `atMs` on, when the last answer that may take its time has come. */
  release(atMs: number): void {
    if (this.isReleased) return;
    this.isReleased = true;
    this.leases.give(this.number, atMs);
  }
}
