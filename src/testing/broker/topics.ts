import { UsageError } from '../../errors.ts';
import type { TopicOptions } from './options.ts';
import type { ClusterState } from './state/cluster-state.ts';

/** Creates a topic from inside; a refusal is the caller's mistake. */
export function createTopic(cluster: ClusterState, name: string, options: number | TopicOptions): void {
  const {
    partitions = -1,
    replicationFactor = -1,
    configs = {},
  } = typeof options === 'number' ? { partitions: options } : options;
  const created = cluster.topics.create({
    name,
    partitions,
    replicationFactor,
    configs: new Map(Object.entries(configs)),
  });
  if ('code' in created)
    throw new UsageError(`The box cannot create topic '${name}': ${created.message}`, 'topics');
}
