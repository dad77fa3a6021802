// The gauges, looked up.

import type { Clock } from '../core/clock.ts';
import { readAll } from '../core/events/readings.ts';
import type { Measure } from './measure.ts';
import type { About } from './metric.ts';
import { gauges, type GaugeName } from './quantities.ts';

const MS_PER_S = 1000;

/** One gauge of one client. */
export interface StandingValue {
  readonly gauge: GaugeName;
  readonly value: number;
  readonly about: About & { readonly partition?: number };
}

/** All gauges as they stand now. */
export function standingValues(measure: Measure, clock: Clock): readonly StandingValue[] {
  const values: StandingValue[] = [];
  const add = (gauge: GaugeName, value: number, about: StandingValue['about']): void => {
    values.push({ gauge, value, about });
  };
  ofConnections(measure, clock, add);
  ofWork(measure, add);
  return values;
}

type Add = (gauge: GaugeName, value: number, about: StandingValue['about']) => void;

function ofConnections(measure: Measure, clock: Clock, add: Add): void {
  const nowMs = clock.now();
  const secondsSince = (ms: number): number => (ms < 0 ? -1 : (nowMs - ms) / MS_PER_S);
  for (const { clientId, connections, refreshedAt, heartbeatAt, rebalancedAt } of measure.standings()) {
    const byNode = new Map<number, number>();
    let inFlight = 0;
    for (const connection of connections.values()) {
      inFlight += connection.inFlight;
      byNode.set(connection.nodeId, (byNode.get(connection.nodeId) ?? 0) + connection.inFlight);
    }
    add(gauges.requestsInFlight, inFlight, { clientId });
    for (const [node, count] of byNode) add(gauges.requestsInFlight, count, { clientId, node });
    add(gauges.connections, connections.size, { clientId });
    if (refreshedAt >= 0) add(gauges.metadataAge, secondsSince(refreshedAt), { clientId });
    add(gauges.lastHeartbeat, secondsSince(heartbeatAt), { clientId });
    add(gauges.lastRebalance, secondsSince(rebalancedAt), { clientId });
  }
}

interface Work {
  maxLag: number;
  claims: number;
  bufferBytes: number;
  usedBytes: number;
}

function ofWork(measure: Measure, add: Add): void {
  const clients = new Map<string, Partial<Work>>();
  const workOf = (clientId: string): Partial<Work> => {
    const work = clients.get(clientId) ?? {};
    clients.set(clientId, work);
    return work;
  };
  readAll({
    partition({ clientId, topic, partition, lag, endOfLog }) {
      if (!measure.covers(clientId) || endOfLog < 0) return;
      add(gauges.lag, lag, { clientId, topic, partition });
      const work = workOf(clientId);
      work.maxLag = Math.max(work.maxLag ?? 0, lag);
    },
    producer({ clientId, bufferBytes, usedBytes }) {
      if (!measure.covers(clientId)) return;
      const work = workOf(clientId);
      work.bufferBytes = (work.bufferBytes ?? 0) + bufferBytes;
      work.usedBytes = (work.usedBytes ?? 0) + usedBytes;
    },
    member({ clientId, claims }) {
      if (!measure.covers(clientId)) return;
      const work = workOf(clientId);
      work.claims = (work.claims ?? 0) + claims;
    },
  });
  for (const [clientId, { maxLag, claims, bufferBytes, usedBytes = 0 }] of clients) {
    if (maxLag !== undefined) add(gauges.maxLag, maxLag, { clientId });
    if (claims !== undefined) add(gauges.assigned, claims, { clientId });
    if (bufferBytes === undefined) continue;
    add(gauges.bufferTotal, bufferBytes, { clientId });
    add(gauges.bufferAvailable, Math.max(0, bufferBytes - usedBytes), { clientId });
  }
}
