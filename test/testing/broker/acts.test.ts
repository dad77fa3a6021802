// What a test can do to the cluster itself, besides moving leaders and stopping nodes.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ERRORS } from '../../../src/core/protocol/error-codes.ts';
import { produceApi } from '../../../src/core/protocol/messages/00-produce.ts';
import { fetchApi } from '../../../src/core/protocol/messages/01-fetch.ts';
import { metadataApi } from '../../../src/core/protocol/messages/03-metadata.ts';
import { findCoordinatorApi } from '../../../src/core/protocol/messages/10-find-coordinator.ts';
import { batchOf, fetchRequest, produceRequest, recordsIn } from './requests.ts';
import { simulated } from './simulated.ts';
import type { Simulated } from './simulated.ts';

let sim: Simulated;

beforeEach(async () => {
  sim = await simulated({ brokers: 2, topics: { lines: { partitions: 1, replicationFactor: 2 } } });
});

afterEach(async () => {
  await sim.box.close();
  expect(sim.box.internalErrors).toEqual([]);
});

async function produce(value: string, acks = -1, node = 0) {
  const { responses } = await sim.run(
    sim.connect(node).call(produceApi, 9, produceRequest(batchOf({ values: [value] }), { acks })),
  );
  return responses[0]!.partitionResponses[0]!;
}

describe('topics', () => {
  it('get a new id and keep their records', async () => {
    await produce('kept');
    const old = sim.box.topicId('lines');
    const id = sim.box.bumpTopicId('lines');
    expect(id).not.toBe(old);
    const client = sim.connect(0);
    const byId = async (topicId: string) => {
      const { responses } = await sim.run(client.call(fetchApi, 13, fetchRequest({ topicId })));
      return responses[0]!.partitions[0]!;
    };
    expect((await byId(old)).errorCode).toBe(ERRORS.UNKNOWN_TOPIC_ID);
    expect(recordsIn((await byId(id)).records)).toHaveLength(1);
  });

  it('disappear from the metadata and can be used all the same', async () => {
    sim.box.hideFromMetadata('lines');
    const client = sim.connect(0);
    const errorOf = async (wanted: { name?: string; topicId?: string }) => {
      const topics = [{ name: null, ...wanted }];
      const answer = await sim.run(client.call(metadataApi, 12, { topics }));
      return answer.topics[0]!.errorCode;
    };
    const topicId = sim.box.topicId('lines');
    expect(await errorOf({ name: 'lines' })).toBe(ERRORS.UNKNOWN_TOPIC_OR_PARTITION);
    expect(await errorOf({ topicId })).toBe(ERRORS.UNKNOWN_TOPIC_ID);
    expect((await sim.run(client.call(metadataApi, 12, { topics: null }))).topics).toEqual([]);
    expect((await produce('still there')).errorCode).toBe(ERRORS.NONE);
    sim.box.hideFromMetadata('lines', false);
    expect(await errorOf({ name: 'lines' })).toBe(ERRORS.NONE);
  });
});

describe('addNode', () => {
  it('is one of the cluster: metadata, leaders and coordinators', async () => {
    expect(await sim.run(sim.box.addNode())).toBe(2);
    const { brokers } = await sim.run(sim.connect(2).call(metadataApi, 9, { topics: [] }));
    expect(brokers.map(({ nodeId }) => nodeId)).toEqual([0, 1, 2]);
    sim.box.moveLeader('lines', 0, 2);
    expect((await produce('there', -1, 2)).errorCode).toBe(ERRORS.NONE);
    const coordinators = new Set<number>();
    for (let group = 0; group < 30; group++) {
      const { coordinators: found } = await sim.run(
        sim.connect(2).call(findCoordinatorApi, 4, { keyType: 0, coordinatorKeys: [`group-${group}`] }),
      );
      coordinators.add(found[0]!.nodeId);
    }
    expect([...coordinators].sort()).toEqual([0, 1, 2]);
  });
});

describe('removeNode', () => {
  it('leaves its replicas, partitions and groups to others, and loses nothing', async () => {
    await sim.run(sim.box.addNode());
    await produce('kept');
    await sim.box.removeNode(0);
    expect(sim.box.bootstrap).toEqual(['broker-1:9092', 'broker-2:9092']);
    const { brokers, topics } = await sim.run(sim.connect(0).call(metadataApi, 9, { topics: null }));
    expect(brokers.map(({ nodeId }) => nodeId)).toEqual([1, 2]);
    const [partition] = topics[0]!.partitions;
    expect(partition).toMatchObject({ leaderId: 1, replicaNodes: [1, 2], isrNodes: [1, 2] });
    expect((await sim.box.records('lines', 0)).map(({ value }) => String(value))).toEqual(['kept']);
    for (let group = 0; group < 30; group++)
      expect(sim.box.coordinatorOf(`group-${group}`)).toBeGreaterThan(0);
    await expect(sim.box.start(0)).rejects.toThrow(/no node 0/);
    expect(await sim.run(sim.box.addNode())).toBe(3);
  });

  it('is kept over a restart', async () => {
    await sim.run(sim.box.addNode());
    await sim.box.removeNode(1);
    const restore = sim.box.snapshot();
    await sim.box.close();
    sim = await simulated({ restore });
    expect(sim.box.bootstrap).toEqual(['broker-0:9092', 'broker-2:9092']);
  });

  it('refuses the last one', async () => {
    await sim.box.removeNode(1);
    await expect(sim.box.removeNode(0)).rejects.toThrow(/no other node/);
  });
});

describe('deleteRecords', () => {
  it('takes the front of a log away, up to the high watermark', async () => {
    for (const value of ['a', 'b', 'c']) await produce(value);
    expect(sim.box.deleteRecords('lines', 0, 2)).toBe(2);
    expect((await sim.box.records('lines', 0)).map(({ offset }) => offset)).toEqual([2]);
    expect(sim.box.deleteRecords('lines', 0, 1)).toBe(2);
    expect(() => sim.box.deleteRecords('lines', 0, 4)).toThrow(/readable up to 3/);
  });
});
