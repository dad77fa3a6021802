import type { Delivery } from '../../flow/delivery.ts';
import type { Key } from '../../flow/key.ts';
import type { Owner } from '../../flow/owner.ts';

/** A row that is kept back until it is known whether its window was done before the restart. */
export interface Muted {
  readonly row: Delivery<unknown>;
  readonly order: number;
}

/** What was folded into a window, and the records that it holds until it closes. */
export class OpenWindow<R> {
  readonly key: Key;
  start: number;
  end: number;
  row: R;
  parts: Owner[] = [];
  /** Windows that end together are emitted in the order in which they were opened. */
  order: number;
  isOpen = true;
  muted: Muted[] | undefined = undefined;
  /** Places of values that only the session they belong to keeps from being late. */
  saved: number[] | undefined = undefined;

  constructor(key: Key, start: number, end: number, row: R, order: number) {
    this.key = key;
    this.start = start;
    this.end = end;
    this.row = row;
    this.order = order;
  }
}
