import { afterEach, describe, expect, it } from '@jest/globals';
import { ERRORS } from '../../../src/core/protocol/error-codes.ts';
import { tcpTransport } from '../../../src/core/network/transport.ts';
import { fetchApi } from '../../../src/core/protocol/messages/01-fetch.ts';
import { metadataApi } from '../../../src/core/protocol/messages/03-metadata.ts';
import { offsetFetchApi } from '../../../src/core/protocol/messages/09-offset-fetch.ts';
import { findCoordinatorApi } from '../../../src/core/protocol/messages/10-find-coordinator.ts';
import { describeGroupsApi } from '../../../src/core/protocol/messages/15-describe-groups.ts';
import { listGroupsApi } from '../../../src/core/protocol/messages/16-list-groups.ts';
import { apiVersionsApi } from '../../../src/core/protocol/messages/18-api-versions.ts';
import { createTopicsApi } from '../../../src/core/protocol/messages/19-create-topics.ts';
import { deleteTopicsApi } from '../../../src/core/protocol/messages/20-delete-topics.ts';
import { createPartitionsApi } from '../../../src/core/protocol/messages/37-create-partitions.ts';
import { deleteGroupsApi } from '../../../src/core/protocol/messages/42-delete-groups.ts';
import { produceApi } from '../../../src/core/protocol/messages/00-produce.ts';
import { createBroker } from '../../../src/testing/broker/create-broker.ts';
import { TestMember } from './group-member.ts';
import { batchOf, fetchRequest, produceRequest, recordsIn } from './requests.ts';
import { simulated } from './simulated.ts';
import type { Simulated } from './simulated.ts';
import { WireClient } from './wire-client.ts';

let sim: Simulated;

afterEach(async () => {
  await sim.box.close();
  expect(sim.box.internalErrors).toEqual([]);
});

async function metadata(node = 0, name: string | null = 'lines') {
  return sim.run(sim.connect(node).call(metadataApi, 9, { topics: name === null ? null : [{ name }] }));
}

async function produce(node: number, partition = 0, value = 'x'): Promise<number> {
  const { responses } = await sim.run(
    sim.connect(node).call(produceApi, 9, produceRequest(batchOf({ values: [value] }), { partition })),
  );
  return responses[0]!.partitionResponses[0]!.errorCode;
}

