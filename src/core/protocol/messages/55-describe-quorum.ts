import { api } from '../api.ts';
import { array, int16, int32, nullableString, offset, string, timestamp, uint16, uuid } from '../schema.ts';

const replicaState = {
  replicaId: int32(),
  replicaDirectoryId: uuid({ versions: '2+' }),
  /** -1 when it is not known. */
  logEndOffset: offset(),
  lastFetchTimestamp: timestamp({ versions: '1+', default: -1, ignorable: true }),
  lastCaughtUpTimestamp: timestamp({ versions: '1+', default: -1, ignorable: true }),
};

/** The controllers' own log, and who follows it (KIP-595). */
export const describeQuorumApi = api(
  { key: 55, name: 'DescribeQuorum', versions: '0-2', flexible: '0+' },
  { topics: array({ topicName: string(), partitions: array({ partitionIndex: int32() }) }) },
  {
    errorCode: int16(),
    errorMessage: nullableString({ versions: '2+', ignorable: true }),
    topics: array({
      topicName: string(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        errorMessage: nullableString({ versions: '2+', ignorable: true }),
        /** -1 while there is none. */
        leaderId: int32(),
        leaderEpoch: int32(),
        highWatermark: offset(),
        currentVoters: array(replicaState),
        observers: array(replicaState),
      }),
    }),
    nodes: array(
      { nodeId: int32(), listeners: array({ name: string(), host: string(), port: uint16() }) },
      { versions: '2+' },
    ),
  },
);
