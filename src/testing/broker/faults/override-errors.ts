import type { TopicRegistry } from '../state/topic-registry.ts';
import type { FaultRule } from './fault-rule.ts';

/** The places of error codes in responses; each API uses some of them. */
interface LooseResponse {
  errorCode?: number;
  readonly responses?: readonly LooseEntry[];
  readonly topics?: readonly LooseEntry[];
  readonly groups?: readonly LooseEntry[];
  readonly results?: readonly LooseEntry[];
  readonly coordinators?: readonly LooseEntry[];
}

interface LooseEntry {
  readonly name?: string | null;
  readonly topic?: string;
  readonly topicId?: string;
  errorCode?: number;
  readonly partitions?: readonly LoosePartition[];
  readonly partitionResponses?: readonly LoosePartition[];
}

interface LoosePartition {
  readonly index?: number;
  readonly partition?: number;
  readonly partitionIndex?: number;
  errorCode?: number;
}

/** Puts `code` over the error codes of an answer at the places the rule is about. */
export function overrideErrors(
  response: unknown,
  code: number,
  rule: FaultRule,
  topics: TopicRegistry,
): void {
  const loose = response as LooseResponse;
  const entries = [loose.responses, loose.topics, loose.groups, loose.results, loose.coordinators].flatMap(
    (list) => list ?? [],
  );
  if (entries.length === 0) {
    loose.errorCode = code;
    return;
  }
  for (const entry of entries) overrideEntry(entry, code, rule, topics);
}

function overrideEntry(entry: LooseEntry, code: number, rule: FaultRule, topics: TopicRegistry): void {
  const name = (entry.name ?? entry.topic) || topics.byId(entry.topicId ?? '')?.name;
  if (entry.errorCode !== undefined && rule.match.partition === undefined) {
    if (rule.covers(name, undefined)) entry.errorCode = code;
    return;
  }
  for (const partition of entry.partitionResponses ?? entry.partitions ?? []) {
    const index = partition.index ?? partition.partition ?? partition.partitionIndex;
    if (rule.covers(name, index)) partition.errorCode = code;
  }
}
