import { api } from '../api.ts';
import {
  array,
  int16,
  int32,
  nullableString,
  offset,
  records,
  string,
  struct,
  timestamp,
  uuid,
} from '../schema.ts';

/** Appends record batches. Topics go by name up to version 12, by id from version 13. Without acks (0) there is no response at all. */
export const produceApi = api(
  { key: 0, name: 'Produce', versions: '3-13', flexible: '9+' },
  {
    /** Null when the producer is not transactional. */
    transactionalId: nullableString({ default: null }),
    /** 0: no answer; 1: the leader has it; -1: all in-sync replicas have it. */
    acks: int16(),
    /** How long the broker waits for the replicas, in milliseconds. */
    timeoutMs: int32(),
    topicData: array({
      name: string({ versions: '0-12', ignorable: true }),
      topicId: uuid({ versions: '13+', ignorable: true }),
      partitionData: array({
        index: int32(),
        /** One batch of format v2. */
        records: records(),
      }),
    }),
  },
  {
    responses: array({
      name: string({ versions: '0-12', ignorable: true }),
      topicId: uuid({ versions: '13+', ignorable: true }),
      partitionResponses: array({
        index: int32(),
        errorCode: int16(),
        baseOffset: offset(),
        /** The broker's time of the append where the topic uses LogAppendTime, else -1. */
        logAppendTimeMs: timestamp({ default: -1, ignorable: true }),
        logStartOffset: offset({ versions: '5+', default: -1, ignorable: true }),
        /** The records that caused the batch to be refused, by their index in it. */
        recordErrors: array(
          { batchIndex: int32(), batchIndexErrorMessage: nullableString({ default: null }) },
          { versions: '8+', ignorable: true },
        ),
        errorMessage: nullableString({ versions: '8+', default: null, ignorable: true }),
        /** Where to send from now on, after NOT_LEADER_OR_FOLLOWER (KIP-951); -1 when unknown. */
        currentLeader: struct(
          { leaderId: int32({ default: -1 }), leaderEpoch: int32({ default: -1 }) },
          { versions: '10+', tag: 0 },
        ),
      }),
    }),
    throttleTimeMs: int32({ default: 0, ignorable: true }),
    /** Addresses of the leaders named above (KIP-951). */
    nodeEndpoints: array(
      { nodeId: int32(), host: string(), port: int32(), rack: nullableString({ default: null }) },
      { versions: '10+', tag: 0 },
    ),
  },
);
