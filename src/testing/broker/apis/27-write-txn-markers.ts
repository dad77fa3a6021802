import type { RequestRead } from '../../../core/protocol/api.ts';
import { ERRORS } from '../../../core/protocol/error-codes.ts';
import { serve } from '../handler.ts';
import type { RequestContext } from '../handler.ts';
import { writeTxnMarkersApi } from '../../../core/protocol/messages/27-write-txn-markers.ts';
import { OFFSETS_TOPIC, offsetsPartitionOf } from '../txn/transaction-state.ts';
import { findLed, findTopic } from './lookup.ts';

/** About what one takes in the log. */
const MARKER_BYTES = 512;

type Marker = RequestRead<typeof writeTxnMarkersApi>['markers'][number];

/** What coordinators send to leaders; here only tools do, to end a transaction that hangs. */
export const writeTxnMarkersHandler = serve(writeTxnMarkersApi, {
  handle(request, context) {
    const markers = request.markers.map((marker) => ({
      producerId: marker.producerId,
      topics: marker.topics.map(({ name, partitionIndexes }) => ({
        name,
        partitions: partitionIndexes.map((partitionIndex) => ({
          partitionIndex,
          errorCode: write(marker, name, partitionIndex, context),
        })),
      })),
    }));
    return { markers };
  },
});

function write(marker: Marker, topic: string, index: number, context: RequestContext): number {
  const { groups, transactions } = context.cluster;
  const { producerId, producerEpoch, coordinatorEpoch, transactionResult } = marker;
  if (topic === OFFSETS_TOPIC) {
    for (const groupId of groups.ids()) {
      if (offsetsPartitionOf(groupId) === index) {
        transactions.markers.endOffsetsOf(groupId, producerId, transactionResult);
      }
    }
    return ERRORS.NONE;
  }
  const partition = findLed(findTopic({ name: topic }, false, context), { index }, context);
  if (typeof partition === 'number') return partition;
  if (producerEpoch < 0) return ERRORS.UNKNOWN_SERVER_ERROR;
  const isStrict = marker.transactionVersion >= 2;
  const error = partition.log.producers.checkMarker(
    { producerId, producerEpoch, coordinatorEpoch },
    isStrict,
  );
  if (error !== ERRORS.NONE) return error;
  if (!context.cluster.logMemory.makeRoom(MARKER_BYTES)) return ERRORS.POLICY_VIOLATION;
  const isAbort = !transactionResult;
  transactions.markers.append(partition, { producerId, producerEpoch, isAbort, coordinatorEpoch });
  return ERRORS.NONE;
}
