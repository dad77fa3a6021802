import { api } from '../api.ts';
import { array, bool, int16, int32, nullableArray, nullableString, string, uuid } from '../schema.ts';

/** Brokers, topics, partitions and their leaders. */
export const metadataApi = api(
  { key: 3, name: 'Metadata', versions: '0-13', flexible: '9+' },
  {
    /** Null for all topics; an empty list is none (all, in version 0). */
    topics: nullableArray(
      {
        topicId: uuid({ versions: '10+', ignorable: true }),
        /** Null only when asked by id. */
        name: nullableString({ nullable: '10+' }),
      },
      { nullable: '1+' },
    ),
    allowAutoTopicCreation: bool({ versions: '4+', default: true }),
    includeClusterAuthorizedOperations: bool({ versions: '8-10' }),
    includeTopicAuthorizedOperations: bool({ versions: '8+' }),
  },
  {
    throttleTimeMs: int32({ versions: '3+', ignorable: true }),
    brokers: array({
      nodeId: int32(),
      host: string(),
      port: int32(),
      rack: nullableString({ versions: '1+', default: null, ignorable: true }),
    }),
    clusterId: nullableString({ versions: '2+', default: null, ignorable: true }),
    /** -1 when unknown. Under KRaft any broker: it forwards to the controller. */
    controllerId: int32({ versions: '1+', default: -1, ignorable: true }),
    topics: array({
      errorCode: int16(),
      /** Null for a topic that was asked for by an unknown id. */
      name: nullableString({ nullable: '12+' }),
      topicId: uuid({ versions: '10+', ignorable: true }),
      isInternal: bool({ versions: '1+', default: false, ignorable: true }),
      partitions: array({
        errorCode: int16(),
        partitionIndex: int32(),
        /** -1 when there is no leader now. */
        leaderId: int32(),
        leaderEpoch: int32({ versions: '7+', default: -1, ignorable: true }),
        replicaNodes: array(int32()),
        isrNodes: array(int32()),
        offlineReplicas: array(int32(), { versions: '5+', ignorable: true }),
      }),
      /** Bits of the operations that are allowed; -2147483648 when not asked for. */
      topicAuthorizedOperations: int32({ versions: '8+', default: -2147483648 }),
    }),
    clusterAuthorizedOperations: int32({ versions: '8-10', default: -2147483648 }),
    /** REBOOTSTRAP_REQUIRED tells the client to start from its seeds again (KIP-1102). */
    errorCode: int16({ versions: '13+', ignorable: true }),
  },
);
