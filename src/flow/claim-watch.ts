import type { Delivery } from './delivery.ts';
import { handleOf } from './delivery.ts';
import { onAbort } from '../core/on-abort.ts';
import type { Settlement } from './settlement.ts';

/** A stage that keeps deliveries and must act when a claim behind them ends. */
export interface ClaimListener {
  onRevoking?(): void;
  onLost(): void;
  /** True while it keeps a delivery of this claim; the others are forgotten now and then. */
  keeps(settlement: Settlement): boolean;
}

/** Watches the claims of the deliveries a stage sees, each once; the usual delivery costs one comparison. */
export class ClaimWatch {
  private readonly listener: ClaimListener;
  private readonly watched = new Map<Settlement, () => void>();
  private last: Settlement | undefined;

  constructor(listener: ClaimListener) {
    this.listener = listener;
  }

  see(delivery: Delivery<unknown>): void {
    handleOf(delivery).behind.visitSettlements(this.visit);
  }

  close(): void {
    for (const stop of this.watched.values()) stop();
    this.watched.clear();
    this.last = undefined;
  }

  private readonly visit = (settlement: Settlement): void => {
    if (settlement === this.last) return;
    this.last = settlement;
    if (!this.watched.has(settlement)) this.watch(settlement);
  };

  private watch(settlement: Settlement): void {
    this.forgetEnded();
    const stops = [
      onAbort(settlement.lost, () => {
        this.forget(settlement);
        this.listener.onLost();
      }),
    ];
    const { listener } = this;
    if (listener.onRevoking !== undefined) {
      stops.push(onAbort(settlement.revoking, () => listener.onRevoking?.()));
    }
    this.watched.set(settlement, () => {
      for (const stop of stops) stop();
    });
  }

  // A claim that is given away in peace is never lost; without this a long-lived stage would collect them.
  private forgetEnded(): void {
    for (const settlement of this.watched.keys()) {
      if (settlement.revoking.aborted && !this.listener.keeps(settlement)) this.forget(settlement);
    }
  }

  private forget(settlement: Settlement): void {
    this.watched.get(settlement)?.();
    this.watched.delete(settlement);
    if (this.last === settlement) this.last = undefined;
  }
}
