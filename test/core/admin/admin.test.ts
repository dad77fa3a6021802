import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Admin } from '../../../src/core/admin/admin.ts';
import { Kafka } from '../../../src/core/client.ts';
import { encodeAssignment } from '../../../src/core/protocol/consumer-protocol.ts';
import { ERRORS } from '../../../src/core/protocol/error-codes.ts';
import { listOffsetsApi } from '../../../src/core/protocol/messages/02-list-offsets.ts';
import { metadataApi } from '../../../src/core/protocol/messages/03-metadata.ts';
import { offsetFetchApi } from '../../../src/core/protocol/messages/09-offset-fetch.ts';
import { findCoordinatorApi } from '../../../src/core/protocol/messages/10-find-coordinator.ts';
import { describeGroupsApi } from '../../../src/core/protocol/messages/15-describe-groups.ts';
import { listGroupsApi } from '../../../src/core/protocol/messages/16-list-groups.ts';
import { createTopicsApi } from '../../../src/core/protocol/messages/19-create-topics.ts';
import { deleteTopicsApi } from '../../../src/core/protocol/messages/20-delete-topics.ts';
import { deleteRecordsApi } from '../../../src/core/protocol/messages/21-delete-records.ts';
import { createPartitionsApi } from '../../../src/core/protocol/messages/37-create-partitions.ts';
import { deleteGroupsApi } from '../../../src/core/protocol/messages/42-delete-groups.ts';
import { ZERO_UUID } from '../../../src/core/protocol/schema.ts';
import type { BrokerError } from '../../../src/errors.ts';
import { ProtocolError, TimeoutError, UsageError } from '../../../src/errors.ts';
import { VirtualClock } from '../../../src/testing/simulation/virtual-clock.ts';
import { FakeBrokers } from '../../helpers/fake-brokers.ts';
import { rejection } from '../../helpers/rejection.ts';

let clock: VirtualClock;
let brokers: FakeBrokers;
let kafka: Kafka;
let admin: Admin;

beforeEach(() => {
  clock = new VirtualClock();
  brokers = new FakeBrokers(clock, 3);
  kafka = new Kafka(
    { brokers: brokers.addresses, requestTimeout: 5000, defaultApiTimeoutMs: 20_000 },
    { clock, random: () => 0.5, transport: brokers.transport },
  );
  admin = kafka.admin();
});

afterEach(async () => {
  await kafka.close();
  expect(brokers.transport.openWires).toEqual([]);
  await clock.advance(brokers.latencyMs);
  expect(clock.pendingTimers).toBe(0);
});

const run = <T>(promise: Promise<T>): Promise<T> => clock.run(promise);
const failed = <E extends Error = BrokerError>(promise: Promise<unknown>): Promise<E> =>
  clock.run(rejection<E>(promise));

/** A controller that moves at `moveAt` (the n-th request), and creates with these error codes by topic. */
function controller(codes: { readonly [topic: string]: number } = {}, moveAt = 0): void {
  let requests = 0;
  brokers.on(createTopicsApi, ({ topics }, nodeId) => {
    requests += 1;
    if (requests === moveAt) brokers.controllerId = 2;
    const right = nodeId === brokers.controllerId;
    return {
      topics: topics.map(({ name, numPartitions, replicationFactor }) => {
        const errorCode = right ? (codes[name] ?? 0) : ERRORS.NOT_CONTROLLER;
        if (errorCode === 0)
          brokers.topic(
            name,
            Array.from({ length: numPartitions }, () => 1),
          );
        return {
          name,
          topicId: brokers.topics.get(name)?.id ?? ZERO_UUID,
          errorCode,
          errorMessage: errorCode === 0 ? null : `${name} cannot be`,
          numPartitions,
          replicationFactor,
          configs: [],
        };
      }),
    };
  });
}

