import type { Cluster } from '../core/cluster/cluster.ts';
import type { FlowRuntime } from '../flow/runtime.ts';
import type { DeliveryProblem } from '../flow/settlement.ts';

/** What the sources that read from the cluster need besides a {@link FlowRuntime}. */
export interface ClusterRuntime {
  readonly cluster: Cluster;
  /** Undefined in a script: failures are then the flow's own errors. */
  readonly flow: FlowRuntime | undefined;
  /** Resolves when everything handed to the sinks up to now is answered. */
  sent(): Promise<void>;
  onProblem(problem: DeliveryProblem & { readonly topic: string; readonly partition: number }): void;
}
