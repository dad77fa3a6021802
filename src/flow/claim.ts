import type { Subscriber, TeardownLogic } from 'rxjs';
import type { Delivery } from './delivery.ts';
import { Flow } from './flow.ts';
import { PauseGate } from './pause-gate.ts';

/** What a source knows of one of its claims; read live. */
export interface ClaimControls {
  readonly topic: string;
  readonly partition: number;
  readonly claimEpoch: number;
  readonly generation: number;
  readonly startOffset: number;
  readonly position: number;
  readonly committedOffset: number | undefined;
  readonly highWatermark: number;
  readonly lag: number;
  pause(): void;
  resume(): void;
  seek(offset: number): void;
}

const gates = new WeakMap<Claim<unknown>, PauseGate>();

/** The gate that `pauseAll` of the claims around it goes through. */
export function pauseGateOf(claim: Claim<unknown>): PauseGate {
  return gates.get(claim)!;
}

/** One partition during one claim epoch. It completes when the partition is given away, after which its deliveries may still be settled. */
export class Claim<out T> extends Flow<T> implements ClaimControls {
  private readonly controls: ClaimControls;
  private readonly gate: PauseGate;

  protected constructor(
    subscribe: (subscriber: Subscriber<Delivery<T>>) => TeardownLogic,
    controls: ClaimControls,
  ) {
    super(subscribe);
    this.controls = controls;
    this.gate = new PauseGate(controls);
    gates.set(this, this.gate);
  }

  get topic(): string {
    return this.controls.topic;
  }

  get partition(): number {
    return this.controls.partition;
  }

  get claimEpoch(): number {
    return this.controls.claimEpoch;
  }

  /**
   * The member's generation in its group, or member epoch (KIP-848), as it is now: a claim that is kept over a rebalance sees it rise. -1 for a
   * partition that is read without a group.
   */
  get generation(): number {
    return this.controls.generation;
  }

  /** The offset it began to read at. */
  get startOffset(): number {
    return this.controls.startOffset;
  }

  /** The delivery position: one past the last record handed over. */
  get position(): number {
    return this.controls.position;
  }

  /** What the group's log has for the partition as far as this process knows; undefined for nothing, and without a group. */
  get committedOffset(): number | undefined {
    return this.controls.committedOffset;
  }

  /** The partition's high watermark as of the last fetch; -1 before the first. */
  get highWatermark(): number {
    return this.controls.highWatermark;
  }

  /** Records between the delivery position and the high watermark. */
  get lag(): number {
    return this.controls.lag;
  }

  /**
   * Hands nothing more over until `resume()`: what was fetched stays in memory, no more is fetched, the group and the other claims go on, and what
   * was handed over may be settled. It is the claim's own, and ends with it; `Claims.pauseAll` outlasts claims.
   */
  pause(): void {
    this.gate.close('claim');
  }

  /** Goes on at the next record, unless all claims are paused. */
  resume(): void {
    this.gate.open('claim');
  }

  /**
   * Goes on at `offset`, in the same claim epoch. What was handed over before stays to be settled, each delivery once, and holds the commit point
   * where it is; what was only fetched is dropped. Back: the records come again, as new deliveries. The commit in the group's log never goes
   * back by it: use `kafka.offsets(...)` for that.
   */
  seek(offset: number): void {
    this.controls.seek(offset);
  }
}

class SourceClaim<out T> extends Claim<T> {
  // eslint-disable-next-line @typescript-eslint/no-useless-constructor -- the inherited one is protected
  constructor(subscribe: (subscriber: Subscriber<Delivery<T>>) => TeardownLogic, controls: ClaimControls) {
    super(subscribe, controls);
  }
}

/** A Claim from what to do at its subscription; for sources. */
export function createClaim<T>(
  controls: ClaimControls,
  subscribe: (subscriber: Subscriber<Delivery<T>>) => TeardownLogic,
): Claim<T> {
  return new SourceClaim<T>(subscribe, controls);
}
