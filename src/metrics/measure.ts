// From events to measured values.

import type { Clock } from '../core/clock.ts';
import { onEvent, type SluiceEvents } from '../core/events/channels.ts';
import type { ProducedBatch } from '../core/events/record-events.ts';
import { AuthenticationError } from '../errors.ts';
import type { About } from './metric.ts';
import { fetched, grouped, network, produced, type Quantity } from './quantities.ts';
import type { Recorder } from './recorder.ts';

type Event<N extends keyof SluiceEvents> = SluiceEvents[N];

const NS_PER_MS = 1e6;
/** Of a batch, before its records. */
const BATCH_OVERHEAD = 61;
const PERCENT = 100;

/** What an answer of these APIs is counted as besides. */
const BY_API: Readonly<
  Record<string, { readonly count?: Quantity; readonly latency?: Quantity; readonly throttle?: Quantity }>
> = {
  Produce: { throttle: produced.throttleTime },
  Fetch: { latency: fetched.latency, throttle: fetched.throttleTime },
  JoinGroup: { count: grouped.joins, latency: grouped.joinLatency },
  SyncGroup: { count: grouped.syncs, latency: grouped.syncLatency },
  Heartbeat: { count: grouped.heartbeats, latency: grouped.heartbeatLatency },
  ConsumerGroupHeartbeat: { count: grouped.heartbeats, latency: grouped.heartbeatLatency },
};
const HEARTBEATS: ReadonlySet<string> = new Set(['Heartbeat', 'ConsumerGroupHeartbeat']);

/** What stands at a value, as events tell it. */
export interface Standing {
  readonly clientId: string;
  /** By connection. */
  readonly connections: Map<number, { readonly nodeId: number; inFlight: number }>;
  /** -1 before the first of each. */
  refreshedAt: number;
  heartbeatAt: number;
  rebalancedAt: number;
}

/** Listens and records, from its making until `close()`. */
export class Measure {
  private readonly recorders: readonly Recorder[];
  private readonly clock: Clock;
  private readonly clientId: string | undefined;
  private readonly clients = new Map<string, Standing>();
  private readonly stops: readonly (() => void)[];

  /** With a `clientId`, of the clients of that name only. */
  constructor(recorders: readonly Recorder[], clock: Clock, clientId: string | undefined) {
    this.recorders = recorders;
    this.clock = clock;
    this.clientId = clientId;
    this.stops = [
      this.on('sluice:connection', (event) => this.connection(event)),
      this.on('sluice:request', (event) => this.request(event)),
      this.on('sluice:metadata', (event) => this.metadata(event)),
      this.on('sluice:produce', (event) => this.produce(event)),
      this.on('sluice:fetch', (event) => this.fetch(event)),
      this.on('sluice:rebalance', (event) => this.rebalance(event)),
      this.on('sluice:commit', (event) => this.commit(event)),
      this.on('sluice:transaction', (event) => this.transaction(event)),
    ];
  }

  standings(): Iterable<Standing> {
    return this.clients.values();
  }

  /** True for a client that is measured. */
  covers(clientId: string): boolean {
    return this.clientId === undefined || this.clientId === clientId;
  }

  close(): void {
    for (const stop of this.stops) stop();
  }

  private on<N extends ClientChannel>(name: N, listener: (event: SluiceEvents[N]) => void): () => void {
    return onEvent(name, (event) => {
      if (this.covers(event.clientId)) listener(event);
    });
  }

  private record(quantity: Quantity, value: number, about: About): void {
    for (const recorder of this.recorders) recorder.record(quantity, value, about);
  }

  private standing(clientId: string): Standing {
    let standing = this.clients.get(clientId);
    if (standing === undefined) {
      standing = { clientId, connections: new Map(), refreshedAt: -1, heartbeatAt: -1, rebalancedAt: -1 };
      this.clients.set(clientId, standing);
    }
    return standing;
  }

  private connection(event: Event<'sluice:connection'>): void {
    const { clientId, connectionId, nodeId } = event;
    const about = { clientId };
    const { connections } = this.standing(clientId);
    switch (event.kind) {
      case 'opened':
        connections.set(connectionId, { nodeId, inFlight: 0 });
        this.record(network.connectionsOpened, 1, about);
        break;
      case 'closed':
        connections.delete(connectionId);
        this.record(network.connectionsClosed, 1, about);
        break;
      case 'authenticated':
        this.record(event.isAgain ? network.reauthentications : network.authentications, 1, about);
        if (event.isAgain) this.record(network.reauthenticationLatency, event.durationMs, about);
        break;
      case 'failed':
        connections.delete(connectionId);
        if (event.error instanceof AuthenticationError) this.record(network.failedAuthentications, 1, about);
    }
  }

  private request(event: Event<'sluice:request'>): void {
    const { clientId, connectionId, nodeId, api, apiKey, requestBytes } = event;
    const about = { clientId, node: nodeId, api: apiKey };
    const standing = this.standing(clientId);
    let connection = standing.connections.get(connectionId);
    if (connection?.nodeId !== nodeId) {
      connection = { nodeId, inFlight: connection?.inFlight ?? 0 };
      standing.connections.set(connectionId, connection);
    }
    if (event.kind === 'sent') {
      connection.inFlight += 1;
      this.record(network.outgoingBytes, requestBytes, about);
      this.record(network.requests, 1, about);
      this.record(network.requestSize, requestBytes, about);
      this.record(network.protocolRequests, 1, about);
      return;
    }
    connection.inFlight = Math.max(0, connection.inFlight - 1);
    if (event.kind !== 'answered') return;
    const { responseBytes, durationMs, throttleTimeMs } = event;
    this.record(network.incomingBytes, responseBytes, about);
    this.record(network.responses, 1, about);
    this.record(network.responseSize, responseBytes, about);
    this.record(network.requestLatency, durationMs, about);
    const more = BY_API[api];
    if (more === undefined) return;
    if (more.count !== undefined) this.record(more.count, 1, about);
    if (more.latency !== undefined) this.record(more.latency, durationMs, about);
    if (more.throttle !== undefined) this.record(more.throttle, throttleTimeMs, about);
    if (HEARTBEATS.has(api)) standing.heartbeatAt = this.clock.now();
  }

