// The fetch loop of one broker.

import type { Clock, Timer } from '../clock.ts';
import type { Cluster, Use } from '../cluster/cluster.ts';
import type { ResponseOf } from '../protocol/api.ts';
import { fetchApi } from '../protocol/messages/01-fetch.ts';
import { ZERO_UUID } from '../protocol/schema.ts';
import {
  FETCH_TOPIC_ID_VERSION,
  PlainAsks,
  fetchRequest,
  type Ask,
  type Asked,
  type RequestLimits,
  type SessionPart,
} from './fetch-request.ts';
import { FetchSession, isSessionError } from './fetch-session.ts';
import { FetchSlots } from './fetch-slots.ts';
import type { PartitionReader } from './partition-reader.ts';

/** Readers that regain room within this time share a request. */
const COALESCE_MS = 1;

/** Limits of a broker's requests. */
export interface BrokerLimits extends Omit<RequestLimits, 'maxWaitMs'> {
  readonly maxWaitMs: number;
  readonly connections: number;
  /** The number of the first of them. */
  readonly firstConnection: number;
}

/** What a broker's loop reports to. */
export interface BrokerFetchListener {
  onAnswer(asked: Asked, response: ResponseOf<typeof fetchApi>, nodeId: number): void;
  onFailure(asks: readonly Ask[], error: unknown, nodeId: number): void;
  /** The follower that this broker is to the reader has been read from for long enough. */
  onLeaseEnd(reader: PartitionReader): void;
  /** Bytes that requests under way may bring, as a difference. */
  onReserve(bytes: number): void;
}

/** Asks one broker for all readers it leads that have room. */
export class BrokerFetcher {
  readonly nodeId: number;
  readonly readers = new Set<PartitionReader>();
  private readonly cluster: Cluster;
  private readonly clock: Clock;
  private readonly limits: BrokerLimits;
  private readonly listener: BrokerFetchListener;
  private readonly slots: FetchSlots;
  private readonly session = new FetchSession();
  /** The connection of its last poll. */
  private sessionSlot = 0;
  private readonly abort = new AbortController();
  private notBeforeMs = -Infinity;
  private timer: Timer | undefined;
  private timerAtMs = Infinity;
  private wokenAtMs = Infinity;

  constructor(cluster: Cluster, nodeId: number, limits: BrokerLimits, listener: BrokerFetchListener) {
    this.cluster = cluster;
    this.clock = cluster.clock;
    this.nodeId = nodeId;
    this.limits = limits;
    this.listener = listener;
    this.slots = new FetchSlots(limits.connections, limits.maxWaitMs);
  }

  /** A reader has room: it is asked for within a millisecond or two, together with others that have. */
  wake(): void {
    const nowMs = this.clock.now();
    if (this.wokenAtMs === Infinity) this.wokenAtMs = nowMs;
    this.pumpAt(nowMs + COALESCE_MS, nowMs);
  }

  /** Asks now if a wake has waited long enough; for whoever keeps the event loop busy. */
  pumpIfDue(nowMs: number): void {
    if (nowMs - this.wokenAtMs >= COALESCE_MS) this.pump();
  }

  /** Asks for everything that can be asked for now. */
  pump(): void {
    this.wokenAtMs = Infinity;
    if (this.abort.signal.aborted) return;
    const nowMs = this.clock.now();
    if (nowMs < this.notBeforeMs) {
      this.pumpAt(this.notBeforeMs, nowMs);
      return;
    }
    for (let slot = this.slots.free(); slot >= 0; slot = this.slots.free()) {
      const { idle, behind } = this.due(nowMs);
      if (this.session.busy || !this.poll(slot, idle, nowMs)) {
        const asks = idle.map((reader) => this.ask(reader));
        this.addWorthOneRequest(behind, asks);
        if (asks.length === 0) return;
        void this.send(slot, new PlainAsks(asks), asks, undefined, nowMs);
      }
    }
  }

  /** Sends nothing before `untilMs` (throttled by the broker, or it cannot be reached). */
  holdBack(untilMs: number): void {
    this.notBeforeMs = Math.max(this.notBeforeMs, untilMs);
  }

  close(): void {
    this.timer?.cancel();
    this.timer = undefined;
    this.readers.clear();
    this.abort.abort();
    if (this.session.isOpen) this.closeSession();
  }

  /** Frees the broker's memory of us. Behind a poll on its connection, so that nothing has to be dialled for it; whether it comes through is no matter. */
  private closeSession(): void {
    const limits = { ...this.limits, maxWaitMs: 0, maxBytes: 0 };
    const request = fetchRequest([], limits, this.session.closing());
    this.cluster
      .send(this.nodeId, fetchApi, request, { use: this.use(this.sessionSlot) })
      .catch(() => undefined);
  }

  /** Who is to be asked for now: those at the end of their log (or of which nothing is known) and those behind it. */
  private due(nowMs: number): { readonly idle: PartitionReader[]; readonly behind: PartitionReader[] } {
    const idle: PartitionReader[] = [];
    const behind: PartitionReader[] = [];
    const ended: PartitionReader[] = [];
    let soonestMs = Infinity;
    for (const reader of this.readers) {
      const { fetch, endOfLog } = reader.feed;
      if (fetch.asked || !reader.feed.wantsMore()) continue;
      if (fetch.followerUntilMs <= nowMs) ended.push(reader);
      else if (fetch.notBeforeMs > nowMs) soonestMs = Math.min(soonestMs, fetch.notBeforeMs);
      else if (endOfLog <= fetch.offset) idle.push(reader);
      else behind.push(reader);
    }
    for (const reader of ended) this.listener.onLeaseEnd(reader);
    if (soonestMs < Infinity) this.pumpAt(soonestMs, nowMs);
    behind.sort((a, b) => a.feed.fetch.lastServed - b.feed.fetch.lastServed);
    return { idle, behind };
  }

