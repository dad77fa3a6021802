import { ERRORS } from '../../../core/protocol/error-codes.ts';
import { describeProducersApi } from '../../../core/protocol/messages/61-describe-producers.ts';
import { serve } from '../handler.ts';
import { lastSequenceKnown } from '../log/producer-state.ts';
import type { ProducerEntry } from '../log/producer-state.ts';
import { findLed, findTopic } from './lookup.ts';

export const describeProducersHandler = serve(describeProducersApi, {
  handle(request, context) {
    const { clock, settings } = context.cluster;
    const topics = request.topics.map(({ name, partitionIndexes }) => {
      const topic = findTopic({ name }, false, context);
      const partitions = partitionIndexes.map((partitionIndex) => {
        const partition = findLed(topic, { index: partitionIndex }, context);
        if (typeof partition === 'number')
          return { partitionIndex, errorCode: partition, activeProducers: [] };
        const { producers } = partition.log;
        producers.expire(clock.wallNow(), settings.producerIdExpirationMs);
        const activeProducers = Array.from(producers.all(), describe);
        return { partitionIndex, errorCode: ERRORS.NONE, activeProducers };
      });
      return { name, partitions };
    });
    return { topics };
  },
});

function describe(entry: ProducerEntry) {
  return {
    producerId: entry.producerId,
    producerEpoch: entry.epoch,
    lastSequence: lastSequenceKnown(entry),
    lastTimestamp: entry.lastTimestamp,
    coordinatorEpoch: entry.coordinatorEpoch,
    currentTxnStartOffset: entry.openFrom ?? -1,
  };
}
