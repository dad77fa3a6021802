// The claims of a group as diagrams, one per partition.
import { Subject, type Subscriber } from 'rxjs';
import type { TestScheduler } from 'rxjs/testing';
import type { ConsumerRecord } from '../core/records/types.ts';
import { UsageError } from '../errors.ts';
import { createClaim, type Claim } from '../flow/claim.ts';
import { createClaims, type Claims, type Rebalance } from '../flow/claims.ts';
import { rootDelivery, type Delivery } from '../flow/delivery.ts';
import { momentIn } from './marbles-expect.ts';
import { MarbleSource, schedulerClock } from './marbles-source.ts';

/** A claim of a test, and how it ends. */
export interface MarbleClaim {
  readonly source: MarbleSource;
  /** It is given away: its flow completes, what is on its way may still be settled. */
  revoke(): void;
  /** It is taken away: its flow completes. */
  lose(): void;
}

/** Marks and what they stand for. */
export interface Marbles<T> {
  readonly values?: { readonly [mark: string]: T } | undefined;
  readonly error?: unknown;
}

/** The value of a mark; a mark without one stands for itself. */
export function valueOf<T>(mark: string, { values }: Marbles<T>): T {
  return values !== undefined && mark in values ? values[mark]! : (mark as T);
}

/** The record behind a value that is one. */
export function recordBehind(value: unknown): ConsumerRecord | undefined {
  const isRecord = typeof value === 'object' && value !== null && 'offset' in value && 'headers' in value;
  return isRecord ? (value as ConsumerRecord) : undefined;
}

/** One partition of a claims diagram. */
class PartitionMarbles<T> implements MarbleClaim {
  readonly source: MarbleSource;
  readonly claim: Claim<T>;
  private readonly topic: string;
  private readonly partition: number;
  private readonly rebalances: Subject<Rebalance>;
  private subscriber: Subscriber<Delivery<T>> | undefined;
  private isOver = false;

  constructor(
    scheduler: TestScheduler,
    place: string,
    diagram: string,
    marbles: Marbles<T>,
    rebalances: Subject<Rebalance>,
  ) {
    const [, topic, partition] = /^(.+)-(\d+)$/.exec(place) ?? [];
    if (topic === undefined)
      throw new UsageError(`claims: '${place}' is not a topic and a partition, as 'orders-0'`);
    this.topic = topic;
    this.partition = Number(partition);
    this.rebalances = rebalances;
    const source = new MarbleSource(schedulerClock(scheduler), place);
    this.source = source;
    const cold = scheduler.createColdObservable(diagram.replace('!', '-'), undefined, marbles.error);
    const controls = {
      topic,
      partition: this.partition,
      claimEpoch: source.claimEpoch,
      generation: 1,
      startOffset: 0,
      position: 0,
      committedOffset: undefined,
      highWatermark: -1,
      lag: 0,
      pause: unsupported,
      resume: unsupported,
      seek: unsupported,
    };
    this.claim = createClaim<T>(controls, (subscriber) => {
      this.subscriber = subscriber;
      return cold.subscribe({
        next: (mark) => {
          if (this.isOver) return;
          const value = valueOf(mark, marbles);
          subscriber.next(rootDelivery<T>(value, source, source.handOver(mark), 0, recordBehind(value)));
        },
        error: (cause: unknown) => subscriber.error(cause),
        complete: () => subscriber.complete(),
      });
    });
    const revokedAt = momentIn(diagram);
    if (revokedAt !== undefined) scheduler.schedule(() => this.revoke(), revokedAt);
  }

  begin(claims: Subscriber<Claim<T>>): void {
    this.tell('claimed');
    claims.next(this.claim);
  }

  revoke(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.source.revoke();
    this.subscriber?.complete();
    this.tell('released');
  }

  lose(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.source.lose();
    this.subscriber?.complete();
    this.tell('lost');
  }

  private tell(kind: Rebalance['kind']): void {
    const { topic, partition, source } = this;
    this.rebalances.next({ kind, topic, partition, claimEpoch: source.claimEpoch });
  }
}

function unsupported(): never {
  throw new UsageError('claims of a marble test cannot be paused or moved; use testTopology for that');
}

/** The Claims of these diagrams, and each by `topic-partition`. They come at the subscription; the flow is complete when all of them are. */
export function marbleClaims<T>(
  scheduler: TestScheduler,
  diagrams: { readonly [place: string]: string },
  marbles: Marbles<T>,
): { readonly claims: Claims<T>; readonly byPlace: ReadonlyMap<string, MarbleClaim> } {
  const rebalances = new Subject<Rebalance>();
  const byPlace = new Map<string, PartitionMarbles<T>>();
  for (const [place, diagram] of Object.entries(diagrams))
    byPlace.set(place, new PartitionMarbles(scheduler, place, diagram, marbles, rebalances));
  const claims = createClaims<T>({
    name: 'claims(...)',
    rebalances,
    open: (subscriber) => {
      for (const one of byPlace.values()) one.begin(subscriber);
      subscriber.complete();
    },
  });
  return { claims, byPlace };
}
