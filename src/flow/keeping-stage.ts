// Where a record is, told by the stages that can keep one: nothing is written down per record, so it costs nothing until somebody asks.
import type { TeardownLogic } from 'rxjs';
import type { Delivery } from './delivery.ts';
import { currentRuntime } from './runtime.ts';

/** A stage that deliveries can stay in. */
export interface KeepingStage {
  /** Holds acknowledgements back for longer than a transaction can wait. */
  readonly holdsAcks?: boolean;
  readonly stageName: string;
  /** True when `test` holds for one that it keeps; the oldest first, as far as it knows. */
  keepsSome(test: (delivery: Delivery<unknown>) => boolean): boolean;
  /** True for one that waits for more values, or for a time of its own, before it lets go: a batch, a window. */
  readonly collects?: boolean;
  /** Calls of the user's code that have not come back, or deliveries inside it. */
  readonly calls?: number;
}

/** Tells the topology of a stage, for as long as that is subscribed. */
export function announce(stage: KeepingStage & { add(teardown: TeardownLogic): void }): void {
  stage.add(currentRuntime()?.announce?.(stage));
}
