import type { ConsumerRecord } from '../core/records/types.ts';
import type { OrderPlace } from './quarantine.ts';

/** One retry topic. */
export interface RetryLevel {
  readonly topic: string;
  /** How long a record waits in it, in ms, before it is tried again. */
  readonly delayMs: number;
}

/** What becomes of a record that is written to the next level because one of its key is there. */
export interface FollowReceipt {
  /** It is in the log, at this offset; undefined: it was not written, and `error` says why, unless it was withdrawn. */
  onAnswered(offset: number | undefined, error: unknown): void;
  /** Asked right before it is sent. */
  isWithdrawn(): boolean;
}

/** Told by the policy of what it writes to the levels. */
export interface LetterWatch {
  /** A record is about to be written from one level (0: from the topic) to another; the answer is to be told where it is, or that it is not there. */
  sent(
    record: ConsumerRecord,
    levels: readonly [from: number, to: number],
    place: OrderPlace,
  ): (offset: number | undefined) => void;
}

/** Retry topics as the source that reads them knows them. */
export interface RetryPlan {
  readonly levels: readonly RetryLevel[];
  readonly order: 'key' | 'none';
  readonly maxQuarantined: number;
  /** The source that reads the levels begins. @throws UsageError when another one does already. */
  connect(watch: LetterWatch | undefined): void;
  /** Writes a record to the level behind its own, or to the end of the last one, to be looked at there when `dueAt` is past. */
  follow(record: ConsumerRecord, dueAt: number, receipt: FollowReceipt): void;
}
