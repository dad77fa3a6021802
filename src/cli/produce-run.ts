// One run of the verifiable producer: sends at its pace, reports each outcome.

import type { Producer, Receipt } from '../core/index.ts';
import { delay, type Clock } from '../core/clock.ts';
import { BrokerError, type KafkaError } from '../errors.ts';
import type { EventWriter } from './event-writer.ts';
import { Pacer } from './pacer.ts';

/** What is sent. */
export interface ProducePlan {
  readonly topic: string;
  /** Below 0: until it is stopped. */
  readonly maxMessages: number;
  /** Messages a second; below 0: as fast as they are taken. */
  readonly throughput: number;
  /** Timestamp of the first message; undefined: the time at which each is sent. */
  readonly createTimeMs: number | undefined;
  readonly valuePrefix: number | undefined;
  readonly repeatingKeys: number | undefined;
}

/** Messages sent in one go before the answers that came meanwhile are looked at. */
const SLICE = 500;
/** Messages without an answer: enough for full speed, and the most that a stalled cluster makes us remember. */
const MAX_UNANSWERED = 20_000;

/** Sends the messages of a plan and counts. */
export class ProduceRun {
  sent = 0;
  acked = 0;
  failed = 0;
  private readonly plan: ProducePlan;
  private readonly producer: Producer;
  private readonly events: EventWriter;
  private readonly clock: Clock;
  private nextKey = 0;
  private startWallMs = 0;
  private onAnswer: (() => void) | undefined;

  constructor(plan: ProducePlan, producer: Producer, events: EventWriter, clock: Clock) {
    this.plan = plan;
    this.producer = producer;
    this.events = events;
    this.clock = clock;
  }

  get unanswered(): number {
    return this.sent - this.acked - this.failed;
  }

  /** Resolves when all is sent or the signal aborts; answers may be due then. */
  async send(stop: AbortSignal): Promise<void> {
    const { maxMessages, throughput } = this.plan;
    const { events, clock } = this;
    const total = maxMessages < 0 ? Infinity : maxMessages;
    const pacer = new Pacer(clock, throughput);
    this.startWallMs = clock.wallNow();
    stop.addEventListener('abort', () => this.onAnswer?.(), { once: true });
    while (this.sent < total && !stop.aborted) {
      const until = Math.min(total, pacer.due(), this.sent + SLICE);
      while (this.sent < until && this.hasRoom) this.sendOne();
      if (this.sent >= total) break;
      if (events.isFull) await untilAborted(events.whenRoom(), stop);
      else if (!this.hasRoom) await this.answer(stop);
      else await this.pause(pacer.waitMs(this.sent), stop);
    }
  }

  /** Messages acknowledged per second since `startMs` of the clock. */
  averageSince(startMs: number): number {
    const elapsedMs = this.clock.now() - startMs;
    return elapsedMs > 0 ? (1000 * this.acked) / elapsedMs : 0;
  }

  answered(sent: SentMessage, partition: number, offset: number): void {
    this.acked += 1;
    const { key, value } = sent;
    this.events.event('producer_send_success', { key, value, offset, topic: this.plan.topic, partition });
    this.onAnswer?.();
  }

  refused({ key, value }: SentMessage, error: KafkaError): void {
    this.failed += 1;
    this.events.event('producer_send_error', {
      topic: this.plan.topic,
      key,
      value,
      exception: error instanceof BrokerError ? error.errorName : error.name,
      message: error.message,
    });
    this.onAnswer?.();
  }

  private get hasRoom(): boolean {
    return this.unanswered < MAX_UNANSWERED && this.producer.hasRoom(this.plan.topic) && !this.events.isFull;
  }

  private sendOne(): void {
    const { topic, valuePrefix, createTimeMs } = this.plan;
    const number = String(this.sent);
    const value = valuePrefix === undefined ? number : `${valuePrefix}.${number}`;
    const key = this.key();
    const timestamp =
      createTimeMs === undefined ? undefined : createTimeMs + this.clock.wallNow() - this.startWallMs;
    this.sent += 1;
    this.producer.send(topic, { key, value, timestamp }, new SentMessage(this, key, value));
  }

  private key(): string | null {
    const { repeatingKeys } = this.plan;
    if (repeatingKeys === undefined) return null;
    const key = String(this.nextKey);
    this.nextKey = this.nextKey + 1 === repeatingKeys ? 0 : this.nextKey + 1;
    return key;
  }

  /** Until an answer has come, room has come back or the signal aborts. */
  private async answer(stop: AbortSignal): Promise<void> {
    if (stop.aborted) return;
    let forget = (): void => {};
    await new Promise<void>((resolve) => {
      this.onAnswer = resolve;
      forget = this.producer.onReady(resolve);
    });
    this.onAnswer = undefined;
    forget();
  }

  private pause(waitMs: number, stop: AbortSignal): Promise<void> {
    if (waitMs > 0) return delay(this.clock, waitMs, stop).catch(() => undefined);
    return new Promise((resolve) => this.clock.defer(resolve));
  }
}

/** A message on its way. */
class SentMessage implements Receipt {
  readonly key: string | null;
  readonly value: string;
  private readonly run: ProduceRun;

  constructor(run: ProduceRun, key: string | null, value: string) {
    this.run = run;
    this.key = key;
    this.value = value;
  }

  onAcked(partition: number, offset: number): void {
    this.run.answered(this, partition, offset);
  }

  onFailed(error: KafkaError): void {
    this.run.refused(this, error);
  }
}

/** Resolves with the promise, or as soon as the signal aborts. */
function untilAborted(promise: Promise<void>, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stop.removeEventListener('abort', done);
      resolve();
    };
    stop.addEventListener('abort', done, { once: true });
    void promise.then(done);
    if (stop.aborted) done();
  });
}
