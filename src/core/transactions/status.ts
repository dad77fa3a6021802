// Where a transactional producer stands, and which way it can go from there: a table, so that every step not in it is refused.

import { UsageError } from '../../errors.ts';

/**
 * - `uninitialized`: `init()` must come first.
 * - `initializing`: the coordinator is asked for an epoch.
 * - `ready`: no transaction is open.
 * - `in-transaction`: records and offsets are taken.
 * - `committing`, `aborting`: the end is on its way; where its outcome stays unknown, the same end may be asked for again.
 * - `abortable-error`: the transaction cannot be committed any more; `abort()` it.
 * - `fatal-error`: the producer cannot go on.
 */
export type TransactionStatus =
  | 'uninitialized'
  | 'initializing'
  | 'ready'
  | 'in-transaction'
  | 'committing'
  | 'aborting'
  | 'abortable-error'
  | 'fatal-error';

/** Every step there is. */
export const TRANSITIONS: { readonly [from in TransactionStatus]: readonly TransactionStatus[] } = {
  uninitialized: ['initializing', 'fatal-error'],
  initializing: ['ready', 'uninitialized', 'fatal-error'],
  ready: ['in-transaction', 'initializing', 'fatal-error'],
  'in-transaction': ['committing', 'aborting', 'abortable-error', 'fatal-error'],
  committing: ['ready', 'initializing', 'abortable-error', 'fatal-error'],
  aborting: ['ready', 'initializing', 'fatal-error'],
  'abortable-error': ['aborting', 'fatal-error'],
  // Only by `takeOver()`, for an id that is nobody else's.
  'fatal-error': ['initializing'],
};

/** The status of one producer. */
export class StatusMachine {
  private status: TransactionStatus = 'uninitialized';

  get current(): TransactionStatus {
    return this.status;
  }

  is(...some: readonly TransactionStatus[]): boolean {
    return some.includes(this.status);
  }

  can(next: TransactionStatus): boolean {
    return TRANSITIONS[this.status].includes(next);
  }

  /** @throws UsageError naming both ends of a step that is not in the table. */
  to(next: TransactionStatus): void {
    if (!this.can(next))
      throw new UsageError(
        `A transactional producer that is '${this.status}' cannot become '${next}'; from there it can become ${TRANSITIONS[this.status].join(', ')}`,
      );
    this.status = next;
  }
}
