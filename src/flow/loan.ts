import { systemClock, type Clock } from '../core/clock.ts';
import { Handle } from './delivery.ts';
import type { Owner, Rooted } from './owner.ts';
import type { PressureSource, Settlement, Verdict } from './settlement.ts';

/** A stage that hands deliveries over and may take them back. */
export interface Lender<A> {
  /** It was settled, refused or given up, or it is held: nobody waits for it any more. */
  onReturned(loan: Loan<A>): void;
}

/**
 * Lends a delivery: what becomes of the lent one becomes of it, until it is taken back; from then on what is made of the lent one counts no more, and it is dead to
 * whoever asks.
 */
export class Loan<A> implements Owner {
  readonly own: Handle<A>;
  readonly attempt: number;
  readonly clock: Clock;
  dueMs = 0;
  /** Its neighbours in a {@link LoanList}. */
  before: Loan<A> | undefined;
  after: Loan<A> | undefined;
  private readonly lender: Lender<A>;
  private isOver = false;
  private listeners: Set<() => void> | undefined;

  constructor(own: Handle<A>, lender: Lender<A>, attempt: number) {
    this.own = own;
    this.lender = lender;
    this.attempt = attempt;
    this.clock = own.behind.someSettlement()?.clock ?? systemClock;
  }

  /** What is handed over; once. */
  lent(): Handle<A> {
    return new Handle(this.own.value, this);
  }

  /** Takes it back. */
  expire(): void {
    this.isOver = true;
  }

  /** Tells those who work on it that it was taken back. */
  tellExpired(): void {
    const { listeners } = this;
    this.listeners = undefined;
    for (const listener of listeners ?? []) listener();
  }

  onExpired(listener: () => void): () => void {
    const set = (this.listeners ??= new Set());
    set.add(listener);
    // There may be another one around it.
    const unlisten = this.own.behind.onExpired?.(listener);
    return () => {
      set.delete(listener);
      unlisten?.();
    };
  }

  shareSettled(): void {
    if (this.returned()) this.own.ack();
  }

  shareRejected(_held: boolean, cause: unknown, verdict: Verdict, rewindDelayMs: number): void {
    if (!this.returned()) return;
    if (verdict === 'rewind') this.own.rewind(cause, rewindDelayMs);
    else this.own.nack(cause, verdict);
  }

  shareGivenUp(): void {
    if (this.returned()) this.own.giveUp();
  }

  shareHeld(): void {
    if (this.isOver) return;
    this.lender.onReturned(this);
    this.own.hold();
  }

  addRoots(into: Set<Rooted>): void {
    this.own.behind.addRoots(into);
  }

  bytesBehind(): number {
    return this.own.behind.bytesBehind();
  }

  newestTimestamp(): number {
    return this.own.behind.newestTimestamp();
  }

  visitSettlements(visit: (settlement: Settlement) => void): void {
    this.own.behind.visitSettlements(visit);
  }

  visitPressures(visit: (source: PressureSource) => void): void {
    this.own.behind.visitPressures(visit);
  }

  /** One that was taken back is dead, whatever its claims. */
  everySettlement(test: (settlement: Settlement) => boolean): boolean {
    return this.isOver || this.own.behind.everySettlement(test);
  }

  someSettlement(): Settlement | undefined {
    return this.own.behind.someSettlement();
  }

  report(action: string): void {
    this.own.behind.report(action);
  }

  private returned(): boolean {
    if (this.isOver) return false;
    this.isOver = true;
    this.listeners = undefined;
    this.lender.onReturned(this);
    return true;
  }
}

/** Loans in the order in which they were made; one is taken out in the middle as cheaply as at the ends. */
export class LoanList<A> {
  first: Loan<A> | undefined;
  private last: Loan<A> | undefined;

  add(loan: Loan<A>): void {
    loan.before = this.last;
    if (this.last === undefined) this.first = loan;
    else this.last.after = loan;
    this.last = loan;
  }

  /** Does nothing for one that is not in it. */
  remove(loan: Loan<A>): void {
    const { before, after } = loan;
    if (before === undefined && this.first !== loan) return;
    if (before === undefined) this.first = after;
    else before.after = after;
    if (after === undefined) this.last = before;
    else after.before = before;
    loan.before = undefined;
    loan.after = undefined;
  }

  clear(): void {
    this.first = undefined;
    this.last = undefined;
  }
}
