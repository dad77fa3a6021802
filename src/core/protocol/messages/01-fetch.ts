import { api } from '../api.ts';
import {
  array,
  int16,
  int32,
  int8,
  nullableArray,
  nullableString,
  offset,
  records,
  string,
  struct,
  uuid,
} from '../schema.ts';

/** Reads record batches. Topics go by name up to version 12, by id from version 13. Version 18 adds nothing for a consumer. */
export const fetchApi = api(
  { key: 1, name: 'Fetch', versions: '4-17', flexible: '12+' },
  {
    clusterId: nullableString({ versions: '12+', default: null, tag: 0, ignorable: true }),
    /** -1 for a consumer; moved into `replicaState` in version 15. */
    replicaId: int32({ versions: '0-14', default: -1 }),
    replicaState: struct(
      { replicaId: int32({ default: -1 }), replicaEpoch: offset({ default: -1 }) },
      { versions: '15+', tag: 1 },
    ),
    maxWaitMs: int32(),
    minBytes: int32(),
    /** Of the whole response; a first batch larger than it is sent all the same (KIP-74). */
    maxBytes: int32({ default: 0x7fffffff, ignorable: true }),
    /** 0: read uncommitted; 1: read committed. */
    isolationLevel: int8({ default: 0, ignorable: true }),
    /** 0 asks for a new fetch session (KIP-227). */
    sessionId: int32({ versions: '7+', default: 0, ignorable: true }),
    /** 0 opens a session, -1 goes without or closes it. */
    sessionEpoch: int32({ versions: '7+', default: -1, ignorable: true }),
    topics: array({
      topic: string({ versions: '0-12', ignorable: true }),
      topicId: uuid({ versions: '13+', ignorable: true }),
      partitions: array({
        partition: int32(),
        /** -1 when unknown: the broker then does not fence the request. */
        currentLeaderEpoch: int32({ versions: '9+', default: -1, ignorable: true }),
        fetchOffset: offset(),
        /** The epoch of the record before `fetchOffset`, for truncation detection (KIP-595); -1 when there is none. */
        lastFetchedEpoch: int32({ versions: '12+', default: -1 }),
        /** Of a follower only. */
        logStartOffset: offset({ versions: '5+', default: -1, ignorable: true }),
        partitionMaxBytes: int32(),
        /** Of a follower only. */
        replicaDirectoryId: uuid({ versions: '17+', tag: 0, ignorable: true }),
      }),
    }),
    /** In an incremental fetch, the partitions that leave the session. */
    forgottenTopicsData: array(
      {
        topic: string({ versions: '7-12', ignorable: true }),
        topicId: uuid({ versions: '13+', ignorable: true }),
        partitions: array(int32()),
      },
      { versions: '7+' },
    ),
    /** The consumer's rack, for reading from the nearest replica (KIP-392). */
    rackId: string({ versions: '11+', default: '', ignorable: true }),
  },
  {
    throttleTimeMs: int32({ default: 0, ignorable: true }),
    errorCode: int16({ versions: '7+', ignorable: true }),
    /** 0 when the broker keeps no session. */
    sessionId: int32({ versions: '7+', default: 0 }),
    responses: array({
      topic: string({ versions: '0-12', ignorable: true }),
      topicId: uuid({ versions: '13+', ignorable: true }),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        highWatermark: offset(),
        /** Before it every transaction is decided. */
        lastStableOffset: offset({ default: -1, ignorable: true }),
        logStartOffset: offset({ versions: '5+', default: -1, ignorable: true }),
        /** The largest epoch, and its end, up to which the reader's log and the leader's agree; given only when they diverge. */
        divergingEpoch: struct(
          { epoch: int32({ default: -1 }), endOffset: offset({ default: -1 }) },
          { versions: '12+', tag: 0 },
        ),
        /** Where to read from now on; -1 when unknown. */
        currentLeader: struct(
          { leaderId: int32({ default: -1 }), leaderEpoch: int32({ default: -1 }) },
          { versions: '12+', tag: 1 },
        ),
        snapshotId: struct(
          { endOffset: offset({ default: -1 }), epoch: int32({ default: -1 }) },
          { versions: '12+', tag: 2 },
        ),
        /** Null for a reader of uncommitted records. */
        abortedTransactions: nullableArray(
          { producerId: offset(), firstOffset: offset() },
          { ignorable: true },
        ),
        /** The replica to read from next (KIP-392), or -1. */
        preferredReadReplica: int32({ versions: '11+', default: -1 }),
        /** Batches one after the other; the last may be cut off. A view of the frame. */
        records: records(),
      }),
    }),
    /** Addresses of the leaders named above (KIP-951). */
    nodeEndpoints: array(
      { nodeId: int32(), host: string(), port: int32(), rack: nullableString({ default: null }) },
      { versions: '16+', tag: 0 },
    ),
  },
);
