import { afterEach, describe, expect, it } from '@jest/globals';
import { Kafka } from '../../src/core/client.ts';
import { metadataApi } from '../../src/core/protocol/messages/03-metadata.ts';
import { VirtualClock } from '../../src/testing/simulation/virtual-clock.ts';
import { brokers, testKafka, uniqueName } from '../helpers/brokers.ts';
import { FakeBrokers, topicId } from '../helpers/fake-brokers.ts';

describe('K-02: metadata', () => {
  let clock: VirtualClock;
  let cluster: FakeBrokers;
  let kafka: Kafka | undefined;

  afterEach(() => kafka?.close());

  function begin(options: { readonly metadataMaxAge?: number } = {}): Kafka {
    clock = new VirtualClock();
    cluster = new FakeBrokers(clock, 2);
    cluster.topic('lines', [1, 2]);
    kafka = new Kafka({ brokers: cluster.addresses, ...options }, { clock, transport: cluster.transport });
    return kafka;
  }

  it('50 concurrent refreshes are one request', async () => {
    const client = begin();
    await clock.run(client.cluster.refresh(['lines']));
    const before = cluster.count(metadataApi);
    await clock.run(Promise.all(Array.from({ length: 50 }, () => client.cluster.refresh(['lines']))));
    expect(cluster.count(metadataApi) - before).toBe(1);
  });

  it('is refreshed at its age, and never by itself where that is 0', async () => {
    for (const [metadataMaxAge, times] of [
      [60_000, 2],
      [0, 0],
    ] as const) {
      const client = begin({ metadataMaxAge });
      await clock.run(client.cluster.refresh(['lines']));
      const before = cluster.count(metadataApi);
      await clock.advance(61_000);
      client.cluster.metadata.topic('lines');
      await clock.advance(60_000);
      expect(cluster.count(metadataApi) - before).toBe(times);
      await client.close();
    }
  });

  it('never goes back to an older leader epoch of the same topic, and forgets it with the topic', async () => {
    const client = begin();
    const lines = cluster.topics.get('lines')!;
    lines.partitions[0] = { leader: 2, leaderEpoch: 7 };
    await clock.run(client.cluster.refresh(['lines']));
    lines.partitions[0] = { leader: 1, leaderEpoch: 6 };
    await clock.run(client.cluster.refresh(['lines']));
    expect(client.cluster.metadata.leader('lines', 0)).toEqual({ nodeId: 2, leaderEpoch: 7 });
    cluster.topics.delete('lines');
    cluster.topic('lines', [1, 1], topicId(9));
    await clock.run(client.cluster.refresh(['lines']));
    expect(client.cluster.metadata.leader('lines', 0)).toEqual({ nodeId: 1, leaderEpoch: 0 });
    expect(client.cluster.metadata.topic('lines')!.id).toBe(topicId(9));
    expect(client.cluster.metadata.topicById(topicId(1))).toBeUndefined();
  });

  (brokers === undefined ? it.skip : it)(
    'adopts a topic that was deleted and made again on a real cluster',
    async () => {
      kafka = testKafka();
      const name = uniqueName('k-02');
      const admin = kafka.admin();
      const [first] = await admin.createTopics([{ name, partitions: 2 }]);
      await kafka.cluster.refresh([name]);
      expect(kafka.cluster.metadata.topic(name)!.id).toBe(first!.id);
      const other = testKafka();
      await other.admin().deleteTopics([name]);
      const [second] = await other.admin().createTopics([{ name, partitions: 1 }]);
      await other.close();
      await kafka.cluster.refresh([name]);
      const seen = kafka.cluster.metadata.topic(name)!;
      expect(second!.id).not.toBe(first!.id);
      expect([seen.id, seen.partitions.length]).toEqual([second!.id, 1]);
      expect(kafka.cluster.metadata.topicById(first!.id)).toBeUndefined();
    },
  );
});
