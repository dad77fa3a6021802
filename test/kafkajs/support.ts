// kafkajs clients for tests, whose sockets can be cut as those of a process that is killed.
import net from 'node:net';
import tls from 'node:tls';
import kafkajs, { type Kafka as KafkaJS, type KafkaConfig } from 'kafkajs';

/** A client of kafkajs, and its end. */
export interface CuttableClient {
  readonly client: KafkaJS;
  /** From now on it has no network, and nobody is told. */
  kill(): void;
}

/** Quiet, and quick to try again. */
export function kafkajsOf(brokers: readonly string[], config: Partial<KafkaConfig> = {}): KafkaJS {
  return new kafkajs.Kafka({
    brokers: [...brokers],
    logLevel: kafkajs.logLevel.NOTHING,
    retry: { initialRetryTime: 50, maxRetryTime: 500, retries: 20 },
    ...config,
  });
}

export function cuttable(brokers: readonly string[]): CuttableClient {
  const sockets = new Set<net.Socket>();
  let isDead = false;
  const client = kafkajsOf(brokers, {
    retry: { retries: 0 },
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
  return {
    client,
    kill() {
      isDead = true;
      for (const socket of sockets) socket.destroy();
    },
  };
}