describe('a cluster of several nodes', () => {
  it('spreads leaders and replicas, and each node serves what it leads', async () => {
    sim = await simulated({ brokers: 3 });
    const { brokers, topics, controllerId } = await metadata(2);
    expect(brokers.map(({ nodeId, host, port }) => `${nodeId} ${host}:${port}`)).toEqual([
      '0 broker-0:9092',
      '1 broker-1:9092',
      '2 broker-2:9092',
    ]);
    expect(controllerId).toBe(0);
    expect(topics[0]!.partitions.map(({ leaderId, replicaNodes }) => [leaderId, ...replicaNodes])).toEqual([
      [0, 0, 1, 2],
      [1, 1, 2, 0],
      [2, 2, 0, 1],
    ]);
    expect([await produce(0, 0), await produce(1, 0), await produce(1, 1)]).toEqual([
      0,
      ERRORS.NOT_LEADER_OR_FOLLOWER,
      0,
    ]);
  });

  it('moves a leader under a new epoch', async () => {
    sim = await simulated({ brokers: 3 });
    expect(sim.box.moveLeader('lines', 0)).toBe(1);
    expect([await produce(0), await produce(1)]).toEqual([ERRORS.NOT_LEADER_OR_FOLLOWER, 0]);
    const { topics } = await metadata();
    expect(topics[0]!.partitions[0]).toMatchObject({ leaderId: 1, leaderEpoch: 1 });
    expect(sim.box.moveLeader('lines', 0, 2)).toBe(2);
    expect(sim.box.leaderOf('lines', 0)).toBe(2);
    expect(() => sim.box.moveLeader('lines', 0, 7)).toThrow(/node 7 is not up/);
    expect(() => sim.box.moveLeader('nothing', 0)).toThrow(/no topic 'nothing'/);
  });

  it('leaves a partition without a leader until one is moved there', async () => {
    sim = await simulated({ brokers: 2 });
    sim.box.leaderless('lines', 0);
    const { topics } = await metadata();
    expect(topics[0]!.partitions[0]).toMatchObject({ errorCode: ERRORS.LEADER_NOT_AVAILABLE, leaderId: -1 });
    expect(await produce(0)).toBe(ERRORS.NOT_LEADER_OR_FOLLOWER);
    await sim.box.stop(0);
    await sim.box.start(0);
    expect(sim.box.leaderOf('lines', 0)).toBe(-1);
    sim.box.moveLeader('lines', 0, 0);
    expect(await produce(0)).toBe(0);
  });

  it('survives the loss of a node: its connections end, its partitions and groups move, it comes back', async () => {
    sim = await simulated({ brokers: 3 });
    await produce(1, 1, 'kept');
    const groups = ['a', 'b', 'c', 'd', 'e', 'f'];
    const before = groups.map((group) => sim.box.coordinatorOf(group));
    expect(new Set(before).size).toBeGreaterThan(1);
    const client = sim.connect(1);
    await sim.run(client.call(apiVersionsApi, 0, {}));
    await sim.box.stop(1);
    await sim.run(client.closed);
    const dead = sim.connect(1);
    expect((await sim.run(dead.closed))?.message).toContain('ECONNREFUSED');
    const after = await metadata();
    expect(after.brokers.map(({ nodeId }) => nodeId)).toEqual([0, 2]);
    expect(after.topics[0]!.partitions[1]).toMatchObject({
      leaderId: 2,
      leaderEpoch: 1,
      isrNodes: [2, 0],
      offlineReplicas: [1],
    });
    expect(groups.every((group) => sim.box.coordinatorOf(group) !== 1)).toBe(true);
    const { responses } = await sim.run(sim.connect(2).call(fetchApi, 12, fetchRequest({ partition: 1 })));
    expect(recordsIn(responses[0]!.partitions[0]!.records)).toEqual([[0, 'kept']]);
    await sim.box.start(1);
    await sim.box.start(1);
    expect(groups.map((group) => sim.box.coordinatorOf(group))).toEqual(before);
    expect((await metadata(1)).brokers).toHaveLength(3);
  });

  it('has no leader for partitions whose only replica is down', async () => {
    sim = await simulated({ brokers: 2, topics: { lines: { partitions: 2, replicationFactor: 1 } } });
    await sim.box.stop(1);
    expect([sim.box.leaderOf('lines', 0), sim.box.leaderOf('lines', 1)]).toEqual([0, -1]);
    await sim.box.start(1);
    expect(sim.box.leaderOf('lines', 1)).toBe(1);
    expect(sim.box.partition('lines', 1).leaderEpoch).toBe(2);
  });

  it('moves groups between coordinators and sends those who wait there', async () => {
    sim = await simulated({ brokers: 2 });
    const former = sim.box.coordinatorOf('readers');
    const one = new TestMember(sim.connect(former));
    await sim.run(one.join());
    await sim.run(one.sync({ [one.memberId]: 'everything' }));
    const two = new TestMember(sim.connect(former));
    const joining = two.join();
    await sim.clock.advance(10);
    sim.box.rehashCoordinators();
    expect((await sim.run(joining)).errorCode).toBe(ERRORS.NOT_COORDINATOR);
    expect(await sim.run(one.heartbeat())).toBe(ERRORS.NOT_COORDINATOR);
    expect(await sim.run(one.commit(1))).toBe(ERRORS.NOT_COORDINATOR);
    const found = await sim.run(sim.connect().call(findCoordinatorApi, 4, { coordinatorKeys: ['readers'] }));
    const moved = found.coordinators[0]!;
    expect(moved).toMatchObject({
      key: 'readers',
      nodeId: 1 - former,
      host: `broker-${1 - former}`,
      errorCode: 0,
    });
    const again = new TestMember(sim.connect(moved.nodeId));
    again.memberId = one.memberId;
    again.generationId = one.generationId;
    expect(await sim.run(again.heartbeat())).toBe(ERRORS.REBALANCE_IN_PROGRESS);
  });

  it('restarts on the same port over TCP', async () => {
    sim = await simulated();
    const box = await createBroker({ brokers: 2, topics: { lines: 1 } });
    const addresses = box.bootstrap;
    const client = new WireClient(tcpTransport, addresses[1]!);
    await client.call(apiVersionsApi, 0, {});
    expect(box.connections(1)).toBe(1);
    await box.stop(1);
    await client.closed;
    await expect(new WireClient(tcpTransport, addresses[1]!).call(apiVersionsApi, 0, {})).rejects.toThrow();
    await box.start(1);
    expect(box.bootstrap).toEqual(addresses);
    const again = new WireClient(tcpTransport, addresses[1]!);
    await again.call(apiVersionsApi, 0, {});
    box.dropConnections(1, { reset: true });
    expect((await again.closed)?.message).toContain('ECONNRESET');
    await box.close();
    expect(box.connections()).toBe(0);
  });
});

