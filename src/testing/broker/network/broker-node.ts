import { listenTcp } from './tcp-listener.ts';
import type { MemoryNetwork } from '../../simulation/memory-network.ts';
import type { Acceptor, Listener } from '../../simulation/server-wire.ts';
import type { OfferedApi } from '../apis/registry.ts';
import type { FaultTable } from '../faults/fault-table.ts';
import type { RequestLog } from '../request-log.ts';
import type { ClusterState, NodeState } from '../state/cluster-state.ts';
import { BrokerConnection } from './connection.ts';
import type { ConnectionHost } from './served-request.ts';

/** What all nodes of a cluster share. */
export interface SharedParts {
  readonly cluster: ClusterState;
  readonly apis: ReadonlyMap<number, OfferedApi>;
  readonly faults: FaultTable;
  readonly log: RequestLog;
  /** Undefined over TCP. */
  readonly network: MemoryNetwork | undefined;
  readonly nextConnectionId: () => number;
  readonly failed: (error: unknown) => void;
}

/** One broker: where it listens and who is connected. */
export class BrokerNode implements ConnectionHost {
  readonly cluster: ClusterState;
  readonly node: NodeState;
  readonly apis: ReadonlyMap<number, OfferedApi>;
  readonly faults: FaultTable;
  readonly log: RequestLog;
  readonly #shared: SharedParts;
  readonly #connections = new Set<BrokerConnection>();
  #listener: Listener | undefined;

  constructor(shared: SharedParts, node: NodeState) {
    this.#shared = shared;
    this.node = node;
    this.cluster = shared.cluster;
    this.apis = shared.apis;
    this.faults = shared.faults;
    this.log = shared.log;
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** Listens on the node's port; the first time, when that is 0, on any free one, which it then keeps. */
  async start(): Promise<void> {
    const accept: Acceptor = (wire) => {
      const connection = new BrokerConnection(this, wire, this.#shared.nextConnectionId());
      this.#connections.add(connection);
      return connection;
    };
    const { network } = this.#shared;
    const { host, port } = this.node;
    this.#listener =
      network === undefined ? await listenTcp(host, port, accept) : network.listen(this.node, accept);
    this.node.port = this.#listener.port;
  }

  async stop(): Promise<void> {
    const closed = this.#listener?.close();
    this.#listener = undefined;
    this.dropConnections();
    await closed;
  }

  dropConnections(withReset = false): void {
    for (const connection of [...this.#connections]) connection.destroy(withReset);
  }

  closed(connection: BrokerConnection): void {
    this.#connections.delete(connection);
  }

  failed(error: unknown): void {
    this.#shared.failed(error);
  }
}
