import { ERRORS } from '../../../core/protocol/error-codes.ts';
import { offsetForLeaderEpochApi } from '../../../core/protocol/messages/23-offset-for-leader-epoch.ts';
import { serve } from '../handler.ts';
import { findLed, findTopic } from './lookup.ts';

export const offsetForLeaderEpochHandler = serve(offsetForLeaderEpochApi, {
  handle(request, context) {
    const topics = request.topics.map((wanted) => {
      const topic = findTopic(wanted, false, context);
      const partitions = wanted.partitions.map(({ partition: index, currentLeaderEpoch, leaderEpoch }) => {
        const partition = findLed(topic, { index, leaderEpoch: currentLeaderEpoch }, context);
        if (typeof partition === 'number') return { partition: index, errorCode: partition };
        const end = partition.log.epochs.endOf(leaderEpoch, partition.log.endOffset);
        return { partition: index, errorCode: ERRORS.NONE, ...end };
      });
      return { topic: wanted.topic, partitions };
    });
    return { topics };
  },
});
