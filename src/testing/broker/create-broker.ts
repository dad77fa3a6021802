import { systemClock, systemRandom } from '../../core/clock.ts';
import { tcpTransport } from '../../core/network/transport.ts';
import { prepareCrc32c } from '../../core/records/crc32c.ts';
import { UsageError } from '../../errors.ts';
import { MemoryNetwork } from '../simulation/memory-network.ts';
import { offerApis } from './apis/registry.ts';
import { BrokerBox } from './broker-box.ts';
import { FaultTable } from './faults/fault-table.ts';
import { BrokerNode } from './network/broker-node.ts';
import type { SharedParts } from './network/broker-node.ts';
import { PendingBytes } from './network/pending-bytes.ts';
import { settingsOf } from './options.ts';
import type { BrokerOptions } from './options.ts';
import { RequestLog } from './request-log.ts';
import { SaslServer } from './security/sasl-server.ts';
import { readSnapshot, restoreCluster } from './state/cluster-snapshot.ts';
import { ClusterState } from './state/cluster-state.ts';
import { FetchSessionCache } from './state/fetch-sessions.ts';
import { createTopic } from './topics.ts';

const MEMORY_PORT = 9092;
const DEFAULT_HOST = '127.0.0.1';
const DEFAULT_LOG_SIZE = 10_000;
const MAX_BROKERS = 100;
const DEFAULT_FETCH_SESSIONS = 1000;
const DEFAULT_CONNECTIONS = 10_000;
const DEFAULT_PENDING_BYTES = 2 ** 30;

/**
 * Starts a Kafka cluster inside this process: real Kafka protocol, real records, nothing kept. Any client can talk to it over TCP; with
 * `listen: 'memory'` only through `box.transport`, on the given clock. Close it with `box.close()`, or declare it `await using`.
 */
export async function createBroker(options: BrokerOptions = {}): Promise<BrokerBox> {
  const snapshot = options.restore === undefined ? undefined : readSnapshot(options.restore);
  const restoredIds = snapshot?.nodeIds ?? [];
  const count = options.brokers ?? snapshot?.nodeIds.length ?? 1;
  if (!Number.isInteger(count) || count < 1 || count > MAX_BROKERS) {
    throw new UsageError(
      `createBroker: 'brokers' is ${count}; it must be a whole number from 1 to ${MAX_BROKERS}`,
      'brokers',
    );
  }
  if (count < restoredIds.length) {
    throw new UsageError(
      `createBroker: 'brokers' is ${count}, and the snapshot is of a cluster of ${restoredIds.length}`,
      'brokers',
    );
  }
  if (options.tls !== undefined && options.listen === 'memory') {
    throw new UsageError("createBroker: 'tls' needs sockets; with `listen: 'memory'` there are none", 'tls');
  }
  // Faster where it is installed, the same where it is not: no reason to wait for it.
  void prepareCrc32c();
  const clock = options.clock ?? systemClock;
  const random = options.random ?? systemRandom;
  const cluster = new ClusterState({ clock, random, settings: settingsOf(options) });
  const network =
    options.listen === 'memory'
      ? new MemoryNetwork({ clock, random, latencyMs: options.latencyMs })
      : undefined;
  const listenHost = options.host ?? DEFAULT_HOST;
  const apis = offerApis(options.versions);
  const errors: unknown[] = [];
  let connections = 0;
  const shared: SharedParts = {
    cluster,
    apis,
    faults: new FaultTable(
      clock,
      Array.from(apis.values(), ({ name }) => name),
    ),
    log: new RequestLog(options.requestLogSize ?? DEFAULT_LOG_SIZE),
    network,
    sasl:
      options.sasl === undefined
        ? undefined
        : new SaslServer(options.sasl, clock, random, cluster.scramUsers),
    tls: options.tls,
    listenHost,
    pending: new PendingBytes(options.maxPendingBytes ?? DEFAULT_PENDING_BYTES),
    maxConnections: options.maxConnections ?? DEFAULT_CONNECTIONS,
    nextConnectionId: () => ++connections,
    failed: (error) => errors.push(error),
  };
  const makeNode = (id: number): BrokerNode => {
    const host = network === undefined ? (options.advertisedHost ?? listenHost) : `broker-${id}`;
    const port = network === undefined ? (options.ports?.[id] ?? 0) : MEMORY_PORT;
    const slots = options.fetchSessionSlots ?? DEFAULT_FETCH_SESSIONS;
    const fetchSessions = new FetchSessionCache({ clock, random, slots });
    const rack = options.racks?.[id] ?? null;
    return new BrokerNode(shared, { id, host, port, rack, fetchSessions, isUp: true });
  };
  let nextId = Math.max(-1, ...restoredIds) + 1;
  const nodes = Array.from({ length: count }, (_, at) => makeNode(restoredIds[at] ?? nextId++));
  for (const { node } of nodes) cluster.nodes.push(node);
  if (snapshot !== undefined) restoreCluster(cluster, snapshot);
  for (const [name, topic] of Object.entries(options.topics ?? {})) {
    if (cluster.topics.get(name) === undefined) createTopic(cluster, name, topic);
  }
  const box = new BrokerBox({
    cluster,
    nodes,
    addNode() {
      const added = makeNode(nextId++);
      nodes.push(added);
      return added;
    },
    removeNode: (removed) => nodes.splice(nodes.indexOf(removed), 1),
    faults: shared.faults,
    log: shared.log,
    transport: network?.transport ?? tcpTransport,
    network,
    errors,
  });
  try {
    await Promise.all(nodes.map((node) => node.start()));
  } catch (error) {
    await box.close();
    throw error;
  }
  return box;
}
