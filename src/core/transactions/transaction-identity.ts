// Under which identity a partition's batches go in the present transaction, and which partitions are part of it.

import type { KafkaError } from '../../errors.ts';
import type { PartitionQueue } from '../producer/partition-queue.ts';
import type { Identities } from '../producer/producer-ids.ts';
import type { ProducerIdentity } from '../producer/sequence.ts';
import type { PartitionNames } from './coordinator-requests.ts';

/** What the identity asks of its producer. */
export interface IdentityHost {
  /** Tells the coordinator that the transaction writes to these too; with transactions v2 nobody needs to. */
  addPartitions(partitions: PartitionNames, identity: ProducerIdentity): Promise<void>;
  failed(error: unknown): void;
}

/** Gives each partition its identity once per transaction: at its first batch. */
export class TransactionIdentity implements Identities {
  /** Of the present transaction, or of the next. */
  current: ProducerIdentity | undefined;
  version: 1 | 2 = 1;
  /** The coordinator knows of the transaction, or with v2 may know of it: it has to be ended there. */
  isStarted = false;
  private host: IdentityHost | undefined;
  private isOpen = false;
  private readonly members = new Set<PartitionQueue>();
  private wanted = new Set<PartitionQueue>();
  private readonly added = new Set<PartitionQueue>();
  private asking = false;
  private onChange: ((error: KafkaError | undefined) => void) | undefined;

  attach(host: IdentityHost): void {
    this.host = host;
  }

  /** From now on partitions may send. */
  open(): void {
    this.isOpen = true;
  }

  /** No partition joins the transaction any more. */
  shut(): void {
    this.isOpen = false;
  }

  /** The transaction is over, and nothing of it is left anywhere. */
  over(): void {
    for (const { flight } of this.members) {
      if (flight.sequence.assigned) flight.sequence.putAway();
      flight.startOver();
    }
    this.members.clear();
    this.added.clear();
    this.wanted.clear();
    this.isStarted = false;
  }

  get(
    partition: PartitionQueue,
    onChange: (error: KafkaError | undefined) => void,
  ): ProducerIdentity | undefined {
    if (!this.isOpen || this.current === undefined) return undefined;
    // A partition that has had its identity and gave it up waits for the end of the transaction.
    if (this.members.has(partition)) return undefined;
    if (this.version === 2 || this.added.has(partition)) {
      this.members.add(partition);
      this.isStarted = true;
      return this.current;
    }
    this.wanted.add(partition);
    this.onChange = onChange;
    if (!this.asking) {
      this.asking = true;
      // Later, so that partitions wanted in the same turn share a request.
      queueMicrotask(() => void this.addWanted());
    }
    return undefined;
  }

  private async addWanted(): Promise<void> {
    try {
      while (this.wanted.size > 0 && this.isOpen && this.current !== undefined) {
        const some = this.wanted;
        this.wanted = new Set();
        await this.host!.addPartitions(namesOf(some), this.current);
        this.isStarted = true;
        if (!this.isOpen) return;
        for (const partition of some) this.added.add(partition);
        this.onChange?.(undefined);
      }
    } catch (error) {
      this.host!.failed(error);
    } finally {
      this.asking = false;
    }
  }
}

function namesOf(partitions: Iterable<PartitionQueue>): PartitionNames {
  const names = new Map<string, number[]>();
  for (const { topic, index } of partitions) {
    const some = names.get(topic.name);
    if (some === undefined) names.set(topic.name, [index]);
    else some.push(index);
  }
  return names;
}
