// A policy that lets a record wait in a topic for its next attempt, over as many levels as there are, and ends in a dead letter.
import type { KafkaError } from '../errors.ts';
import { UsageError } from '../errors.ts';
import type { Receipt } from '../core/producer/receipt.ts';
import type { ConsumerRecord } from '../core/records/types.ts';
import {
  causeOf,
  failureHeaders,
  failureOf,
  withoutFailure,
  type Failure,
  type FailureHeaders,
} from '../flow/failure-headers.ts';
import { DeadLetterPolicy, type ErrorPolicy } from '../flow/policy.ts';
import type { StageError } from '../flow/stage-error.ts';
import { orderPlace } from '../sources/quarantine.ts';
import type { FollowReceipt, LetterWatch, RetryLevel, RetryPlan } from '../sources/retry-plan.ts';
import { checkFailureHeaders, copyOf, type PolicyRuntime } from './dead-letter.ts';
import { writeLetters, type Letter } from './letters.ts';

const MAX_QUARANTINED = 100_000;
const MAX_DELAY_MS = 2 ** 31 - 1;

/** Options of `retryTopics`. */
export interface RetryTopicsOptions {
  /** Where a record goes after its first failure, after its second, and so on. */
  readonly levels: readonly RetryLevel[];
  /** Where it goes when it failed in the last level too. */
  readonly deadLetter: string;
  /**
   * 'none': records that fail wait, all others go on. 'key': so do the later records of its key: they follow it and are processed in its order. That
   * takes as many partitions in each level as in the topics that are read, and no more than one record of a key is on its way at a time.
   */
  readonly order: 'key' | 'none';
  /** Whose names the headers have; see `deadLetter`. Default 'streams'. Of 'spring', those of its retry topics (`retry_topic-attempts`, ...). */
  readonly headers?: FailureHeaders | undefined;
  /**
   * With order 'key': records in the levels that one member keeps count of. At so many it reads only the levels, until there are fewer. Default 100,000, of
   * about 200 bytes.
   */
  readonly maxQuarantined?: number | undefined;
}

/** Retry topics: a policy, and what `fromGroup` is told so that it reads them. */
export interface RetryTopics extends ErrorPolicy {
  readonly levels: readonly RetryLevel[];
  readonly deadLetter: string;
  readonly order: 'key' | 'none';
}

/** A record that goes to the next level by itself. */
class Follower implements Receipt {
  private readonly to: FollowReceipt;
  private readonly runtime: PolicyRuntime;

  constructor(to: FollowReceipt, runtime: PolicyRuntime) {
    this.to = to;
    this.runtime = runtime;
  }

  onAcked(_partition: number, offset: number): void {
    this.runtime.countOut(1);
    this.to.onAnswered(offset, undefined);
  }

  onFailed(error: KafkaError): void {
    this.to.onAnswered(undefined, error);
  }

  isWithdrawn(): boolean {
    return this.to.isWithdrawn();
  }

  onWithdrawn(): void {
    this.to.onAnswered(undefined, undefined);
  }
}

class RetryTopicsPolicy extends DeadLetterPolicy implements RetryTopics, RetryPlan {
  readonly levels: readonly RetryLevel[];
  readonly deadLetter: string;
  readonly order: 'key' | 'none';
  readonly maxQuarantined: number;
  private readonly family: FailureHeaders;
  private readonly runtime: PolicyRuntime;
  private readonly levelOf: ReadonlyMap<string, number>;
  private watch: LetterWatch | undefined;
  private isConnected = false;

  constructor(runtime: PolicyRuntime, options: RetryTopicsOptions) {
    super((delivery, error) => {
      const records: ConsumerRecord[] = [];
      for (const { record } of delivery.origins) if (record !== undefined) records.push(record);
      if (records.length === 0) {
        delivery.nack(error);
        return;
      }
      if (this.order === 'key' && !this.isConnected)
        throw new UsageError(
          "retryTopics with order 'key' are to be given to the fromGroup that reads them, as 'retryTopics'",
          'retryTopics',
        );
      const now = runtime.clock.wallNow();
      const letters = records.map((record) => this.failed(record, error, now));
      writeLetters(runtime, delivery, error, letters);
    });
    const { levels, deadLetter, order, headers = 'streams', maxQuarantined = MAX_QUARANTINED } = options;
    this.levels = levels;
    this.deadLetter = deadLetter;
    this.order = order;
    this.family = headers;
    this.maxQuarantined = maxQuarantined;
    this.runtime = runtime;
    this.levelOf = new Map(levels.map(({ topic }, at) => [topic, at + 1]));
  }

  connect(watch: LetterWatch | undefined): void {
    if (this.isConnected)
      throw new UsageError(
        'fromGroup: these retryTopics are read by another source already; make one for each',
        'retryTopics',
      );
    this.isConnected = true;
    this.watch = watch;
  }