describe('createTopics', () => {
  it('asks the controller and waits for the leaders', async () => {
    controller();
    brokers.controllerId = 3;
    const created = await run(
      admin.createTopics([
        { name: 'a', partitions: 2, replicationFactor: 1, configs: { 'retention.ms': '1' } },
      ]),
    );
    expect(created).toEqual([
      { name: 'a', id: brokers.topics.get('a')!.id, partitions: 2, replicationFactor: 1 },
    ]);
    expect(brokers.seen.find(({ api }) => api === createTopicsApi)?.nodeId).toBe(3);
    expect(brokers.bodies(createTopicsApi)[0]).toEqual({
      topics: [
        {
          name: 'a',
          numPartitions: 2,
          replicationFactor: 1,
          assignments: [],
          configs: [{ name: 'retention.ms', value: '1' }],
        },
      ],
      timeoutMs: 5000,
      validateOnly: false,
    });
    expect(brokers.bodies(metadataApi).at(-1)).toMatchObject({
      topics: [{ name: 'a' }],
      allowAutoTopicCreation: false,
    });
  });

  it('leaves counts to the cluster, and the wait to the caller', async () => {
    controller();
    await run(admin.createTopics([{ name: 'a' }], { waitForLeaders: false, validateOnly: true }));
    expect(brokers.bodies(createTopicsApi)[0]).toMatchObject({
      topics: [{ numPartitions: -1, replicationFactor: -1 }],
      validateOnly: true,
    });
    expect(brokers.bodies(metadataApi).every(({ topics }) => topics?.length === 0)).toBe(true);
  });

  it('waits until every partition has a leader', async () => {
    controller();
    const done = admin.createTopics([{ name: 'a', partitions: 2 }]);
    await clock.runUntil(() => brokers.topics.has('a'));
    brokers.topics.get('a')!.partitions[1]!.leader = -1;
    let finished = false;
    void done.then(() => (finished = true));
    await clock.advance(1500);
    expect(finished).toBe(false);
    brokers.topics.get('a')!.partitions[1]!.leader = 2;
    await run(done);
  });

  it('follows the controller', async () => {
    controller({}, 1);
    const [created] = await run(admin.createTopics([{ name: 'a', partitions: 1 }]));
    expect(created!.name).toBe('a');
    expect(brokers.seen.filter(({ api }) => api === createTopicsApi).map(({ nodeId }) => nodeId)).toEqual([
      1, 2,
    ]);
  });

  it('repeats only what may still succeed, and tells of everything that failed', async () => {
    controller({ bad: ERRORS.INVALID_TOPIC_EXCEPTION, there: ERRORS.TOPIC_ALREADY_EXISTS }, 1);
    const error = await failed<AggregateError>(
      admin.createTopics(['good', 'bad', 'there'].map((name) => ({ name, partitions: 1 }))),
    );
    expect(error).toBeInstanceOf(AggregateError);
    expect((error.errors as BrokerError[]).map(({ errorName, topic }) => [errorName, topic])).toEqual([
      ['INVALID_TOPIC_EXCEPTION', 'bad'],
      ['TOPIC_ALREADY_EXISTS', 'there'],
    ]);
    expect(error.message).toContain('bad cannot be');
    expect(brokers.topics.has('good')).toBe(true);
  });

  it('rejects with the one error there is', async () => {
    controller({ there: ERRORS.TOPIC_ALREADY_EXISTS });
    expect(await failed(admin.createTopics([{ name: 'there' }]))).toMatchObject({
      errorName: 'TOPIC_ALREADY_EXISTS',
      retriable: false,
      topic: 'there',
    });
  });

  it('counts a topic as created when the attempt that nobody answered did it', async () => {
    let requests = 0;
    controller();
    const create = brokers.seen;
    brokers.on(createTopicsApi, (_body, _nodeId, _request, wire) => {
      requests += 1;
      if (requests > 1) {
        return {
          topics: [
            {
              name: 'a',
              topicId: ZERO_UUID,
              errorCode: ERRORS.TOPIC_ALREADY_EXISTS,
              errorMessage: null,
              numPartitions: -1,
              replicationFactor: -1,
              configs: [],
            },
          ],
        };
      }
      brokers.topic('a', [1]);
      wire.close(new Error('read ECONNRESET'));
      return undefined;
    });
    expect(await run(admin.createTopics([{ name: 'a', partitions: 1 }]))).toMatchObject([{ name: 'a' }]);
    expect(create.filter(({ api }) => api === createTopicsApi).length).toBe(2);
  });

  it('ends at its deadline while no controller answers', async () => {
    brokers.on(createTopicsApi, () => undefined);
    const from = clock.now();
    const error = await failed<TimeoutError>(admin.createTopics([{ name: 'a' }], { timeoutMs: 12_000 }));
    expect(error).toBeInstanceOf(TimeoutError);
    expect(error.message).toMatch(
      /^Creating a did not succeed within 12000 ms .*last error was: kafka-1:9092 did not answer CreateTopics within 5000 ms/,
    );
    expect(clock.now() - from).toBeLessThanOrEqual(12_000);
  });

  it('ends with its signal', async () => {
    brokers.on(createTopicsApi, () => undefined);
    const controllerOfCall = new AbortController();
    const error = rejection(admin.createTopics([{ name: 'a' }], { signal: controllerOfCall.signal }));
    await clock.advance(100);
    controllerOfCall.abort(new Error('stop'));
    expect((await error).message).toBe('stop');
  });

  it('does not take an answer that leaves a topic out', async () => {
    brokers.on(createTopicsApi, () => ({ topics: [] }));
    expect(await failed(admin.createTopics([{ name: 'a' }]))).toBeInstanceOf(ProtocolError);
  });

  it.each<[string, unknown]>([
    ['topics', { topics: [] }],
    ['topics[0].name', [{ name: '' }]],
    ['topics[0].name', [{ topic: 'a' }]],
    ['topics[0].partitions', [{ name: 'a', partitions: 0 }]],
    ['topics[0].replicationFactor', [{ name: 'a', replicationFactor: 1.5 }]],
  ])('refuses a wrong %s', async (option, topics) => {
    const error = await failed<UsageError>(admin.createTopics(topics as never));
    expect(error).toBeInstanceOf(UsageError);
    expect(error.option).toBe(option);
  });
});

