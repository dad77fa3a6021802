// A partition's log that treats producers as Kafka's does: a window of five batches, duplicates answered with their first offset.

import { BatchCursor } from '../../../src/core/records/batch-cursor.ts';
import { parseBatches } from '../../../src/core/records/record-batch.ts';

interface Written {
  readonly first: number;
  readonly last: number;
  readonly offset: number;
}

interface ProducerState {
  epoch: number;
  readonly window: Written[];
}

export interface Appended {
  readonly errorCode: number;
  readonly offset: number;
}

const WINDOW = 5;
const OUT_OF_ORDER_SEQUENCE_NUMBER = 45;
const INVALID_PRODUCER_EPOCH = 47;
const MESSAGE_TOO_LARGE = 10;

export class FakeLog {
  readonly values: string[] = [];
  readonly codecs: (string | undefined)[] = [];
  maxBatchBytes = Infinity;
  /** Every batch ever offered, by its producer id, epoch and sequence: the same numbers must always be the same bytes. */
  readonly offered = new Map<string, string>();
  conflicts = 0;
  private readonly producers = new Map<number, ProducerState>();

  append(records: Buffer): Appended {
    const batches = [...parseBatches(records, { topic: 'fake', partition: 0 })];
    if (batches.length !== 1)
      throw new Error(`a Produce request carries one batch per partition, not ${batches.length}`);
    const batch = batches[0]!;
    this.note(`${batch.producerId}/${batch.producerEpoch}/${batch.baseSequence}`, records);
    if (records.length > this.maxBatchBytes) return refuse(MESSAGE_TOO_LARGE);
    const first = batch.baseSequence;
    const last = (first + batch.count - 1) & 0x7fffffff;
    let state = this.producers.get(batch.producerId);
    if (state === undefined) {
      state = { epoch: batch.producerEpoch, window: [] };
      this.producers.set(batch.producerId, state);
    } else if (batch.producerEpoch < state.epoch) {
      return refuse(INVALID_PRODUCER_EPOCH);
    } else if (batch.producerEpoch > state.epoch) {
      if (first !== 0) return refuse(OUT_OF_ORDER_SEQUENCE_NUMBER);
      state.epoch = batch.producerEpoch;
      state.window.length = 0;
    } else {
      const known = state.window.find((written) => written.first === first && written.last === last);
      if (known !== undefined) return { errorCode: 0, offset: known.offset };
      const newest = state.window[state.window.length - 1];
      if (newest !== undefined && ((newest.last + 1) & 0x7fffffff) !== first)
        return refuse(OUT_OF_ORDER_SEQUENCE_NUMBER);
    }
    const offset = this.values.length;
    state.window.push({ first, last, offset });
    if (state.window.length > WINDOW) state.window.shift();
    this.codecs.push(batch.codec);
    const cursor = new BatchCursor(batch, 'fake', 0);
    for (let record = cursor.next(); record !== undefined; record = cursor.next())
      this.values.push(String(record.value));
    return { errorCode: 0, offset };
  }

  /** Forgets every producer, as a log does whose snapshots expired. */
  forgetProducers(): void {
    this.producers.clear();
  }

  /** What an unclean leader election does. */
  truncate(length: number): void {
    this.values.length = length;
    for (const state of this.producers.values()) {
      const kept = state.window.filter(({ offset }) => offset < length);
      state.window.splice(0, state.window.length, ...kept);
    }
  }

  private note(key: string, records: Buffer): void {
    const bytes = records.toString('latin1');
    const before = this.offered.get(key);
    if (before !== undefined && before !== bytes) this.conflicts += 1;
    this.offered.set(key, bytes);
  }
}

function refuse(errorCode: number): Appended {
  return { errorCode, offset: -1 };
}
