// Smaller scenarios of pipelines: fewer acts, stages, records, members, partitions, nodes.
import { fewer, shorter } from '../shrink.ts';
import type { Scenario } from './scenario.ts';

export function* smallerPipelines(scenario: Scenario): Iterable<Scenario> {
  for (const acts of shorter(scenario.acts)) yield { ...scenario, acts };
  for (const stages of shorter(scenario.stages)) yield { ...scenario, stages };
  if (scenario.lane !== undefined) {
    yield { ...scenario, lane: undefined };
    for (const lane of shorter(scenario.lane)) yield { ...scenario, lane };
  }
  for (const records of fewer(scenario.records, 1)) yield { ...scenario, records };
  for (const members of fewer(scenario.members, 1)) yield { ...scenario, members };
  for (const partitions of fewer(scenario.partitions, 1)) yield { ...scenario, partitions };
  for (const brokers of fewer(scenario.brokers, 1)) yield { ...scenario, brokers };
  const plain = {
    merges: false,
    settles: false,
    decodesLater: false,
    buriesPoison: false,
    poisonEvery: 0,
    maxLatencyMs: 0,
  };
  for (const [name, value] of Object.entries(plain))
    if (scenario[name as keyof typeof plain] !== value) yield { ...scenario, [name]: value };
  for (const name of ['creditBytes', 'pausesEvery', 'deliveryTimeoutMs'] as const)
    if (scenario[name] !== undefined) yield { ...scenario, [name]: undefined };
}
