// The clusters that interop is tried on: the run's real one, where it has one, and the broker in the box.
import { createBroker, type BrokerBox } from '../../../src/testing/index.ts';
import { Kafka } from '../../../src/index.ts';
import { brokers } from '../brokers.ts';
import { topicReady } from '../topic-ready.ts';
import { PARTITIONS } from './sample.ts';

/** The samples are older than the week that Kafka keeps records by default. */
const KEPT = { 'retention.ms': '-1' };

/** A cluster under test. */
export class Target {
  readonly name: string;
  private readonly box: BrokerBox | undefined;
  readonly bootstrap: string;
  readonly kafka: Kafka;
  private readonly topics: string[] = [];
  private readonly groups: string[] = [];

  constructor(name: string, bootstrap: string, box: BrokerBox | undefined) {
    this.name = name;
    this.box = box;
    this.bootstrap = bootstrap;
    this.kafka = new Kafka({ brokers: bootstrap.split(',') });
  }

  /** A topic of this run, deleted with it. */
  async topic(
    base: string,
    partitions = PARTITIONS,
    configs?: Readonly<Record<string, string>>,
  ): Promise<string> {
    const name = `${base}-${process.pid}-${Date.now().toString(36)}-${this.topics.length}`;
    await this.kafka.admin().createTopics([{ name, partitions, configs: { ...KEPT, ...configs } }]);
    this.topics.push(name);
    await topicReady(this.kafka, name, partitions);
    return name;
  }

  /** A group of this run, deleted with it. */
  group(base: string): string {
    const name = `${base}-${process.pid}-${Date.now().toString(36)}-${this.groups.length}`;
    this.groups.push(name);
    return name;
  }

  async close(): Promise<void> {
    const admin = this.kafka.admin();
    if (this.box === undefined) {
      await Promise.allSettled([admin.deleteTopics(this.topics), admin.deleteGroups(this.groups)]);
    }
    await this.kafka.close();
    await this.box?.close();
    if (this.box !== undefined && this.box.internalErrors.length > 0)
      throw new AggregateError(this.box.internalErrors, 'the broker in the box has a bug');
  }
}

type Start = readonly [name: string, start: () => Promise<Target>];

/** The real cluster of this run, in a list that is empty without one. */
export const realTargets: readonly Start[] =
  brokers === undefined ? [] : [['Kafka', async () => new Target('Kafka', brokers!.join(','), undefined)]];

/** How to come by each target. */
export const targets: readonly Start[] = [
  ...realTargets,
  [
    'the box',
    async () => {
      const box = await createBroker({ brokers: 2, autoCreateTopics: false });
      return new Target('box', box.bootstrap.join(','), box);
    },
  ],
];
