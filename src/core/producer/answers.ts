// Takes the answer to a Produce request apart and tells each partition what became of its batch.

import {
  BrokerError,
  ConnectionError,
  KafkaError,
  TimeoutError,
  UnsupportedVersionError,
  UsageError,
} from '../../errors.ts';
import type { MetadataCache } from '../cluster/metadata.ts';
import { brokerError } from '../cluster/retry.ts';
import type { ResponseOf } from '../protocol/api.ts';
import type { produceApi } from '../protocol/messages/00-produce.ts';
import type { ProducerContext } from './context.ts';
import type { Leaders } from './leaders.ts';
import type { PartitionQueue } from './partition-queue.ts';
import { asksForMetadata, produceVerdict } from './produce-answer.ts';
import type { PartitionAnswer, ProduceEntry, ProduceRequest } from './produce-request.ts';

type Answer = ResponseOf<typeof produceApi>;

// A leader hint is followed at once so many times; after that with a backoff, for two brokers may point at each other.
const HINTS_AT_ONCE = 3;

/** Passes answers, and their absence, on to the partitions. */
export class Answers {
  private readonly metadata: MetadataCache;
  private readonly context: ProducerContext;
  private readonly leaders: Leaders;
  private readonly list: (partition: PartitionQueue) => void;

  /** `list` has the sender look at a partition again. */
  constructor(
    metadata: MetadataCache,
    context: ProducerContext,
    leaders: Leaders,
    list: (partition: PartitionQueue) => void,
  ) {
    this.metadata = metadata;
    this.context = context;
    this.leaders = leaders;
    this.list = list;
  }

  take(request: ProduceRequest, answer: Answer): void {
    for (const topic of answer.responses) {
      for (const part of topic.partitionResponses) {
        const entry = request.find(topic, part.index);
        if (entry === undefined) continue;
        request.remove(entry);
        this.settle(entry, part, answer);
      }
    }
    for (const entry of request.unanswered()) {
      const message = `The answer to Produce says nothing about ${entry.partition.name}`;
      const error = new BrokerError('UNKNOWN_SERVER_ERROR', message, { retriable: true, api: 'Produce' });
      this.resend(entry, error, true);
    }
  }

  /** It was written, and there is no answer to come (acks=0). */
  written(request: ProduceRequest): void {
    for (const { partition, batch } of request.entries) {
      this.list(partition);
      partition.flight.acked(batch, -1, -1);
    }
  }

  /** There is no answer. */
  none(request: ProduceRequest, thrown: unknown): void {
    const error = thrown instanceof KafkaError ? thrown : unexpected(thrown);
    const sent = maybeSent(error);
    for (const entry of request.unanswered()) {
      this.leaders.suspect(entry.partition);
      this.resend(entry, error, sent);
    }
    if (error !== thrown) this.context.report(thrown);
  }

  private settle(entry: ProduceEntry, part: PartitionAnswer, answer: Answer): void {
    const { partition, batch } = entry;
    const verdict = produceVerdict(part.errorCode);
    this.list(partition);
    if (verdict === 'acked') {
      partition.flight.acked(batch, part.errorCode === 0 ? part.baseOffset : -1, part.logAppendTimeMs);
      return;
    }
    const error = errorOf(partition, part);
    if (verdict === 'sequence') partition.flight.outOfSequence(batch, error);
    else if (verdict === 'too-large') partition.tooLarge(batch, error);
    else if (verdict === 'refused') partition.flight.refused(batch, error, false);
    else if (verdict === 'broken') partition.flight.refused(batch, error, true);
    else {
      const hinted = this.takeHint(partition, part, answer) && batch.sends <= HINTS_AT_ONCE;
      if (!hinted && asksForMetadata(part.errorCode)) this.leaders.suspect(partition);
      partition.flight.again(batch, error, verdict === 'unclear', !hinted);
    }
  }

  /** Takes the new leader the answer names (KIP-951); false when it names none. */
  private takeHint({ topic, index }: PartitionQueue, part: PartitionAnswer, answer: Answer): boolean {
    const { leaderId, leaderEpoch } = part.currentLeader;
    const endpoint = answer.nodeEndpoints.find(({ nodeId }) => nodeId === leaderId);
    if (leaderId < 0 || endpoint === undefined) return false;
    const { host, port } = endpoint;
    this.metadata.updateLeader(topic.name, index, { nodeId: leaderId, leaderEpoch, host, port });
    return true;
  }

  private resend({ partition, batch }: ProduceEntry, error: KafkaError, sent: boolean): void {
    this.list(partition);
    // A broken connection or answer may be whole next time; a client that is closed, or too old or new, stays so.
    if (error instanceof UsageError || error instanceof UnsupportedVersionError)
      partition.flight.refused(batch, error, sent);
    else partition.flight.again(batch, error, sent, true);
  }
}

/** Whether a byte of the request may have reached the broker. */
function maybeSent(error: KafkaError): boolean {
  if (error instanceof TimeoutError) return error.sent;
  if (error instanceof ConnectionError) return error.phase === 'io';
  return !(error instanceof UnsupportedVersionError || error instanceof UsageError);
}

function errorOf({ topic, index }: PartitionQueue, part: PartitionAnswer): BrokerError {
  const records = part.recordErrors.map(
    ({ batchIndex, batchIndexErrorMessage }) =>
      `record ${batchIndex} of the batch: ${batchIndexErrorMessage ?? 'refused'}`,
  );
  const words = [part.errorMessage, ...records.slice(0, 3)].filter((text) => text !== null && text !== '');
  return brokerError(part.errorCode, {
    api: 'Produce',
    topic: topic.name,
    partition: index,
    detail: words.join('; '),
  });
}

function unexpected(cause: unknown): UsageError {
  return new UsageError(
    `Produce could not be sent: ${cause instanceof Error ? cause.message : String(cause)}`,
    undefined,
    { cause },
  );
}
