import { listenTcp } from './tcp-listener.ts';
import type { MemoryNetwork } from '../../simulation/memory-network.ts';
import type { Acceptor, Listener, ServerWireEvents } from '../../simulation/server-wire.ts';
import type { OfferedApi } from '../apis/registry.ts';
import type { FaultTable } from '../faults/fault-table.ts';
import type { RequestLog } from '../request-log.ts';
import type { SaslServer } from '../security/sasl-server.ts';
import type { TlsServerOptions } from '../security/tls-options.ts';
import type { ClusterState, NodeState } from '../state/cluster-state.ts';
import { BrokerConnection } from './connection.ts';
import type { PendingBytes } from './pending-bytes.ts';
import type { ConnectionHost } from './served-request.ts';

/** What all nodes of a cluster share. */
export interface SharedParts {
  readonly cluster: ClusterState;
  readonly apis: ReadonlyMap<number, OfferedApi>;
  readonly faults: FaultTable;
  readonly log: RequestLog;
  /** Undefined over TCP. */
  readonly network: MemoryNetwork | undefined;
  readonly sasl: SaslServer | undefined;
  readonly tls: TlsServerOptions | undefined;
  /** Where nodes listen over TCP; what clients are told may differ. */
  readonly listenHost: string;
  readonly pending: PendingBytes;
  /** Of one node; who comes when there are as many is sent away. */
  readonly maxConnections: number;
  readonly nextConnectionId: () => number;
  readonly failed: (error: unknown) => void;
}

const NOBODY: ServerWireEvents = { onData: () => {}, onDrain: () => {}, onClose: () => {} };

/** One broker: where it listens and who is connected. */
export class BrokerNode implements ConnectionHost {
  readonly cluster: ClusterState;
  readonly node: NodeState;
  readonly apis: ReadonlyMap<number, OfferedApi>;
  readonly faults: FaultTable;
  readonly log: RequestLog;
  readonly sasl: SaslServer | undefined;
  readonly pending: PendingBytes;
  life = 0;
  readonly #shared: SharedParts;
  readonly #connections = new Set<BrokerConnection>();
  #listener: Listener | undefined;
  /** Called when the last connection is gone. */
  #emptied = (): void => {};

  constructor(shared: SharedParts, node: NodeState) {
    this.#shared = shared;
    this.node = node;
    this.cluster = shared.cluster;
    this.apis = shared.apis;
    this.faults = shared.faults;
    this.log = shared.log;
    this.sasl = shared.sasl;
    this.pending = shared.pending;
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** Listens on the node's port; the first time, when that is 0, on any free one, which it then keeps. */
  async start(): Promise<void> {
    const accept: Acceptor = (wire) => {
      if (this.#connections.size >= this.#shared.maxConnections) {
        wire.destroy();
        return NOBODY;
      }
      const connection = new BrokerConnection(this, wire, this.#shared.nextConnectionId());
      this.#connections.add(connection);
      return connection;
    };
    const { network, tls, listenHost: host } = this.#shared;
    const { port } = this.node;
    this.#listener =
      network === undefined
        ? await listenTcp({ host, port, tls }, accept)
        : network.listen(this.node, accept);
    this.node.port = this.#listener.port;
  }

  async stop(): Promise<void> {
    this.life++;
    const closed = this.#listener?.close();
    this.#listener = undefined;
    this.dropConnections();
    await closed;
    // Sockets in TLS are closed a little after their server. In memory nothing happens unless somebody moves the clock.
    if (this.#shared.network !== undefined || this.#connections.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#emptied = resolve;
    });
  }

  dropConnections(withReset = false): void {
    for (const connection of [...this.#connections]) connection.destroy(withReset);
  }

  closed(connection: BrokerConnection): void {
    this.#connections.delete(connection);
    if (this.#connections.size === 0) this.#emptied();
  }

  failed(error: unknown): void {
    this.#shared.failed(error);
  }
}
