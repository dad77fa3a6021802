// A cluster that is stopped, kept as bytes, and started again from them.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { serialize } from 'node:v8';
import { ERRORS } from '../../../src/core/protocol/error-codes.ts';
import { produceApi } from '../../../src/core/protocol/messages/00-produce.ts';
import { fetchApi } from '../../../src/core/protocol/messages/01-fetch.ts';
import { initProducerIdApi } from '../../../src/core/protocol/messages/22-init-producer-id.ts';
import { consumerGroupHeartbeatApi } from '../../../src/core/protocol/messages/68-consumer-group-heartbeat.ts';
import { createBroker } from '../../../src/testing/broker/create-broker.ts';
import type { BrokerOptions } from '../../../src/testing/broker/options.ts';
import { TestMember } from './group-member.ts';
import { batchOf, fetchRequest, produceRequest, recordsIn } from './requests.ts';
import type { BatchOptions } from './requests.ts';
import { simulated } from './simulated.ts';
import type { Simulated } from './simulated.ts';

let sim: Simulated;

beforeEach(async () => {
  sim = await simulated({ brokers: 2, topics: { lines: { partitions: 2, replicationFactor: 2 } } });
});

afterEach(async () => {
  await sim.box.close();
  expect(sim.box.internalErrors).toEqual([]);
});

async function restart(options: BrokerOptions = {}): Promise<void> {
  const restore = sim.box.snapshot();
  await sim.box.close();
  expect(sim.box.internalErrors).toEqual([]);
  sim = await simulated({ seed: 2, restore, topics: {}, ...options });
}

async function produce(batch: BatchOptions, partition = 0) {
  const node = sim.box.leaderOf('lines', partition);
  const request = produceRequest(batchOf(batch), { partition });
  const { responses } = await sim.run(sim.connect(node).call(produceApi, 9, request));
  return responses[0]!.partitionResponses[0]!;
}

async function fetchAll(partition = 0) {
  const node = sim.box.leaderOf('lines', partition);
  const { responses } = await sim.run(sim.connect(node).call(fetchApi, 12, fetchRequest({ partition })));
  return recordsIn(responses[0]!.partitions[0]!.records);
}

