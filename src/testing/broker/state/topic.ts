import { NO_LEADER } from './partition.ts';
import type { Partition } from './partition.ts';
import type { TopicConfig } from './topic-config.ts';

const MAX_NAME_CHARS = 249;

export interface Topic {
  readonly name: string;
  /** Kafka's base64url text. */
  id: string;
  config: TopicConfig;
  readonly partitions: Partition[];
  /** One of the cluster's own. */
  readonly isInternal: boolean;
  /** Set by an act: metadata does not show it, although it is there. */
  isHidden: boolean;
}

/** What is wrong with a topic's name, in Kafka's words; undefined when nothing is. */
export function topicNameProblem(name: string): string | undefined {
  if (name === '') return 'Topic name is invalid: the empty string is not allowed';
  if (name === '.' || name === '..') return `Topic name is invalid: '${name}' is not allowed`;
  if (name.length > MAX_NAME_CHARS)
    return `Topic name is invalid: the length of '${name}' is longer than the max allowed length 249`;
  if (!/^[a-zA-Z0-9._-]+$/.test(name)) {
    return `Topic name is invalid: '${name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'`;
  }
  return undefined;
}

/** The topic no longer exists: whoever waits for it looks again. */
export function closeTopic(topic: Topic): void {
  for (const partition of topic.partitions) {
    partition.leader = NO_LEADER;
    partition.log.close();
    partition.wake();
  }
}
