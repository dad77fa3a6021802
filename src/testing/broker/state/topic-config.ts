import type { Clock } from '../../../core/clock.ts';
import type { BatchLimits } from '../log/check-batch.ts';
import { configProblem, listOf } from './config-definition.ts';
import { TOPIC_CONFIGS } from './topic-config-definitions.ts';

/** A topic's configuration by Kafka's names, and what follows from it. What has no property here is kept and shown, and has no effect. */
export class TopicConfig {
  /** What was set; the rest is at its default. */
  readonly entries: ReadonlyMap<string, string>;
  readonly maxMessageBytes: number;
  /** Infinity when there is no limit. */
  readonly retentionBytes: number;
  /** Infinity unless it was set: nothing disappears from a topic that nobody gave a time. */
  readonly retentionMs: number;
  readonly isCompacted: boolean;
  readonly isDeleted: boolean;
  readonly minInsyncReplicas: number;
  readonly isUncleanElectionAllowed: boolean;
  readonly isAppendTime: boolean;
  readonly #timestampAfterMaxMs: number;

  constructor(entries: ReadonlyMap<string, string>) {
    this.entries = entries;
    this.maxMessageBytes = this.#number('max.message.bytes');
    this.retentionBytes = unlessNegative(this.#number('retention.bytes'));
    this.retentionMs = entries.has('retention.ms') ? unlessNegative(this.#number('retention.ms')) : Infinity;
    const policies = listOf(this.#value('cleanup.policy'));
    this.isCompacted = policies.includes('compact');
    this.isDeleted = policies.includes('delete');
    this.minInsyncReplicas = this.#number('min.insync.replicas');
    this.isUncleanElectionAllowed = this.#value('unclean.leader.election.enable') === 'true';
    this.isAppendTime = this.#value('message.timestamp.type') === 'LogAppendTime';
    this.#timestampAfterMaxMs = this.#number('message.timestamp.after.max.ms');
  }

  /** What is wrong with these values, in words; undefined when nothing is. */
  static problem(entries: ReadonlyMap<string, string>): string | undefined {
    for (const [name, value] of entries) {
      const definition = TOPIC_CONFIGS.get(name);
      if (definition === undefined) return `Unknown topic config name: ${name}`;
      const problem = configProblem(name, value, definition);
      if (problem !== undefined) return problem;
    }
    return undefined;
  }

  batchLimits(clock: Clock): BatchLimits {
    return {
      maxMessageBytes: this.maxMessageBytes,
      latestTimestamp: this.isAppendTime ? Infinity : clock.wallNow() + this.#timestampAfterMaxMs,
    };
  }

  #value(name: string): string {
    return this.entries.get(name) ?? TOPIC_CONFIGS.get(name)!.defaultValue;
  }

  #number(name: string): number {
    return Number(this.#value(name));
  }
}

function unlessNegative(limit: number): number {
  return limit < 0 ? Infinity : limit;
}
