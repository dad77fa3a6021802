// One Produce request: the batches of several partitions for the broker that leads them, and which of them an answer is about.

import { produceApi } from '../protocol/messages/00-produce.ts';
import type { RequestOf, ResponseOf } from '../protocol/api.ts';
import { ZERO_UUID } from '../protocol/schema.ts';
import type { Batch } from './batch.ts';
import type { ProducerSettings } from './options.ts';
import type { PartitionQueue } from './partition-queue.ts';

/** A batch in a request. */
export interface ProduceEntry {
  readonly partition: PartitionQueue;
  readonly batch: Batch;
}

type Body = RequestOf<typeof produceApi>;
type TopicAnswer = ResponseOf<typeof produceApi>['responses'][number];
/** What a broker says about one batch. */
export type PartitionAnswer = TopicAnswer['partitionResponses'][number];

// The last version that names topics.
const LAST_BY_NAME = 12;

/** At most one batch per partition: brokers refuse more. */
export class ProduceRequest {
  readonly entries: ProduceEntry[] = [];
  bytes = 0;
  private readonly byTopic = new Map<string, Map<number, ProduceEntry>>();

  add(partition: PartitionQueue, batch: Batch): void {
    const entry = { partition, batch };
    this.entries.push(entry);
    this.bytes += batch.wireBytes;
    const { name, id } = partition.topic;
    let entries = this.byTopic.get(name);
    if (entries === undefined) {
      entries = new Map();
      this.byTopic.set(name, entries);
      if (id !== '') this.byTopic.set(idKey(id), entries);
    }
    entries.set(partition.index, entry);
  }

  /** The newest version it can be sent in: topics go by id only where each has one. */
  get maxVersion(): number {
    return this.entries.every(({ partition }) => partition.topic.id !== '')
      ? produceApi.maxVersion
      : LAST_BY_NAME;
  }

  /** When the last of its batches gives up. */
  get deadlineAt(): number {
    return this.entries.reduce((latest, { batch }) => Math.max(latest, batch.deadlineAt), 0);
  }

  body(timeoutMs: number, { transactionalId, acks }: ProducerSettings): Body {
    const topicData: Body['topicData'][number][] = [];
    for (const [key, entries] of this.byTopic) {
      if (key.startsWith(ID_PREFIX)) continue;
      const partitionData = [...entries.values()].map(({ partition, batch }) => ({
        index: partition.index,
        records: batch.sealed!,
      }));
      const { name, id } = entries.values().next().value!.partition.topic;
      topicData.push({ name, topicId: id === '' ? ZERO_UUID : id, partitionData });
    }
    return { transactionalId, acks, timeoutMs, topicData };
  }

  /** The entry that this part of an answer is about; undefined when it was not asked for. */
  find(topic: TopicAnswer, index: number): ProduceEntry | undefined {
    const entries = this.byTopic.get(topic.name === '' ? idKey(topic.topicId) : topic.name);
    return entries?.get(index);
  }

  /** Takes an answered entry out, so that an answer that names it twice counts once. */
  remove({ partition }: ProduceEntry): void {
    this.byTopic.get(partition.topic.name)?.delete(partition.index);
  }

  /** The entries that no answer was about. */
  *unanswered(): Iterable<ProduceEntry> {
    for (const [key, entries] of this.byTopic) if (!key.startsWith(ID_PREFIX)) yield* entries.values();
  }
}

// No topic name has a slash.
const ID_PREFIX = '/';

function idKey(id: string): string {
  return ID_PREFIX + id;
}
