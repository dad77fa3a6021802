import type { RequestRead, ResponseInit } from '../../../core/protocol/api.ts';
import { ERRORS } from '../../../core/protocol/error-codes.ts';
import { serve } from '../handler.ts';
import type { RequestContext } from '../handler.ts';
import type { ClusterState } from '../state/cluster-state.ts';
import { NO_LEADER } from '../state/partition.ts';
import type { Partition } from '../state/partition.ts';
import { electLeadersApi } from '../../../core/protocol/messages/43-elect-leaders.ts';

type Request = RequestRead<typeof electLeadersApi>;
type TopicResult = ResponseInit<typeof electLeadersApi>['replicaElectionResults'][number];

const PREFERRED = 0;
const UNCLEAN = 1;

export const electLeadersHandler = serve(electLeadersApi, {
  handle(request, context) {
    const { electionType } = request;
    if (electionType !== PREFERRED && electionType !== UNCLEAN)
      return { errorCode: ERRORS.INVALID_REQUEST, replicaElectionResults: [] };
    return { errorCode: ERRORS.NONE, replicaElectionResults: results(request, context) };
  },
  refuse: (request, errorCode, version) => ({
    errorCode: version >= 1 ? errorCode : ERRORS.NONE,
    replicaElectionResults: (version >= 1 ? [] : (request.topicPartitions ?? [])).map(
      ({ topic, partitions }) => ({
        topic,
        partitionResult: partitions.map((partitionId) => ({ partitionId, errorCode, errorMessage: null })),
      }),
    ),
  }),
});

function results(request: Request, context: RequestContext): TopicResult[] {
  const { cluster } = context;
  const isAll = request.topicPartitions === null;
  const wanted =
    request.topicPartitions ??
    Array.from(cluster.topics.all(), ({ name: topic, partitions }) => ({
      topic,
      partitions: partitions.map(({ index }) => index),
    }));
  return wanted.map(({ topic, partitions }) => ({
    topic,
    partitionResult: partitions
      .map((partitionId) => {
        const partition = cluster.topics.get(topic)?.partitions[partitionId];
        const [errorCode, errorMessage] =
          partition === undefined
            ? [ERRORS.UNKNOWN_TOPIC_OR_PARTITION, `No such topic as ${topic}`]
            : elect(partition, request.electionType, cluster);
        return { partitionId, errorCode, errorMessage };
      })
      // Of all partitions only those are named in which something happened.
      .filter(({ errorCode }) => !isAll || errorCode !== ERRORS.ELECTION_NOT_NEEDED),
  }));
}

function elect(partition: Partition, electionType: number, cluster: ClusterState): [number, string | null] {
  const isUp = (id: number): boolean => cluster.node(id)?.isUp === true;
  const [preferred = NO_LEADER] = partition.replicas;
  if (electionType === UNCLEAN) {
    if (partition.leader !== NO_LEADER) return [ERRORS.ELECTION_NOT_NEEDED, 'The partition has a leader.'];
    const leader = partition.replicas.find(isUp);
    if (leader === undefined)
      return [ERRORS.ELIGIBLE_LEADERS_NOT_AVAILABLE, 'No replica of the partition is up.'];
    partition.isHeldLeaderless = false;
    partition.elect(leader);
    return [ERRORS.NONE, null];
  }
  if (partition.leader === preferred)
    return [ERRORS.ELECTION_NOT_NEEDED, 'The preferred replica leads already.'];
  if (!isUp(preferred))
    return [ERRORS.PREFERRED_LEADER_NOT_AVAILABLE, `The preferred replica ${preferred} is not up.`];
  partition.elect(preferred);
  return [ERRORS.NONE, null];
}
