import { saslAuthenticateApi } from '../../../core/protocol/messages/36-sasl-authenticate.ts';
import { ERRORS } from '../../../core/protocol/error-codes.ts';
import type { OfferedApi } from '../apis/registry.ts';
import type { FaultRule, ObservedRequest } from '../faults/fault-rule.ts';
import type { FaultTable } from '../faults/fault-table.ts';
import type { HANG_UP, NO_ANSWER, RequestContext } from '../handler.ts';
import type { RequestLog } from '../request-log.ts';
import { NO_TOKEN } from '../security/sasl-exchange.ts';
import type { SaslServer } from '../security/sasl-server.ts';
import type { SaslSession } from '../security/sasl-session.ts';
import type { ClusterState, NodeState } from '../state/cluster-state.ts';
import type { BrokerConnection } from './connection.ts';
import type { Incoming } from './incoming.ts';
import type { PendingBytes } from './pending-bytes.ts';

/** What a connection needs of its node. */
export interface ConnectionHost {
  readonly cluster: ClusterState;
  readonly node: NodeState;
  readonly apis: ReadonlyMap<number, OfferedApi>;
  readonly faults: FaultTable;
  readonly log: RequestLog;
  /** Undefined where nobody need prove who it is. */
  readonly sasl: SaslServer | undefined;
  readonly pending: PendingBytes;
  /** Another one after each stop: what the node had not begun then is forgotten. */
  readonly life: number;
  closed(connection: BrokerConnection): void;
  /** Something in this broker threw. */
  failed(error: unknown): void;
}

/** Where a request came in. */
export interface Arrival {
  readonly connection: number;
  readonly remote: string;
  /** Called when the connection closes before the answer. */
  readonly gone: Set<() => void>;
  readonly sasl: SaslSession;
}

/** A request on its way through the handlers, with the fault rule that acts on it. */
export class ServedRequest implements RequestContext {
  readonly cluster: ClusterState;
  readonly node: NodeState;
  readonly version: number;
  readonly clientId: string;
  readonly remote: string;
  readonly sasl: SaslSession;
  readonly incoming: Incoming;
  readonly rule: FaultRule | undefined;
  readonly #gone: Set<() => void>;

  constructor(host: ConnectionHost, incoming: Incoming, arrival: Arrival) {
    this.cluster = host.cluster;
    this.node = host.node;
    this.version = incoming.version;
    this.clientId = incoming.clientId;
    this.remote = arrival.remote;
    this.sasl = arrival.sasl;
    this.incoming = incoming;
    this.#gone = arrival.gone;
    const seen = {
      atMs: host.cluster.clock.now(),
      node: host.node.id,
      connection: arrival.connection,
      clientId: incoming.clientId,
      api: incoming.offered.name,
      version: incoming.version,
      correlationId: incoming.correlationId,
    };
    this.rule = host.faults.isEmpty
      ? undefined
      : this.#matchFaults(host, { ...seen, body: withoutSecrets(incoming) });
    const fault = this.rule?.action?.kind;
    host.log.add(
      fault === undefined ? { ...seen, bytes: incoming.bytes } : { ...seen, bytes: incoming.bytes, fault },
    );
  }

  /** Runs the handler, or lets it say no when a fault wants that. */
  handle(): HandlerResult {
    const { handler } = this.incoming.offered;
    const action = this.rule?.action;
    if (action?.kind === 'error' && handler.refuse !== undefined) {
      return handler.refuse(this.incoming.body, action.code, this.version) as object;
    }
    return handler.handle(this.incoming.body, this) as HandlerResult;
  }

  injected(topic?: string, partition?: number, group?: string): number {
    const action = this.rule?.action;
    if (action?.kind !== 'error') return ERRORS.NONE;
    return this.rule!.covers(topic, partition, group) ? action.code : ERRORS.NONE;
  }

  onGone(run: () => void): void {
    this.#gone.add(run);
  }

  #matchFaults(host: ConnectionHost, observed: ObservedRequest): FaultRule | undefined {
    const { topics } = host.cluster;
    return host.faults.match(observed, { topics, fetchSessions: host.node.fetchSessions });
  }
}

/** The body as rules may see it: never a password. */
function withoutSecrets(incoming: Incoming): unknown {
  if (incoming.offered.key !== saslAuthenticateApi.key) return incoming.body;
  return { ...(incoming.body as object), authBytes: NO_TOKEN };
}

type HandlerBody = object | typeof NO_ANSWER | typeof HANG_UP;
type HandlerResult = HandlerBody | Promise<HandlerBody>;
