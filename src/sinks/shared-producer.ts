// The producer that all sinks of one run share; made at first use, so that a topology without sinks makes none.
import type { Kafka } from '../core/client.ts';
import type { ProducerOptions } from '../core/producer/options.ts';
import { Producer } from '../core/producer/producer.ts';

/** One producer per run. */
export class SharedProducer {
  private readonly kafka: Kafka;
  private readonly options: ProducerOptions;
  private producer: Producer | undefined;

  /** With `producer`, that one. */
  constructor(kafka: Kafka, options: ProducerOptions = {}, producer?: Producer) {
    this.kafka = kafka;
    this.options = options;
    this.producer = producer;
  }

  get(): Producer {
    this.producer ??= new Producer(this.kafka.cluster, this.options);
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
