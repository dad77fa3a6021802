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
  readonly bytes: number;
  readonly currentLeaderEpoch: number;
}

/** What holds for a whole request. */
export interface RequestLimits {
  readonly maxWaitMs: number;
  readonly minBytes: number;
  readonly maxBytes: number;
  readonly readCommitted: boolean;
}

/** First version that names topics by id. */
export const FETCH_TOPIC_ID_VERSION = 13;

/** Kafka's way to say that a fetch belongs to no session (KIP-227). */
const NO_SESSION = { sessionId: 0, sessionEpoch: -1 } as const;

interface TopicAsks {
  readonly topic: string;
  readonly topicId: string;
  readonly partitions: Ask[];
}

/** Partitions are answered in the order of the request (KIP-74), so runs of one topic are kept together only while they follow each other. */
export function fetchRequest(asks: readonly Ask[], limits: RequestLimits): RequestOf<typeof fetchApi> {
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
  return {
    ...NO_SESSION,
    maxWaitMs: limits.maxWaitMs,
    minBytes: limits.minBytes,
    maxBytes: limits.maxBytes,
    isolationLevel: limits.readCommitted ? 1 : 0,
    forgottenTopicsData: [],
    topics: topics.map(({ topic, topicId, partitions }) => ({
      topic,
      topicId,
      partitions: partitions.map(({ reader, offset, bytes, currentLeaderEpoch }) => ({
        partition: reader.partition,
        currentLeaderEpoch,
        fetchOffset: offset,
        lastFetchedEpoch: reader.feed.fetch.leaderEpoch,
        partitionMaxBytes: bytes,
      })),
    })),
  };
}

/** Finds the ask that a part of an answer belongs to; the answer names its topic or, from version 13, its topic id. */
export class AskIndex {
  private readonly byTopic = new Map<string, Map<number, Ask>>();

  constructor(asks: readonly Ask[]) {
    for (const ask of asks) {
      this.enter(ask.reader.topic, ask);
      this.enter(ask.reader.topicId, ask);
    }
  }

  find(topic: string, topicId: string, partition: number): Ask | undefined {
    return (this.byTopic.get(topic) ?? this.byTopic.get(topicId))?.get(partition);
  }

  private enter(key: string, ask: Ask): void {
    const partitions = this.byTopic.get(key);
    if (partitions === undefined) this.byTopic.set(key, new Map([[ask.reader.partition, ask]]));
    else partitions.set(ask.reader.partition, ask);
  }
}