  follow(record: ConsumerRecord, dueAt: number, receipt: FollowReceipt): void {
    const { runtime, levels } = this;
    const level = this.levelOf.get(record.topic) ?? 0;
    const before = level === 0 ? undefined : failureOf(record);
    const next = levels[Math.min(level, levels.length - 1)]!;
    const { topic, record: letter } = this.letter(record, level, next, {
      ...(before ?? notFailed(record)),
      dueAt,
    });
    try {
      runtime.producer().send(topic, letter, new Follower(receipt, runtime));
    } catch (cause) {
      receipt.onAnswered(undefined, cause);
    }
  }

  private failed(record: ConsumerRecord, error: StageError, now: number): Letter {
    const level = this.levelOf.get(record.topic) ?? 0;
    const before = level === 0 ? undefined : failureOf(record);
    const { topic, partition, offset } = before ?? record;
    const retries = before?.retries ?? 0;
    const next = this.next(level, retries);
    const dueAt = next === undefined ? undefined : now + this.delayOf(next, retries);
    const letter = this.letter(record, level, next, {
      topic,
      partition,
      offset,
      cause: causeOf(error.cause),
      stage: error.stage,
      attempts: (before?.attempts ?? 0) + error.attempt,
      retries: next === undefined ? retries : retries + 1,
      firstFailedAt: before?.firstFailedAt ?? now,
      failedAt: now,
      dueAt,
    });
    const place = orderPlace(record, level);
    if (next === undefined || place === undefined || this.watch === undefined) return letter;
    const to = this.levelOf.get(next.topic)!;
    return { ...letter, onAnswered: this.watch.sent(record, [level, to], { ...place, dueAt: dueAt! }) };
  }

  // A record that followed others to a level has not had its own attempts: it stays in the last one until it has.
  private next(level: number, retries: number): RetryLevel | undefined {
    const { levels } = this;
    if (this.order === 'none') return levels[level];
    return retries < levels.length ? levels[Math.min(level, levels.length - 1)] : undefined;
  }

  private delayOf(next: RetryLevel, retries: number): number {
    return this.order === 'none' ? next.delayMs : this.levels[retries]!.delayMs;
  }

  private letter(
    record: ConsumerRecord,
    level: number,
    next: RetryLevel | undefined,
    failure: Failure,
  ): Letter {
    const original = level === 0 ? record.headers : withoutFailure(record.headers);
    const headers = [...original, ...failureHeaders(failure, this.family, true)];
    const letter = copyOf(record, headers);
    if (next === undefined) return { topic: this.deadLetter, record: letter };
    return {
      topic: next.topic,
      record: this.order === 'key' ? { ...letter, partition: record.partition } : letter,
    };
  }
}

/** It only follows one of its key. */
function notFailed({ topic, partition, offset }: ConsumerRecord): Failure {
  return {
    topic,
    partition,
    offset,
    cause: { name: 'Follows', message: 'it follows an earlier record of its key', stack: '' },
    stage: undefined,
    attempts: 0,
    retries: 0,
    firstFailedAt: undefined,
    failedAt: undefined,
    dueAt: undefined,
  };
}

/** The policy behind `Sluice.retryTopics`. @throws UsageError naming an option that makes no sense. */
export function retryTopicsPolicy(runtime: PolicyRuntime, options: RetryTopicsOptions): RetryTopics {
  checkRetryTopics(options);
  return new RetryTopicsPolicy(runtime, options);
}

/** @throws UsageError naming an option that makes no sense. */
export function checkRetryTopics(options: RetryTopicsOptions): void {
  const { levels, deadLetter, order, headers, maxQuarantined = MAX_QUARANTINED } = options ?? {};
  if (!Array.isArray(levels) || levels.length === 0)
    throw new UsageError("retryTopics: 'levels' is a list of { topic, delayMs }, one at least", 'levels');
  const names = new Set<unknown>([deadLetter]);
  for (const { topic, delayMs } of levels as readonly RetryLevel[]) {
    if (typeof topic !== 'string' || topic === '')
      throw new UsageError(`retryTopics: 'topic' is a name, not ${JSON.stringify(topic)}`, 'topic');
    if (names.has(topic))
      throw new UsageError(`retryTopics: '${topic}' is named twice; each level has its own topic`, 'topic');
    names.add(topic);
    if (!(delayMs >= 0 && delayMs <= MAX_DELAY_MS))
      throw new UsageError(
        `retryTopics: 'delayMs' of '${topic}' is a number of milliseconds up to ${MAX_DELAY_MS}, not ${String(delayMs)}`,
        'delayMs',
      );
  }
  if (typeof deadLetter !== 'string' || deadLetter === '')
    throw new UsageError(
      `retryTopics: 'deadLetter' is the name of a topic, not ${JSON.stringify(deadLetter)}`,
      'deadLetter',
    );
  const known: unknown = order;
  if (known !== 'key' && known !== 'none')
    throw new UsageError(`retryTopics: 'order' is 'key' or 'none', not ${JSON.stringify(known)}`, 'order');
  checkFailureHeaders('retryTopics', headers);
  if (!Number.isInteger(maxQuarantined) || maxQuarantined < 1)
    throw new UsageError(
      `retryTopics: 'maxQuarantined' is a whole number from 1, not ${String(maxQuarantined)}`,
      'maxQuarantined',
    );
}
