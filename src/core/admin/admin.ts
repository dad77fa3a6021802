import type { Cluster } from '../cluster/cluster.ts';

/** Topics, offsets and groups of a cluster. */
export class Admin {
  readonly cluster: Cluster;

  constructor(cluster: Cluster) {
    this.cluster = cluster;
  }
}