  private metadata({ clientId, kind }: Event<'sluice:metadata'>): void {
    if (kind === 'refreshed') this.standing(clientId).refreshedAt = this.clock.now();
  }

  private produce(event: Event<'sluice:produce'>): void {
    const { clientId } = event;
    if (event.kind === 'sent') this.sent(clientId, event.batches);
    else if (event.kind !== 'acked') {
      const { topic, records } = event.batch;
      this.record(event.kind === 'failed' ? produced.errors : produced.retries, records, { clientId, topic });
    }
  }

  private sent(clientId: string, batches: readonly ProducedBatch[]): void {
    const byTopic = new Map<string, number>();
    let total = 0;
    for (const { topic, records, bytes, uncompressedBytes, ageMs } of batches) {
      const about = { clientId, topic };
      const before = uncompressedBytes - BATCH_OVERHEAD;
      const after = bytes - BATCH_OVERHEAD;
      total += records;
      byTopic.set(topic, (byTopic.get(topic) ?? 0) + records);
      this.record(produced.records, records, about);
      this.record(produced.bytes, bytes, about);
      this.record(produced.batchSize, bytes, about);
      this.record(produced.compressionRatio, Math.floor((before * PERCENT) / after), about);
      this.record(produced.compressionRate, after / before, about);
      this.record(produced.queueTime, ageMs, about);
    }
    this.record(produced.recordsPerRequest, total, { clientId });
    for (const [topic, records] of byTopic)
      this.record(produced.recordsPerRequestOfTopic, records, { clientId, topic });
  }

  private fetch(event: Event<'sluice:fetch'>): void {
    if (event.kind === 'failed') return;
    const { clientId, nodeId, partitions, bytes } = event;
    const byTopic = new Map<string, { bytes: number; records: number }>();
    let total = 0;
    for (const { topic, bytes: size, records } of partitions) {
      const about = { clientId, topic };
      const sum = byTopic.get(topic) ?? { bytes: 0, records: 0 };
      sum.bytes += size;
      sum.records += records;
      total += records;
      byTopic.set(topic, sum);
      this.record(fetched.partitionSize, size, about);
      this.record(fetched.partitionRecords, records, about);
      this.record(fetched.bytes, size, about);
      this.record(fetched.records, records, about);
    }
    const about = { clientId, node: nodeId };
    this.record(fetched.fetches, 1, about);
    this.record(fetched.size, bytes, about);
    this.record(fetched.recordsPerRequest, total, about);
    for (const [topic, sum] of byTopic) {
      this.record(fetched.fetchesOfTopic, 1, { clientId, topic });
      this.record(fetched.sizeOfTopic, sum.bytes, { clientId, topic });
      this.record(fetched.recordsPerRequestOfTopic, sum.records, { clientId, topic });
    }
  }

  private rebalance(event: Event<'sluice:rebalance'>): void {
    const { clientId, groupId } = event;
    const about = { clientId, group: groupId };
    switch (event.kind) {
      case 'joined':
        this.record(grouped.joinAttempts, 1, about);
        break;
      case 'join-failed':
        this.record(grouped.joinAttempts, 1, about);
        this.record(grouped.failedJoins, 1, about);
        this.record(grouped.failedRebalances, 1, about);
        break;
      case 'synced':
        this.record(grouped.syncAttempts, 1, about);
        this.record(grouped.rebalances, 1, about);
        this.record(grouped.rebalanceLatency, event.rebalanceMs, about);
        this.record(grouped.rebalanceTime, event.rebalanceMs, about);
        this.standing(clientId).rebalancedAt = this.clock.now();
        break;
      case 'sync-failed':
        this.record(grouped.syncAttempts, 1, about);
        this.record(grouped.failedSyncs, 1, about);
        this.record(grouped.failedRebalances, 1, about);
        break;
      case 'released':
        this.record(grouped.revokedLatency, event.drainMs, about);
    }
  }

  private commit({ clientId, groupId, kind, durationMs }: Event<'sluice:commit'>): void {
    if (kind === 'failed') return;
    const about = { clientId, group: groupId };
    this.record(grouped.commits, 1, about);
    this.record(grouped.commitLatency, durationMs, about);
  }

  private transaction(event: Event<'sluice:transaction'>): void {
    const about = { clientId: event.clientId };
    const spent = (quantity: Quantity, ms: number): void => this.record(quantity, ms * NS_PER_MS, about);
    if (event.kind === 'initialized') spent(produced.transactionInit, event.durationMs);
    else if (event.kind === 'offsets-sent') spent(produced.transactionOffsets, event.durationMs);
    else if (event.kind === 'committed') spent(produced.transactionCommit, event.endMs);
    else if (event.kind === 'aborted') spent(produced.transactionAbort, event.endMs);
  }
}

type ClientChannel = {
  [N in keyof SluiceEvents]: SluiceEvents[N] extends { readonly clientId: string } ? N : never;
}[keyof SluiceEvents];
