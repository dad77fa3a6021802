// What administrators ask for: the cluster, its partitions in pages, other replicas, other leaders.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ERRORS } from '../../../src/core/protocol/error-codes.ts';
import { metadataApi } from '../../../src/core/protocol/messages/03-metadata.ts';
import { apiVersionsApi } from '../../../src/core/protocol/messages/18-api-versions.ts';
import { createPartitionsApi } from '../../../src/core/protocol/messages/37-create-partitions.ts';
import { describeClusterApi } from '../../../src/core/protocol/messages/60-describe-cluster.ts';
import { createBroker } from '../../../src/testing/broker/create-broker.ts';
import { electLeadersApi } from '../../../src/core/protocol/messages/43-elect-leaders.ts';
import { alterPartitionReassignmentsApi } from '../../../src/core/protocol/messages/45-alter-partition-reassignments.ts';
import { listPartitionReassignmentsApi } from '../../../src/core/protocol/messages/46-list-partition-reassignments.ts';
import { describeTopicPartitionsApi } from '../../../src/testing/broker/tables/75-describe-topic-partitions.ts';
import { simulated } from './simulated.ts';
import type { Simulated } from './simulated.ts';
import type { WireClient } from './wire-client.ts';

let sim: Simulated;
let client: WireClient;

beforeEach(async () => {
  sim = await simulated({
    brokers: 3,
    racks: ['a', 'b', 'c'],
    topics: { lines: { partitions: 3, replicationFactor: 2 }, other: 2 },
  });
  client = sim.connect();
});

afterEach(async () => {
  await sim.box.close();
  expect(sim.box.internalErrors).toEqual([]);
});

describe('DescribeCluster', () => {
  const describeCluster = (body: object = {}, version = 2) =>
    sim.run(
      client.call(describeClusterApi, version, {
        includeClusterAuthorizedOperations: false,
        ...body,
      }),
    );

  it.each([0, 1, 2])('names the nodes in version %d', async (version) => {
    const answer = await describeCluster({}, version);
    const { clusterId } = await sim.run(client.call(metadataApi, 9, { topics: [] }));
    expect(answer).toMatchObject({ errorCode: ERRORS.NONE, clusterId, controllerId: 0 });
    expect(answer.brokers.map(({ brokerId, rack }) => [brokerId, rack])).toEqual([
      [0, 'a'],
      [1, 'b'],
      [2, 'c'],
    ]);
  });

  it('shows nodes that are down when asked, and what may be done', async () => {
    await sim.run(sim.box.stop(2));
    expect((await describeCluster()).brokers).toHaveLength(2);
    const all = await describeCluster({
      includeFencedBrokers: true,
      includeClusterAuthorizedOperations: true,
    });
    expect(all.brokers.map(({ isFenced }) => isFenced)).toEqual([false, false, true]);
    expect(all.clusterAuthorizedOperations).toBe(8096);
  });

  it('is no controller, and nothing else', async () => {
    expect((await describeCluster({ endpointType: 2 })).errorCode).toBe(ERRORS.MISMATCHED_ENDPOINT_TYPE);
    expect((await describeCluster({ endpointType: 3 })).errorCode).toBe(ERRORS.UNSUPPORTED_ENDPOINT_TYPE);
  });
});

