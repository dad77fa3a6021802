// What a topology reads and writes, found by building it on a cluster that only takes notes.
import { NEVER } from 'rxjs';
import { createClaims } from '../flow/claims.ts';
import type { FlowEnd, Op } from '../flow/op.ts';
import { skip } from '../flow/policy.ts';
import { checkRetryTopics, type RetryTopics, type RetryTopicsOptions } from '../sinks/retry-topics.ts';
import type { Sluice } from './sluice.ts';

/** A topology on paper. */
export interface Description {
  readonly name: string;
  readonly sources: readonly { readonly groupId?: string; readonly topics: readonly string[] | string }[];
  readonly sinks: readonly { readonly topic: string; readonly kind: 'topic' | 'deadLetter' | 'retry' }[];
}

interface GroupNote {
  readonly groupId: string;
  readonly topics: unknown;
  readonly retryTopics?: RetryTopics;
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
    fromGroup({ groupId, topics, retryTopics }: GroupNote) {
      const retried = (retryTopics?.levels ?? []).map(({ topic }) => topic);
      const names = topicNames(topics);
      sources.push({ groupId, topics: typeof names === 'string' ? names : [...names, ...retried] });
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
    retryTopics(options: RetryTopicsOptions): RetryTopics {
      checkRetryTopics(options);
      const { levels, deadLetter, order } = options;
      for (const { topic } of levels) sinks.push({ topic, kind: 'retry' });
      sinks.push({ topic: deadLetter, kind: 'deadLetter' });
      return Object.assign(Object.create(skip) as RetryTopics, { levels, deadLetter, order });
    },
  };
  build(cluster as unknown as Sluice);
  return { name, sources, sinks };
}
