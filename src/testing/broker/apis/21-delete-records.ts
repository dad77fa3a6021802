import { ERRORS } from '../../../core/protocol/error-codes.ts';
import { deleteRecordsApi } from '../../../core/protocol/messages/21-delete-records.ts';
import { serve } from '../handler.ts';
import { deleteRecords } from '../log-acts.ts';
import type { Topic } from '../state/topic.ts';
import { findLed, findTopic } from './lookup.ts';

const UP_TO_HIGH_WATERMARK = -1;

export const deleteRecordsHandler = serve(deleteRecordsApi, {
  handle(request, context) {
    const topics = request.topics.map((wanted) => {
      const topic = findTopic(wanted, false, context);
      const partitions = wanted.partitions.map(({ partitionIndex, offset }) => {
        const partition = findLed(topic, { index: partitionIndex }, context);
        if (typeof partition === 'number') return { partitionIndex, lowWatermark: -1, errorCode: partition };
        const { log } = partition;
        if (!(topic as Topic).config.isDeleted) {
          return { partitionIndex, lowWatermark: -1, errorCode: ERRORS.POLICY_VIOLATION };
        }
        const before = offset === UP_TO_HIGH_WATERMARK ? log.highWatermark : offset;
        if (before < 0 || before > log.highWatermark) {
          return { partitionIndex, lowWatermark: -1, errorCode: ERRORS.OFFSET_OUT_OF_RANGE };
        }
        return { partitionIndex, lowWatermark: deleteRecords(partition, before), errorCode: ERRORS.NONE };
      });
      return { name: wanted.name, partitions };
    });
    return { topics };
  },
});
