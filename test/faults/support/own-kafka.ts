// A real Kafka of one test file's own, for what the shared one is not set to, or does not show: short sessions, the log of its group coordinator.
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { javaAnswers, kafkaLib } from '../../helpers/kafka/jars.ts';
import { startRealKafka } from '../../helpers/kafka/real-kafka.ts';

export interface OwnKafka {
  readonly brokers: readonly string[];
  /** Kafka's jars. */
  readonly lib: string;
  /** Where the broker keeps its partitions. */
  readonly logDir: string;
  stop(): Promise<void>;
}

const lib = javaAnswers() ? kafkaLib() : undefined;

/** False where there is no Java or no jars: the tests that need a Kafka of their own are skipped then, but not where a real one is required. */
export const canStartKafka = lib !== undefined;

if (lib === undefined && process.env['SLUICE_REQUIRE_KAFKA'] !== undefined)
  throw new Error(
    "A real Kafka is required (SLUICE_REQUIRE_KAFKA is set); this one needs Java 17 and Kafka's jars.",
  );

/** Sessions from a second on, of both group protocols. */
const SHORT_SESSIONS = {
  'group.min.session.timeout.ms': '1000',
  'group.consumer.min.session.timeout.ms': '1000',
  'group.consumer.min.heartbeat.interval.ms': '100',
};

export interface OwnKafkaOptions {
  /** Of members of the consumer protocol, whose times the broker sets. */
  readonly sessionTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
}

/** Starts a broker; the caller stops it. */
export async function startOwnKafka({
  sessionTimeoutMs,
  heartbeatIntervalMs,
}: OwnKafkaOptions): Promise<OwnKafka> {
  if (lib === undefined) throw new Error('there are no jars of Kafka');
  const logDir = mkdtempSync(path.join(os.tmpdir(), 'sluice-faults-'));
  try {
    const kafka = await startRealKafka({
      lib,
      properties: {
        ...SHORT_SESSIONS,
        'group.consumer.session.timeout.ms': String(sessionTimeoutMs),
        'group.consumer.heartbeat.interval.ms': String(heartbeatIntervalMs),
        'log.dirs': logDir,
      },
    });
    return {
      brokers: kafka.bootstrap,
      lib,
      logDir,
      stop: async () => {
        await kafka.stop();
        rmSync(logDir, { recursive: true, force: true });
      },
    };
  } catch (error) {
    rmSync(logDir, { recursive: true, force: true });
    throw error;
  }
}
