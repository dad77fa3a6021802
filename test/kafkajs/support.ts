// kafkajs clients for tests, whose sockets can be cut as those of a process that is killed.
import net from 'node:net';
import tls from 'node:tls';
import kafkajs, { type Kafka as KafkaJS, type KafkaConfig } from 'kafkajs';

/** A client of kafkajs, and its end. */
export interface CuttableClient {
  readonly client: KafkaJS;
  /** From now on it has no network, and nobody is told. */
  kill(): void;
  /** Resolves when its consumers, told to disconnect, have found out. */
  ended(): Promise<void>;
}

/** A kafkajs that is cut off may try for longer. */
const ENDS_WITHIN_MS = 5_000;

/** Quiet, and quick to try again. */
export function kafkajsOf(brokers: readonly string[], config: Partial<KafkaConfig> = {}): KafkaJS {
  process.env['KAFKAJS_NO_PARTITIONER_WARNING'] = '1';
  return new kafkajs.Kafka({
    brokers: [...brokers],
    logLevel: kafkajs.logLevel.NOTHING,
    connectionTimeout: 10_000,
    retry: { initialRetryTime: 50, maxRetryTime: 500, retries: 20 },
    ...config,
  });
}

export function cuttable(brokers: readonly string[]): CuttableClient {
  const sockets = new Set<net.Socket>();
  const ends: Promise<void>[] = [];
  let isDead = false;
  const client = kafkajsOf(brokers, {
    retry: { initialRetryTime: 50, maxRetryTime: 500, retries: 3 },
    socketFactory: ({ host, port, ssl, onConnect }) => {
      // Nobody listens on port 1.
      const to = isDead ? { host: '127.0.0.1', port: 1 } : { host, port };
      const socket = (ssl as unknown)
        ? tls.connect({ ...to, ...ssl }, onConnect)
        : net.connect(to, onConnect);
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
      return socket;
    },
  });
  const consumer = client.consumer.bind(client);
  client.consumer = (config) => {
    const made = consumer(config);
    const disconnect = made.disconnect.bind(made);
    made.disconnect = () => {
      const end = disconnect();
      ends.push(end.catch(() => undefined));
      return end;
    };
    return made;
  };
  return {
    client,
    kill() {
      isDead = true;
      // Without an error, kafkajs would wait for answers until their requests time out.
      for (const socket of sockets) socket.destroy(new Error('the network is gone'));
    },
    async ended() {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise((resolve) => (timer = setTimeout(resolve, ENDS_WITHIN_MS)));
      await Promise.race([Promise.all(ends), late]);
      clearTimeout(timer);
    },
  };
}
