// The producer that all sinks of one run share; made at first use, so that a topology without sinks makes none.
import type { Kafka } from '../core/client.ts';
import { Producer } from '../core/producer/producer.ts';

/** One producer per run. */
export class SharedProducer {
  private readonly kafka: Kafka;
  private producer: Producer | undefined;

  constructor(kafka: Kafka) {
    this.kafka = kafka;
  }

  get(): Producer {
    this.producer ??= new Producer(this.kafka.cluster, this.kafka.producerOptions);
    return this.producer;
  }

  /** Resolves when everything handed over up to now is answered. */
  async flush(): Promise<void> {
    await this.producer?.flush();
  }

  /** Sends what is queued, for at most `timeoutMs`, and closes. A later `get` makes a new one. */
  async close(timeoutMs: number): Promise<void> {
    const { producer } = this;
    this.producer = undefined;
    await producer?.close({ timeoutMs });
  }
}
