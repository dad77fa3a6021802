// What those who listen are told of one connection.

import type { ConnectionError } from '../../errors.ts';
import type { Clock } from '../clock.ts';
import { connectionEvents, requestEvents } from '../events/channels.ts';
import type { ConnectionPlace } from '../events/network-events.ts';
import type { Call } from './call.ts';
import { RequestTrace } from './request-trace.ts';
import type { BrokerAddress } from './transport.ts';

/** Which connection it is. */
export interface TracedConnection {
  readonly address: BrokerAddress;
  readonly nodeId?: number | undefined;
  readonly clientId: string;
  readonly clock: Clock;
}

let connections = 0;

/** Publishes while somebody listens. */
export class ConnectionTrace {
  /** -1 until the node is known. */
  nodeId: number;
  private readonly id = ++connections;
  private readonly connection: TracedConnection;
  private isOpen = false;
  /** When it was dialled, and once it is open when that was. */
  private since: number;

  constructor(connection: TracedConnection) {
    this.connection = connection;
    this.nodeId = connection.nodeId ?? -1;
    this.since = connection.clock.now();
  }

  opened(): void {
    const durationMs = this.sinceMs;
    this.isOpen = true;
    this.since += durationMs;
    if (connectionEvents.hasSubscribers)
      connectionEvents.publish({ ...this.place, kind: 'opened', durationMs });
  }

  authenticated(mechanism: string, startedAt: number): void {
    if (!connectionEvents.hasSubscribers) return;
    const durationMs = this.connection.clock.now() - startedAt;
    const isAgain = this.isOpen;
    connectionEvents.publish({ ...this.place, kind: 'authenticated', mechanism, isAgain, durationMs });
  }

  ended(error: ConnectionError): void {
    if (!connectionEvents.hasSubscribers) return;
    const { place, sinceMs } = this;
    connectionEvents.publish(
      this.isOpen
        ? { ...place, kind: 'closed', openMs: sinceMs, error }
        : { ...place, kind: 'failed', durationMs: sinceMs, error },
    );
  }

  /** Undefined while nobody listens. */
  request({ api, version }: Call, frame: readonly Uint8Array[]): RequestTrace | undefined {
    if (!requestEvents.hasSubscribers) return undefined;
    const requestBytes = frame.reduce((sum, part) => sum + part.length, 0);
    const place = { ...this.place, api: api.name, apiKey: api.key, version, requestBytes };
    return new RequestTrace(place, this.connection.clock);
  }

  private get sinceMs(): number {
    return this.connection.clock.now() - this.since;
  }

  private get place(): ConnectionPlace {
    const { clientId, address } = this.connection;
    return { clientId, connectionId: this.id, nodeId: this.nodeId, host: address.host, port: address.port };
  }
}
