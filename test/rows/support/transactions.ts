// Transactions of another client, so that what is read is not of our own making.
import { Kafka as KafkaJs, logLevel, type Producer, type Transaction } from 'kafkajs';
import { brokers } from '../../helpers/brokers.ts';

/** A transactional producer of kafkajs. */
export class Writer {
  private readonly producer: Producer;
  private readonly topic: string;

  constructor(topic: string, transactionalId: string) {
    const client = new KafkaJs({ brokers: [...brokers!], logLevel: logLevel.NOTHING });
    this.topic = topic;
    this.producer = client.producer({ transactionalId, idempotent: true, maxInFlightRequests: 1 });
  }

  connect(): Promise<void> {
    return this.producer.connect();
  }

  begin(): Promise<Transaction> {
    return this.producer.transaction();
  }

  /** Sends values into partition 0. */
  async send(transaction: Transaction, values: readonly string[]): Promise<void> {
    await transaction.send({
      topic: this.topic,
      messages: values.map((value) => ({ value, partition: 0 })),
    });
  }

  close(): Promise<void> {
    return this.producer.disconnect();
  }
}
