import { ERRORS } from '../../../core/protocol/error-codes.ts';
import type { RequestContext } from '../handler.ts';
import type { Partition } from '../state/partition.ts';
import type { Topic } from '../state/topic.ts';
import { supportOfProduce, takePart } from '../txn/take-part.ts';
import type { BatchHeader } from '../log/batch-header.ts';
import { checkBatch, isRefusal } from '../log/check-batch.ts';
import type { Refusal } from '../log/check-batch.ts';
import { checkKeys } from '../log/check-keys.ts';
import type { SequenceVerdict } from '../log/producer-state.ts';

/** What a producer sends to one partition. */
export interface ProducedRecords {
  readonly topic: Topic;
  readonly partition: Partition;
  readonly records: Buffer | null;
  readonly transactionalId: string | null;
}

/** Where the records are. */
export interface Appended {
  readonly baseOffset: number;
  /** -1 where the producer's own timestamps hold. */
  readonly logAppendTimeMs: number;
}

const ADDS_PARTITIONS = 'add';

/** Appends one batch to the log of a partition that this node leads, or says why not, in Kafka's order of checks. */
export function appendRecords(produced: ProducedRecords, context: RequestContext): Appended | Refusal {
  const { topic, partition, records } = produced;
  const { cluster } = context;
  const { log } = partition;
  const header = checkBatch(records, topic.config.batchLimits(cluster.clock));
  if (isRefusal(header)) return header;
  if (topic.config.isCompacted) {
    const unkeyed = checkKeys(records!, header, partition);
    if (unkeyed !== undefined) return unkeyed;
  }
  if (header.producerId >= 0) {
    log.producers.expire(cluster.clock.wallNow(), cluster.settings.producerIdExpirationMs);
    const verdict = checkProducer(produced, header, context);
    if (verdict.kind === 'refused') return verdict;
    if (verdict.kind === 'duplicate') {
      return { baseOffset: verdict.baseOffset, logAppendTimeMs: verdict.timestamp };
    }
  }
  partition.expire(cluster.clock.wallNow(), topic.config.retentionMs);
  if (!cluster.logMemory.makeRoom(header.bytes)) return full(context);
  const appendTime = topic.config.isAppendTime ? cluster.clock.wallNow() : undefined;
  const baseOffset = log.append(records!, header, {
    leaderEpoch: partition.leaderEpoch,
    appendTime,
    retentionBytes: topic.config.retentionBytes,
  });
  if (cluster.isWatched) {
    cluster.tell({
      kind: 'append',
      clientId: context.clientId,
      topic: topic.name,
      partition: partition.index,
      baseOffset,
      lastOffset: log.endOffset - 1,
      bytes: log.lastBatch(),
    });
  }
  partition.wake();
  return { baseOffset, logAppendTimeMs: appendTime ?? -1 };
}

function checkProducer(
  { topic, partition, transactionalId }: ProducedRecords,
  header: BatchHeader,
  context: RequestContext,
): SequenceVerdict | (Refusal & { readonly kind: 'refused' }) {
  const { producers } = partition.log;
  const { producerId, producerEpoch: epoch } = header;
  const isToAsk = header.isTransactional && transactionalId !== null && !producers.isOpen(producerId, epoch);
  if (!isToAsk) return producers.check(header);
  const support = supportOfProduce(context.version);
  const fenced = producers.checkEpoch(header);
  if (fenced !== undefined) return { ...fenced, isUnverified: true };
  producers.noteFirst(header, support === ADDS_PARTITIONS);
  const client = { transactionalId, producerId, epoch };
  const place = { topic: topic.name, partition: partition.index };
  const { code, message } = takePart(context, client, place, support);
  if (code !== ERRORS.NONE) return { kind: 'refused', code, message, isUnverified: true };
  const duplicate = producers.duplicateOf(header);
  if (duplicate !== undefined) return duplicate;
  const first = producers.checkFirst(header);
  return first.kind === 'append' ? producers.check(header, true) : first;
}

function full(context: RequestContext): Refusal {
  const { limitBytes } = context.cluster.logMemory;
  const message = `The logs of the box hold ${limitBytes} bytes, which is their bound (maxLogBytes). Raise it, give topics retention.bytes, or set whenLogsFull to 'deleteOldest'.`;
  return { code: ERRORS.POLICY_VIOLATION, message };
}
