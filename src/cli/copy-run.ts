// One run of the transactional copier: poll, write, add the offsets, commit; what goes wrong is aborted and polled again.

import type { FetchedRecord, Receipt, TransactionalProducer } from '../core/index.ts';
import type { Clock, Random } from '../core/clock.ts';
import { KafkaError, OutcomeUnknownError, TransactionFatalError } from '../errors.ts';
import type { CopySource } from './copy-source.ts';
import type { EventWriter } from './event-writer.ts';

/** How a run copies. */
export interface CopyPlan {
  readonly transactionalId: string;
  readonly outputTopic: string;
  /** Messages of one transaction at most. */
  readonly transactionSize: number;
  /** Every third transaction is aborted, by chance. */
  readonly abortsAtRandom: boolean;
}

/** What the lines of the run are about; Kafka's names. */
type Stage = 'ProcessLoop' | 'RebalanceComplete' | 'ShutdownComplete';

/** Java's Long.MAX_VALUE: not known yet. */
const UNKNOWN_REMAINING = '9223372036854775807';
const ABORTED_SHARE = 1 / 3;
/** A failure makes the transaction abortable, which whoever commits learns. */
const NO_RECEIPT: Receipt = { onAcked: () => undefined, onFailed: () => undefined };

/** Copies and counts. */
export class CopyRun {
  /** Messages to copy before it ends; Infinity until that is known. */
  remaining = Infinity;
  private totalProcessed = 0;
  private sinceRebalance = 0;
  private readonly plan: CopyPlan;
  private readonly producer: TransactionalProducer;
  private readonly events: EventWriter;
  private readonly clock: Clock;
  private readonly random: Random;
  private readonly time: Intl.DateTimeFormat;

  constructor(
    plan: CopyPlan,
    producer: TransactionalProducer,
    events: EventWriter,
    { clock, random }: { readonly clock: Clock; readonly random: Random },
  ) {
    this.plan = plan;
    this.producer = producer;
    this.events = events;
    this.clock = clock;
    this.random = random;
    const two = '2-digit';
    this.time = new Intl.DateTimeFormat('en', {
      ...{ year: 'numeric', month: two, day: two, hour: two, minute: two, second: two },
      ...{ fractionalSecondDigits: 3, hourCycle: 'h23', numberingSystem: 'latn' },
    });
  }

  /** Copies until nothing remains or the signal aborts. Rejects when the producer or the source cannot go on. */
  async run(source: CopySource, stop: AbortSignal): Promise<void> {
    while (!stop.aborted && this.remaining > 0) {
      this.say('ProcessLoop');
      if (this.events.isFull) await this.events.whenRoom();
      const records = await source.poll(this.plan.transactionSize, stop);
      if (records.length > 0) await this.copy(source, records, stop);
    }
  }

  /** The group was divided anew, and there is so much to copy. */
  rebalanced(remaining: number): void {
    this.remaining = remaining;
    this.sinceRebalance = 0;
    this.say('RebalanceComplete');
  }

  /** One line, its names in the order of Kafka's tool. */
  say(stage: Stage): void {
    const { remaining, totalProcessed, sinceRebalance: consumed, plan } = this;
    const { transactionalId } = plan;
    const head = JSON.stringify({ transactionalId, stage, time: this.timeNow(), totalProcessed, consumed });
    const left = remaining === Infinity ? UNKNOWN_REMAINING : String(remaining);
    this.events.line(`${head.slice(0, -1)},"remaining":${left}}`);
  }

  private async copy(
    source: CopySource,
    records: readonly FetchedRecord[],
    stop: AbortSignal,
  ): Promise<void> {
    const { producer, plan } = this;
    try {
      producer.begin();
      await this.write(records);
      await producer.sendOffsets(source.positions(), source.group);
      const isAborted = plan.abortsAtRandom && this.random() < ABORTED_SHARE;
      if (isAborted || source.isLost) {
        await this.undo(source);
        return;
      }
      await this.commit(stop);
    } catch (error) {
      if (!(error instanceof KafkaError) || producer.status !== 'abortable-error') throw error;
      await this.undo(source);
      return;
    }
    source.committed();
    this.remaining -= records.length;
    this.sinceRebalance += records.length;
    this.totalProcessed += records.length;
  }

  private async write(records: readonly FetchedRecord[]): Promise<void> {
    const { producer, plan } = this;
    const { outputTopic } = plan;
    for (const { key, value, partition } of records) {
      producer.send(outputTopic, { key, value, partition }, NO_RECEIPT);
      while (!producer.hasRoom(outputTopic)) await this.room();
    }
  }

  private room(): Promise<void> {
    return new Promise((resolve) => {
      const forget = this.producer.onReady(() => {
        forget();
        resolve();
      });
    });
  }

  /** Until the answer is known: an abort would not be taken. */
  private async commit(stop: AbortSignal): Promise<void> {
    for (;;) {
      try {
        await this.producer.commit();
        return;
      } catch (error) {
        if (!(error instanceof OutcomeUnknownError) || stop.aborted) throw error;
      }
    }
  }

  private async undo(source: CopySource): Promise<void> {
    for (;;) {
      try {
        await this.producer.abort();
        break;
      } catch (error) {
        if (!(error instanceof OutcomeUnknownError) || error instanceof TransactionFatalError) throw error;
      }
    }
    await source.undone();
  }

  /** As Java's `yyyy/MM/dd HH:mm:ss:SSS`, of the local zone. */
  private timeNow(): string {
    const parts = new Map(
      this.time.formatToParts(this.clock.wallNow()).map(({ type, value }) => [type, value]),
    );
    const of = (type: Intl.DateTimeFormatPartTypes): string => parts.get(type) ?? '';
    return `${of('year')}/${of('month')}/${of('day')} ${of('hour')}:${of('minute')}:${of('second')}:${of('fractionalSecond')}`;
  }
}
