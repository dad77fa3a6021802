import type { TopicRegistry } from '../state/topic-registry.ts';
import type { FaultRule } from './fault-rule.ts';

/** Where in a response one stands. */
interface Place {
  readonly group?: string | undefined;
  readonly topic?: string | undefined;
  readonly partition?: number | undefined;
}

/** The fields by which responses name things; each API uses some of them. */
interface LooseEntry {
  readonly name?: unknown;
  readonly topic?: unknown;
  readonly topicName?: unknown;
  readonly topicId?: unknown;
  readonly groupId?: unknown;
  readonly index?: unknown;
  readonly partition?: unknown;
  readonly partitionId?: unknown;
  readonly partitionIndex?: unknown;
  [field: string]: unknown;
}

const ERROR_FIELDS = ['errorCode', 'partitionErrorCode'] as const;

/** Puts `code` over the error codes of an answer at the places the rule is about; over that of the whole answer when it has no parts. */
export function overrideErrors(
  response: unknown,
  code: number,
  rule: FaultRule,
  topics: TopicRegistry,
): void {
  const root = response as LooseEntry;
  const errors = new Overriding(code, rule, topics);
  if (!errors.override(root, {}, true)) root['errorCode'] = code;
}

class Overriding {
  readonly #code: number;
  readonly #rule: FaultRule;
  readonly #topics: TopicRegistry;

  constructor(code: number, rule: FaultRule, topics: TopicRegistry) {
    this.#code = code;
    this.#rule = rule;
    this.#topics = topics;
  }

  /** True when there is an error code in the entry or below. The outermost counts, except of the answer itself, and for a rule about a partition. */
  override(entry: LooseEntry, outer: Place, isRoot = false): boolean {
    const place = this.#placeOf(entry, outer);
    const field = isRoot ? undefined : ERROR_FIELDS.find((name) => typeof entry[name] === 'number');
    const isInner = this.#rule.match.partition !== undefined && place.partition === undefined;
    if (field !== undefined && !isInner) {
      if (this.#rule.covers(place.topic, place.partition, place.group)) entry[field] = this.#code;
      return true;
    }
    let found = false;
    for (const list of Object.values(entry)) {
      if (!Array.isArray(list)) continue;
      for (const inner of list as unknown[]) {
        if (typeof inner === 'object' && inner !== null && !Buffer.isBuffer(inner)) {
          if (this.override(inner as LooseEntry, place)) found = true;
        }
      }
    }
    return found || field !== undefined;
  }

  #placeOf(entry: LooseEntry, outer: Place): Place {
    const name = [entry.name, entry.topic, entry.topicName].find(
      (text) => typeof text === 'string' && text !== '',
    );
    const byId = typeof entry.topicId === 'string' ? this.#topics.byId(entry.topicId)?.name : undefined;
    const index = [entry.index, entry.partition, entry.partitionIndex, entry.partitionId].find(
      (number) => typeof number === 'number',
    );
    return {
      group: typeof entry.groupId === 'string' ? entry.groupId : outer.group,
      topic: (name as string | undefined) ?? byId ?? outer.topic,
      partition: index ?? outer.partition,
    };
  }
}
