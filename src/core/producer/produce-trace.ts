// What those who listen are told of batches. Nothing is made while nobody does.

import type { KafkaError } from '../../errors.ts';
import { produceEvents } from '../events/channels.ts';
import type { ProducedBatch } from '../events/record-events.ts';
import type { Batch } from './batch.ts';
import type { ProducerContext } from './context.ts';
import type { PartitionQueue } from './partition-queue.ts';
import type { ProduceRequest } from './produce-request.ts';

/** A Produce request goes out. */
export function tellSent(nodeId: number, { entries }: ProduceRequest, context: ProducerContext): void {
  const { clientId } = context;
  const batches = entries.map(({ partition, batch }) => told(partition, batch, context));
  produceEvents.publish({ clientId, kind: 'sent', nodeId, batches });
}

/** A batch goes out again. */
export function tellRetried(partition: PartitionQueue, batch: Batch, context: ProducerContext): void {
  const { clientId } = context;
  const error = partition.flight.lastError;
  produceEvents.publish({ clientId, kind: 'retried', batch: told(partition, batch, context), error });
}

/** A batch has its result, and its receipts do not know yet. */
export function tellResult(
  partition: PartitionQueue,
  batch: Batch,
  error: KafkaError | undefined,
  context: ProducerContext,
): void {
  const { clientId } = context;
  const result = told(partition, batch, context);
  produceEvents.publish(
    error === undefined
      ? { clientId, kind: 'acked', batch: result, offset: batch.offset }
      : { clientId, kind: 'failed', batch: result, error },
  );
}

function told({ topic, index }: PartitionQueue, batch: Batch, { clock }: ProducerContext): ProducedBatch {
  return {
    topic: topic.name,
    partition: index,
    records: batch.count,
    bytes: batch.wireBytes,
    uncompressedBytes: batch.bytes,
    sends: batch.sends,
    ageMs: clock.now() - batch.createdAt,
  };
}
