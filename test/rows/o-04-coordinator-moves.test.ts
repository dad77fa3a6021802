import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Kafka } from '../../src/core/client.ts';
import { brokers, uniqueName } from '../helpers/brokers.ts';
import { startRealKafka, type RealKafka } from '../helpers/kafka/real-kafka.ts';

const lib = process.env['KAFKA_LIB'];
const withJars = brokers === undefined || lib === undefined ? describe.skip : describe;
const COMMITS = 1_000;
const KILLED_AT = 300;
/** The node that is not the controller. */
const NODE = 2;
/** Two brokers start in a few seconds, on a busy machine in minutes. */
const LIMIT_MS = 300_000;

withJars('O-04: commits find the coordinator again when it dies', () => {
  let cluster: RealKafka | undefined;
  let kafka: Kafka | undefined;

  beforeAll(async () => {
    const properties = { 'broker.session.timeout.ms': '2000', 'broker.heartbeat.interval.ms': '500' };
    cluster = await startRealKafka({ lib: lib!, brokers: 2, heapMb: 400, properties });
    kafka = new Kafka({ brokers: cluster.bootstrap });
  }, LIMIT_MS);
  afterAll(async () => {
    await kafka?.close();
    await cluster?.stop();
  });

  /** A group that this node coordinates. */
  async function groupOn(client: Kafka, node: number): Promise<string> {
    for (;;) {
      const groupId = uniqueName('o-04');
      if ((await client.cluster.coordinator('group', groupId)) === node) return groupId;
    }
  }

  it(
    'in a loop of 1,000, none rejects, and the last value is in the log',
    async () => {
      const client = kafka!;
      const topic = uniqueName('o-04');
      await client.admin().createTopics([{ name: topic, partitions: 1, replicationFactor: 2 }]);
      const groupId = await groupOn(client, NODE);
      const offsets = client.offsets({ groupId, autoCommit: false, commitTimeoutMs: LIMIT_MS });
      const managed = await offsets.manage(topic, 0);
      for (let n = 1; n <= COMMITS; n++) {
        if (n === KILLED_AT) cluster!.nodes[NODE - 1]!.kill('SIGKILL');
        managed.markNextOffset(n, `commit ${n}`);
        await offsets.commit();
      }
      expect(await client.cluster.coordinator('group', groupId)).toBe(1);
      expect(await client.admin().fetchOffsets(groupId)).toMatchObject([
        { offset: COMMITS, metadata: `commit ${COMMITS}` },
      ]);
    },
    LIMIT_MS,
  );
});
