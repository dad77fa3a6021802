// Rows C-09 and C-12 on a real cluster of three brokers in three racks. C-06 with a thousand partitions is `npm run bench:idle`.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Kafka } from '../../src/core/client.ts';
import { tcpTransport, type Transport } from '../../src/core/network/transport.ts';
import { javaAnswers, kafkaLib } from '../helpers/kafka/jars.ts';
import { startRealKafka, type RealKafka } from '../helpers/kafka/real-kafka.ts';
import { uniqueName } from '../helpers/brokers.ts';
import { until } from '../helpers/until.ts';
import { createTopic, span, startReading, write } from '../rows/support/reading.ts';

const lib = javaAnswers() ? kafkaLib() : undefined;
const LIMIT_MS = 120_000;

/** Bytes received by port. */
function counted(bytes: Map<number, number>): Transport {
  return {
    connect(address, events) {
      const count = (chunk: Buffer): void => {
        bytes.set(address.port, (bytes.get(address.port) ?? 0) + chunk.length);
        events.onData(chunk);
      };
      return tcpTransport.connect(address, {
        onOpen: () => events.onOpen(),
        onDrain: () => events.onDrain(),
        onClose: (cause) => events.onClose(cause),
        onData: count,
      });
    },
  };
}

(lib === undefined ? describe.skip : describe)('a real cluster of three', () => {
  let cluster: RealKafka;
  let kafka: Kafka;
  const bytes = new Map<number, number>();
  const portOf = (node: number): number => Number(cluster.bootstrap[node - 1]!.split(':')[1]);
  const topic = uniqueName('three');

  beforeAll(async () => {
    cluster = await startRealKafka({
      lib: lib!,
      brokers: 3,
      heapMb: 384,
      properties: {
        'replica.selector.class': 'org.apache.kafka.common.replica.RackAwareReplicaSelector',
        'broker.session.timeout.ms': '3000',
        'broker.heartbeat.interval.ms': '500',
      },
      propertiesOf: (node) => ({ 'broker.rack': `rack-${node}` }),
    });
    kafka = new Kafka({ brokers: cluster.bootstrap }, { transport: counted(bytes) });
    await until(
      'three brokers',
      async () => (await kafka.admin().describeCluster()).brokers.length === 3,
      LIMIT_MS,
    );
    await createTopic(kafka, topic, 6, {}, 3);
  }, 300_000);

  afterAll(async () => {
    await kafka.close();
    await cluster.stop();
  });

  async function partitionsLedBy(node: number): Promise<number[]> {
    const [found] = await kafka.admin().describeTopics([topic]);
    return found!.partitions.filter(({ leader }) => leader?.nodeId === node).map(({ index }) => index);
  }

  it('C-12: the follower in our rack serves; when it is killed the leader does, 1,000 records complete', async () => {
    await until('leaders', async () => (await partitionsLedBy(1)).length > 0, LIMIT_MS);
    const [partition] = await partitionsLedBy(1);
    const options = { topic, partitions: [partition!], from: 'earliest', rackId: 'rack-3' } as const;
    const { seen, close } = await startReading(kafka, options);
    // Written by another client, so that only reading is counted.
    const writing = new Kafka({ brokers: cluster.bootstrap });
    await write(writing, topic, 0, 500, partition, 1000);
    await until('500 records', () => seen[0]!.offsets.length === 500, LIMIT_MS);
    expect(bytes.get(portOf(3)) ?? 0).toBeGreaterThan(500_000);
    expect(bytes.get(portOf(1)) ?? 0).toBeLessThan(200_000);
    cluster.nodes[2]!.kill('SIGKILL');
    await write(writing, topic, 500, 500, partition, 1000);
    await until('1,000 records', () => seen[0]!.offsets.length === 1000, LIMIT_MS);
    expect(seen[0]!.offsets).toEqual(span(0, 1000));
    expect(seen[0]!.errors).toEqual([]);
    await writing.close();
    close();
  });

  it('C-09: a leader is killed: reading resumes at the position, with no gap and no double', async () => {
    await until('a leader', async () => (await partitionsLedBy(2)).length > 0, LIMIT_MS);
    const [partition] = await partitionsLedBy(2);
    const { seen, close } = await startReading(kafka, { topic, partitions: [partition!], from: 'latest' });
    const writing = new Kafka({ brokers: cluster.bootstrap });
    await until('the position', () => seen[0]!.reader.highWatermark >= 0, LIMIT_MS);
    const start = seen[0]!.reader.position;
    await write(writing, topic, 0, 500, partition);
    await until('500 records', () => seen[0]!.offsets.length === 500, LIMIT_MS);
    cluster.nodes[1]!.kill('SIGKILL');
    await write(writing, topic, 500, 500, partition);
    const writtenMs = performance.now();
    await until('1,000 records', () => seen[0]!.offsets.length >= 1000, LIMIT_MS);
    expect(performance.now() - writtenMs).toBeLessThan(2_000);
    expect(seen[0]!.offsets).toEqual(span(start, 1000));
    expect(seen[0]!.errors).toEqual([]);
    await writing.close();
    close();
  });
});
