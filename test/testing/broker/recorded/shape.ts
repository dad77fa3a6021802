// What two answers must have in common: every field and every error, but no ids, times, addresses, or words.
import { parseBatches } from '../../../../src/core/records/record-batch.ts';

/** Named after whoever answers, or by chance. */
const OWN = new Set([
  ...[
    'topicId',
    'clusterId',
    'memberId',
    'leader',
    'leaderId',
    'nodeId',
    'brokerId',
    'controllerId',
    'producerId',
    'coordinators-nodeId',
  ],
  ...['host', 'port', 'rack', 'clientHost', 'preferredReadReplica', 'sessionId'],
  ...['throttleTimeMs', 'transactionStartTimeMs', 'lastTimestamp', 'heartbeatIntervalMs', 'logAppendTimeMs'],
  ...['replicaNodes', 'isrNodes', 'offlineReplicas', 'eligibleLeaderReplicas', 'lastKnownElr'],
  ...['logDir', 'partitionSize', 'totalBytes', 'usableBytes'],
  ...['errorMessage', 'clusterAuthorizedOperations', 'topicAuthorizedOperations'],
]);

const OF_TOPIC = 1;

/** The shape of a decoded answer. */
export function shapeOf(name: string, value: unknown): unknown {
  if (value === null || value === undefined) return name === 'errorMessage' ? '*' : value;
  if (Buffer.isBuffer(value)) return name === 'records' ? batchesOf(value) : value.toString('hex');
  // A broker that was configured for a test has values of its own where the box has Kafka's defaults.
  if (name === 'configSource' || name === 'source') return value === OF_TOPIC ? 'topic' : 'inherited';
  if (name === 'synonyms')
    return sorted((value as { source: number }[]).filter(({ source }) => source === OF_TOPIC));
  if (OWN.has(name)) return Array.isArray(value) ? value.length : '*';
  if (typeof value === 'bigint') return String(value);
  if (Array.isArray(value)) return sorted(value.map((one) => shapeOf('', one)));
  if (typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, shapeOf(key, one)]));
}

/** Lists of answers have no order of their own. */
const sorted = (list: readonly unknown[]): unknown[] =>
  [...list].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));

function batchesOf(records: Buffer): unknown {
  return [...parseBatches(records, { topic: 'golden', partition: 0 })].map(
    ({ baseOffset, lastOffset, count, isControl, isTransactional }) => ({
      baseOffset,
      lastOffset,
      count,
      isControl,
      isTransactional,
    }),
  );
}