describe('topics', () => {
  const create = (name: string, numPartitions = 1, more: object = {}) => ({
    name,
    numPartitions,
    replicationFactor: 1,
    assignments: [],
    configs: [],
    ...more,
  });

  it('are created, refused and described as asked', async () => {
    sim = await simulated({ brokers: 2, defaultPartitions: 5 });
    const topics = [
      create('good', 3),
      create('defaults', -1, { replicationFactor: -1 }),
      create('placed', -1, {
        replicationFactor: -1,
        assignments: [
          { partitionIndex: 1, brokerIds: [0] },
          { partitionIndex: 0, brokerIds: [1, 0] },
        ],
      }),
      create('lines'),
      create('none', 0),
      create('wide', 1, { replicationFactor: 3 }),
      create('bad name'),
      create('odd', 1, { configs: [{ name: 'retention.bytes', value: 'many' }] }),
      create('gap', -1, { replicationFactor: -1, assignments: [{ partitionIndex: 2, brokerIds: [0] }] }),
      create('nowhere', -1, { replicationFactor: -1, assignments: [{ partitionIndex: 0, brokerIds: [9] }] }),
      create('twice'),
      create('twice'),
    ];
    const answer = await sim.run(sim.connect().call(createTopicsApi, 7, { topics }));
    expect(answer.topics.map(({ name, errorCode }) => [name, errorCode])).toEqual([
      ['good', 0],
      ['defaults', 0],
      ['placed', 0],
      ['lines', ERRORS.TOPIC_ALREADY_EXISTS],
      ['none', ERRORS.INVALID_PARTITIONS],
      ['wide', ERRORS.INVALID_REPLICATION_FACTOR],
      ['bad name', ERRORS.INVALID_TOPIC_EXCEPTION],
      ['odd', ERRORS.INVALID_CONFIG],
      ['gap', ERRORS.INVALID_REPLICA_ASSIGNMENT],
      ['nowhere', ERRORS.INVALID_REPLICA_ASSIGNMENT],
      ['twice', ERRORS.INVALID_REQUEST],
    ]);
    expect(
      answer.topics
        .slice(0, 3)
        .map(({ numPartitions, replicationFactor }) => [numPartitions, replicationFactor]),
    ).toEqual([
      [3, 1],
      [5, 2],
      [2, 2],
    ]);
    expect(answer.topics[0]!.topicId).toBe(sim.box.topicId('good'));
    expect(sim.box.partition('placed', 0).replicas).toEqual([1, 0]);
    const dry = await sim.run(
      sim.connect().call(createTopicsApi, 7, { topics: [create('dry')], validateOnly: true }),
    );
    expect(dry.topics[0]!.errorCode).toBe(0);
    expect(sim.box.topics()).toEqual(['lines', 'good', 'defaults', 'placed']);
  });

  it('create themselves only where that is allowed', async () => {
    sim = await simulated({ defaultPartitions: 4 });
    expect((await metadata(0, 'made')).topics[0]!.partitions).toHaveLength(4);
    const client = sim.connect();
    const asked = await sim.run(
      client.call(metadataApi, 9, { topics: [{ name: 'unmade' }], allowAutoTopicCreation: false }),
    );
    expect(asked.topics[0]!.errorCode).toBe(ERRORS.UNKNOWN_TOPIC_OR_PARTITION);
    expect((await metadata(0, null)).topics.map(({ name }) => name)).toEqual(['lines', 'made']);
    await sim.box.close();
    sim = await simulated({ autoCreateTopics: false });
    expect((await metadata(0, 'made')).topics[0]!.errorCode).toBe(ERRORS.UNKNOWN_TOPIC_OR_PARTITION);
  });

  it('grow, and are deleted with the commits for them', async () => {
    sim = await simulated();
    const client = sim.connect();
    const grow = async (count: number) => {
      const { results } = await sim.run(
        client.call(createPartitionsApi, 3, {
          topics: [{ name: 'lines', count, assignments: null }],
          timeoutMs: 1,
          validateOnly: false,
        }),
      );
      return results[0]!.errorCode;
    };
    expect([await grow(5), await grow(5), await grow(2)]).toEqual([
      0,
      ERRORS.INVALID_PARTITIONS,
      ERRORS.INVALID_PARTITIONS,
    ]);
    sim.box.expandPartitions('lines', 7);
    expect((await metadata()).topics[0]!.partitions).toHaveLength(7);
    await sim.run(new TestMember(client).commit(8));
    expect(sim.box.committed('readers', 'lines', 0)?.offset).toBe(8);
    const topicId = sim.box.topicId('lines');
    const deleted = await sim.run(client.call(deleteTopicsApi, 6, { topics: [{ topicId }], timeoutMs: 1 }));
    expect(deleted.responses[0]).toMatchObject({ name: 'lines', topicId, errorCode: 0 });
    expect(sim.box.committed('readers', 'lines', 0)).toBeUndefined();
    const again = await sim.run(client.call(deleteTopicsApi, 5, { topicNames: ['lines'], timeoutMs: 1 }));
    expect(again.responses[0]!.errorCode).toBe(ERRORS.UNKNOWN_TOPIC_OR_PARTITION);
  });

  it('get a new id when they are made again', async () => {
    sim = await simulated();
    await produce(0);
    const former = sim.box.topicId('lines');
    sim.box.recreateTopic('lines');
    expect(sim.box.topicId('lines')).not.toBe(former);
    expect(sim.box.partition('lines', 0)).toMatchObject({ highWatermark: 0, leaderEpoch: 0 });
    const { responses } = await sim.run(sim.connect().call(fetchApi, 13, fetchRequest({ topicId: former })));
    expect(responses[0]!.partitions[0]!.errorCode).toBe(ERRORS.UNKNOWN_TOPIC_ID);
  });
});