describe('DescribeTopicPartitions', () => {
  type Cursor = { topicName: string; partitionIndex: number } | null;
  const page = (names: string[], limit: number, cursor: Cursor = null) =>
    sim.run(
      client.call(describeTopicPartitionsApi, 0, {
        topics: names.map((name) => ({ name })),
        responsePartitionLimit: limit,
        cursor,
      }),
    );

  it('goes through all topics in pages', async () => {
    const seen: string[] = [];
    let cursor: Cursor = null;
    for (let pages = 0; pages < 3; pages++) {
      const { topics, nextCursor } = await page([], 2, cursor);
      for (const { name, partitions } of topics) {
        for (const { partitionIndex } of partitions) seen.push(`${name!}-${partitionIndex}`);
      }
      cursor = nextCursor;
    }
    expect(cursor).toBeNull();
    expect(seen).toEqual(['lines-0', 'lines-1', 'lines-2', 'other-0', 'other-1']);
  });

  it('says of each topic what Metadata says', async () => {
    const { topics } = await page(['other', 'nosuch', 'bad name', 'lines'], 100);
    expect(topics.map(({ name, errorCode }) => [name, errorCode])).toEqual([
      ['bad name', ERRORS.INVALID_TOPIC_EXCEPTION],
      ['lines', ERRORS.NONE],
      ['nosuch', ERRORS.UNKNOWN_TOPIC_OR_PARTITION],
      ['other', ERRORS.NONE],
    ]);
    expect(topics[1]).toMatchObject({ topicId: sim.box.topicId('lines'), isInternal: false });
    expect(topics[1]!.partitions[1]).toMatchObject({
      leaderId: 1,
      replicaNodes: [1, 2],
      isrNodes: [1, 2],
      eligibleLeaderReplicas: [],
    });
  });

  it('closes on a cursor that points nowhere', async () => {
    await expect(page([], 2, { topicName: 'lines', partitionIndex: -1 })).rejects.toThrow('closed');
  });
});

describe('replicas and leaders', () => {
  const reassign = async (partitionIndex: number, replicas: number[] | null) => {
    const topics = [{ name: 'lines', partitions: [{ partitionIndex, replicas }] }];
    const { responses } = await sim.run(client.call(alterPartitionReassignmentsApi, 1, { topics }));
    return responses[0]!.partitions[0]!.errorCode;
  };

  it('are reassigned at once', async () => {
    expect(await reassign(0, [2, 1])).toBe(ERRORS.NONE);
    expect(sim.box.partition('lines', 0)).toMatchObject({ leader: 2, leaderEpoch: 1, replicas: [2, 1] });
    expect(await reassign(0, [1, 2])).toBe(ERRORS.NONE);
    expect(sim.box.partition('lines', 0)).toMatchObject({ leader: 2, leaderEpoch: 1 });
    for (const replicas of [[], [1, 1], [7]]) {
      expect(await reassign(0, replicas)).toBe(ERRORS.INVALID_REPLICA_ASSIGNMENT);
    }
    expect(await reassign(9, [1])).toBe(ERRORS.UNKNOWN_TOPIC_OR_PARTITION);
    expect(await reassign(0, null)).toBe(ERRORS.NO_REASSIGNMENT_IN_PROGRESS);
    expect((await sim.run(client.call(listPartitionReassignmentsApi, 0, {}))).topics).toEqual([]);
  });

  const elect = async (electionType: number, partitions: number[] | null) => {
    const topicPartitions = partitions === null ? null : [{ topic: 'lines', partitions }];
    const answer = await sim.run(client.call(electLeadersApi, 2, { electionType, topicPartitions }));
    const results = answer.replicaElectionResults.find(({ topic }) => topic === 'lines')?.partitionResult;
    return results?.map(({ partitionId, errorCode }) => [partitionId, errorCode]);
  };

  it('go back to the preferred replica', async () => {
    sim.box.moveLeader('lines', 0, 1);
    expect(await elect(0, [0, 1, 9])).toEqual([
      [0, ERRORS.NONE],
      [1, ERRORS.ELECTION_NOT_NEEDED],
      [9, ERRORS.UNKNOWN_TOPIC_OR_PARTITION],
    ]);
    expect(sim.box.leaderOf('lines', 0)).toBe(0);
    await sim.run(sim.box.stop(1));
    expect(await elect(0, null)).toEqual([[1, ERRORS.PREFERRED_LEADER_NOT_AVAILABLE]]);
  });

  it('are elected where there are none', async () => {
    sim.box.leaderless('lines', 0);
    expect(await elect(1, [0, 1])).toEqual([
      [0, ERRORS.NONE],
      [1, ERRORS.ELECTION_NOT_NEEDED],
    ]);
    expect(sim.box.leaderOf('lines', 0)).toBe(0);
  });

  it('are placed by hand for new partitions', async () => {
    const grow = async (count: number, assignments: number[][]) => {
      const topics = [{ name: 'other', count, assignments: assignments.map((brokerIds) => ({ brokerIds })) }];
      const { results } = await sim.run(
        client.call(createPartitionsApi, 3, { topics, timeoutMs: 1000, validateOnly: false }),
      );
      return results[0]!.errorCode;
    };
    expect(await grow(4, [[2, 1]])).toBe(ERRORS.INVALID_REPLICA_ASSIGNMENT);
    expect(await grow(4, [[2, 1], [9]])).toBe(ERRORS.INVALID_REPLICA_ASSIGNMENT);
    expect(await grow(4, [[2, 1], [1]])).toBe(ERRORS.NONE);
    expect(sim.box.partition('other', 2)).toMatchObject({ leader: 2, replicas: [2, 1] });
  });
});

