import type { Clock } from '../../../../core/clock.ts';
import { refuse } from '../refusal.ts';
import type { Refusal } from '../refusal.ts';
import type { ConsumerMember } from './consumer-member.ts';
import { compileTopicRegex } from './regex/topic-regex.ts';

/** The topics of the cluster, as far as finding them goes. */
export interface TopicNames {
  /** Topics ever created. */
  readonly created: number;
  all(): Iterable<{ readonly name: string }>;
}

/** What a change of a member's regular expression amounts to. */
export type RegexChange =
  | 'none'
  /** The topics of the new one are not known yet. */
  | 'updated'
  | 'updatedAndResolved';

/** Between two searches, however often members ask. */
const MIN_REFRESH_MS = 10_000;
/** New topics are found earlier; this finds those that went. */
const REFRESH_MS = 600_000;

/** The regular expressions of a group's members and the topics they stand for. As in Kafka they are looked for beside the heartbeats, which go on. */
export class TopicRegexes {
  /** Topic names, sorted, by regular expression. */
  readonly resolved = new Map<string, readonly string[]>();
  readonly #clock: Clock;
  readonly #topics: TopicNames;
  readonly #onResolved: (found: ReadonlyMap<string, readonly string[]>) => void;
  #resolvedAtMs = -Infinity;
  #created = 0;
  #isScheduled = false;
  #isClosed = false;

  constructor(
    clock: Clock,
    topics: TopicNames,
    onResolved: (found: ReadonlyMap<string, readonly string[]>) => void,
  ) {
    this.#clock = clock;
    this.#topics = topics;
    this.#onResolved = onResolved;
  }

  /** What forbids the member's regular expression. One that others have already is fine. */
  check(regex: string, members: Iterable<ConsumerMember>): Refusal | undefined {
    if (regex === '' || countOf(regex, members) > 0) return undefined;
    const compiled = compileTopicRegex(regex);
    if (compiled instanceof Error) {
      const message = `SubscribedTopicRegex \`${regex}\` is not a valid regular expression: ${compiled.message}.`;
      return refuse('INVALID_REGULAR_EXPRESSION', message);
    }
    return undefined;
  }

  /** A member goes from one regular expression ('': none) to another; `others` are the members without it. */
  update(former: string, next: string, others: readonly ConsumerMember[]): RegexChange {
    let change: RegexChange = 'none';
    let isNew = false;
    if (former !== next) {
      change = 'updated';
      if (former !== '' && countOf(former, others) === 0) this.forget(former);
      if (next === '' || this.resolved.has(next)) change = 'updatedAndResolved';
      else isNew = countOf(next, others) === 0;
    }
    const wanted = new Set(others.map((member) => member.topicRegex).concat(next));
    wanted.delete('');
    this.#refreshIfDue(wanted, isNew);
    return change;
  }

  forget(regex: string): void {
    this.resolved.delete(regex);
    if (this.resolved.size === 0) this.#resolvedAtMs = -Infinity;
  }

  close(): void {
    this.#isClosed = true;
  }

  #refreshIfDue(wanted: ReadonlySet<string>, isNew: boolean): void {
    if (wanted.size === 0 || this.#isScheduled) return;
    const ageMs = this.#clock.now() - this.#resolvedAtMs;
    if (ageMs <= MIN_REFRESH_MS) return;
    const isDue =
      isNew ||
      wanted.size !== this.resolved.size ||
      this.#created < this.#topics.created ||
      ageMs > REFRESH_MS;
    if (!isDue) return;
    this.#isScheduled = true;
    this.#clock.defer(() => {
      this.#isScheduled = false;
      if (!this.#isClosed) this.#resolve(wanted);
    });
  }

  #resolve(wanted: ReadonlySet<string>): void {
    const names = Array.from(this.#topics.all(), (topic) => topic.name).sort();
    const found = new Map<string, readonly string[]>();
    for (const regex of wanted) {
      const compiled = compileTopicRegex(regex);
      found.set(regex, compiled instanceof Error ? [] : names.filter((name) => compiled.matches(name)));
    }
    this.#resolvedAtMs = this.#clock.now();
    this.#created = this.#topics.created;
    this.#onResolved(found);
  }
}

function countOf(regex: string, members: Iterable<ConsumerMember>): number {
  let count = 0;
  for (const member of members) if (member.topicRegex === regex) count++;
  return count;
}
