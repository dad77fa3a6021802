// Smaller scenarios of raw clients: fewer acts, processes, records, nodes; less that members do with a record.
import { fewer, shorter } from '../shrink.ts';
import type { ClientScenario, MemberPlan, ProducerPlan } from './scenario.ts';

function* fewerRecords(producers: readonly ProducerPlan[]): Iterable<ProducerPlan[]> {
  for (const [at, plan] of producers.entries())
    for (const records of fewer(plan.records, 1)) yield producers.with(at, { ...plan, records });
}

function* simplerMembers(members: readonly MemberPlan[]): Iterable<MemberPlan[]> {
  const plain = { workMs: 0, holdsEvery: 0, rewindsEvery: 0, pausesEvery: 0, copiesEvery: 0 };
  for (const [at, plan] of members.entries()) {
    for (const name of Object.keys(plain) as (keyof typeof plain)[])
      if (plan[name] !== 0) yield members.with(at, { ...plan, [name]: 0 });
  }
}

export function* smallerClients(scenario: ClientScenario): Iterable<ClientScenario> {
  for (const acts of shorter(scenario.acts)) yield { ...scenario, acts };
  for (const readers of shorter(scenario.readers)) yield { ...scenario, readers };
  for (const transactions of shorter(scenario.transactions)) yield { ...scenario, transactions };
  for (const members of shorter(scenario.members)) yield { ...scenario, members };
  for (const producers of shorter(scenario.producers)) yield { ...scenario, producers };
  for (const producers of fewerRecords(scenario.producers)) yield { ...scenario, producers };
  for (const topics of shorter(scenario.topics, 1))
    if (topics.length === scenario.topics.length - 1)
      yield { ...scenario, topics: scenario.topics.slice(0, -1) };
  for (const [at, partitions] of scenario.topics.entries())
    for (const count of fewer(partitions, 1)) yield { ...scenario, topics: scenario.topics.with(at, count) };
  if (scenario.cluster.speaks !== 'all')
    yield { ...scenario, cluster: { ...scenario.cluster, speaks: 'all' } };
  if (scenario.cluster.fetchSessionSlots > 0)
    yield { ...scenario, cluster: { ...scenario.cluster, fetchSessionSlots: 0 } };
  if (scenario.group === 'mixed')
    for (const group of ['classic', 'consumer'] as const) yield { ...scenario, group };
  for (const members of simplerMembers(scenario.members)) yield { ...scenario, members };
  for (const brokers of fewer(scenario.brokers, 1)) yield { ...scenario, brokers };
  if (scenario.maxLatencyMs > 0) yield { ...scenario, maxLatencyMs: 0 };
}
