// One batch of a partition, from its first record to its result.

import type { BatchBuilder } from '../records/batch-builder.ts';
import { BATCH_OVERHEAD } from '../records/batch-header.ts';
import type { Bytes, HeadersInit } from '../records/types.ts';
import type { KafkaError } from '../../errors.ts';
import { BatchEntries } from './batch-entries.ts';
import type { Receipt, Withdrawal } from './receipt.ts';

/**
 * - `filling`: takes records or waits for its first sending; has no sequence yet.
 * - `waiting`: has its sequence and waits to be sent (again).
 * - `sent`: a request with it is out.
 * - `acked`, `failed`: has its result, which waits for the batches before it.
 * - `done`: its receipts know.
 */
export type BatchState = 'filling' | 'waiting' | 'sent' | 'acked' | 'failed' | 'done';

/** Told when a batch is done; what `flush` waits on. */
export interface BatchWaiter {
  left: number;
  onDone(): void;
}

/** The records of one batch with their receipts. */
export class Batch {
  readonly createdAt: number;
  /** When it fails unless it has its answer. */
  readonly deadlineAt: number;
  state: BatchState = 'filling';
  /** Until it is sealed. */
  builder: BatchBuilder | undefined;
  /** The exact bytes that are sent, every time the same. */
  sealed: Buffer | undefined;
  /** Its records, compressed before their turn; undefined when that is left to the sealing. */
  packed: Buffer | undefined = undefined;
  /** Another thread compresses its records: nothing may be appended, nor taken out. */
  isPacking = false;
  entries = new BatchEntries();
  baseSequence = -1;
  /** Bytes before compression, which is what the buffer limits count. */
  bytes: number;
  sends = 0;
  /** An attempt was not answered, or answered so that it may be in the log all the same. */
  maybeAppended = false;
  /** Its last request had less time than requests have, for the deadline was near. */
  isCutShort = false;
  offset = -1;
  appendTime = -1;
  error: KafkaError | undefined;
  waiters: BatchWaiter[] | undefined;
  private asksEach = false;
  private lastWithdrawal: Withdrawal | undefined = undefined;
  private withdrawals: Withdrawal[] | undefined = undefined;
  /** What its builder began with, when it goes back to {@link BatchMemory} in the end. */
  memory: Buffer | undefined;

  constructor(builder: BatchBuilder, createdAt: number, deadlineAt: number) {
    this.builder = builder;
    this.bytes = builder.bytes;
    this.createdAt = createdAt;
    this.deadlineAt = deadlineAt;
  }

  get count(): number {
    return this.entries.count;
  }

  /** It has all the records that it may have. */
  get isFull(): boolean {
    return false;
  }

  /** The bytes it takes in a request; an upper bound before it is sealed. */
  get wireBytes(): number {
    if (this.sealed !== undefined) return this.sealed.length;
    return this.packed === undefined ? this.bytes : this.packed.length + BATCH_OVERHEAD;
  }

  tryAppend(
    key: Bytes | null,
    value: Bytes | null,
    headers: HeadersInit | undefined,
    timestamp: number,
    receipt: Receipt,
    tag: number,
  ): boolean {
    const builder = this.builder!;
    if (!builder.tryAppend(key, value, headers, timestamp)) return false;
    this.bytes = builder.bytes;
    this.entries.push(receipt, tag, timestamp);
    const { withdrawal } = receipt;
    if (withdrawal === undefined) this.asksEach ||= receipt.isWithdrawn !== undefined;
    else if (withdrawal !== this.lastWithdrawal) this.enter(withdrawal);
    return true;
  }

  /** False when no receipt needs to be asked whether it is withdrawn. */
  get mayBeWithdrawn(): boolean {
    return this.asksEach || this.withdrawals?.some(({ isPossible }) => isPossible) === true;
  }

  private enter(withdrawal: Withdrawal): void {
    this.lastWithdrawal = withdrawal;
    this.withdrawals ??= [];
    if (!this.withdrawals.includes(withdrawal)) this.withdrawals.push(withdrawal);
  }
}
