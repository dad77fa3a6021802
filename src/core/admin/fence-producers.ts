// Shutting producers out of their transactional ids.

import type { Cluster } from '../cluster/cluster.ts';
import { brokerError } from '../cluster/retry.ts';
import { initProducerIdApi } from '../protocol/messages/22-init-producer-id.ts';
import { nameList } from './checks.ts';
import type { AdminOptions } from './outcomes.ts';
import { onCoordinators } from './routing.ts';

/** A transactional id that is nobody's now, and the epoch that shuts out whoever had it. */
export interface FencedProducer {
  readonly transactionalId: string;
  readonly producerId: number;
  readonly producerEpoch: number;
}

export async function fenceProducers(
  cluster: Cluster,
  transactionalIds: readonly string[],
  options: AdminOptions,
): Promise<FencedProducer[]> {
  nameList(transactionalIds, 'transactionalIds');
  const api = initProducerIdApi;
  return onCoordinators<FencedProducer>(
    cluster,
    `Fencing the producers of ${transactionalIds.join(', ')}`,
    transactionalIds,
    options,
    async (nodeId, ids, limits) => {
      const fenced = ids.map(async (transactionalId) => {
        // The coordinator takes it for the time that it has for its own log too.
        const request = { transactionalId, transactionTimeoutMs: cluster.requestTimeoutMs };
        const { errorCode, producerId, producerEpoch } = await cluster.send(nodeId, api, request, limits);
        const outcome =
          errorCode === 0
            ? { transactionalId, producerId, producerEpoch }
            : brokerError(errorCode, { api: api.name, detail: `transactional id ${transactionalId}` });
        return [transactionalId, outcome] as const;
      });
      return new Map(await Promise.all(fenced));
    },
    'transaction',
  );
}
