import { systemRandom } from '../core/clock.ts';
import type { StreamClient } from '../core/stream-client.ts';
import { UsageError } from '../errors.ts';
import type { FlowEnd } from '../flow/op.ts';
import { describeTopology } from './describe.ts';
import type { Sluice } from './sluice.ts';
import { RestartPolicy } from './restart-policy.ts';
import { Supervisor } from './supervisor.ts';
import { TopologyRun } from './topology-run.ts';
import type { Running, RunOptions, Topology } from './types.ts';

/**
 * Names a graph of flows. `build` gets what touches the cluster and answers with the end of each flow (one, or an array); it is called anew by every
 * run, and by `describe()`. What leaves a flow is acknowledged there.
 *
 * A failure that no stage's policy took closes all gates, drains the rest to the deadline, commits, leaves the groups and rejects `run()`.
 *
 * @throws UsageError when `name` is empty; by `run` and `start`, when `build` answers with something else than flows
 * @example
 * ```ts
 * const copy = topology('copy', ({ fromGroup, toTopic }) =>
 *   fromGroup({ groupId: 'copy', topics: ['in'], value: text() }).pipe(toTopic('out', (record) => ({ value: record.value }))),
 * );
 * await copy.run(new Kafka({ brokers: ['localhost:9092'] }));
 * ```
 */
export function topology(name: string, build: (cluster: Sluice) => FlowEnd | readonly FlowEnd[]): Topology {
  if (typeof name !== 'string' || name === '')
    throw new UsageError('topology: the first argument is its name', 'name');
  if (typeof build !== 'function')
    throw new UsageError(
      `topology '${name}': the second argument is a function from the cluster to its flows`,
      'build',
    );
  return {
    name,
    run: async (kafka: StreamClient, options = {}) =>
      begin(name, build, kafka, options, options.signals ?? true).done,
    start: (kafka: StreamClient, options = {}) =>
      begin(name, build, kafka, options, options.signals ?? false),
    describe: () => describeTopology(name, build),
  };
}

type Build = (cluster: Sluice) => FlowEnd | readonly FlowEnd[];

function begin(
  name: string,
  build: Build,
  kafka: StreamClient,
  options: RunOptions,
  signals: boolean,
): Running {
  const { restart } = options;
  if (restart === undefined) return new TopologyRun(name, build, kafka, options, signals);
  const { clock } = kafka;
  const policy = new RestartPolicy(restart, clock, kafka.cluster?.random ?? systemRandom);
  return new Supervisor(
    name,
    () => new TopologyRun(name, build, kafka, options, false),
    policy,
    clock,
    signals,
  );
}
