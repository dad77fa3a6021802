import type { Clock, Random } from '../../../core/clock.ts';

/** A partition to read, and from where; as a request or a session names it. */
export interface FetchTarget {
  /** '' where topics go by id. */
  readonly topic: string;
  readonly topicId: string;
  readonly partition: number;
  readonly currentLeaderEpoch: number;
  readonly fetchOffset: number;
  readonly lastFetchedEpoch: number;
  readonly partitionMaxBytes: number;
}

/** What a session remembers of a partition: what is wanted of it, and what the client was told last. */
export interface CachedPartition {
  target: FetchTarget;
  toldHighWatermark: number;
  toldStartOffset: number;
}

/** A request's epoch that asks for a session, and one that goes without or ends it. */
export const INITIAL_EPOCH = 0;
export const FINAL_EPOCH = -1;
const LARGEST_EPOCH = 2 ** 31 - 1;
const MAX_CACHED_PARTITIONS = 1_000_000;

export function nextEpoch(epoch: number): number {
  if (epoch < 0) return FINAL_EPOCH;
  return epoch === LARGEST_EPOCH ? 1 : epoch + 1;
}

function keyOf(target: { readonly topic: string; readonly topicId: string }, partition: number): string {
  return `${target.topicId}:${target.topic}:${partition}`;
}

/** One incremental fetch session (KIP-227): the partitions of a client, so that it need not name them in every request. */
export class FetchSession {
  readonly id: number;
  readonly usesTopicIds: boolean;
  readonly createdMs: number;
  usedMs: number;
  /** That of the next request. */
  epoch = nextEpoch(INITIAL_EPOCH);
  readonly #partitions = new Map<string, CachedPartition>();

  constructor(id: number, usesTopicIds: boolean, nowMs: number) {
    this.id = id;
    this.usesTopicIds = usesTopicIds;
    this.createdMs = nowMs;
    this.usedMs = nowMs;
  }

  get size(): number {
    return this.#partitions.size;
  }

  partitions(): readonly CachedPartition[] {
    return [...this.#partitions.values()];
  }

  put(target: FetchTarget): void {
    const key = keyOf(target, target.partition);
    const cached = this.#partitions.get(key);
    if (cached !== undefined) cached.target = target;
    else this.#partitions.set(key, { target, toldHighWatermark: -1, toldStartOffset: -1 });
  }

  forget(topic: { readonly topic: string; readonly topicId: string }, partition: number): void {
    this.#partitions.delete(keyOf(topic, partition));
  }

  /** The partition is read after all others next time, so that each gets its share. */
  moveToEnd(cached: CachedPartition): void {
    const key = keyOf(cached.target, cached.target.partition);
    this.#partitions.delete(key);
    this.#partitions.set(key, cached);
  }
}

export interface FetchSessionOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** `max.incremental.fetch.session.cache.slots`. */
  readonly slots: number;
}

/** `min.incremental.fetch.session.eviction.ms`. */
const EVICTION_MS = 120_000;

/** The fetch sessions of one node, at most so many; who comes when it is full goes without. */
export class FetchSessionCache {
  readonly #options: FetchSessionOptions;
  /** The one that was used longest ago comes first. */
  readonly #sessions = new Map<number, FetchSession>();

  constructor(options: FetchSessionOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#sessions.size;
  }

  get(id: number): FetchSession | undefined {
    return this.#sessions.get(id);
  }

  remove(id: number): void {
    this.#sessions.delete(id);
  }

  clear(): void {
    this.#sessions.clear();
  }

  /** A session for so many partitions, undefined when there is no room. */
  create(size: number, usesTopicIds: boolean): FetchSession | undefined {
    if (!this.#makeRoom(size)) return undefined;
    const session = new FetchSession(this.#newId(), usesTopicIds, this.#options.clock.now());
    this.#sessions.set(session.id, session);
    return session;
  }

  /** The session was used just now. */
  touch(session: FetchSession): void {
    if (!this.#sessions.delete(session.id)) return;
    session.usedMs = this.#options.clock.now();
    this.#sessions.set(session.id, session);
  }

  #makeRoom(size: number): boolean {
    const { slots } = this.#options;
    if (slots <= 0) return false;
    let cached = size;
    for (const session of this.#sessions.values()) cached += session.size;
    if (cached > MAX_CACHED_PARTITIONS) return false;
    return this.#sessions.size < slots || this.#evictFor(size);
  }

  /** A session that nobody has used for two minutes goes; else a smaller one that is older than that. */
  #evictFor(size: number): boolean {
    const now = this.#options.clock.now();
    let evicted: FetchSession | undefined;
    for (const session of this.#sessions.values()) {
      if (now - session.usedMs > EVICTION_MS) {
        evicted = session;
        break;
      }
      const isOld = now - session.createdMs > EVICTION_MS;
      if (isOld && session.size < (evicted?.size ?? size)) evicted = session;
    }
    if (evicted === undefined) return false;
    this.#sessions.delete(evicted.id);
    return true;
  }

  #newId(): number {
    for (;;) {
      const id = 1 + Math.floor(this.#options.random() * (2 ** 31 - 2));
      if (!this.#sessions.has(id)) return id;
    }
  }
}
