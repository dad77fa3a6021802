import type { Subscriber, TeardownLogic } from 'rxjs';
import type { Delivery } from './delivery.ts';
import { Flow } from './flow.ts';

/** What a source knows of one of its claims; read live. */
export interface ClaimControls {
  readonly topic: string;
  readonly partition: number;
  readonly claimEpoch: number;
  readonly startOffset: number;
  readonly highWatermark: number;
  readonly lag: number;
  pause(): void;
  resume(): void;
  seek(offset: number): void;
}

/** One partition during one claim epoch. It completes when the partition is given away, after which its deliveries may still be settled. */
export class Claim<out T> extends Flow<T> implements ClaimControls {
  private readonly controls: ClaimControls;

  protected constructor(
    subscribe: (subscriber: Subscriber<Delivery<T>>) => TeardownLogic,
    controls: ClaimControls,
  ) {
    super(subscribe);
    this.controls = controls;
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

  /** The offset it began to read at. */
  get startOffset(): number {
    return this.controls.startOffset;
  }

  /** The partition's high watermark as of the last fetch. */
  get highWatermark(): number {
    return this.controls.highWatermark;
  }

  /** Records between the delivery position and the high watermark. */
  get lag(): number {
    return this.controls.lag;
  }

  /** Hands nothing more over until `resume()`. */
  pause(): void {
    this.controls.pause();
  }

  resume(): void {
    this.controls.resume();
  }

  /** Goes on at `offset`; what was handed over before stays to be settled. */
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