describe('deleteTopics', () => {
  it('deletes by name, whatever version of the request the broker speaks', async () => {
    brokers.on(deleteTopicsApi, (body, _nodeId, { version }) => {
      const names = version < 6 ? body.topicNames : body.topics.map(({ name }) => name!);
      for (const name of names) brokers.topics.delete(name);
      return {
        responses: names.map((name) => ({ name, topicId: ZERO_UUID, errorCode: 0, errorMessage: null })),
      };
    });
    for (const version of [6, 5]) {
      brokers.maxVersions.set(deleteTopicsApi.key, version);
      brokers.topic('a', [1]);
      brokers.topic('b', [1]);
      const client = new Kafka({ brokers: brokers.addresses }, { clock, transport: brokers.transport });
      await run(client.admin().deleteTopics(['a', 'b']));
      expect(brokers.topics.size).toBe(0);
      await client.close();
    }
  });

  it('says at once that a topic is unknown', async () => {
    brokers.on(deleteTopicsApi, ({ topics }) => ({
      responses: topics.map(({ name }) => ({
        name,
        topicId: ZERO_UUID,
        errorCode: ERRORS.UNKNOWN_TOPIC_OR_PARTITION,
        errorMessage: null,
      })),
    }));
    expect(await failed(admin.deleteTopics(['a']))).toMatchObject({
      errorName: 'UNKNOWN_TOPIC_OR_PARTITION',
      retriable: false,
    });
    expect(brokers.count(deleteTopicsApi)).toBe(1);
    expect(await failed(admin.deleteTopics('a' as never))).toMatchObject({ option: 'names' });
  });
});

describe('describeTopics and listTopics', () => {
  it('describe in the order asked for, and create nothing', async () => {
    brokers.topic('a', [1, 2]);
    brokers.topic('b', [3]);
    const topics = await run(admin.describeTopics(['b', 'a']));
    expect(
      topics.map(({ name, partitions }) => [name, partitions.map(({ leader }) => leader?.nodeId)]),
    ).toEqual([
      ['b', [3]],
      ['a', [1, 2]],
    ]);
    expect((await run(admin.listTopics())).map(({ name }) => name)).toEqual(['a', 'b']);
    expect(brokers.bodies(metadataApi).every(({ allowAutoTopicCreation }) => !allowAutoTopicCreation)).toBe(
      true,
    );
  });

  it('say which topics are unknown', async () => {
    brokers.topic('a', [1]);
    const error = await failed(admin.describeTopics(['a', 'x']));
    expect(error).toMatchObject({ errorName: 'UNKNOWN_TOPIC_OR_PARTITION', topic: 'x' });
  });
});