describe('groups from outside', () => {
  it('are listed by their coordinator, described, and deleted when empty', async () => {
    sim = await simulated({ brokers: 2 });
    const node = sim.box.coordinatorOf('readers');
    const one = new TestMember(sim.connect(node, 'a-client'));
    await sim.run(one.join());
    await sim.run(one.sync({ [one.memberId]: 'everything' }));
    const list = async (at: number, body: object = {}) =>
      (await sim.run(sim.connect(at).call(listGroupsApi, 5, { statesFilter: [], typesFilter: [], ...body })))
        .groups;
    expect(await list(node)).toEqual([
      { groupId: 'readers', protocolType: 'consumer', groupState: 'Stable', groupType: 'classic' },
    ]);
    expect(await list(1 - node)).toEqual([]);
    expect(await list(node, { statesFilter: ['Empty'] })).toEqual([]);
    expect(await list(node, { typesFilter: ['consumer'] })).toEqual([]);
    const describeGroup = async (groupId: string, version = 6) =>
      (
        await sim.run(
          sim.connect(sim.box.coordinatorOf(groupId)).call(describeGroupsApi, version, { groups: [groupId] }),
        )
      ).groups[0]!;
    expect(await describeGroup('readers')).toMatchObject({
      errorCode: 0,
      groupState: 'Stable',
      protocolType: 'consumer',
      protocolData: 'range',
      members: [
        {
          memberId: one.memberId,
          clientId: 'a-client',
          clientHost: '/memory',
          memberAssignment: Buffer.from('everything'),
        },
      ],
    });
    expect(await describeGroup('nobody')).toMatchObject({
      errorCode: ERRORS.GROUP_ID_NOT_FOUND,
      groupState: 'Dead',
    });
    expect(await describeGroup('nobody', 4)).toMatchObject({ errorCode: 0, groupState: 'Dead' });
    const remove = async () =>
      (await sim.run(sim.connect(node).call(deleteGroupsApi, 2, { groupsNames: ['readers'] }))).results[0]!
        .errorCode;
    expect(await remove()).toBe(ERRORS.NON_EMPTY_GROUP);
    await sim.run(one.leave());
    expect(await remove()).toBe(0);
    expect(await remove()).toBe(ERRORS.GROUP_ID_NOT_FOUND);
  });

  it('show their commits, in every version', async () => {
    sim = await simulated();
    const outsider = new TestMember(sim.connect());
    await sim.run(outsider.commit(42));
    const { client } = outsider;
    const names = { name: 'lines', partitionIndexes: [0, 1] };
    for (const version of [1, 2, 5, 7]) {
      const { topics } = await sim.run(
        client.call(offsetFetchApi, version, { groupId: 'readers', topics: [names] }),
      );
      expect(topics[0]!.partitions).toMatchObject([
        { partitionIndex: 0, committedOffset: 42, metadata: 'mark', errorCode: 0 },
        { partitionIndex: 1, committedOffset: -1, metadata: '', errorCode: 0 },
      ]);
    }
    const all = await sim.run(
      client.call(offsetFetchApi, 8, { groups: [{ groupId: 'readers', topics: null }] }),
    );
    expect(all.groups[0]!.topics).toMatchObject([{ name: 'lines', partitions: [{ committedOffset: 42 }] }]);
    const topicId = sim.box.topicId('lines');
    const byId = await sim.run(
      client.call(offsetFetchApi, 10, {
        groups: [{ groupId: 'readers', topics: [{ topicId, partitionIndexes: [0] }] }],
      }),
    );
    expect(byId.groups[0]!.topics).toMatchObject([{ topicId, partitions: [{ committedOffset: 42 }] }]);
  });

  it('can be waited for', async () => {
    sim = await simulated();
    const stable = sim.box.waitForGroup('readers', 'Stable');
    const one = new TestMember(sim.connect());
    await sim.run(one.join());
    await sim.run(one.sync());
    expect((await sim.run(stable)).members).toHaveLength(1);
    const committed = sim.box.waitForGroup('readers', (group) => group.offsets.get('lines-0')?.offset === 9);
    await sim.run(one.commit(9));
    await sim.run(committed);
    await expect(sim.run(sim.box.waitForGroup('readers', 'Dead', 50))).rejects.toThrow(/its state is Stable/);
  });
});

describe('an older cluster', () => {
  it('offers only the versions it is limited to', async () => {
    sim = await simulated({ versions: { Fetch: [4, 11], Produce: [3, 7], DeleteRecords: [1, 0] } });
    const client = sim.connect();
    const { apiKeys } = await sim.run(client.call(apiVersionsApi, 0, {}));
    const rangeOf = (key: number) => apiKeys.find(({ apiKey }) => apiKey === key);
    expect(rangeOf(1)).toMatchObject({ minVersion: 4, maxVersion: 11 });
    expect(rangeOf(0)).toMatchObject({ minVersion: 3, maxVersion: 7 });
    expect(rangeOf(21)).toBeUndefined();
    await expect(sim.run(client.call(fetchApi, 12, fetchRequest()))).rejects.toThrow('closed');
    await expect(createBroker({ versions: { fetch: [1, 2] } })).rejects.toThrow(/no API 'fetch'/);
    await expect(createBroker({ brokers: 0 })).rejects.toThrow(/'brokers' is 0/);
  });
});
