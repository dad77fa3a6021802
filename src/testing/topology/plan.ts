// What a topology reads and writes, as far as its description says.
import { UsageError } from '../../errors.ts';
import type { Description } from '../../topology/describe.ts';
import type { Topology } from '../../topology/types.ts';

/** A group of the topology, and which topics it reads. */
export interface PlannedGroup {
  readonly groupId: string;
  readonly reads: (topic: string) => boolean;
}

export class TopologyPlan {
  readonly name: string;
  readonly groups: readonly PlannedGroup[];
  /** Every topic that it names: sources, sinks, dead letters. */
  readonly topics: ReadonlySet<string>;
  readonly deadLetterTopics: ReadonlySet<string>;

  constructor(topology: Topology) {
    this.name = topology.name;
    const { sources, sinks } = topology.describe() as Description;
    const groups = new Map<string, ((topic: string) => boolean)[]>();
    const topics = new Set<string>();
    for (const { groupId, topics: read } of sources) {
      const pattern = typeof read === 'string' ? patternOf(read) : undefined;
      if (pattern === undefined) for (const topic of read) topics.add(topic);
      if (groupId === undefined) continue;
      const tests = groups.get(groupId) ?? [];
      tests.push((topic) => (pattern === undefined ? read.includes(topic) : pattern.test(topic)));
      groups.set(groupId, tests);
    }
    for (const { topic } of sinks) topics.add(topic);
    this.topics = topics;
    this.deadLetterTopics = new Set(
      sinks.filter(({ kind }) => kind === 'deadLetter').map(({ topic }) => topic),
    );
    this.groups = Array.from(groups, ([groupId, tests]) => ({
      groupId,
      reads: (topic: string) => tests.some((test) => test(topic)),
    }));
  }

  /** The group that is meant by a topic, or by its name. */
  groupOf(topic: string, groupId: string | undefined): string {
    const { name, groups } = this;
    if (groupId !== undefined) return this.group(groupId);
    const readers = groups.filter((group) => group.reads(topic));
    if (readers.length === 1) return readers[0]!.groupId;
    const names = readers.map((group) => `'${group.groupId}'`).join(', ');
    throw new UsageError(
      readers.length === 0
        ? `no group of topology '${name}' reads topic '${topic}'`
        : `several groups of topology '${name}' read topic '${topic}': ${names}; say which one is meant`,
      'groupId',
    );
  }

  /** All groups, or the one named. */
  groupIds(groupId: string | undefined): readonly string[] {
    if (groupId !== undefined) return [this.group(groupId)];
    if (this.groups.length === 0) throw new UsageError(`topology '${this.name}' reads with no group`);
    return this.groups.map((group) => group.groupId);
  }

  private group(groupId: string): string {
    if (this.groups.some((group) => group.groupId === groupId)) return groupId;
    throw new UsageError(`topology '${this.name}' has no group '${groupId}'`, 'groupId');
  }
}

/** A description writes a pattern as `/source/flags`. */
function patternOf(written: string): RegExp | undefined {
  const parts = /^\/(.*)\/([a-z]*)$/s.exec(written);
  return parts === null ? undefined : new RegExp(parts[1]!, parts[2]!.replace(/[gy]/g, ''));
}
