import { Producer } from '../../../src/core/producer/producer.ts';
import type { ProducerOptions } from '../../../src/core/producer/options.ts';
import { FakeCluster } from './fake-cluster.ts';
import { Recorder } from './recorder.ts';

export const TOPIC = 'orders';
export const ID = 'AAAAAAAAAAAAAAAAAAAAAQ';
export const OTHER_ID = 'AAAAAAAAAAAAAAAAAAAAAg';

/** A producer for a topic of so many partitions, on a fake cluster. */
export class Setup {
  readonly cluster = new FakeCluster();
  readonly producer: Producer;
  readonly recorder = new Recorder();

  constructor(partitions = 1, options: ProducerOptions = {}, id: string | undefined = ID) {
    this.cluster.createTopic(TOPIC, partitions, id);
    this.producer = new Producer(this.cluster, options);
  }

  /** Sends values to a partition in one turn; each is its own id. */
  send(values: readonly string[], partition = 0): boolean {
    let room = true;
    for (const value of values)
      room = this.producer.send(TOPIC, { value, partition }, this.recorder.receipt(value));
    return room;
  }

  /** Sends each value in a turn of its own, far enough apart that each is a batch while the earlier ones are out. */
  async sendApart(values: readonly string[], partition = 0): Promise<void> {
    for (const value of values) {
      this.send([value], partition);
      // Closes the batch without waiting for its result.
      void this.producer.flush();
      await this.cluster.clock.settle();
    }
  }

  /** One batch through, so that the log knows the producer and five batches may be in flight. */
  async warmUp(partition = 0): Promise<void> {
    this.send([`warm-${partition}`], partition);
    await this.drain();
  }

  drain(limitMs = 600_000): Promise<void> {
    return this.cluster.clock.run(this.producer.flush(), limitMs);
  }

  values(partition = 0): string[] {
    return this.cluster.log(TOPIC, partition).values;
  }

  outcomes(values: readonly string[]): string[] {
    return values.map((value) => this.recorder.outcome(value));
  }
}

export function numbered(count: number, prefix = 'r'): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}${String(i)}`);
}
