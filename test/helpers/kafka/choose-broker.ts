// Jest's global set-up of the tests that want a broker: the one SLUICE_BROKER names (box, 4.3.1, 3.9), else KAFKA_BROKERS, else Docker, else
// Maven's jars on Java 17, else none. What was chosen is handed to the tests in the environment; CI refuses to have none.
import { startBoxProcess } from './box-process.ts';
import { answers, javaAnswers, kafkaLib, KAFKA_3_9_VERSION, KAFKA_VERSION } from './jars.ts';
import { startRealKafka } from './real-kafka.ts';

type Stop = () => Promise<void>;
interface Holder {
  sluiceBroker?: Stop;
}

async function inDocker(): Promise<{ bootstrap: string; stop: Stop } | undefined> {
  if (process.env['SLUICE_NO_DOCKER'] !== undefined || !answers('docker', ['info'])) return undefined;
  const { GenericContainer, Wait } = await import('testcontainers');
  const port = 29_092;
  const container = await new GenericContainer('apache/kafka:4.3.1')
    .withExposedPorts({ container: port, host: port })
    .withEnvironment({
      KAFKA_NODE_ID: '1',
      KAFKA_PROCESS_ROLES: 'broker,controller',
      KAFKA_LISTENERS: `PLAINTEXT://:${port},CONTROLLER://:9093`,
      KAFKA_ADVERTISED_LISTENERS: `PLAINTEXT://127.0.0.1:${port}`,
      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
      KAFKA_CONTROLLER_LISTENER_NAMES: 'CONTROLLER',
      KAFKA_CONTROLLER_QUORUM_VOTERS: '1@localhost:9093',
      KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: '1',
      KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: '1',
      KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: '1',
      KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: '0',
      KAFKA_GROUP_CONSUMER_MIN_HEARTBEAT_INTERVAL_MS: '100',
      KAFKA_GROUP_CONSUMER_MIN_SESSION_TIMEOUT_MS: '1000',
      KAFKA_AUTO_CREATE_TOPICS_ENABLE: 'false',
      KAFKA_MESSAGE_MAX_BYTES: '4194304',
    })
    .withWaitStrategy(Wait.forListeningPorts())
    .start();
  return {
    bootstrap: `127.0.0.1:${port}`,
    stop: async () => {
      await container.stop();
    },
  };
}

interface Started {
  readonly bootstrap: readonly string[];
  stop(): Promise<void>;
}

/** Hands a broker to the tests, and Kafka's tools of the version that they are written for. */
function hand(started: Started, kind: string): void {
  (globalThis as Holder).sluiceBroker = () => started.stop();
  process.env['KAFKA_BROKERS'] = started.bootstrap.join(',');
  process.env['SLUICE_BROKER_KIND'] = kind;
  const tools = javaAnswers() ? kafkaLib() : undefined;
  if (tools !== undefined) process.env['KAFKA_LIB'] = tools;
}

function jarsOf(version: string): string {
  const lib = javaAnswers() ? kafkaLib(version) : undefined;
  if (lib === undefined) throw new Error(`Kafka ${version} needs Java 17 and its jars, which Maven fetches.`);
  return lib;
}

async function named(name: string): Promise<void> {
  switch (name) {
    case 'box': {
      hand(await startBoxProcess(), 'box');
      return;
    }
    case '4.3.1': {
      hand(await startRealKafka({ lib: jarsOf(KAFKA_VERSION) }), 'jars');
      return;
    }
    case '3.9': {
      hand(await startRealKafka({ lib: jarsOf(KAFKA_3_9_VERSION) }), 'jars');
      return;
    }
    default:
      throw new Error(`SLUICE_BROKER is '${name}'; it must be box, 4.3.1 or 3.9.`);
  }
}

export default async function chooseBroker(): Promise<void> {
  const name = process.env['SLUICE_BROKER'];
  if (name !== undefined && name !== '') return named(name);
  const given = process.env['KAFKA_BROKERS'];
  if (given !== undefined && given !== '') {
    process.env['SLUICE_BROKER_KIND'] = 'given';
    return;
  }
  const docker = await inDocker();
  if (docker !== undefined) {
    (globalThis as Holder).sluiceBroker = docker.stop;
    process.env['KAFKA_BROKERS'] = docker.bootstrap;
    process.env['SLUICE_BROKER_KIND'] = 'docker';
    return;
  }
  const lib = javaAnswers() ? kafkaLib() : undefined;
  if (lib !== undefined) {
    hand(await startRealKafka({ lib }), 'jars');
    return;
  }
  if (process.env['SLUICE_REQUIRE_KAFKA'] !== undefined) {
    throw new Error(
      'A real Kafka is required (SLUICE_REQUIRE_KAFKA is set), but there is no KAFKA_BROKERS, no Docker engine, and no Maven with Java 17.',
    );
  }
  process.env['SLUICE_BROKER_KIND'] = 'none';
}
