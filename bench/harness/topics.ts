// The topics and groups of a run: made, filled, counted, checked and removed.
import { Kafka } from '../../src/core/client.ts';
import type { Job } from '../clients/task.ts';

export class Topics {
  private readonly kafka: Kafka;
  private readonly id = `bench-${process.pid}-${Date.now().toString(36)}`;
  private names = 0;
  private readonly topics = new Set<string>();
  private readonly groups = new Set<string>();

  constructor(brokers: readonly string[]) {
    this.kafka = new Kafka({ brokers });
  }

  async create(partitions: number, records: number): Promise<Job> {
    const topic = `${this.id}-${++this.names}`;
    await this.kafka.admin().createTopics([{ name: topic, partitions }]);
    this.topics.add(topic);
    return { topic, partitions, records: Math.round(records), groupId: '', to: '', files: [] };
  }

  newGroup(): string {
    const groupId = `${this.id}-${++this.names}`;
    this.groups.add(groupId);
    return groupId;
  }

  async delete(...jobs: readonly Job[]): Promise<void> {
    await this.kafka.admin().deleteTopics(jobs.map(({ topic }) => topic));
    for (const { topic } of jobs) this.topics.delete(topic);
  }

  /** The records in a topic's log. */
  private async count(topic: string): Promise<number> {
    const ends = await this.kafka.admin().listOffsets(topic, 'latest');
    return ends.reduce((sum, { offset }) => sum + offset, 0);
  }

  async checkWritten(topic: string, records: number): Promise<void> {
    const written = await this.count(topic);
    if (written !== records) throw new Error(`${written} records are in the log, not ${records}`);
  }

  async checkCommitted({ groupId, records }: Job): Promise<void> {
    const commits = await this.kafka.admin().fetchOffsets(groupId);
    const committed = commits.reduce((sum, { offset }) => sum + offset, 0);
    if (committed !== records) throw new Error(`${committed} records are committed, not ${records}`);
  }

  async close(): Promise<void> {
    // A client that failed has left no group.
    await this.kafka
      .admin()
      .deleteGroups([...this.groups])
      .catch(() => undefined);
    try {
      await this.kafka.admin().deleteTopics([...this.topics]);
    } finally {
      await this.kafka.close();
    }
  }
}
