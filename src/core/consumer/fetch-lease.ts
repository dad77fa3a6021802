// Fetchers of one client do not share connections. A broker answers one request at a time per connection: the long poll of a fetcher whose partitions
// are idle would stand before every fetch of one whose partitions are busy.
import type { Cluster } from '../cluster/cluster.ts';

const leasesOf = new WeakMap<Cluster, FetchLeases>();

class FetchLeases {
  /** When each lease is free for the next fetcher; Infinity while it is taken. */
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

/** What a fetcher has to itself: a number that no other open fetcher of its client has, small, so that connections are used again. */
export class FetchLease {
  readonly number: number;
  private readonly leases: FetchLeases;

  constructor(cluster: Cluster) {
    let leases = leasesOf.get(cluster);
    if (leases === undefined) {
      leases = new FetchLeases();
      leasesOf.set(cluster, leases);
    }
    this.leases = leases;
    this.number = leases.take(cluster.clock.now());
  }

  /** Free from `atMs` on, when the last poll has been answered. */
  release(atMs: number): void {
    this.leases.give(this.number, atMs);
  }
}
