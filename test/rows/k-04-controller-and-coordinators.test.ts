import { afterEach, describe, expect, it } from '@jest/globals';
import { Kafka } from '../../src/core/client.ts';
import type { BrokerBox } from '../../src/testing/broker/broker-box.ts';
import { createBroker } from '../../src/testing/broker/create-broker.ts';
import { fault } from '../../src/testing/broker/faults/fault.ts';
import { seededRandom } from '../../src/testing/simulation/seeded-random.ts';
import { VirtualClock } from '../../src/testing/simulation/virtual-clock.ts';
import { ClassicMember, QUICK } from './programs/classic-group.ts';

const GROUP = 'billing';

describe('K-04: controller and coordinators', () => {
  let clock: VirtualClock;
  let box: BrokerBox;
  let kafka: Kafka;

  async function begin(): Promise<void> {
    clock = new VirtualClock();
    const random = seededRandom(5);
    const topics = { lines: { partitions: 1, replicationFactor: 3 } };
    box = await createBroker({ brokers: 3, listen: 'memory', clock, random, topics });
    kafka = new Kafka({ brokers: box.bootstrap }, { clock, random, transport: box.transport });
  }

  afterEach(async () => {
    await kafka.close();
    await box.close();
    expect(box.internalErrors).toEqual([]);
  });

  const commit = (offset: number): Promise<void> =>
    clock.run(kafka.admin().setOffsets(GROUP, [{ topic: 'lines', partition: 0, offset }]), 60_000);
  const asked = (): number => box.requests('FindCoordinator').length;

  it('are looked up once for each key', async () => {
    await begin();
    await commit(1);
    const once = asked();
    await commit(2);
    await commit(3);
    expect(asked()).toBe(once);
  });

  it('that died are followed: the next commit succeeds within 5 s', async () => {
    await begin();
    await commit(1);
    const stopping = box.stop(box.coordinatorOf(GROUP));
    await clock.advance(0);
    await stopping;
    const before = clock.now();
    await commit(2);
    expect(clock.now() - before).toBeLessThanOrEqual(5000);
    expect(box.committed(GROUP, 'lines', 0)).toMatchObject({ offset: 2 });
  });

  it("that crashed are followed: a member's next commit succeeds within 5 s", async () => {
    await begin();
    const options = { groupId: GROUP, topics: ['lines'], ...QUICK, commitIntervalMs: 60_000 };
    const member = new ClassicMember(options, kafka);
    await clock.runUntil(() => member.owned.length === 1);
    const producer = kafka.producer();
    await clock.run(producer.sendAsync('lines', { value: 'one' }));
    await clock.runUntil(() => member.taken.length === 1);
    await clock.run(box.crash(box.coordinatorOf(GROUP)));
    const before = clock.now();
    await clock.run(member.consumer.commit());
    expect(clock.now() - before).toBeLessThanOrEqual(5000);
    expect(box.committed(GROUP, 'lines', 0)).toMatchObject({ offset: 1 });
    expect([member.failures, member.failedCommits]).toEqual([[], []]);
    await clock.run(producer.close());
    await clock.run(member.consumer.drain(0));
  });

  it('that moved are followed: NOT_COORDINATOR is not the end', async () => {
    await begin();
    await commit(1);
    box.rehashCoordinators();
    const before = clock.now();
    await commit(2);
    expect(clock.now() - before).toBeLessThanOrEqual(5000);
    box.fault({ match: { api: 'OffsetCommit' }, do: fault.error('COORDINATOR_NOT_AVAILABLE') });
    const again = clock.now();
    await commit(3);
    expect(clock.now() - again).toBeLessThanOrEqual(5000);
  });

  it('that are still being elected are waited for', async () => {
    await begin();
    box.fault({
      match: { api: 'FindCoordinator' },
      do: fault.error('COORDINATOR_NOT_AVAILABLE'),
      count: 5,
    });
    const before = clock.now();
    await commit(1);
    expect(clock.now() - before).toBeLessThanOrEqual(5000);
  });

  it('of groups and of transactional ids are kept apart', async () => {
    await begin();
    await clock.run(kafka.cluster.coordinator('group', GROUP));
    const once = asked();
    await clock.run(kafka.cluster.coordinator('transaction', GROUP));
    expect(asked()).toBe(once + 1);
    kafka.cluster.forgetCoordinator('transaction', GROUP);
    await clock.run(kafka.cluster.coordinator('group', GROUP));
    expect(asked()).toBe(once + 1);
  });

  it('a controller that is gone is followed', async () => {
    await begin();
    const admin = kafka.admin();
    await clock.run(admin.createTopics([{ name: 'one' }]));
    const controller = await clock.run(kafka.cluster.controller());
    const stopping = box.stop(controller);
    await clock.advance(0);
    await stopping;
    const before = clock.now();
    await clock.run(admin.createTopics([{ name: 'two' }]), 60_000);
    expect(clock.now() - before).toBeLessThanOrEqual(5000);
  });
});
