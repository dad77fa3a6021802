// Tells when a sink's records are made ready for their first sending, from between the sinks and the producer.
import { Producer } from '../../../src/core/producer/producer.ts';
import type { Receipt } from '../../../src/core/producer/receipt.ts';
import type { ProducerRecord } from '../../../src/core/records/types.ts';
import { replaceMethod } from '../planted/replace.ts';
import type { Recorder } from './recorder.ts';

/** What the pipelines' sinks write as a value. */
interface Written {
  readonly token: number;
  readonly at: string;
}

/** Stands between a sink's receipt and the producer, which is to ask each time. */
class WatchedReceipt implements Receipt {
  private readonly receipt: Receipt;
  private readonly written: Written;
  private readonly recorder: Recorder;

  constructor(receipt: Receipt, written: Written, recorder: Recorder) {
    this.receipt = receipt;
    this.written = written;
    this.recorder = recorder;
  }

  onAcked(partition: number, offset: number, timestamp: number, tag: number): void {
    this.receipt.onAcked(partition, offset, timestamp, tag);
  }

  onFailed(error: Parameters<Receipt['onFailed']>[0], tag: number): void {
    this.receipt.onFailed(error, tag);
  }

  isWithdrawn(tag: number): boolean {
    const { receipt } = this;
    // As the producer does it: who cannot withdraw is not asked.
    const isWithdrawn = receipt.withdrawal?.isPossible !== false && receipt.isWithdrawn?.(tag) === true;
    const { token, at } = this.written;
    if (!isWithdrawn) this.recorder.add({ kind: 'sealed', token, at });
    return isWithdrawn;
  }

  onWithdrawn(tag: number): void {
    this.receipt.onWithdrawn?.(tag);
  }
}

/** Watches what is sent to `topic` until the function returned is called. */
export function watchSends(topic: string, recorder: Recorder): () => void {
  type Send = (
    this: Producer,
    name: string,
    record: ProducerRecord,
    receipt: Receipt,
    tag?: number,
  ) => boolean;
  return replaceMethod<Send>(
    Producer,
    'send',
    (send) =>
      function (name, record, receipt, tag) {
        if (name !== topic) return send.call(this, name, record, receipt, tag);
        const { token, at } = JSON.parse(String(record.value)) as Written;
        return send.call(this, name, record, new WatchedReceipt(receipt, { token, at }, recorder), tag);
      },
  );
}
