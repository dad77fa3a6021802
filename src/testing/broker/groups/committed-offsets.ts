/** What a group has committed for one partition. */
export interface CommittedOffset {
  readonly offset: number;
  /** -1 when the client did not say. */
  readonly leaderEpoch: number;
  readonly metadata: string;
}

/** When a commit was made, by the cluster's clock, and when it expires where the client said so. */
export interface CommitTimes {
  readonly atMs: number;
  readonly expiresAtMs: number | undefined;
}

/** A commit with the partition it is for. */
export interface PlacedOffset extends CommittedOffset {
  readonly topic: string;
  readonly partition: number;
}

interface PendingOffset extends PlacedOffset {
  /** Its place among all commits of the group. */
  readonly order: number;
}

/** A group's commits as plain data; times as they lie from the moment of the snapshot. */
export interface OffsetsSnapshot {
  readonly committed: readonly (PlacedOffset & {
    readonly order: number;
    readonly ageMs: number;
    readonly expiresInMs: number | undefined;
  })[];
  readonly pending: readonly (readonly [producerId: number, offsets: readonly PendingOffset[]])[];
  readonly nextOrder: number;
}

/** A group's commits by topic and partition, and those of transactions that are not over. */
export class CommittedOffsets {
  readonly #topics = new Map<string, Map<number, CommittedOffset>>();
  readonly #orders = new WeakMap<CommittedOffset, number>();
  readonly #times = new WeakMap<CommittedOffset, CommitTimes>();
  /** By producer id, in the order they came. */
  readonly #pending = new Map<number, PendingOffset[]>();
  #nextOrder = 0;

  get(topic: string, partition: number): CommittedOffset | undefined {
    return this.#topics.get(topic)?.get(partition);
  }

  set(topic: string, partition: number, committed: CommittedOffset, times?: CommitTimes): void {
    this.#put(topic, partition, committed, this.#nextOrder++);
    if (times !== undefined) this.#times.set(committed, times);
  }

  /** The times of a commit; of one that came without it counts as made at `nowMs`. */
  timesOf(committed: CommittedOffset, nowMs: number): CommitTimes {
    let times = this.#times.get(committed);
    if (times === undefined) {
      times = { atMs: nowMs, expiresAtMs: undefined };
      this.#times.set(committed, times);
    }
    return times;
  }

  get isEmpty(): boolean {
    return this.#topics.size === 0;
  }

  topics(): Iterable<[string, ReadonlyMap<number, CommittedOffset>]> {
    return this.#topics;
  }

  forgetTopic(topic: string): void {
    this.#topics.delete(topic);
    for (const [producerId, offsets] of this.#pending) {
      this.#keepPending(
        producerId,
        offsets.filter((pending) => pending.topic !== topic),
      );
    }
  }

  /** Takes back the commit of one partition, and pending ones with it. */
  forget(topic: string, partition: number): void {
    this.#topics.get(topic)?.delete(partition);
    if (this.#topics.get(topic)?.size === 0) this.#topics.delete(topic);
    for (const [producerId, offsets] of this.#pending) {
      this.#keepPending(
        producerId,
        offsets.filter((pending) => pending.topic !== topic || pending.partition !== partition),
      );
    }
  }

  /** Keeps a commit of a transaction until that one is over. */
  stage(producerId: number, topic: string, partition: number, committed: CommittedOffset): void {
    const { offset, leaderEpoch, metadata } = committed;
    const others = (this.#pending.get(producerId) ?? []).filter(
      (pending) => pending.topic !== topic || pending.partition !== partition,
    );
    others.push({ topic, partition, offset, leaderEpoch, metadata, order: this.#nextOrder++ });
    this.#pending.set(producerId, others);
  }

  /**
   * The producer's transaction is over: its commits hold or are dropped. Returns those that hold now; one that came before a commit
   * outside the transaction does not undo it.
   */
  endTransaction(producerId: number, commit: boolean): readonly PlacedOffset[] {
    const pending = this.#pending.get(producerId) ?? [];
    this.#pending.delete(producerId);
    if (!commit) return [];
    return pending.filter(({ topic, partition, order, offset, leaderEpoch, metadata }) => {
      const known = this.get(topic, partition);
      if (known !== undefined && (this.#orders.get(known) ?? -1) > order) return false;
      this.#put(topic, partition, { offset, leaderEpoch, metadata }, order);
      return true;
    });
  }

  /** True while a transaction that is not over has a commit for the partition, or with no partition named, any commit. */
  hasPending(topic?: string, partition?: number): boolean {
    for (const offsets of this.#pending.values()) {
      if (topic === undefined) return true;
      if (offsets.some((pending) => pending.topic === topic && pending.partition === partition)) return true;
    }
    return false;
  }

  /** Pending commits by producer id, in the order they came. */
  pending(): ReadonlyMap<number, readonly PlacedOffset[]> {
    return this.#pending;
  }

  snapshot(nowMs: number): OffsetsSnapshot {
    const committed = Array.from(this.#topics).flatMap(([topic, partitions]) =>
      Array.from(partitions, ([partition, one]) => {
        const { atMs, expiresAtMs } = this.timesOf(one, nowMs);
        const expiresInMs = expiresAtMs === undefined ? undefined : expiresAtMs - nowMs;
        return {
          ...one,
          topic,
          partition,
          order: this.#orders.get(one) ?? -1,
          ageMs: nowMs - atMs,
          expiresInMs,
        };
      }),
    );
    const pending = Array.from(this.#pending, ([producerId, offsets]) => [producerId, [...offsets]] as const);
    return { committed, pending, nextOrder: this.#nextOrder };
  }

  restore({ committed, pending, nextOrder }: OffsetsSnapshot, nowMs: number): void {
    for (const { topic, partition, order, ageMs, expiresInMs, offset, leaderEpoch, metadata } of committed) {
      const one = { offset, leaderEpoch, metadata };
      this.#put(topic, partition, one, order);
      const expiresAtMs = expiresInMs === undefined ? undefined : nowMs + expiresInMs;
      this.#times.set(one, { atMs: nowMs - ageMs, expiresAtMs });
    }
    for (const [producerId, offsets] of pending) this.#pending.set(producerId, [...offsets]);
    this.#nextOrder = nextOrder;
  }

  #put(topic: string, partition: number, committed: CommittedOffset, order: number): void {
    let partitions = this.#topics.get(topic);
    if (partitions === undefined) {
      partitions = new Map();
      this.#topics.set(topic, partitions);
    }
    partitions.set(partition, committed);
    this.#orders.set(committed, order);
  }

  #keepPending(producerId: number, offsets: PendingOffset[]): void {
    if (offsets.length === 0) this.#pending.delete(producerId);
    else this.#pending.set(producerId, offsets);
  }
}
