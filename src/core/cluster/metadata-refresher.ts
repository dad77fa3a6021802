// When the metadata cache is refreshed, and of which topics.

import type { Clock, Random, Timer } from '../clock.ts';
import { UsageError } from '../../errors.ts';
import { metadataEvents } from '../events/channels.ts';
import type { RequestOf } from '../protocol/api.ts';
import type { metadataApi } from '../protocol/messages/03-metadata.ts';
import type { MetadataResponse, MetadataStore } from './metadata-store.ts';
import { backoffMs } from './retry.ts';
import { unlessLate } from './waiting.ts';

type MetadataRequest = RequestOf<typeof metadataApi>;

/** Rounds in the background a topic stays without being looked up. */
const UNUSED_ROUNDS = 2;

/** What the refresher runs on. */
export interface RefresherOptions {
  readonly clientId: string;
  readonly clock: Clock;
  readonly random: Random;
  /** 0: only when somebody asks. */
  readonly maxAgeMs: number;
  /** The pauses between repetitions of a refresh in the background that failed. */
  readonly minDelayMs: number;
  readonly maxDelayMs: number;
}

/** One refresh, and those who wait for it. */
class Round {
  /** The topics, and whether asking may create them; undefined for all topics. May still grow while the round is queued. */
  names: Map<string, boolean> | undefined;
  readonly done: Promise<void>;
  resolve!: () => void;
  reject!: (error: unknown) => void;

  constructor(names: readonly string[] | undefined, mayCreate: boolean) {
    this.names = new Map();
    this.add(names, mayCreate);
    this.done = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }

  covers(names: readonly string[] | undefined, mayCreate: boolean): boolean {
    const mine = this.names;
    if (mine === undefined) return names === undefined || !mayCreate;
    return names?.every((name) => mine.has(name) && (mine.get(name) === true || !mayCreate)) ?? false;
  }

  add(names: readonly string[] | undefined, mayCreate: boolean): void {
    if (names === undefined) this.names = undefined;
    else for (const name of names) this.names?.set(name, mayCreate || this.names.get(name) === true);
  }
}

/**
 * One request at a time: a call joins the one under way when that asks for all it wants, else all such calls share the next one. Topics asked
 * for by name are asked for again at `maxAgeMs`, until nobody has looked them up for two such rounds.
 */
export class MetadataRefresher {
  private readonly store: MetadataStore;
  private readonly options: RefresherOptions;
  private readonly ask: (request: MetadataRequest) => Promise<MetadataResponse>;
  /** Topics to keep fresh, with the background rounds they went unused. */
  private readonly interest = new Map<string, number>();
  private running: Round | undefined;
  private queued: Round | undefined;
  private timer: Timer | undefined;
  private failures = 0;
  private closed = false;

  constructor(
    store: MetadataStore,
    options: RefresherOptions,
    ask: (request: MetadataRequest) => Promise<MetadataResponse>,
  ) {
    this.store = store;
    this.options = options;
    this.ask = ask;
  }

  /** Asks for these topics, or for all. Rejects when no broker could be asked. */
  refresh(names: readonly string[] | undefined, mayCreate: boolean, signal?: AbortSignal): Promise<void> {
    for (const name of names ?? []) this.interest.set(name, 0);
    const fresh = mayCreate && names?.some((name) => !this.store.wasSeen(name)) === true;
    const { done } = this.roundFor(names, fresh);
    return signal === undefined
      ? done
      : unlessLate(this.options.clock, done, Infinity, signal, () => undefined);
  }

  close(): void {
    this.closed = true;
    this.timer?.cancel();
  }

  private roundFor(names: readonly string[] | undefined, mayCreate: boolean): Round {
    if (this.running === undefined) return this.start(new Round(names, mayCreate));
    if (this.running.covers(names, mayCreate)) return this.running;
    if (this.queued === undefined) this.queued = new Round(names, mayCreate);
    else this.queued.add(names, mayCreate);
    return this.queued;
  }

  private start(round: Round): Round {
    this.running = round;
    void this.run(round);
    return round;
  }

  private async run(round: Round): Promise<void> {
    const startedAt = this.options.clock.now();
    try {
      await this.askFor(round.names);
      this.failures = 0;
      if (metadataEvents.hasSubscribers) this.tell(round, startedAt);
      round.resolve();
    } catch (error) {
      this.failures += 1;
      if (metadataEvents.hasSubscribers) this.tell(round, startedAt, { error });
      round.reject(error);
    }
    this.running = undefined;
    const next = this.queued;
    this.queued = undefined;
    if (this.closed) next?.reject(new UsageError('The client is closed'));
    else if (next !== undefined) this.start(next);
    else this.schedule();
  }

  private tell({ names }: Round, startedAt: number, failure?: { readonly error: unknown }): void {
    const { clock, clientId } = this.options;
    const round = { clientId, topics: names?.size, durationMs: clock.now() - startedAt };
    metadataEvents.publish(
      failure === undefined ? { ...round, kind: 'refreshed' } : { ...round, kind: 'failed', ...failure },
    );
  }

  /** A topic that existed before is not created again by asking for it: it may just have been deleted. */
  private async askFor(names: ReadonlyMap<string, boolean> | undefined): Promise<void> {
    if (names === undefined) {
      this.store.apply(await this.ask({ topics: null, allowAutoTopicCreation: false }), true);
      return;
    }
    const fresh: { name: string }[] = [];
    const known: { name: string }[] = [];
    for (const [name, mayCreate] of names) {
      (mayCreate && !this.store.wasSeen(name) ? fresh : known).push({ name });
    }
    if (known.length > 0 || fresh.length === 0) {
      this.store.apply(await this.ask({ topics: known, allowAutoTopicCreation: false }), false);
    }
    if (fresh.length > 0) {
      this.store.apply(await this.ask({ topics: fresh, allowAutoTopicCreation: true }), false);
    }
  }

  private schedule(): void {
    this.timer?.cancel();
    this.timer = undefined;
    if (this.closed || this.interest.size === 0 || this.options.maxAgeMs === 0) return;
    const { clock, random, maxAgeMs, minDelayMs, maxDelayMs } = this.options;
    const pauseMs = this.failures === 0 ? maxAgeMs : backoffMs(this.failures, minDelayMs, maxDelayMs, random);
    this.timer = clock.setTimeout(
      () => {
        this.timer = undefined;
        this.dropUnused();
        if (this.interest.size > 0)
          this.roundFor([...this.interest.keys()], false).done.catch(() => undefined);
      },
      Math.min(pauseMs, maxAgeMs),
    );
    this.timer.unref?.();
  }

  private dropUnused(): void {
    if (this.failures > 0) return;
    const used = this.store.takeUsed();
    for (const [name, unused] of this.interest) {
      if (used.has(name)) this.interest.set(name, 0);
      else if (unused + 1 < UNUSED_ROUNDS) this.interest.set(name, unused + 1);
      else {
        this.interest.delete(name);
        this.store.forget(name);
      }
    }
  }
}
