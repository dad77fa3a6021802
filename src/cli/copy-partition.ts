// One partition as the source of the transactional copier, from where its group has committed; nobody is a member of that group.

import {
  openPartitions,
  type FetchedRecord,
  type FetcherOptions,
  type GroupMetadata,
  type Kafka,
  type OpenPartitions,
  type PartitionReader,
  type TransactionOffset,
} from '../core/index.ts';
import type { Clock } from '../core/clock.ts';
import type { KafkaError } from '../errors.ts';
import { RecordQueue, type CopySource } from './copy-source.ts';

const ISOLATION = 'read_committed';

/** What is read. */
export interface PartitionPlan {
  readonly topic: string;
  readonly partition: number;
  readonly groupId: string;
  /** Records of one poll at most. */
  readonly pollRecords: number;
  /** How it is read beyond that. */
  readonly consumer: FetcherOptions;
}

/** Reads one partition by its number. */
export class PartitionSource implements CopySource {
  readonly group: GroupMetadata;
  readonly isLost = false;
  private readonly plan: PartitionPlan;
  private readonly open: OpenPartitions;
  private readonly reader: PartitionReader;
  private readonly queue: RecordQueue<FetchedRecord>;
  private failure: KafkaError | undefined;

  private constructor(plan: PartitionPlan, open: OpenPartitions, clock: Clock) {
    this.plan = plan;
    this.group = { groupId: plan.groupId };
    this.open = open;
    this.reader = open.readers[0]!;
    this.queue = new RecordQueue(clock);
    this.reader.start({
      onRecord: (record, sequence) => {
        this.reader.settle(sequence);
        this.queue.push(record);
        if (this.queue.length >= plan.pollRecords) this.reader.pause();
      },
      onPressure: () => undefined,
      onEnd: () => undefined,
      onError: (error) => {
        this.failure = error;
        this.queue.interrupt();
      },
    });
  }

  /** Opens the partition at the group's commit, at its beginning where there is none; answers with how much there is to copy, too. */
  static async start(
    kafka: Kafka,
    plan: PartitionPlan,
    clock: Clock,
  ): Promise<{ readonly source: PartitionSource; readonly remaining: number }> {
    const { topic, partition, groupId, consumer } = plan;
    const open = await openPartitions(kafka.cluster, {
      ...consumer,
      topic,
      partitions: [partition],
      from: { committedBy: groupId },
      isolationLevel: ISOLATION,
      outOfRange: 'earliest',
    });
    const ends = await kafka.admin().listOffsets(topic, 'latest', {
      partitions: [partition],
      isolationLevel: ISOLATION,
    });
    const source = new PartitionSource(plan, open, clock);
    return { source, remaining: ends[0]!.offset - source.reader.startOffset };
  }

  async poll(most: number, stop: AbortSignal): Promise<readonly FetchedRecord[]> {
    const polled = await this.queue.poll(most, stop, () =>
      this.failure === undefined ? Promise.resolve() : Promise.reject(this.failure),
    );
    this.reader.resume();
    return polled;
  }

  positions(): TransactionOffset[] {
    const { topic, partition } = this.plan;
    return [{ topic, partition, offset: this.queue.find(() => true)?.offset ?? this.reader.position }];
  }

  committed(): void {
    // What was handed over is settled already: nothing here depends on it.
  }

  async undone(): Promise<void> {
    this.reader.pause();
    await this.open.seek({ committedBy: this.plan.groupId });
    this.queue.remove(() => true);
    this.reader.resume();
  }

  close(): Promise<void> {
    this.open.close();
    return Promise.resolve();
  }
}
