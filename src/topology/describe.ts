// What a topology reads and writes, found by building it on a cluster that only takes notes.
import { NEVER } from 'rxjs';
import { createClaims } from '../flow/claims.ts';
import type { FlowEnd, Op } from '../flow/op.ts';
import { skip } from '../flow/policy.ts';
import type { Sluice } from './sluice.ts';

/** A topology on paper. */
export interface Description {
  readonly name: string;
  readonly sources: readonly { readonly groupId?: string; readonly topics: readonly string[] | string }[];
  readonly sinks: readonly { readonly topic: string; readonly kind: 'topic' | 'deadLetter' }[];
}

function topicNames(topics: unknown): readonly string[] | string {
  if (topics instanceof RegExp) return String(topics);
  return Array.isArray(topics) ? (topics as string[]) : Object.keys(topics as object);
}

/** Builds the topology without a cluster; nothing is connected. */
export function describeTopology(
  name: string,
  build: (cluster: Sluice) => FlowEnd | readonly FlowEnd[],
): Description {
  const sources: Description['sources'][number][] = [];
  const sinks: Description['sinks'][number][] = [];
  const noted = () => createClaims({ name: 'described', rebalances: NEVER, open: () => undefined });
  const cluster = {
    fromGroup({ groupId, topics }: { groupId: string; topics: unknown }) {
      sources.push({ groupId, topics: topicNames(topics) });
      return noted();
    },
    fromPartitions({ topic }: { topic: string }) {
      sources.push({ topics: [topic] });
      return noted();
    },
    toTopic(topic: string): Op<unknown, unknown> {
      sinks.push({ topic, kind: 'topic' });
      return (flow) => flow;
    },
    deadLetter(topic: string) {
      sinks.push({ topic, kind: 'deadLetter' });
      return skip;
    },
  };
  build(cluster as unknown as Sluice);
  return { name, sources, sinks };
}
