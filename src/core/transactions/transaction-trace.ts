// What those who listen are told of the transactions of one producer.

import type { KafkaError } from '../../errors.ts';
import type { Clock } from '../clock.ts';
import { transactionEvents } from '../events/channels.ts';

/** What it asks of the producer. */
export interface TracedProducer {
  readonly transactionalId: string;
  readonly transactionVersion: 1 | 2;
  readonly producerIdentity: { readonly producerId: number; readonly producerEpoch: number } | undefined;
}

/** Publishes; the producer asks first whether somebody listens. */
export class TransactionTrace {
  private readonly cluster: { readonly clientId: string; readonly clock: Clock };
  private readonly producer: TracedProducer;
  private begunAt: number;

  constructor(cluster: { readonly clientId: string; readonly clock: Clock }, producer: TracedProducer) {
    this.cluster = cluster;
    this.producer = producer;
    this.begunAt = cluster.clock.now();
  }

  initialized(startedAt: number): void {
    const { transactionVersion: version } = this.producer;
    transactionEvents.publish({
      ...this.place,
      kind: 'initialized',
      durationMs: this.since(startedAt),
      version,
    });
  }

  begun(): void {
    this.begunAt = this.cluster.clock.now();
    transactionEvents.publish({ ...this.place, kind: 'begun' });
  }

  offsetsSent(groupId: string, partitions: number, startedAt: number): void {
    const durationMs = this.since(startedAt);
    transactionEvents.publish({ ...this.place, kind: 'offsets-sent', groupId, partitions, durationMs });
  }

  ended(isCommitted: boolean, startedAt: number): void {
    const kind = isCommitted ? 'committed' : 'aborted';
    const openMs = this.since(this.begunAt);
    transactionEvents.publish({ ...this.place, kind, openMs, endMs: this.since(startedAt) });
  }

  broken(error: KafkaError, isFatal: boolean): void {
    transactionEvents.publish({ ...this.place, kind: 'broken', isFatal, error });
  }

  private since(ms: number): number {
    return this.cluster.clock.now() - ms;
  }

  private get place(): {
    readonly clientId: string;
    readonly transactionalId: string;
    readonly producerId: number;
    readonly producerEpoch: number;
  } {
    const { transactionalId, producerIdentity } = this.producer;
    const { producerId, producerEpoch } = producerIdentity ?? { producerId: -1, producerEpoch: -1 };
    return { clientId: this.cluster.clientId, transactionalId, producerId, producerEpoch };
  }
}