describe('the bounds of a cluster', () => {
  it('features: levels in force, and those that are possible', async () => {
    const ask = (version: number) =>
      sim.run(
        client.call(apiVersionsApi, version, { clientSoftwareName: 'test', clientSoftwareVersion: '1' }),
      );
    const names = (list: readonly { name: string }[]): string[] => list.map(({ name }) => name).sort();
    // Clients up to version 3 take a range that starts at 0 for an error.
    expect(names((await ask(3)).supportedFeatures)).toEqual(['metadata.version']);
    expect(names((await ask(4)).supportedFeatures)).toEqual([
      'group.version',
      'metadata.version',
      'transaction.version',
    ]);
    await sim.box.close();
    sim = await simulated({ features: { 'transaction.version': 2, 'group.version': 0 } });
    client = sim.connect();
    const { finalizedFeatures, finalizedFeaturesEpoch } = await ask(4);
    expect(finalizedFeaturesEpoch).toBeGreaterThanOrEqual(0);
    expect(finalizedFeatures).toContainEqual({
      name: 'transaction.version',
      maxVersionLevel: 2,
      minVersionLevel: 2,
    });
    expect(names(finalizedFeatures)).not.toContain('group.version');
    await expect(createBroker({ features: { nonsense: 1 } })).rejects.toThrow(/no feature 'nonsense'/);
    await expect(createBroker({ features: { 'group.version': 9 } })).rejects.toThrow(/not one of 0 to 1/);
  });

  it('software that does not say its name is refused', async () => {
    const refused = await sim.run(
      client.call(apiVersionsApi, 3, { clientSoftwareName: ' bad', clientSoftwareVersion: '1' }),
    );
    expect(refused).toMatchObject({ errorCode: ERRORS.INVALID_REQUEST, apiKeys: [] });
  });

  it('connections: who comes when there are enough is sent away', async () => {
    await sim.box.close();
    sim = await simulated({ maxConnections: 2 });
    const clients = [sim.connect(), sim.connect(), sim.connect()];
    const answers = clients.map((one) =>
      one.call(apiVersionsApi, 0, {}).then(
        () => 'served',
        () => 'closed',
      ),
    );
    expect(await sim.run(Promise.all(answers))).toEqual(['served', 'served', 'closed']);
    clients[0]!.close();
    await sim.clock.settle();
    expect((await sim.run(sim.connect().call(apiVersionsApi, 0, {}))).errorCode).toBe(ERRORS.NONE);
  });

  it('pending bytes: who brings more than all together may is sent away', async () => {
    await sim.box.close();
    sim = await simulated({ maxPendingBytes: 1_000_000 });
    const claim = Buffer.from([0, 0x20, 0, 0]);
    const hoarders = [sim.connect(), sim.connect()];
    for (const one of hoarders) await sim.run(one.write(Buffer.concat([claim, Buffer.alloc(600_000)])));
    await sim.clock.settle();
    expect(hoarders.map(({ isClosed }) => isClosed)).toEqual([false, true]);
    hoarders[0]!.close();
    await sim.clock.settle();
    const next = sim.connect();
    await sim.run(next.write(Buffer.concat([claim, Buffer.alloc(600_000)])));
    await sim.clock.settle();
    expect(next.isClosed).toBe(false);
  });

  it('partitions: more than the box takes are refused', async () => {
    await sim.box.close();
    sim = await simulated({ maxPartitions: 5, topics: { lines: 3 } });
    expect(() => sim.box.createTopic('more', 3)).toThrow(/at most 5/);
    sim.box.createTopic('more', 2);
    sim.box.deleteTopic('lines');
    sim.box.createTopic('again', 3);
  });
});
