import { api } from '../api.ts';
import { array, int16, int32, string } from '../schema.ts';

/** Moves replicas of the asked broker to other directories of it. */
export const alterReplicaLogDirsApi = api(
  { key: 34, name: 'AlterReplicaLogDirs', versions: '1-2', flexible: '2+' },
  {
    dirs: array({
      /** Absolute. */
      path: string(),
      topics: array({ name: string(), partitions: array(int32()) }),
    }),
  },
  {
    throttleTimeMs: int32({ default: 0 }),
    results: array({
      topicName: string(),
      partitions: array({ partitionIndex: int32(), errorCode: int16() }),
    }),
  },
);
