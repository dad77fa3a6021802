import type { Clock } from '../../../core/clock.ts';
import { delay } from '../../../core/clock.ts';
import { UsageError } from '../../../errors.ts';
import type { FaultAction } from './fault.ts';
import type { RequestTargets } from './request-targets.ts';

/** A request as rules and observers see it. */
export interface ObservedRequest {
  /** By Kafka's name without `Request`: 'Produce'. */
  readonly api: string;
  readonly version: number;
  readonly node: number;
  readonly clientId: string;
  /** Numbers a client's connections in the order they were accepted. */
  readonly connection: number;
  readonly correlationId: number;
  /** By the cluster's clock. */
  readonly atMs: number;
  /** The decoded request, by Kafka's field names in camelCase. */
  readonly body: unknown;
}

/** Which requests a rule is about; what is left out matches all. */
export interface FaultMatch {
  readonly api?: string | readonly string[] | undefined;
  readonly version?: number | undefined;
  readonly node?: number | undefined;
  readonly clientId?: string | undefined;
  readonly topic?: string | undefined;
  readonly partition?: number | undefined;
  readonly group?: string | undefined;
  readonly transactionalId?: string | undefined;
  /** Only the nth (from 1) request that matches everything else. */
  readonly nth?: number | undefined;
  readonly where?: ((request: ObservedRequest) => boolean) | undefined;
}

export interface FaultOptions {
  readonly match?: FaultMatch | undefined;
  /** Left out: the rule only watches, and other rules still apply. */
  readonly do?: FaultAction | undefined;
  /** How often it acts; default 1 (a rule that only watches: for ever). `Infinity` is for ever. */
  readonly count?: number | undefined;
  /** Called at each hit, before the act. */
  readonly observe?: ((request: ObservedRequest) => void) | undefined;
}

/** A rule in force. */
export interface Fault {
  /** How often it has acted. */
  readonly hits: number;
  /** Resolves when it has acted `hits` times in all (default 1); rejects after `limitMs` of the cluster's clock (default 30,000). */
  wait(hits?: number, limitMs?: number): Promise<void>;
  remove(): void;
}

interface Waiting {
  readonly hits: number;
  readonly resolve: () => void;
}

const DEFAULT_WAIT_MS = 30_000;

/** One rule with its counters. */
export class FaultRule implements Fault {
  readonly match: FaultMatch;
  readonly action: FaultAction | undefined;
  hits = 0;
  readonly #clock: Clock;
  readonly #count: number;
  readonly #observe: ((request: ObservedRequest) => void) | undefined;
  readonly #waiting = new Set<Waiting>();
  #seen = 0;
  #isRemoved = false;

  constructor(options: FaultOptions, clock: Clock) {
    this.match = options.match ?? {};
    this.action = options.do;
    this.#count = options.count ?? (options.do === undefined ? Infinity : 1);
    this.#observe = options.observe;
    this.#clock = clock;
  }

  get isSpent(): boolean {
    return this.#isRemoved || this.hits >= this.#count;
  }

  /** True when the rule looks at topics, partitions, groups or transactional ids. */
  get needsTargets(): boolean {
    const { topic, partition, group, transactionalId } = this.match;
    return [topic, partition, group, transactionalId].some((name) => name !== undefined);
  }

  /** Counts the request if it matches and says whether the rule acts on it. */
  hit(request: ObservedRequest, targets: RequestTargets | undefined): boolean {
    if (this.isSpent || !this.#matches(request, targets)) return false;
    this.#seen++;
    if (this.match.nth !== undefined && this.#seen !== this.match.nth) return false;
    this.hits++;
    this.#observe?.(request);
    for (const waiting of this.#waiting) {
      if (this.hits < waiting.hits) continue;
      this.#waiting.delete(waiting);
      waiting.resolve();
    }
    return true;
  }

  /** True when the rule is about this place; without a topic, about the request as a whole. */
  covers(topic: string | undefined, partition: number | undefined, group?: string): boolean {
    const { match } = this;
    return (
      (match.group === undefined || group === undefined || match.group === group) &&
      (match.topic === undefined || match.topic === topic) &&
      (match.partition === undefined || partition === undefined || match.partition === partition)
    );
  }

  async wait(hits = 1, limitMs = DEFAULT_WAIT_MS): Promise<void> {
    if (this.hits >= hits) return;
    const tooLate = new AbortController();
    const met = new Promise<void>((resolve) => {
      this.#waiting.add({ hits, resolve });
    });
    const limit = delay(this.#clock, limitMs, tooLate.signal).then(() => {
      throw new UsageError(
        `fault.wait(${hits}): the rule has acted ${this.hits} time(s) within ${limitMs} ms`,
      );
    });
    try {
      await Promise.race([met, limit]);
    } finally {
      tooLate.abort(new Error('met'));
      limit.catch(() => undefined);
    }
  }

  remove(): void {
    this.#isRemoved = true;
  }

  #matches(request: ObservedRequest, targets: RequestTargets | undefined): boolean {
    const { match } = this;
    if (match.api !== undefined && !isOneOf(match.api, request.api)) return false;
    if (match.version !== undefined && match.version !== request.version) return false;
    if (match.node !== undefined && match.node !== request.node) return false;
    if (match.clientId !== undefined && match.clientId !== request.clientId) return false;
    if (match.group !== undefined && targets?.groups.includes(match.group) !== true) return false;
    if (!this.#matchesTransaction(targets) || !this.#matchesPlace(targets)) return false;
    return match.where === undefined || match.where(request);
  }

  #matchesTransaction(targets: RequestTargets | undefined): boolean {
    const { transactionalId } = this.match;
    return transactionalId === undefined || targets?.transactionalIds.includes(transactionalId) === true;
  }

  #matchesPlace(targets: RequestTargets | undefined): boolean {
    const { topic, partition } = this.match;
    if (topic === undefined && partition === undefined) return true;
    for (const [name, partitions] of targets?.topics ?? []) {
      if (topic !== undefined && topic !== name) continue;
      if (partition === undefined || partitions.includes(partition)) return true;
    }
    return false;
  }
}

function isOneOf(names: string | readonly string[], name: string): boolean {
  return typeof names === 'string' ? names === name : names.includes(name);
}