describe('a cluster that starts again', () => {
  it('has its topics, ids, configurations and records', async () => {
    sim.box.createTopic('small', { partitions: 1, configs: { 'max.message.bytes': '100' } });
    for (const value of ['one', 'two']) await produce({ values: [value, value] });
    await produce({ values: ['other'] }, 1);
    const ids = ['lines', 'small'].map((name) => sim.box.topicId(name));
    const before = [await fetchAll(0), await fetchAll(1)];
    await restart();
    expect(sim.box.topics()).toEqual(['lines', 'small']);
    expect(['lines', 'small'].map((name) => sim.box.topicId(name))).toEqual(ids);
    expect([await fetchAll(0), await fetchAll(1)]).toEqual(before);
    expect(sim.box.bootstrap).toHaveLength(2);
    const { baseOffset } = await produce({ values: ['three'] });
    expect(baseOffset).toBe(4);
    const tooLarge = produceRequest(batchOf({ values: ['x'.repeat(200)] }), { topic: 'small' });
    const { responses } = await sim.run(
      sim.connect(sim.box.leaderOf('small', 0)).call(produceApi, 9, tooLarge),
    );
    expect(responses[0]!.partitionResponses[0]!.errorCode).toBe(ERRORS.MESSAGE_TOO_LARGE);
  });

  it('has new leader epochs, and knows where the old ones ended', async () => {
    await produce({ values: ['old'] });
    await restart();
    expect(sim.box.partition('lines', 0)).toMatchObject({ leader: 0, leaderEpoch: 1, highWatermark: 1 });
    await produce({ values: ['new'] });
    const records = await sim.box.records('lines', 0);
    expect(records.map(({ leaderEpoch }) => leaderEpoch)).toEqual([0, 1]);
  });

  it('knows its producers: duplicates are found, sequences go on, ids are not given twice', async () => {
    const init = async (): Promise<number> => {
      const request = { transactionalId: null, transactionTimeoutMs: 1000 };
      return (await sim.run(sim.connect().call(initProducerIdApi, 4, request))).producerId;
    };
    const producerId = await init();
    const batch = { values: ['once'], producerId, producerEpoch: 0, timestamp: sim.clock.wallNow() };
    await produce({ ...batch, baseSequence: 0 });
    await restart();
    expect((await produce({ ...batch, baseSequence: 0 })).baseOffset).toBe(0);
    expect((await produce({ ...batch, baseSequence: 1 })).baseOffset).toBe(1);
    expect((await produce({ ...batch, baseSequence: 5 })).errorCode).toBe(
      ERRORS.OUT_OF_ORDER_SEQUENCE_NUMBER,
    );
    expect(await init()).toBeGreaterThan(producerId);
  });

  it('has the commits of groups, and their members, who go on', async () => {
    const node = sim.box.coordinatorOf('readers');
    const member = new TestMember(sim.connect(node));
    const { memberId } = await sim.run(member.join());
    await sim.run(member.sync({ [memberId]: 'lines' }));
    await sim.run(member.commit(7));
    const before = sim.box.group('readers')!;
    await restart();
    expect(sim.box.committed('readers', 'lines', 0)).toMatchObject({ offset: 7 });
    expect(sim.box.group('readers')).toMatchObject({
      state: 'Stable',
      generationId: before.generationId,
      members: before.members,
    });
    expect(sim.box.coordinatorOf('readers')).toBe(node);
    // Nobody comes back: the session ends.
    await sim.clock.advance(60_000);
    expect(sim.box.group('readers')!.state).toBe('Empty');
    expect(sim.box.committed('readers', 'lines', 0)).toMatchObject({ offset: 7 });
  });

  it('has the groups of the consumer protocol', async () => {
    await restart({ features: { 'group.version': 1 } });
    const beat = async (memberId: string, memberEpoch: number) =>
      sim.run(
        sim.connect(sim.box.coordinatorOf('modern')).call(consumerGroupHeartbeatApi, 1, {
          groupId: 'modern',
          memberId,
          memberEpoch,
          rebalanceTimeoutMs: 10_000,
          ...(memberEpoch === 0 && { subscribedTopicNames: ['lines'], topicPartitions: [] }),
        }),
      );
    const joined = await beat('me', 0);
    expect(joined.errorCode).toBe(ERRORS.NONE);
    await restart({ features: { 'group.version': 1 } });
    const again = await beat('me', joined.memberEpoch);
    expect(again).toMatchObject({ errorCode: ERRORS.NONE, memberEpoch: joined.memberEpoch });
    expect((await beat('stranger', joined.memberEpoch)).errorCode).toBe(ERRORS.UNKNOWN_MEMBER_ID);
  });

  it('is the same after a second time, and with more nodes', async () => {
    await produce({ values: ['x'] });
    await restart({ brokers: 3 });
    await restart();
    expect(sim.box.bootstrap).toHaveLength(3);
    expect(await fetchAll()).toEqual([[0, 'x']]);
  });

  it('gives partitions a leader that had none because no node was up', async () => {
    const { box } = sim;
    for (const node of [0, 1]) await box.stop(node);
    expect(box.leaderOf('lines', 0)).toBe(-1);
    await restart();
    expect(sim.box.leaderOf('lines', 0)).toBeGreaterThanOrEqual(0);
  });

  it('refuses fewer nodes, and bytes that are no snapshot', async () => {
    const restore = sim.box.snapshot();
    await expect(createBroker({ restore, brokers: 1 })).rejects.toThrow(/a cluster of 2/);
    for (const bytes of [
      Buffer.from('nonsense'),
      Buffer.alloc(0),
      serialize(null),
      serialize({ format: 1 }),
    ]) {
      await expect(createBroker({ restore: bytes })).rejects.toThrow(/not/);
    }
  });

  it('keeps no password', async () => {
    await sim.box.close();
    const password = 'open sesame';
    sim = await simulated({ sasl: { users: { alice: password } } });
    expect(Buffer.from(sim.box.snapshot()).includes(password)).toBe(false);
  });
});
