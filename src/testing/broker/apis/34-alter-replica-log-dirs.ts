import { ERRORS } from '../../../core/protocol/error-codes.ts';
import { alterReplicaLogDirsApi } from '../../../core/protocol/messages/34-alter-replica-log-dirs.ts';
import { serve } from '../handler.ts';
import { IN_MEMORY } from './35-describe-log-dirs.ts';

/** There is one place only, in which everything is already. */
export const alterReplicaLogDirsHandler = serve(alterReplicaLogDirsApi, {
  handle: ({ dirs }, { cluster }) => ({
    results: dirs.flatMap(({ path, topics }) =>
      topics.map(({ name, partitions }) => ({
        topicName: name,
        partitions: partitions.map((partitionIndex) => {
          const isKnown = cluster.topics.get(name)?.partitions[partitionIndex] !== undefined;
          const errorCode = isKnown ? ERRORS.NONE : ERRORS.UNKNOWN_TOPIC_OR_PARTITION;
          return { partitionIndex, errorCode: path === IN_MEMORY ? errorCode : ERRORS.LOG_DIR_NOT_FOUND };
        }),
      })),
    ),
  }),
  refuse: ({ dirs }, errorCode) => ({
    results: dirs.flatMap(({ topics }) =>
      topics.map(({ name, partitions }) => ({
        topicName: name,
        partitions: partitions.map((partitionIndex) => ({ partitionIndex, errorCode })),
      })),
    ),
  }),
});
