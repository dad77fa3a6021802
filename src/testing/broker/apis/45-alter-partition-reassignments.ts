import { ERRORS } from '../../../core/protocol/error-codes.ts';
import { serve } from '../handler.ts';
import type { RequestContext } from '../handler.ts';
import { NO_LEADER } from '../state/partition.ts';
import { alterPartitionReassignmentsApi } from '../../../core/protocol/messages/45-alter-partition-reassignments.ts';

/** A reassignment is over at once: every replica here has the whole log. */
export const alterPartitionReassignmentsHandler = serve(alterPartitionReassignmentsApi, {
  handle: (request, context) => ({
    errorCode: ERRORS.NONE,
    errorMessage: null,
    responses: request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex, replicas }) => {
        const [errorCode, errorMessage] = reassign(name, partitionIndex, replicas, context);
        return { partitionIndex, errorCode, errorMessage };
      }),
    })),
  }),
  refuse: (_request, errorCode) => ({ errorCode, errorMessage: null, responses: [] }),
});

function reassign(
  name: string,
  index: number,
  replicas: readonly number[] | null,
  context: RequestContext,
): [number, string | null] {
  const { cluster } = context;
  const partition = cluster.topics.get(name)?.partitions[index];
  if (partition === undefined) {
    return [ERRORS.UNKNOWN_TOPIC_OR_PARTITION, `Unable to find partition ${name}-${index}.`];
  }
  if (replicas === null)
    return [ERRORS.NO_REASSIGNMENT_IN_PROGRESS, 'No partition reassignment in progress.'];
  const refusal = cluster.topics.checkReplicas(replicas);
  if (refusal !== undefined) return [refusal.code, refusal.message];
  partition.replicas = [...replicas];
  if (!replicas.includes(partition.leader) && !partition.isHeldLeaderless) {
    partition.elect(replicas.find((id) => cluster.node(id)?.isUp === true) ?? NO_LEADER);
  }
  return [ERRORS.NONE, null];
}
