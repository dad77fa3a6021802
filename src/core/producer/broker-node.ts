import type { Timer } from '../clock.ts';
import type { PartitionQueue } from './partition-queue.ts';
import type { ProduceRequest } from './produce-request.ts';

/** The sender's view of one broker. */
export class BrokerNode {
  readonly nodeId: number;
  /** Produce requests without an answer yet. */
  inFlight = 0;
  /** The broker asked for a pause until then (KIP-219). */
  throttledUntil = 0;
  wake: Timer | undefined;
  /** Being put together. */
  request: ProduceRequest | undefined;
  /** Partitions that wait for one of its requests to be answered. */
  readonly waiting: PartitionQueue[] = [];

  constructor(nodeId: number) {
    this.nodeId = nodeId;
  }
}
