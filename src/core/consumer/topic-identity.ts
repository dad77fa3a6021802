// Is the topic still the one that was being read?

import type { BrokerError } from '../../errors.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { brokerError } from '../cluster/retry.ts';
import { ERRORS } from '../protocol/error-codes.ts';
import { ZERO_UUID } from '../protocol/schema.ts';
import { MISSING_TOPIC_GRACE_MS } from './defaults.ts';
import { deletedError, recreatedError } from './fetch-errors.ts';
import type { PartitionReader } from './partition-reader.ts';

/** Compares readers with the metadata: same name and another id is a topic created anew, no topic for a while is one deleted. */
export class TopicIdentity {
  private readonly cluster: Cluster;
  /** Since when a topic has been missing. */
  private readonly missing = new Map<string, number>();
  /** Readers whose broker does not know the topic, though the metadata may. */
  private readonly doubted = new WeakSet<PartitionReader>();

  constructor(cluster: Cluster) {
    this.cluster = cluster;
  }

  /** A broker did not know the reader's topic. */
  doubt(reader: PartitionReader): void {
    this.doubted.add(reader);
  }

  isDoubted(reader: PartitionReader): boolean {
    return this.doubted.has(reader);
  }

  /** What is wrong with the reader's topic for good, if anything; gives a new reader its topic id. */
  check(reader: PartitionReader): BrokerError | undefined {
    const known = this.cluster.metadata.topic(reader.topic);
    if (known === undefined) return undefined;
    if (known.errorCode === ERRORS.UNKNOWN_TOPIC_OR_PARTITION) return this.checkMissing(reader);
    if (known.errorCode !== 0) {
      const error = brokerError(known.errorCode, { api: 'Metadata', topic: reader.topic });
      return error.retriable ? undefined : error;
    }
    this.missing.delete(reader.topic);
    this.doubted.delete(reader);
    if (reader.topicId === '') reader.topicId = known.id;
    const comparable = known.id !== ZERO_UUID && reader.topicId !== ZERO_UUID;
    return comparable && known.id !== reader.topicId
      ? recreatedError(reader, reader.topicId, known.id)
      : undefined;
  }

  private checkMissing(reader: PartitionReader): BrokerError | undefined {
    const nowMs = this.cluster.clock.now();
    const since = this.missing.get(reader.topic);
    if (since === undefined) {
      this.missing.set(reader.topic, nowMs);
      return undefined;
    }
    return nowMs - since >= MISSING_TOPIC_GRACE_MS ? deletedError(reader, nowMs - since) : undefined;
  }
}
