// What those who listen are told of one run.

import type { Clock } from '../core/clock.ts';
import { topologyEvents } from '../core/events/channels.ts';
import type { FailureSummary } from '../core/events/topology-events.ts';
import { isKafkaError } from '../flow/is-kafka-error.ts';
import { StageError } from '../flow/stage-error.ts';
import type { RunSummary } from './types.ts';

/** Publishes while somebody listens. */
export class TopologyTrace {
  private readonly topology: string;
  private readonly clock: Clock;
  private readonly startedAt: number;

  constructor(topology: string, clock: Clock) {
    this.topology = topology;
    this.clock = clock;
    this.startedAt = clock.now();
  }

  started(): void {
    this.tell('started');
  }

  draining(): void {
    this.tell('draining');
  }

  failed(cause: unknown): void {
    const { topology } = this;
    if (topologyEvents.hasSubscribers)
      topologyEvents.publish({ topology, kind: 'failed', failure: summaryOf(cause) });
  }

  ended({ recordsIn, recordsOut, unsettled }: RunSummary, isFailed: boolean): void {
    if (!topologyEvents.hasSubscribers) return;
    const { topology } = this;
    const durationMs = this.clock.now() - this.startedAt;
    topologyEvents.publish({
      topology,
      kind: 'ended',
      recordsIn,
      recordsOut,
      unsettled,
      isFailed,
      durationMs,
    });
  }

  private tell(kind: 'started' | 'draining'): void {
    if (topologyEvents.hasSubscribers) topologyEvents.publish({ topology: this.topology, kind });
  }
}

/** Without the value that a stage failed for. */
function summaryOf(cause: unknown): FailureSummary {
  const isError = cause instanceof Error;
  return {
    name: isError ? cause.name : typeof cause,
    message: isError ? cause.message : String(cause),
    code: isKafkaError(cause) ? cause.code : undefined,
    stage: cause instanceof StageError ? cause.stage : undefined,
  };
}
