import type { Subscriber } from 'rxjs';
import { handleOf, type Delivery } from '../../flow/delivery.ts';
import { Fifo } from '../../flow/fifo.ts';
import type { Key, KeyMap } from '../../flow/key.ts';
import type { Settlement } from '../../flow/settlement.ts';
import { InnerSubscriber } from '../../flow/stage-subscriber.ts';
import type { Timer } from '../../core/clock.ts';

/** The lanes of one claim. */
export interface KeyLanes<A, B> {
  settlement: Settlement | undefined;
  readonly byKey: KeyMap<KeyLane<A, B>>;
  /** Those that are not ending, the one that was quiet for longest first. */
  readonly open: Set<KeyLane<A, B>>;
  timer: Timer | undefined;
  stops: (() => void)[];
}

/** What a lane tells its stage. */
export interface KeyLaneHost<A, B> {
  passOn(delivery: Delivery<B>): void;
  error(cause: unknown): void;
  laneOver(lane: KeyLane<A, B>): void;
}

/** One key's lane: what goes into it, and, as a subscriber, what comes out. Its end is not the end of the stage. */
export class KeyLane<A, B> extends InnerSubscriber<Delivery<B>> {
  readonly key: Key;
  readonly home: KeyLanes<A, B>;
  input: Subscriber<Delivery<A>> | undefined;
  usedAtMs = 0;
  /** Its input is complete. What comes of its key waits until it is over, so that the key keeps its order. */
  isEnding = false;
  readonly waiting = new Fifo<Delivery<A>>();
  private readonly host: KeyLaneHost<A, B>;

  constructor(key: Key, home: KeyLanes<A, B>, host: KeyLaneHost<A, B>) {
    super();
    this.key = key;
    this.home = home;
    this.host = host;
  }

  /** One that has ended by itself, or never took its input, wants none: its values are settled, as they would be for a `filter`. */
  take(delivery: Delivery<A>): void {
    if (this.isEnding) this.waiting.push(delivery);
    else if (this.closed || this.input === undefined || this.input.closed) delivery.ack();
    else this.input.next(delivery);
  }

  giveUpWaiting(): void {
    for (let left = this.waiting.shift(); left !== undefined; left = this.waiting.shift())
      handleOf(left).giveUp();
  }

  override next(delivery: Delivery<B>): void {
    if (this.closed) handleOf(delivery).giveUp();
    else this.host.passOn(delivery);
  }

  override error(cause: unknown): void {
    if (!this.closed) this.host.error(cause);
  }

  override complete(): void {
    if (this.closed) return;
    this.unsubscribe();
    this.host.laneOver(this);
  }
}
