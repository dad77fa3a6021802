import type { GroupTimings } from '../options.ts';
import { configProblem } from './config-definition.ts';
import type { ConfigDefinition } from './config-definition.ts';

/** `group.consumer.max.session.timeout.ms` and `group.consumer.max.heartbeat.interval.ms` */
const MAX_SESSION_MS = 60_000;
const MAX_HEARTBEAT_MS = 15_000;
/** Kafka has no bound; a hostile client must not be able to fill the memory with them. */
const MAX_GROUPS = 10_000;

const SESSION = 'consumer.session.timeout.ms';
const HEARTBEAT = 'consumer.heartbeat.interval.ms';
const ASSIGNMENT = 'consumer.assignment.interval.ms';

type Entries = ReadonlyMap<string, string>;

/** The configurations that groups of the consumer protocol have of their own, over those of the cluster. */
export class GroupConfigs {
  readonly #cluster: GroupTimings;
  readonly #groups = new Map<string, Entries>();

  constructor(cluster: GroupTimings) {
    this.#cluster = cluster;
  }

  /** Every configuration that a group may have, with the cluster's value as its default. */
  definitions(): ReadonlyMap<string, ConfigDefinition> {
    const { consumerSessionTimeoutMs, consumerHeartbeatIntervalMs, assignmentIntervalMs } = this.#cluster;
    return new Map<string, ConfigDefinition>([
      [ASSIGNMENT, { type: 'INT', defaultValue: String(assignmentIntervalMs), min: 0 }],
      [HEARTBEAT, { type: 'INT', defaultValue: String(consumerHeartbeatIntervalMs), min: 1 }],
      [SESSION, { type: 'INT', defaultValue: String(consumerSessionTimeoutMs), min: 1 }],
    ]);
  }

  /** What was set for a group. */
  of(groupId: string): Entries {
    return this.#groups.get(groupId) ?? new Map<string, string>();
  }

  /** What is wrong with these values, in words; undefined when nothing is. */
  problem(entries: Entries): string | undefined {
    const definitions = this.definitions();
    for (const [name, value] of entries) {
      const definition = definitions.get(name);
      if (definition === undefined) return `Unknown group config name: ${name}`;
      const problem = configProblem(name, value, definition);
      if (problem !== undefined) return problem;
    }
    const { consumerSessionTimeoutMs: session, consumerHeartbeatIntervalMs: heartbeat } =
      this.#timings(entries);
    const cluster = this.#cluster;
    return (
      outside(SESSION, session, [
        Math.min(cluster.consumerMinSessionTimeoutMs, cluster.consumerSessionTimeoutMs),
        Math.max(MAX_SESSION_MS, cluster.consumerSessionTimeoutMs),
      ]) ??
      outside(HEARTBEAT, heartbeat, [
        Math.min(cluster.consumerMinHeartbeatIntervalMs, cluster.consumerHeartbeatIntervalMs),
        Math.max(MAX_HEARTBEAT_MS, cluster.consumerHeartbeatIntervalMs),
      ]) ??
      (session > heartbeat ? undefined : `${SESSION} must be greater than ${HEARTBEAT}`)
    );
  }

  /** False when there are as many groups with configurations as the memory is to hold. */
  put(groupId: string, entries: Entries): boolean {
    if (!this.#groups.has(groupId) && this.#groups.size >= MAX_GROUPS) return false;
    if (entries.size === 0) this.#groups.delete(groupId);
    else this.#groups.set(groupId, entries);
    return true;
  }

  /** What a group goes by. */
  timingsOf(groupId: string): GroupTimings {
    const own = this.#groups.get(groupId);
    return own === undefined ? this.#cluster : this.#timings(own);
  }

  snapshot(): ReadonlyMap<string, Entries> {
    return new Map(this.#groups);
  }

  restore(from: ReadonlyMap<string, Entries>): void {
    for (const [groupId, entries] of from) this.#groups.set(groupId, entries);
  }

  #timings(own: Entries): GroupTimings {
    const value = (name: string, inherited: number): number => Number(own.get(name) ?? inherited);
    return {
      ...this.#cluster,
      consumerSessionTimeoutMs: value(SESSION, this.#cluster.consumerSessionTimeoutMs),
      consumerHeartbeatIntervalMs: value(HEARTBEAT, this.#cluster.consumerHeartbeatIntervalMs),
      assignmentIntervalMs: value(ASSIGNMENT, this.#cluster.assignmentIntervalMs),
    };
  }
}

/** A cluster whose own value lies beyond a bound has moved the bound too. */
function outside(name: string, value: number, [min, max]: readonly [number, number]): string | undefined {
  if (value < min)
    return `${name} must be greater than or equal to group.consumer.min.${name.slice('consumer.'.length)}`;
  if (value > max)
    return `${name} must be less than or equal to group.consumer.max.${name.slice('consumer.'.length)}`;
  return undefined;
}
