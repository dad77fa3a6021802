// Records sent at an even pace, and when their copies arrive: both ends of the way on one clock.
import type { Subscription } from 'rxjs';
import { settle, tap } from '../../../src/operators/index.ts';
import { sluice, type Kafka } from '../../../src/index.ts';
import type { Producer } from '../../../src/core/producer/producer.ts';

const TICK_MS = 4;

/** Sends values of `bytes` bytes that begin with the time of their sending, in turn to each partition. */
export class Pacer {
  /** Per partition, when each record was sent. */
  readonly sent: number[][];
  failures: unknown[] = [];
  private readonly producer: Producer;
  private readonly topic: string;
  private readonly bytes: number;
  private timer: NodeJS.Timeout | undefined;
  private turn = 0;

  constructor(kafka: Kafka, topic: string, partitions: number, bytes: number) {
    this.producer = kafka.producer();
    this.topic = topic;
    this.bytes = bytes;
    this.sent = Array.from({ length: partitions }, () => []);
  }

  start(recordsPerSecond: number): void {
    const startedAt = performance.now();
    let done = 0;
    this.timer = setInterval(() => {
      const due = Math.floor(((performance.now() - startedAt) * recordsPerSecond) / 1_000);
      for (; done < due; done++) this.send();
    }, TICK_MS);
  }

  /** As many as the producer takes. */
  flood(): void {
    this.timer = setInterval(() => {
      const until = performance.now() + TICK_MS;
      while (this.producer.hasRoom(this.topic) && performance.now() < until) this.send();
    }, TICK_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.producer.close();
  }

  private send(): void {
    const partition = this.turn++ % this.sent.length;
    const value = Buffer.alloc(this.bytes);
    const now = performance.now();
    value.writeDoubleLE(now);
    this.sent[partition]!.push(now);
    this.producer.send(this.topic, { partition, value }, this);
  }

  onAcked(): void {}

  onFailed(error: unknown): void {
    this.failures.push(error);
  }
}

/** Reads the copies as they come. */
export class Arrivals {
  /** Per partition, in the order of the log: when the record was sent, and how long its way took. */
  readonly sentAt: number[][];
  readonly tookMs: number[][];
  private readonly subscription: Subscription;

  constructor(kafka: Kafka, topic: string, partitions: number) {
    this.sentAt = Array.from({ length: partitions }, () => []);
    this.tookMs = Array.from({ length: partitions }, () => []);
    this.subscription = sluice(kafka)
      .fromPartitions({ topic, from: 'earliest' })
      .pipe(
        tap(({ partition, value }) => {
          const at = value!.readDoubleLE();
          this.sentAt[partition]!.push(at);
          this.tookMs[partition]!.push(performance.now() - at);
        }),
        settle(),
      )
      .subscribe();
  }

  get count(): number {
    return this.sentAt.reduce((sum, { length }) => sum + length, 0);
  }

  /** How long the records took that were sent to one of `partitions` between `from` and `to`. */
  between(from: number, to: number, partitions: readonly number[]): number[] {
    const took: number[] = [];
    for (const partition of partitions)
      this.sentAt[partition]!.forEach((sentAt, at) => {
        if (sentAt >= from && sentAt < to) took.push(this.tookMs[partition]![at]!);
      });
    return took;
  }

  close(): void {
    this.subscription.unsubscribe();
  }
}