describe('createPartitions', () => {
  it('sends the total, and tells what was refused', async () => {
    brokers.on(createPartitionsApi, ({ topics }) => ({
      results: topics.map(({ name, count }) => ({
        name,
        errorCode: count > 3 ? 0 : ERRORS.INVALID_PARTITIONS,
        errorMessage: 'too few',
      })),
    }));
    await run(admin.createPartitions([{ topic: 'a', count: 4 }]));
    expect(brokers.bodies(createPartitionsApi)[0]!.topics).toEqual([
      { name: 'a', count: 4, assignments: null },
    ]);
    expect(await failed(admin.createPartitions([{ topic: 'a', count: 2 }]))).toMatchObject({
      errorName: 'INVALID_PARTITIONS',
    });
    expect(await failed(admin.createPartitions([{ topic: 'a', count: 0 }]))).toMatchObject({
      option: 'growth[0].count',
    });
  });
});

describe('listOffsets and deleteRecords', () => {
  /** Leaders answer for their own partitions with offset = 100 * node + partition; others refuse. */
  function leaders(): void {
    const codeFor = (topic: string, partition: number, nodeId: number): number => {
      const row = brokers.topics.get(topic)?.partitions[partition];
      if (row === undefined) return ERRORS.UNKNOWN_TOPIC_OR_PARTITION;
      return row.leader === nodeId ? 0 : ERRORS.NOT_LEADER_OR_FOLLOWER;
    };
    brokers.on(listOffsetsApi, ({ topics }, nodeId) => ({
      topics: topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex, timestamp }) => ({
          partitionIndex,
          errorCode: codeFor(name, partitionIndex, nodeId),
          timestamp,
          offset: 100 * nodeId + partitionIndex,
          leaderEpoch: 4,
        })),
      })),
    }));
    brokers.on(deleteRecordsApi, ({ topics }, nodeId) => ({
      topics: topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex, offset }) => ({
          partitionIndex,
          lowWatermark: offset,
          errorCode: codeFor(name, partitionIndex, nodeId),
        })),
      })),
    }));
  }

  it('ask each leader once, for all its partitions', async () => {
    leaders();
    brokers.topic('a', [1, 2, 1, 3]);
    const offsets = await run(admin.listOffsets('a', 'latest'));
    expect(offsets.map(({ partition, offset }) => [partition, offset])).toEqual([
      [0, 100],
      [1, 201],
      [2, 102],
      [3, 303],
    ]);
    expect(offsets[0]).toEqual({ topic: 'a', partition: 0, offset: 100, timestamp: -1, leaderEpoch: 4 });
    expect(brokers.count(listOffsetsApi)).toBe(3);
    expect(brokers.bodies(listOffsetsApi)[0]).toMatchObject({ replicaId: -1, isolationLevel: 0 });
  });

  it('ask for other positions of some partitions', async () => {
    leaders();
    brokers.topic('a', [1, 2]);
    await run(admin.listOffsets('a', 'earliest', { partitions: [1], isolationLevel: 'read_committed' }));
    await run(admin.listOffsets('a', { timestamp: 77 }, { partitions: [0] }));
    expect(
      brokers
        .bodies(listOffsetsApi)
        .map(({ isolationLevel, topics }) => [isolationLevel, topics[0]!.partitions[0]!.timestamp]),
    ).toEqual([
      [1, -2],
      [0, 77],
    ]);
  });

  it('follow a leader that moved', async () => {
    leaders();
    const topic = brokers.topic('a', [1, 2]);
    await run(admin.listOffsets('a', 'latest'));
    Object.assign(topic.partitions[0]!, { leader: 3, leaderEpoch: 1 });
    const offsets = await run(admin.listOffsets('a', 'latest'));
    expect(offsets.map(({ offset }) => offset)).toEqual([300, 201]);
  });

  it('wait for a partition without a leader', async () => {
    leaders();
    const topic = brokers.topic('a', [-1]);
    const offsets = admin.listOffsets('a', 'latest', { partitions: [0] });
    await clock.advance(3000);
    Object.assign(topic.partitions[0]!, { leader: 2, leaderEpoch: 1 });
    expect(await run(offsets)).toMatchObject([{ offset: 200 }]);
  });

  it('give up a partition that does not exist within seconds, and create no topic', async () => {
    leaders();
    brokers.topic('a', [1]);
    const from = clock.now();
    const error = await failed(admin.listOffsets('a', 'latest', { partitions: [7] }));
    expect(error).toMatchObject({
      errorName: 'UNKNOWN_TOPIC_OR_PARTITION',
      topic: 'a',
      partition: 7,
      retriable: false,
    });
    expect(error.message).toContain('the topic has 1 partitions');
    expect(clock.now() - from).toBeLessThan(4000);
    expect(await failed(admin.listOffsets('nope', 'latest', { partitions: [0] }))).toMatchObject({
      topic: 'nope',
    });
    expect(brokers.bodies(metadataApi).every(({ allowAutoTopicCreation }) => !allowAutoTopicCreation)).toBe(
      true,
    );
  });

  it('delete records at the leaders', async () => {
    leaders();
    brokers.topic('a', [1, 2]);
    brokers.topic('b', [1]);
    const deleted = await run(
      admin.deleteRecords([
        { topic: 'a', partition: 0, beforeOffset: 10 },
        { topic: 'b', partition: 0, beforeOffset: 20 },
        { topic: 'a', partition: 1, beforeOffset: 'latest' },
      ]),
    );
    expect(deleted.map(({ topic, partition, lowWatermark }) => [topic, partition, lowWatermark])).toEqual([
      ['a', 0, 10],
      ['b', 0, 20],
      ['a', 1, -1],
    ]);
  });
});

