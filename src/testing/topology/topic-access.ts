// What a test writes to topics and reads from them.
import type { ConsumerRecord, ProducerRecord } from '../../core/records/types.ts';
import { UsageError } from '../../errors.ts';
import type { BrokerBox } from '../broker/broker-box.ts';
import { deadLetterOf } from './dead-letters.ts';
import type { TopologyPlan } from './plan.ts';
import { TopicFormats } from './topic-formats.ts';
import { TopicLog, type PlacedRecord } from './topic-log.ts';
import type { DeadLetterRecord, PipedRecord, TestTopics } from './types.ts';
import { partitionsOf } from './waiting.ts';

/** A record as a test reads it. */
export type ReadRecord = ConsumerRecord<unknown, unknown>;

export class TopicAccess {
  readonly log: TopicLog;
  private readonly plan: TopologyPlan;
  private readonly box: BrokerBox;
  private readonly topics: TestTopics;
  private readonly formats = new Map<string, TopicFormats>();

  constructor(plan: TopologyPlan, box: BrokerBox, topics: TestTopics) {
    this.plan = plan;
    this.box = box;
    this.topics = topics;
    this.log = new TopicLog(box);
  }

  /** What must be awaited before records for this topic are encoded; undefined when nothing. */
  prepare(topic: string): Promise<unknown> | undefined {
    return this.formatsOf(topic).prepare();
  }

  encode(
    topic: string,
    records: PipedRecord<unknown, unknown> | readonly PipedRecord<unknown, unknown>[],
  ): ProducerRecord[] {
    const formats = this.formatsOf(topic);
    const now = Math.floor(this.box.clock.wallNow());
    const list = (Array.isArray(records) ? records : [records]) as readonly PipedRecord<unknown, unknown>[];
    return list.map((record) => formats.encode(record, now));
  }

  async readNew(topic: string): Promise<ReadRecord[]> {
    return this.decode(this.formatsOf(topic), await this.log.readNew(topic));
  }

  async readAll(topic: string): Promise<ReadRecord[]> {
    return this.decode(this.formatsOf(topic), await this.log.readAll(topic));
  }

  async deadLetters(topic?: string): Promise<DeadLetterRecord[]> {
    const letters: DeadLetterRecord[] = [];
    for (const name of topic === undefined ? this.plan.deadLetterTopics : [topic]) {
      this.check(name);
      const records = await this.decode(new TopicFormats(name, {}), await this.log.readAll(name));
      for (const record of records) letters.push(deadLetterOf(record as ConsumerRecord));
    }
    return letters;
  }

  committed(topic: string, groupId?: string): { [partition: number]: number } {
    this.check(topic);
    const group = this.plan.groupOf(topic, groupId);
    const offsets: { [partition: number]: number } = {};
    for (let partition = 0; partition < partitionsOf(this.box, topic); partition++) {
      const committed = this.box.committed(group, topic, partition);
      if (committed !== undefined) offsets[partition] = committed.offset;
    }
    return offsets;
  }

  private async decode(formats: TopicFormats, records: readonly PlacedRecord[]): Promise<ReadRecord[]> {
    const decoded: ReadRecord[] = [];
    for (const { partition, record } of records) decoded.push(await formats.decode(partition, record));
    return decoded;
  }

  private formatsOf(topic: string): TopicFormats {
    this.check(topic);
    let formats = this.formats.get(topic);
    if (formats === undefined) {
      const given = this.topics[topic];
      formats = new TopicFormats(topic, typeof given === 'object' ? given : {});
      this.formats.set(topic, formats);
    }
    return formats;
  }

  private check(topic: string): void {
    const topics = this.box.topics();
    if (topics.includes(topic)) return;
    throw new UsageError(
      `there is no topic '${topic}': neither topology '${this.plan.name}' nor the option 'topics' names it; there are ${topics.join(', ')}`,
      'topic',
    );
  }
}
