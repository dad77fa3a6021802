// The fetch loop of one broker.

import type { Clock, Timer } from '../clock.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { ResponseOf } from '../protocol/api.ts';
import { fetchApi } from '../protocol/messages/01-fetch.ts';
import { ZERO_UUID } from '../protocol/schema.ts';
import { FETCH_TOPIC_ID_VERSION, fetchRequest, type Ask, type RequestLimits } from './fetch-request.ts';
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
  onAnswer(asks: readonly Ask[], response: ResponseOf<typeof fetchApi>, nodeId: number): void;
  onFailure(asks: readonly Ask[], error: unknown, nodeId: number): void;
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
      const asks = this.asks(nowMs);
      if (asks.length === 0) return;
      void this.send(slot, asks, nowMs);
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
  }

  private asks(nowMs: number): Ask[] {
    const { metadata } = this.cluster;
    const asks: Ask[] = [];
    let soonestMs = Infinity;
    for (const reader of this.readers) {
      const { fetch } = reader.feed;
      if (fetch.asked) continue;
      const bytes = reader.feed.bytesWanted();
      if (bytes === 0) continue;
      if (fetch.notBeforeMs > nowMs) {
        soonestMs = Math.min(soonestMs, fetch.notBeforeMs);
        continue;
      }
      const { generation, offset } = fetch;
      const currentLeaderEpoch = metadata.leader(reader.topic, reader.partition)?.leaderEpoch ?? -1;
      asks.push({ reader, generation, offset, bytes, currentLeaderEpoch });
    }
    if (soonestMs < Infinity) this.pumpAt(soonestMs, nowMs);
    asks.sort((a, b) => a.reader.feed.fetch.lastServed - b.reader.feed.fetch.lastServed);
    return this.worthOneRequest(asks);
  }

  /**
   * As many as one answer has room for, of those that are behind the end of their log: the rest goes out on another connection meanwhile. Who
   * has read everything is always asked for, as it takes no room.
   */
  private worthOneRequest(asks: readonly Ask[]): Ask[] {
    let left = this.limits.maxBytes;
    return asks.filter(({ reader, offset, bytes }) => {
      if (reader.feed.endOfLog >= 0 && reader.feed.endOfLog <= offset) return true;
      if (left <= 0) return false;
      left -= bytes;
      return true;
    });
  }

  private async send(slot: number, asks: readonly Ask[], nowMs: number): Promise<void> {
    let wished = 0;
    let named = false;
    for (const { reader, bytes } of asks) {
      reader.feed.fetch.asked = true;
      wished += bytes;
      if (reader.topicId === '' || reader.topicId === ZERO_UUID) named = true;
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
        fetchRequest(asks, { ...this.limits, maxBytes, maxWaitMs }),
        {
          use: `fetch-${this.limits.firstConnection + slot}`,
          timeoutMs: maxWaitMs + this.cluster.requestTimeoutMs,
          signal: this.abort.signal,
          ...(named && { maxVersion: FETCH_TOPIC_ID_VERSION - 1 }),
        },
      );
    } catch (error) {
      failure = error;
    }
    this.slots.release(slot);
    this.listener.onReserve(-maxBytes);
    if (this.abort.signal.aborted) return;
    if (response === undefined) this.listener.onFailure(asks, failure, this.nodeId);
    else this.listener.onAnswer(asks, response, this.nodeId);
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
