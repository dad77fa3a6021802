// The producer that all sinks of one run share; made at first use, so that a topology without sinks makes none.
import type { ProducerOptions } from '../core/producer/options.ts';
import type { RecordProducer } from '../core/producer/record-producer.ts';
import type { StreamClient } from '../core/stream-client.ts';

/** One producer per run. */
export class SharedProducer {
  private readonly client: StreamClient;
  private readonly options: ProducerOptions;
  private producer: RecordProducer | undefined;

  /** With `producer`, that one. */
  constructor(client: StreamClient, options: ProducerOptions = {}, producer?: RecordProducer) {
    this.client = client;
    this.options = options;
    this.producer = producer;
  }

  get(): RecordProducer {
    this.producer ??= this.client.producer(this.options);
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
