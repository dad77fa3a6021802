import { BrokerError } from '../../src/errors.ts';
import type { Producer } from '../../src/core/producer/producer.ts';
import type { Receipt } from '../../src/core/producer/receipt.ts';
import type { ProducerRecord } from '../../src/core/records/types.ts';
import type { SinkRuntime } from '../../src/sinks/to-topic.ts';

/** A record that waits for its answer. */
export interface Sent {
  readonly topic: string;
  readonly record: ProducerRecord;
  readonly value: string | null;
  readonly receipt: Receipt;
  readonly tag: number;
}

/** A producer whose answers are given by hand, and the run around it. */
export class FakeProducer implements SinkRuntime {
  /** In the order in which they were sent, answered ones included. */
  readonly sent: Sent[] = [];
  /** Records it takes until it says that it has no room. */
  room = Infinity;
  /** Acknowledges inside `send`. */
  answersAtOnce = false;
  /** Thrown by the next `send` of this value. */
  throwsFor: string | undefined;
  recordsOut = 0;
  listening = 0;
  private readonly callbacks = new Set<() => void>();

  send(topic: string, record: ProducerRecord, receipt: Receipt, tag = 0): boolean {
    const value = record.value === null ? null : Buffer.from(record.value).toString();
    if (value === this.throwsFor) throw new Error(`the producer refuses ${value}`);
    // As the real one: the caller may use the object again.
    this.sent.push({ topic, record: { ...record }, value, receipt, tag });
    this.room--;
    if (this.answersAtOnce) receipt.onAcked(0, 0, 0, tag);
    return this.room > 0;
  }

  hasRoom(): boolean {
    return this.room > 0;
  }

  onReady(callback: () => void): () => void {
    this.callbacks.add(callback);
    this.listening++;
    return () => {
      this.callbacks.delete(callback);
      this.listening--;
    };
  }

  makeRoom(records: number): void {
    this.room = records;
    for (const callback of [...this.callbacks]) callback();
  }

  /** Values that were sent. */
  get values(): (string | null)[] {
    return this.sent.map(({ value }) => value);
  }

  /** Acknowledges the record sent as number `at`. */
  ack(...at: readonly number[]): void {
    for (const one of at) {
      const { receipt, tag } = this.sent[one]!;
      receipt.onAcked(0, one, 0, tag);
    }
  }

  /** Acknowledges neighbours of one batch, in one call. */
  ackRun(...at: readonly number[]): void {
    const { receipt } = this.sent[at[0]!]!;
    receipt.onRunAcked!({ tag: (index) => this.sent[at[index]!]!.tag }, 0, at.length);
  }

  fail(at: number, name = 'INVALID_RECORD'): void {
    const { receipt, tag } = this.sent[at]!;
    receipt.onFailed(new BrokerError(name, `${name} on purpose`, { retriable: false }), tag);
  }

  /** Seals the batch of record number `at`, as before its first sending. */
  seal(at: number): 'sent' | 'withdrawn' {
    const { receipt, tag } = this.sent[at]!;
    if (receipt.isWithdrawn?.(tag) !== true) return 'sent';
    receipt.onWithdrawn?.(tag);
    return 'withdrawn';
  }

  producer(): Producer {
    return this as unknown as Producer;
  }

  countOut(records: number): void {
    this.recordsOut += records;
  }
}
