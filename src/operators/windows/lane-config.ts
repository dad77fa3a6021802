import type { Delivery } from '../../flow/delivery.ts';
import type { Key } from '../../flow/key.ts';
import type { WindowLane } from './window-lane.ts';
import type { Windowed } from './windowed.ts';

/** What all windows of a stage have in common. */
export interface LaneConfig<A, K extends Key, R> {
  readonly operator: string;
  /** The stage's name: its mark in the commits is found by it. */
  readonly stage: string;
  readonly graceMs: number;
  readonly key: (value: A) => K;
  readonly timestamp: ((value: A) => number) | undefined;
  readonly onInvalidTimestamp: 'fail' | 'skip' | 'use-stream-time';
  readonly perKey: boolean;
  readonly maxKeys: number;
  readonly idleMs: number | undefined;
  readonly updates: boolean;
  /** Late values go to stages of their own, so that it matters which ones are. */
  readonly tellsLate: boolean;
  readonly seed: () => R;
  readonly add: (row: R, value: A) => R;
}

/** The stage that the windows belong to. */
export interface LaneStage<A, K extends Key, R> {
  emit(row: Delivery<Windowed<K, R>>): void;
  tooLate(delivery: Delivery<A>): void;
  /** The source can hand over nothing more, and all that it waits for is in this lane. */
  onFull(lane: WindowLane<A, K, R>): void;
  /** The claim is over. */
  gone(lane: WindowLane<A, K, R>): void;
}