describe('groups', () => {
  /** Group `g<n>` is coordinated by node n; groups in `moving` refuse once and are then with node 3. */
  let homes: Map<string, number>;

  beforeEach(() => {
    homes = new Map([
      ['g1', 1],
      ['g2', 2],
      ['g3', 3],
    ]);
    brokers.on(findCoordinatorApi, ({ coordinatorKeys }) => ({
      coordinators: coordinatorKeys.map((key) => ({
        key,
        nodeId: homes.get(key) ?? 1,
        host: `kafka-${homes.get(key) ?? 1}`,
        port: 9092,
        errorCode: 0,
        errorMessage: null,
      })),
    }));
  });

  const codeFor = (groupId: string, nodeId: number): number =>
    (homes.get(groupId) ?? 1) === nodeId ? 0 : ERRORS.NOT_COORDINATOR;

  function offsets(version: number): void {
    brokers.maxVersions.set(offsetFetchApi.key, version);
    const row = (partitionIndex: number, committedOffset: number) => ({
      partitionIndex,
      committedOffset,
      committedLeaderEpoch: 3,
      metadata: 'm',
      errorCode: 0,
    });
    const topics = [
      { name: 'b', partitions: [row(0, 5)] },
      { name: 'a', partitions: [row(1, 7), row(0, 6), row(2, -1)] },
    ];
    brokers.on(offsetFetchApi, (body, nodeId, request) => {
      if (request.version < 8) return { topics, errorCode: codeFor(body.groupId, nodeId) };
      return {
        groups: body.groups.map(({ groupId }) => ({ groupId, topics, errorCode: codeFor(groupId, nodeId) })),
      };
    });
  }

  it.each([9, 10, 7])('fetchOffsets reads what was committed (brokers up to version %d)', async (version) => {
    offsets(version);
    const committed = await run(admin.fetchOffsets('g2'));
    expect(committed.map(({ topic, partition, offset }) => [topic, partition, offset])).toEqual([
      ['a', 0, 6],
      ['a', 1, 7],
      ['b', 0, 5],
    ]);
    expect(committed[0]).toEqual({ topic: 'a', partition: 0, offset: 6, leaderEpoch: 3, metadata: 'm' });
    expect(brokers.seen.find(({ api }) => api === offsetFetchApi)).toMatchObject({
      nodeId: 2,
      version: Math.min(version, 9),
    });
    expect((await run(admin.fetchOffsets('g2', { topics: ['b'] }))).length).toBe(1);
  });

  it('follow their coordinator', async () => {
    offsets(9);
    await run(admin.fetchOffsets('g1'));
    homes.set('g1', 3);
    await run(admin.fetchOffsets('g1'));
    expect(brokers.seen.filter(({ api }) => api === offsetFetchApi).map(({ nodeId }) => nodeId)).toEqual([
      1, 1, 3,
    ]);
  });

  it('follow their coordinator away from a broker that is gone', async () => {
    offsets(9);
    await run(admin.fetchOffsets('g1'));
    brokers.stop(1);
    homes.set('g1', 2);
    await run(admin.fetchOffsets('g1'));
    expect(brokers.seen.filter(({ api }) => api === offsetFetchApi).map(({ nodeId }) => nodeId)).toEqual([
      1, 2,
    ]);
  });

  it('are described by their coordinators, with what their members read', async () => {
    const assigned = encodeAssignment({
      assignedPartitions: [{ topic: 'a', partitions: [0, 2] }],
      userData: null,
    });
    brokers.on(describeGroupsApi, ({ groups }, nodeId) => ({
      groups: groups.map((groupId) => ({
        errorCode: groupId === 'g3' ? ERRORS.GROUP_ID_NOT_FOUND : codeFor(groupId, nodeId),
        groupId,
        groupState: 'Stable',
        protocolType: 'consumer',
        protocolData: 'range',
        members: [
          {
            memberId: 'm1',
            groupInstanceId: null,
            clientId: 'c',
            clientHost: '/1',
            memberMetadata: Buffer.alloc(0),
            memberAssignment: assigned,
          },
        ],
      })),
    }));
    const described = await run(admin.describeGroups(['g2', 'g1']));
    expect(
      described.map(({ groupId, coordinator, state, protocol }) => [groupId, coordinator, state, protocol]),
    ).toEqual([
      ['g2', 2, 'Stable', 'range'],
      ['g1', 1, 'Stable', 'range'],
    ]);
    expect(described[0]!.members).toEqual([
      {
        memberId: 'm1',
        groupInstanceId: null,
        clientId: 'c',
        clientHost: '/1',
        assignment: [{ topic: 'a', partitions: [0, 2] }],
      },
    ]);
    expect(await failed(admin.describeGroups(['g1', 'g3']))).toMatchObject({
      errorName: 'GROUP_ID_NOT_FOUND',
    });
  });

  it('are deleted by their coordinators', async () => {
    const deleted: string[] = [];
    brokers.on(deleteGroupsApi, ({ groupsNames }, nodeId) => ({
      results: groupsNames.map((groupId) => {
        const errorCode = groupId === 'busy' ? ERRORS.NON_EMPTY_GROUP : codeFor(groupId, nodeId);
        if (errorCode === 0) deleted.push(groupId);
        return { groupId, errorCode };
      }),
    }));
    await run(admin.deleteGroups(['g1', 'g2']));
    expect(deleted.sort()).toEqual(['g1', 'g2']);
    const error = await failed(admin.deleteGroups(['busy', 'g3']));
    expect(error).toMatchObject({ errorName: 'NON_EMPTY_GROUP' });
    expect(error.message).toContain('busy');
    expect(deleted).toContain('g3');
  });

  it('are listed over all brokers, each once', async () => {
    let loading = true;
    brokers.on(listGroupsApi, (_body, nodeId) => {
      if (nodeId === 2 && loading) {
        loading = false;
        return { errorCode: ERRORS.COORDINATOR_LOAD_IN_PROGRESS, groups: [] };
      }
      const group = { protocolType: 'consumer', groupState: 'Stable', groupType: 'classic' };
      return { errorCode: 0, groups: [`g${nodeId}`, 'both'].map((groupId) => ({ groupId, ...group })) };
    });
    const groups = await run(admin.listGroups());
    expect(groups.map(({ groupId }) => groupId)).toEqual(['both', 'g1', 'g2', 'g3']);
    expect(groups[0]).toEqual({
      groupId: 'both',
      protocolType: 'consumer',
      state: 'Stable',
      type: 'classic',
    });
    expect(brokers.count(listGroupsApi)).toBe(4);
  });

  it('are listed without a broker that left', async () => {
    brokers.on(listGroupsApi, (_body, nodeId) => ({
      errorCode: 0,
      groups: [{ groupId: `g${nodeId}`, protocolType: '' }],
    }));
    await run(admin.listTopics());
    brokers.stop(2);
    const groups = admin.listGroups();
    await clock.advance(500);
    brokers.advertised = [1, 3];
    expect((await run(groups)).map(({ groupId }) => groupId)).toEqual(['g1', 'g3']);
  });
});
