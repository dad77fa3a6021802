import { afterEach, describe, expect, it } from '@jest/globals';
import { Kafka } from '../../src/core/client.ts';
import { metadataApi } from '../../src/core/protocol/messages/03-metadata.ts';
import { VirtualClock } from '../../src/testing/simulation/virtual-clock.ts';
import { brokers, testKafka, uniqueName } from '../helpers/brokers.ts';
import { FakeBrokers, topicId } from '../helpers/fake-brokers.ts';
import { topicReady } from '../helpers/topic-ready.ts';
import { until } from '../helpers/until.ts';
import { startBox } from './support/box-producing.ts';
import { startReading } from './support/reading.ts';

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
      await topicReady(kafka, name, 2);
      await kafka.cluster.refresh([name]);
      expect(kafka.cluster.metadata.topic(name)!.id).toBe(first!.id);
      const other = testKafka();
      await other.admin().deleteTopics([name]);
      const [second] = await other.admin().createTopics([{ name, partitions: 1 }]);
      await other.close();
      expect(second!.id).not.toBe(first!.id);
      const { cluster: ours } = kafka;
      await until('the new topic', async () => {
        await ours.refresh([name]);
        return ours.metadata.topic(name)?.id === second!.id;
      });
      const seen = ours.metadata.topic(name)!;
      expect([seen.id, seen.partitions.length]).toEqual([second!.id, 1]);
      expect(kafka.cluster.metadata.topicById(first!.id)).toBeUndefined();
    },
  );
});

// On the box: when a leader moves, and to where, is for the test to say.
describe('K-02: an answer that names the new leader and its address (KIP-951)', () => {
  it.each([
    ['that is known', false],
    ['that no metadata has named yet', true],
  ] as const)('of Produce is followed at once, without asking for metadata: a node %s', async (_, isNew) => {
    const boxed = await startBox({ t: 1 }, { brokers: 2 });
    const { box, kafka, clock, run } = boxed;
    const producer = kafka.producer();
    await run(producer.sendAsync('t', { value: 'before' }));
    const from = box.leaderOf('t', 0);
    const to = isNew ? await box.addNode() : 1 - from;
    box.moveLeader('t', 0, to);
    const asked = box.requests('Metadata').length;
    const requests = box.requests('Produce').length;
    const startedAt = clock.now();
    const { offset } = await run(producer.sendAsync('t', { value: 'after' }));
    expect(offset).toBe(1);
    expect(box.requests('Metadata')).toHaveLength(asked);
    expect(
      box
        .requests('Produce')
        .slice(requests)
        .map(({ node }) => node),
    ).toEqual([from, to]);
    expect(producer.counters.retries).toBe(1);
    // A round trip there, a connection and a round trip here: no backoff between them.
    expect(clock.now() - startedAt).toBeLessThan(100);
    expect(kafka.cluster.metadata.leader('t', 0)).toMatchObject({ nodeId: to });
    await run(producer.close());
    await boxed.close();
  });

  it.each([
    ['that is known', false],
    ['that no metadata has named yet', true],
  ] as const)('of Fetch is followed at once, without asking for metadata: a node %s', async (_, isNew) => {
    const boxed = await startBox({ t: 1 }, { brokers: 2 }, { clientId: 'reader' });
    const { box, kafka, clock, run } = boxed;
    const other = new Kafka({ brokers: box.bootstrap }, { clock, transport: box.transport });
    const { seen, close } = await run(startReading(kafka, { topic: 't', from: 'earliest' }));
    await clock.advance(10);
    const from = box.leaderOf('t', 0);
    const to = isNew ? await box.addNode() : 1 - from;
    const own = (): number => box.requests('Metadata').filter(({ clientId }) => clientId === 'reader').length;
    const asked = own();
    box.moveLeader('t', 0, to);
    const producer = other.producer();
    await run(producer.sendAsync('t', { value: 'after' }));
    await clock.runUntil(() => seen[0]!.values.length === 1);
    expect(seen[0]!.values).toEqual(['after']);
    expect(own()).toBe(asked);
    expect(kafka.cluster.metadata.leader('t', 0)).toMatchObject({ nodeId: to });
    close();
    await run(Promise.all([producer.close(), other.close()]));
    await boxed.close();
  });
});
