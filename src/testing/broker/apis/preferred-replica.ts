import type { RequestContext } from '../handler.ts';
import type { Partition } from '../state/partition.ts';

/**
 * The follower that a consumer of this rack is sent to by the leader (KIP-392, Kafka's RackAwareReplicaSelector): one that is in sync and
 * stands in the rack while the leader does not. Undefined: it may read here.
 */
export function preferredReplica(
  partition: Partition,
  rackId: string,
  context: RequestContext,
): number | undefined {
  const { cluster, node } = context;
  if (rackId === '' || partition.leader !== node.id || node.rack === rackId) return undefined;
  const inRack = cluster.inSyncReplicas(partition).filter((id) => cluster.node(id)?.rack === rackId);
  return inRack.length === 0 ? undefined : Math.min(...inRack);
}
