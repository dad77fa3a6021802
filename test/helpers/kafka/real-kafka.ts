// A real Apache Kafka (KRaft) on loopback, from its jars: formatted into a fresh folder, started, awaited, stopped and removed.
import { randomBytes, randomInt } from 'node:crypto';
import { spawn, execFileSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';

export interface RealKafkaOptions {
  readonly lib: string;
  /** Brokers in the cluster. */
  readonly brokers?: number;
  /** So many of them, the first ones, are controllers too; default 1, which then must not die. */
  readonly controllers?: number;
  /** Lines added to every server.properties. */
  readonly properties?: Readonly<Record<string, string>>;
  /** Lines of one node, counted from 1. */
  readonly propertiesOf?: (node: number) => Readonly<Record<string, string>>;
  readonly heapMb?: number;
  /** Directories of every broker's logs; default one. */
  readonly logDirs?: number;
  /** Further listeners of every broker: their names with Kafka's security protocol ('SSL', 'SASL_PLAINTEXT', 'SASL_SSL'). */
  readonly listeners?: Readonly<Record<string, string>>;
}

export interface RealKafka {
  readonly bootstrap: readonly string[];
  readonly nodes: readonly ChildProcess[];
  /** The addresses of a further listener, one for each broker. */
  listener(name: string): readonly string[];
  /** Kills a node (the first is 0) and starts it again where it was, after `whileDown`. */
  restart(at: number, whileDown?: () => Promise<void>): Promise<void>;
  /** Kills all nodes and removes their folders. */
  stop(): Promise<void>;
}

/** Below those that the system gives to connections: while a node is down, one of these could take its port, or be connected to itself. */
const PORTS = { from: 12_000, to: 32_000 } as const;

function listenOnFree(tries = 100): Promise<net.Server> {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', (error) => {
      if (tries === 0) reject(error);
      else resolve(listenOnFree(tries - 1));
    });
    server.listen(randomInt(PORTS.from, PORTS.to), '127.0.0.1', () => resolve(server));
  });
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, () => listenOnFree()));
  const ports = servers.map((server) => (server.address() as net.AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

async function waitUntilUp(port: number, node: ChildProcess, log: string): Promise<void> {
  for (let tries = 0; tries < 1_800; tries++) {
    if (node.exitCode !== null) break;
    if (await accepts(port)) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`Kafka did not come up on port ${port}:\n${readFileSync(log, 'utf8').slice(-4000)}`);
}

/** Starts a cluster and resolves when every node accepts connections. */
export async function startRealKafka(options: RealKafkaOptions): Promise<RealKafka> {
  const count = options.brokers ?? 1;
  const home = mkdtempSync(path.join(os.tmpdir(), 'sluice-kafka-'));
  const extra = Object.entries(options.listeners ?? {});
  const controllers = options.controllers ?? 1;
  const ports = await freePorts(count + controllers + count * extra.length);
  const portOf = (at: number, listener: number): number =>
    ports[count + controllers + at * extra.length + listener]!;
  const voters = ports.slice(count, count + controllers).map((port, at) => `${at + 1}@127.0.0.1:${port}`);
  const java = ['-cp', path.join(options.lib, '*')];
  // As Kafka writes them; one that began with a dash would be taken for an option.
  const id = `A${randomBytes(16).toString('base64url').slice(1, 21)}A`;
  const replication = String(Math.min(3, count));
  const nodes: ChildProcess[] = [];
  const starts: (() => Promise<void>)[] = [];
  const started = Array.from({ length: count }, async (_, at) => {
    const controller = at < controllers;
    const dir = path.join(home, `node-${at + 1}`);
    const more = extra.map(([name], n) => `,${name}://127.0.0.1:${portOf(at, n)}`).join('');
    const protocols = extra.map(([name, protocol]) => `,${name}:${protocol}`).join('');
    const properties: Record<string, string> = {
      'process.roles': controller ? 'broker,controller' : 'broker',
      'node.id': String(at + 1),
      listeners: `PLAINTEXT://127.0.0.1:${ports[at]}${controller ? `,CONTROLLER://127.0.0.1:${ports[count + at]}` : ''}${more}`,
      'advertised.listeners': `PLAINTEXT://127.0.0.1:${ports[at]}${more}`,
      'inter.broker.listener.name': 'PLAINTEXT',
      'listener.security.protocol.map': `PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT${protocols}`,
      'controller.listener.names': 'CONTROLLER',
      'controller.quorum.voters': voters.join(','),
      'log.dirs': [dir, ...Array.from({ length: (options.logDirs ?? 1) - 1 }, (_, n) => `${dir}-${n}`)].join(
        ',',
      ),
      'offsets.topic.replication.factor': replication,
      'offsets.topic.num.partitions': '4',
      'transaction.state.log.replication.factor': replication,
      'transaction.state.log.min.isr': '1',
      'transaction.state.log.num.partitions': '4',
      'group.initial.rebalance.delay.ms': '0',
      // Groups of the consumer protocol may be given shorter times than these defaults by their tests.
      'group.consumer.min.heartbeat.interval.ms': '100',
      'group.consumer.min.session.timeout.ms': '1000',
      'auto.create.topics.enable': 'false',
      'message.max.bytes': '4194304',
      // Tests write records of any age: the broker must not delete the old ones while they are read.
      'log.retention.ms': '-1',
      ...options.properties,
      ...options.propertiesOf?.(at + 1),
    };
    const file = path.join(home, `node-${at + 1}.properties`);
    writeFileSync(
      file,
      Object.entries(properties)
        .map(([key, value]) => `${key}=${value}\n`)
        .join(''),
    );
    execFileSync(
      'java',
      ['-XX:TieredStopAtLevel=1', ...java, 'kafka.tools.StorageTool', 'format', '-t', id, '-c', file],
      {
        stdio: 'ignore',
      },
    );
    const log = path.join(home, `node-${at + 1}.log`);
    const out = openSync(log, 'w');
    const start = async (): Promise<void> => {
      const node = spawn(
        'java',
        [
          `-Xmx${options.heapMb ?? 768}m`,
          '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
          ...java,
          'kafka.Kafka',
          file,
        ],
        { stdio: ['ignore', out, out] },
      );
      nodes[at] = node;
      await waitUntilUp(ports[at]!, node, log);
    };
    starts[at] = start;
    await start();
  });
  const stop = async (): Promise<void> => {
    await Promise.all(
      nodes.map(
        (node) =>
          new Promise<void>((resolve) => {
            if (node.exitCode !== null || node.signalCode !== null) {
              resolve();
              return;
            }
            node.once('exit', () => resolve());
            node.kill('SIGKILL');
          }),
      ),
    );
    rmSync(home, { recursive: true, force: true });
  };
  try {
    await Promise.all(started);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    bootstrap: ports.slice(0, count).map((port) => `127.0.0.1:${port}`),
    nodes,
    listener(name) {
      const n = extra.findIndex(([known]) => known === name);
      return Array.from({ length: count }, (_, at) => `127.0.0.1:${portOf(at, n)}`);
    },
    async restart(at, whileDown) {
      const node = nodes[at]!;
      const gone = new Promise((resolve) => node.once('exit', resolve));
      node.kill('SIGKILL');
      await gone;
      try {
        await whileDown?.();
      } finally {
        await starts[at]!();
      }
    },
    stop,
  };
}
