import { ERRORS } from '../../../core/protocol/error-codes.ts';
import { serve } from '../handler.ts';
import type { Partition } from '../state/partition.ts';
import { describeLogDirsApi } from '../../../core/protocol/messages/35-describe-log-dirs.ts';

/** Nothing is on disk; tools want a name all the same. */
export const IN_MEMORY = '/in-memory';
const ERRORS_OF_ITS_OWN_FROM = 3;

export const describeLogDirsHandler = serve(describeLogDirsApi, {
  handle({ topics: asked }, { cluster, node }) {
    const wanted = asked === null ? undefined : new Map(asked.map((one) => [one.topic, one.partitions]));
    const topics = [];
    for (const topic of cluster.topics.all()) {
      if (wanted?.has(topic.name) === false) continue;
      const indexes = wanted?.get(topic.name);
      const partitions = topic.partitions
        .filter(({ index, replicas }) => replicas.includes(node.id) && indexes?.includes(index) !== false)
        .map(describe);
      if (partitions.length > 0) topics.push({ name: topic.name, partitions });
    }
    return { errorCode: ERRORS.NONE, results: [{ errorCode: ERRORS.NONE, logDir: IN_MEMORY, topics }] };
  },
  refuse: (_request, errorCode, version) => ({
    errorCode,
    results: version >= ERRORS_OF_ITS_OWN_FROM ? [] : [{ errorCode, logDir: IN_MEMORY, topics: [] }],
  }),
});

function describe({ index, log }: Partition) {
  return { partitionIndex: index, partitionSize: log.bytes, offsetLag: 0, isFutureKey: false };
}
