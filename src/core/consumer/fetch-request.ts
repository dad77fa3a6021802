// A fetch request and which reader each part of its answer is for.

import type { RequestOf } from '../protocol/api.ts';
import type { fetchApi } from '../protocol/messages/01-fetch.ts';
import type { PartitionReader } from './partition-reader.ts';

/** One partition in one request. */
export interface Ask {
  readonly reader: PartitionReader;
  /** Of the reader's fetch position when it was asked for. */
  readonly generation: number;
  readonly offset: number;
  /** Leader epoch of the record before `offset`, -1 when unknown. */
  readonly lastFetchedEpoch: number;
  readonly bytes: number;
  readonly currentLeaderEpoch: number;
}

/** What one request asks for: the partitions it names and, in a session, those that the broker remembers. */
export interface Asked {
  readonly asks: readonly Ask[];
  /** False in a session: who is not mentioned in the answer has nothing new. */
  readonly complete: boolean;
  /** The ask that a part of an answer belongs to; the answer names its topic or, from version 13, its topic id. */
  find(topic: string, topicId: string, partition: number): Ask | undefined;
}

/** What holds for a whole request. */
export interface RequestLimits {
  readonly maxWaitMs: number;
  readonly minBytes: number;
  readonly maxBytes: number;
  readonly readCommitted: boolean;
  /** '' for none. */
  readonly rackId: string;
}

/** The part of a request that is about its session (KIP-227). */
export interface SessionPart {
  readonly sessionId: number;
  readonly sessionEpoch: number;
  /** Partitions that leave the session. */
  readonly forgotten: readonly Ask[];
}

/** First version that names topics by id. */
export const FETCH_TOPIC_ID_VERSION = 13;

/** Kafka's way to say that a fetch belongs to no session. */
export const NO_SESSION: SessionPart = { sessionId: 0, sessionEpoch: -1, forgotten: [] };

interface TopicAsks {
  readonly topic: string;
  readonly topicId: string;
  readonly partitions: Ask[];
}

/** Partitions are answered in the order of the request (KIP-74), so runs of one topic are kept together only while they follow each other. */
export function fetchRequest(
  asks: readonly Ask[],
  limits: RequestLimits,
  { sessionId, sessionEpoch, forgotten }: SessionPart = NO_SESSION,
): RequestOf<typeof fetchApi> {
  return {
    sessionId,
    sessionEpoch,
    maxWaitMs: limits.maxWaitMs,
    minBytes: limits.minBytes,
    maxBytes: limits.maxBytes,
    isolationLevel: limits.readCommitted ? 1 : 0,
    rackId: limits.rackId,
    forgottenTopicsData: byTopic(forgotten).map(({ topic, topicId, partitions }) => ({
      topic,
      topicId,
      partitions: partitions.map(({ reader }) => reader.partition),
    })),
    topics: byTopic(asks).map(({ topic, topicId, partitions }) => ({
      topic,
      topicId,
      partitions: partitions.map(({ reader, offset, lastFetchedEpoch, bytes, currentLeaderEpoch }) => ({
        partition: reader.partition,
        currentLeaderEpoch,
        fetchOffset: offset,
        lastFetchedEpoch,
        partitionMaxBytes: bytes,
      })),
    })),
  };
}

function byTopic(asks: readonly Ask[]): TopicAsks[] {
  const topics: TopicAsks[] = [];
  let last: TopicAsks | undefined;
  for (const ask of asks) {
    const { topic, topicId } = ask.reader;
    if (last?.topic !== topic || last.topicId !== topicId) {
      last = { topic, topicId, partitions: [] };
      topics.push(last);
    }
    last.partitions.push(ask);
  }
  return topics;
}

/** A request without a session: it names all that it asks for. */
export class PlainAsks implements Asked {
  readonly asks: readonly Ask[];
  readonly complete = true;
  private index: Map<string, Map<number, Ask>> | undefined;

  constructor(asks: readonly Ask[]) {
    this.asks = asks;
  }

  find(topic: string, topicId: string, partition: number): Ask | undefined {
    this.index ??= this.makeIndex();
    return (this.index.get(topic) ?? this.index.get(topicId))?.get(partition);
  }

  private makeIndex(): Map<string, Map<number, Ask>> {
    const index = new Map<string, Map<number, Ask>>();
    for (const ask of this.asks)
      for (const key of [ask.reader.topic, ask.reader.topicId]) {
        const partitions = index.get(key);
        if (partitions === undefined) index.set(key, new Map([[ask.reader.partition, ask]]));
        else partitions.set(ask.reader.partition, ask);
      }
    return index;
  }
}
