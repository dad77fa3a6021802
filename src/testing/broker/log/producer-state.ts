import { ERRORS } from '../../../core/protocol/error-codes.ts';
import type { BatchHeader } from './batch-header.ts';

const WINDOW_BATCHES = 5;
const SEQUENCES = 2 ** 31;

interface RememberedBatch {
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly baseOffset: number;
  readonly timestamp: number;
}

interface ProducerEntry {
  epoch: number;
  lastSequence: number;
  /** The last batches of this epoch, oldest first, at most five. */
  batches: RememberedBatch[];
}

/** What to do with a batch of an idempotent producer. */
export type SequenceVerdict =
  | { readonly kind: 'append' }
  | { readonly kind: 'duplicate'; readonly baseOffset: number; readonly timestamp: number }
  | { readonly kind: 'refused'; readonly code: number; readonly message: string };

const APPEND: SequenceVerdict = { kind: 'append' };

/** The sequence number of a batch's last record; numbers go round after 2^31 - 1. */
export function lastSequenceOf(header: BatchHeader): number {
  return (header.baseSequence + header.lastOffsetDelta) % SEQUENCES;
}

/** What one partition remembers of its idempotent producers, by Kafka's rules (ProducerAppendInfo). */
export class ProducerStates {
  readonly #entries = new Map<number, ProducerEntry>();

  get count(): number {
    return this.#entries.size;
  }

  check(header: BatchHeader): SequenceVerdict {
    if (header.producerId < 0) return APPEND;
    const entry = this.#entries.get(header.producerId);
    // A producer nobody remembers may start anywhere: its records may have been removed by retention.
    if (entry === undefined) return APPEND;
    if (header.producerEpoch < entry.epoch) {
      return {
        kind: 'refused',
        code: ERRORS.INVALID_PRODUCER_EPOCH,
        message: `Epoch of producer ${header.producerId} is ${header.producerEpoch}, which is smaller than the last seen epoch ${entry.epoch}`,
      };
    }
    if (header.producerEpoch > entry.epoch) {
      if (header.baseSequence === 0) return APPEND;
      return this.#outOfOrder(header, 'new epoch must start with sequence 0');
    }
    const last = lastSequenceOf(header);
    const known = entry.batches.find(
      (batch) => batch.firstSequence === header.baseSequence && batch.lastSequence === last,
    );
    if (known !== undefined) {
      return { kind: 'duplicate', baseOffset: known.baseOffset, timestamp: known.timestamp };
    }
    const expected = (entry.lastSequence + 1) % SEQUENCES;
    if (header.baseSequence === expected) return APPEND;
    return this.#outOfOrder(header, `expected sequence ${expected}`);
  }

  /** Remembers an appended batch. */
  record(header: BatchHeader, baseOffset: number, timestamp: number): void {
    if (header.producerId < 0) return;
    let entry = this.#entries.get(header.producerId);
    if (entry?.epoch !== header.producerEpoch) {
      entry = { epoch: header.producerEpoch, lastSequence: -1, batches: [] };
      this.#entries.set(header.producerId, entry);
    }
    entry.lastSequence = lastSequenceOf(header);
    entry.batches.push({
      firstSequence: header.baseSequence,
      lastSequence: entry.lastSequence,
      baseOffset,
      timestamp,
    });
    if (entry.batches.length > WINDOW_BATCHES) entry.batches.shift();
  }

  #outOfOrder(header: BatchHeader, why: string): SequenceVerdict {
    return {
      kind: 'refused',
      code: ERRORS.OUT_OF_ORDER_SEQUENCE_NUMBER,
      message: `Out of order sequence number for producer ${header.producerId}: incoming ${header.baseSequence}, ${why}`,
    };
  }
}