  private ask(reader: PartitionReader): Ask {
    const { generation, offset, leaderEpoch } = reader.feed.fetch;
    return {
      reader,
      generation,
      offset,
      lastFetchedEpoch: leaderEpoch,
      bytes: reader.feed.bytesWanted(),
      currentLeaderEpoch: this.leaderEpoch(reader),
    };
  }

  private leaderEpoch({ topic, partition }: PartitionReader): number {
    return this.cluster.metadata.leader(topic, partition)?.leaderEpoch ?? -1;
  }

  /** As many as one answer has room for: the rest goes out on another connection meanwhile. */
  private addWorthOneRequest(readers: readonly PartitionReader[], asks: Ask[]): void {
    let left = this.limits.maxBytes;
    for (let at = 0; at < readers.length && left > 0; at += 1) {
      const ask = this.ask(readers[at]!);
      left -= ask.bytes;
      asks.push(ask);
    }
  }

  /** Polls for all who wait at the end of their log in one session, which names only those of whom something changed. False when there is nobody. */
  private poll(slot: number, idle: readonly PartitionReader[], nowMs: number): boolean {
    const { session } = this;
    let some = false;
    for (const reader of idle)
      if (session.want(reader, reader.feed.bytesPolled(), this.leaderEpoch(reader))) some = true;
    if (!some) return false;
    const { named, session: part } = session.plan();
    this.sessionSlot = slot;
    void this.send(slot, session, named, part, nowMs);
    return true;
  }

  private use(slot: number): Use {
    return `fetch-${this.limits.firstConnection + slot}`;
  }

  private async send(
    slot: number,
    asked: Asked,
    named: readonly Ask[],
    session: SessionPart | undefined,
    nowMs: number,
  ): Promise<void> {
    const { asks } = asked;
    let wished = 0;
    let byName = false;
    let { rackId } = this.limits;
    for (const { reader, bytes } of asks) {
      reader.feed.fetch.asked = true;
      wished += bytes;
      if (reader.feed.fetch.leaderUntilMs > nowMs) rackId = '';
      if (reader.topicId === '' || reader.topicId === ZERO_UUID) byName = true;
    }
    const maxBytes = Math.min(wished, this.limits.maxBytes);
    const maxWaitMs = this.slots.take(slot, nowMs);
    this.listener.onReserve(maxBytes);
    let failure: unknown;
    let response: ResponseOf<typeof fetchApi> | undefined;
    try {
      response = await this.cluster.send(
        this.nodeId,
        fetchApi,
        fetchRequest(named, { ...this.limits, rackId, maxBytes, maxWaitMs }, session),
        {
          use: this.use(slot),
          timeoutMs: maxWaitMs + this.cluster.requestTimeoutMs,
          signal: this.abort.signal,
          ...(byName && { maxVersion: FETCH_TOPIC_ID_VERSION - 1 }),
        },
      );
    } catch (error) {
      failure = error;
    }
    this.slots.release(slot);
    this.listener.onReserve(-maxBytes);
    if (this.abort.signal.aborted) return;
    if (session !== undefined && this.endPoll(asked, response)) return;
    if (response === undefined) this.listener.onFailure(asks, failure, this.nodeId);
    else {
      this.listener.onAnswer(asked, response, this.nodeId);
      letGo(response);
    }
  }

  /** Keeps the session in step with what the broker says of it; true when the poll is to be repeated in a new one. */
  private endPoll({ asks, complete }: Asked, response: ResponseOf<typeof fetchApi> | undefined): boolean {
    const { session } = this;
    if (response?.errorCode === 0) {
      session.answered(response.sessionId);
      return false;
    }
    session.failed(response?.errorCode);
    if (response === undefined || complete || !isSessionError(response.errorCode)) return false;
    for (const { reader, generation } of asks)
      if (reader.feed.fetch.generation === generation) reader.feed.fetch.asked = false;
    this.pump();
    return true;
  }

  /** After an answer: at once, or with the other polls that are about to end when it brought nothing. */
  pumpAfter(broughtNothing: boolean): void {
    const nowMs = this.clock.now();
    const waitMs = broughtNothing ? this.slots.togetherIn(nowMs) : 0;
    if (waitMs === 0) this.pump();
    else this.pumpAt(nowMs + waitMs, nowMs);
  }

  private pumpAt(atMs: number, nowMs: number): void {
    if (this.abort.signal.aborted || atMs >= this.timerAtMs) return;
    this.timer?.cancel();
    this.timerAtMs = atMs;
    this.timer = this.clock.setTimeout(() => {
      this.timer = undefined;
      this.timerAtMs = Infinity;
      this.pump();
    }, atMs - nowMs);
  }
}

/**
 * The promises that an answer came through are old by then to the garbage collector, and dead; until its next full collection they would keep alive what
 * is young, and with it nearly all that is fetched: 64 MB at a time, and a full collection for each.
 */
function letGo(response: ResponseOf<typeof fetchApi>): void {
  response.responses.length = 0;
}
