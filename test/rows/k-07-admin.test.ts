// Each call of the admin: what it does is there afterwards, on a real cluster of two brokers with access control and two log directories each.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Kafka } from '../../src/core/client.ts';
import { GroupConsumer } from '../../src/core/group/group-consumer.ts';
import type { GroupConsumerOptions } from '../../src/core/group/options.ts';
import type { BrokerError } from '../../src/errors.ts';
import { uniqueName } from '../helpers/brokers.ts';
import { startRealKafka, type RealKafka } from '../helpers/kafka/real-kafka.ts';
import { rejection } from '../helpers/rejection.ts';
import { until } from '../helpers/until.ts';

const lib = process.env['KAFKA_LIB'];
const LIMIT_MS = 300_000;

(lib === undefined ? describe.skip : describe)('K-07: the admin', () => {
  let cluster: RealKafka;
  let kafka: Kafka;
  let admin: ReturnType<Kafka['admin']>;

  beforeAll(async () => {
    cluster = await startRealKafka({
      lib: lib!,
      brokers: 2,
      heapMb: 400,
      logDirs: 2,
      properties: {
        'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
        'super.users': 'User:ANONYMOUS',
        'group.coordinator.rebalance.protocols': 'classic,consumer',
      },
    });
    kafka = new Kafka({ brokers: cluster.bootstrap });
    admin = kafka.admin();
  }, LIMIT_MS);

  afterAll(async () => {
    await kafka?.close();
    await cluster?.stop();
  });

  async function topicOn(replicas: readonly number[], partitions = 1): Promise<string> {
    const topic = uniqueName('k-07');
    await admin.createTopics([{ name: topic, partitions, replicationFactor: 1 }]);
    const moves = Array.from({ length: partitions }, (_, partition) => ({ topic, partition, replicas }));
    await admin.alterPartitionReassignments(moves);
    await settledOn(topic, replicas);
    return topic;
  }

  /** Resolves when partition 0 has these replicas, all in sync, and nothing moves any more. */
  async function settledOn(topic: string, replicas: readonly number[]): Promise<void> {
    for (;;) {
      const [described] = await admin.describeTopics([topic]);
      const ongoing = await admin.listPartitionReassignments([{ topic, partition: 0 }]);
      const { replicas: has, isr } = described!.partitions[0]!;
      if (ongoing.length === 0 && String(has) === String(replicas) && isr.length === replicas.length) return;
    }
  }

  async function fill(topic: string, records: number): Promise<void> {
    const producer = kafka.producer();
    await Promise.all(
      Array.from({ length: records }, (_, n) =>
        producer.sendAsync(topic, { partition: 0, value: Buffer.from(`v${n}`), timestamp: 1000 * (n + 1) }),
      ),
    );
    await producer.close();
  }

  it('creates, describes, lists and deletes topics', async () => {
    const name = uniqueName('k-07');
    const [created] = await admin.createTopics([
      { name, partitions: 2, configs: { 'retention.ms': '5000' } },
    ]);
    expect(await admin.describeTopics([name])).toMatchObject([
      { name, id: created!.id, partitions: [{}, {}] },
    ]);
    await admin.createPartitions([{ topic: name, count: 3 }]);
    await until(
      'there are three',
      async () => (await admin.describeTopics([name]))[0]!.partitions.length === 3,
    );
    expect((await admin.listTopics()).map((topic) => topic.name)).toContain(name);
    await admin.deleteTopics([name]);
    // A broker may hear of it later.
    const isGone = (): Promise<boolean> =>
      admin.describeTopics([name]).then(
        () => false,
        (error: unknown) => (error as BrokerError).errorName === 'UNKNOWN_TOPIC_OR_PARTITION',
      );
    await until('it is gone', isGone);
  });

  it('lists offsets and deletes records', async () => {
    const topic = await topicOn([1]);
    await fill(topic, 10);
    const offset = async (at: Parameters<typeof admin.listOffsets>[1]): Promise<number> =>
      (await admin.listOffsets(topic, at))[0]!.offset;
    expect([await offset('earliest'), await offset('latest'), await offset({ timestamp: 4500 })]).toEqual([
      0, 10, 4,
    ]);
    expect(await admin.deleteRecords([{ topic, partition: 0, beforeOffset: 6 }])).toEqual([
      { topic, partition: 0, lowWatermark: 6 },
    ]);
    expect(await offset('earliest')).toBe(6);
  });

  it('describes and changes configurations of topics, incrementally', async () => {
    const name = await topicOn([1]);
    const resource = { type: 'TOPIC', name } as const;
    const valueOf = async (config: string): Promise<string | null | undefined> => {
      const [described] = await admin.describeConfigs([{ ...resource, configNames: [config] }]);
      return described!.configEntries[0]?.value;
    };
    const alter = (name_: string, operation: 'set' | 'append' | 'subtract' | 'delete', value?: string) =>
      admin.alterConfigs([
        { ...resource, configEntries: [{ name: name_, operation, ...(value !== undefined && { value }) }] },
      ]);
    // The controller answers; whichever broker is asked hears of it a moment later.
    const becomes = (config: string, value: string): Promise<void> =>
      until(`${config} to be ${value}`, async () => (await valueOf(config)) === value);
    await alter('retention.ms', 'set', '9007199254740993');
    await alter('cleanup.policy', 'append', 'compact');
    await becomes('retention.ms', '9007199254740993');
    await becomes('cleanup.policy', 'delete,compact');
    await alter('cleanup.policy', 'subtract', 'delete');
    await becomes('cleanup.policy', 'compact');
    await alter('cleanup.policy', 'delete');
    await becomes('cleanup.policy', 'delete');
    expect(await valueOf('retention.ms')).toBe('9007199254740993');
    const [all] = await admin.describeConfigs([resource], {
      includeSynonyms: true,
      includeDocumentation: true,
    });
    const retention = all!.configEntries.find((entry) => entry.name === 'retention.ms')!;
    expect(retention).toMatchObject({
      source: 'DYNAMIC_TOPIC_CONFIG',
      isReadOnly: false,
      isSensitive: false,
    });
    expect(retention.documentation).toMatch(/retain/);
    expect(retention.synonyms.map(({ source }) => source)).toContain('DYNAMIC_TOPIC_CONFIG');
    const wrong = admin.alterConfigs([{ ...resource, configEntries: [{ name: 'no.such', value: '1' }] }]);
    expect((await rejection<BrokerError>(wrong)).errorName).toBe('INVALID_CONFIG');
    await admin.alterConfigs([{ ...resource, configEntries: [{ name: 'retention.ms', value: '7' }] }], {
      validateOnly: true,
    });
    expect(await valueOf('retention.ms')).toBe('9007199254740993');
  });

  it('describes and changes configurations of brokers, loggers and groups', async () => {
    await admin.alterConfigs([
      { type: 'BROKER', name: '2', configEntries: [{ name: 'log.cleaner.threads', value: '2' }] },
      { type: 'BROKER', name: '', configEntries: [{ name: 'message.max.bytes', value: '5000000' }] },
      {
        type: 'GROUP',
        name: 'some-group',
        configEntries: [{ name: 'consumer.session.timeout.ms', value: '50000' }],
      },
    ]);
    const applied = async (): Promise<boolean> => {
      const described = await admin.describeConfigs([
        { type: 'BROKER', name: '2', configNames: ['log.cleaner.threads'] },
        { type: 'BROKER', name: '1', configNames: ['message.max.bytes'] },
        { type: 'GROUP', name: 'some-group', configNames: ['consumer.session.timeout.ms'] },
      ]);
      const values = described.map(({ configEntries }) => configEntries[0]?.value);
      return values.join() === '2,5000000,50000';
    };
    await until('the brokers have heard of it', applied);
    const described = await admin.describeConfigs([
      { type: 'BROKER', name: '2', configNames: ['log.cleaner.threads', 'node.id'] },
      { type: 'BROKER', name: '1', configNames: ['message.max.bytes'] },
      { type: 'GROUP', name: 'some-group', configNames: ['consumer.session.timeout.ms'] },
      { type: 'BROKER_LOGGER', name: '2' },
    ]);
    const entries = described.map(({ configEntries }) => configEntries);
    expect(entries[0]).toContainEqual(
      expect.objectContaining({ name: 'log.cleaner.threads', value: '2', source: 'DYNAMIC_BROKER_CONFIG' }),
    );
    expect(entries[0]).toContainEqual(
      expect.objectContaining({ name: 'node.id', value: '2', isReadOnly: true }),
    );
    expect(entries[1]).toMatchObject([{ value: '5000000', source: 'DYNAMIC_DEFAULT_BROKER_CONFIG' }]);
    expect(entries[2]).toMatchObject([{ value: '50000', source: 'GROUP_CONFIG' }]);
    expect(described[3]).toMatchObject({ type: 'BROKER_LOGGER', name: '2' });
  });

  it('sets, fetches, resets and deletes offsets; lists, describes and deletes groups', async () => {
    const topic = await topicOn([1]);
    await fill(topic, 5);
    const groupId = uniqueName('k-07');
    await admin.setOffsets(groupId, [{ topic, partition: 0, offset: 3, metadata: 'by hand' }]);
    expect(await admin.fetchOffsets(groupId)).toMatchObject([
      { topic, partition: 0, offset: 3, metadata: 'by hand' },
    ]);
    expect(await admin.listGroups()).toContainEqual(expect.objectContaining({ groupId }));
    expect(await admin.describeGroups([groupId])).toMatchObject([{ groupId, state: 'Empty', members: [] }]);
    expect(await admin.resetOffsets(groupId, topic, 'earliest')).toMatchObject([{ offset: 0 }]);
    expect(await admin.resetOffsets(groupId, topic, { timestamp: 2500 })).toMatchObject([{ offset: 2 }]);
    expect(await admin.resetOffsets(groupId, topic, { timestamp: 9_000_000 })).toMatchObject([{ offset: 5 }]);
    expect(await admin.fetchOffsets(groupId)).toMatchObject([{ offset: 5 }]);
    await admin.deleteOffsets(groupId, [{ topic, partition: 0 }]);
    expect(await admin.fetchOffsets(groupId)).toEqual([]);
    await admin.setOffsets(groupId, [{ topic, partition: 0, offset: 1 }]);
    await admin.deleteGroups([groupId]);
    expect((await admin.listGroups()).map((group) => group.groupId)).not.toContain(groupId);
  });

  function member(
    groupId: string,
    topic: string,
    options: Partial<GroupConsumerOptions> = {},
  ): GroupConsumer {
    const consumer = new GroupConsumer(
      kafka.cluster,
      { groupId, topics: [topic], ...options },
      { onClaim: () => undefined, onRebalance: () => undefined, onFailed: () => undefined },
    );
    consumer.start();
    return consumer;
  }

  it('describes members, removes them, and refuses to touch the offsets of those that live', async () => {
    const topic = await topicOn([1]);
    const groupId = uniqueName('k-07');
    const consumer = member(groupId, topic, { groupInstanceId: 'static-1' });
    await until('it is a member', () => consumer.claims.length === 1);
    const [described] = await admin.describeGroups([groupId]);
    expect(described).toMatchObject({
      state: 'Stable',
      members: [{ groupInstanceId: 'static-1', assignment: [{ topic, partitions: [0] }] }],
    });
    const refused = await rejection<BrokerError>(
      admin.setOffsets(groupId, [{ topic, partition: 0, offset: 1 }]),
    );
    expect(refused.message).toContain(`group ${groupId} has members; stop them first`);
    await consumer.drain(0);
    expect((await admin.describeGroups([groupId]))[0]!.members).toHaveLength(1);
    await admin.removeMembers(groupId, [{ groupInstanceId: 'static-1' }], { reason: 'test' });
    expect(await admin.describeGroups([groupId])).toMatchObject([{ state: 'Empty', members: [] }]);
    await admin.removeMembers(groupId);
    await admin.deleteGroups([groupId]);
  });

  it('describes groups of the consumer protocol', async () => {
    const topic = await topicOn([1]);
    const groupId = uniqueName('k-07');
    const consumer = member(groupId, topic, { groupProtocol: 'consumer' });
    await until('it is a member', () => consumer.claims.length === 1);
    const [described] = await admin.describeConsumerGroups([groupId]);
    expect(described).toMatchObject({
      groupId,
      state: 'Stable',
      assignor: 'uniform',
      members: [{ subscribedTopicNames: [topic], assignment: [{ topic, partitions: [0] }] }],
    });
    await consumer.drain(0);
    await admin.deleteGroups([groupId]);
    expect((await rejection<BrokerError>(admin.describeConsumerGroups([groupId]))).errorName).toBe(
      'GROUP_ID_NOT_FOUND',
    );
  });

  it('reassigns partitions, says what is going on, and cancels', async () => {
    const topic = await topicOn([1]);
    await admin.alterPartitionReassignments([{ topic, partition: 0, replicas: [2] }]);
    await settledOn(topic, [2]);
    const leader = async () => (await admin.describeTopics([topic]))[0]!.partitions[0]!.leader?.nodeId;
    await until('it is led there', async () => (await leader()) === 2);
    expect(await admin.listPartitionReassignments([{ topic, partition: 0 }])).toEqual([]);
    expect(await admin.listPartitionReassignments()).toEqual([]);
    const cancel = admin.alterPartitionReassignments([{ topic, partition: 0, replicas: null }]);
    expect((await rejection<BrokerError>(cancel)).errorName).toBe('NO_REASSIGNMENT_IN_PROGRESS');
    const nobody = admin.alterPartitionReassignments([{ topic, partition: 0, replicas: [9] }]);
    expect((await rejection<BrokerError>(nobody)).errorName).toBe('INVALID_REPLICA_ASSIGNMENT');
  });

  it('elects leaders', async () => {
    const topic = await topicOn([1, 2]);
    const leader = async (): Promise<number | undefined> =>
      (await admin.describeTopics([topic]))[0]!.partitions[0]!.leader?.nodeId;
    const before = (await leader())!;
    const other = before === 1 ? 2 : 1;
    await admin.alterPartitionReassignments([{ topic, partition: 0, replicas: [other, before] }]);
    await settledOn(topic, [other, before]);
    expect(await leader()).toBe(before);
    const partition = { topic, partition: 0 };
    expect(await admin.electLeaders('PREFERRED', [partition])).toEqual([{ ...partition, elected: true }]);
    await until('the other one leads', async () => (await leader()) === other);
    expect(await admin.electLeaders('PREFERRED', [partition])).toEqual([{ ...partition, elected: false }]);
    expect(await admin.electLeaders('UNCLEAN', [partition])).toEqual([{ ...partition, elected: false }]);
    expect(Array.isArray(await admin.electLeaders('PREFERRED'))).toBe(true);
  });

  it('creates, describes and deletes ACLs', async () => {
    const resourceName = uniqueName('k-07');
    const acl = { resourceType: 'TOPIC', resourceName, principal: 'User:alice', operation: 'READ' } as const;
    await admin.createAcls([
      acl,
      {
        ...acl,
        resourcePatternType: 'PREFIXED',
        operation: 'TWO_PHASE_COMMIT',
        resourceType: 'TRANSACTIONAL_ID',
        permissionType: 'DENY',
        host: '10.0.0.1',
      },
    ]);
    const filter = { resourceName };
    await until('both are known', async () => (await admin.describeAcls(filter)).length === 2);
    const described = await admin.describeAcls(filter);
    expect(described).toContainEqual({
      ...acl,
      resourcePatternType: 'LITERAL',
      host: '*',
      permissionType: 'ALLOW',
    });
    expect(await admin.describeAcls({ ...filter, permissionType: 'DENY' })).toMatchObject([
      { operation: 'TWO_PHASE_COMMIT', resourcePatternType: 'PREFIXED', host: '10.0.0.1' },
    ]);
    expect(
      await admin.describeAcls({
        resourceType: 'TRANSACTIONAL_ID',
        resourceName: `${resourceName}-1`,
        resourcePatternType: 'MATCH',
      }),
    ).toHaveLength(1);
    expect(await admin.deleteAcls([filter])).toHaveLength(2);
    await until('they are gone', async () => (await admin.describeAcls(filter)).length === 0);
  });

  it('sets, describes and removes SCRAM users', async () => {
    const user = uniqueName('k-07');
    await admin.alterUserScramCredentials([
      { user, mechanism: 'SCRAM-SHA-256', password: 'secret' },
      { user, mechanism: 'SCRAM-SHA-512', password: 'secret', iterations: 4096 },
    ]);
    const described = async () => admin.describeUserScramCredentials([user]);
    await until('both are known', async () => (await described())[0]!.credentials.length === 2);
    expect((await described())[0]!.credentials).toEqual([
      { mechanism: 'SCRAM-SHA-256', iterations: 8192 },
      { mechanism: 'SCRAM-SHA-512', iterations: 4096 },
    ]);
    expect((await admin.describeUserScramCredentials()).map((one) => one.user)).toContain(user);
    await admin.alterUserScramCredentials([{ user, mechanism: 'SCRAM-SHA-256', password: null }]);
    await admin.alterUserScramCredentials([{ user, mechanism: 'SCRAM-SHA-512', password: null }]);
    await until('it is gone', async () => (await admin.describeUserScramCredentials()).length === 0);
    expect((await rejection<BrokerError>(described())).errorName).toBe('RESOURCE_NOT_FOUND');
  });

  it('sets, describes and removes quotas', async () => {
    const user = uniqueName('k-07');
    await admin.alterClientQuotas([
      { entity: { user }, quotas: { producer_byte_rate: 1024, consumer_byte_rate: 2 ** 53 } },
      { entity: { user, 'client-id': null }, quotas: { request_percentage: 12.5 } },
    ]);
    const filters = [{ entityType: 'user', matchType: 'EXACT', name: user } as const];
    await until('both are known', async () => (await admin.describeClientQuotas(filters)).length === 2);
    expect(await admin.describeClientQuotas(filters, { strict: true })).toEqual([
      { entity: { user }, quotas: { producer_byte_rate: 1024, consumer_byte_rate: 2 ** 53 } },
    ]);
    expect(
      await admin.describeClientQuotas([...filters, { entityType: 'client-id', matchType: 'DEFAULT' }]),
    ).toEqual([{ entity: { user, 'client-id': null }, quotas: { request_percentage: 12.5 } }]);
    const bad = admin.alterClientQuotas([{ entity: { user }, quotas: { no_such_rate: 1 } }]);
    expect((await rejection<BrokerError>(bad)).errorName).toBe('INVALID_REQUEST');
    await admin.alterClientQuotas([
      { entity: { user }, quotas: { producer_byte_rate: null, consumer_byte_rate: null } },
      { entity: { user, 'client-id': null }, quotas: { request_percentage: null } },
    ]);
    await until('they are gone', async () => (await admin.describeClientQuotas(filters)).length === 0);
  });

  it('describes log directories, exactly, and moves replicas between them', async () => {
    const topic = await topicOn([1]);
    await fill(topic, 3);
    const dirs = await admin.describeLogDirs();
    expect(dirs.map(({ brokerId }) => brokerId).sort()).toEqual([1, 1, 2, 2]);
    for (const { totalBytes, usableBytes, error } of dirs) {
      expect([typeof totalBytes, typeof usableBytes, error]).toEqual(['bigint', 'bigint', undefined]);
      expect(totalBytes! > usableBytes!).toBe(true);
    }
    const where = async () =>
      (await admin.describeLogDirs({ brokers: [1], partitions: [{ topic, partition: 0 }] })).filter(
        ({ replicas }) => replicas.some(({ isFuture }) => !isFuture),
      );
    const [from] = await where();
    expect(from!.replicas).toMatchObject([{ topic, partition: 0, offsetLag: 0, isFuture: false }]);
    expect(from!.replicas[0]!.size).toBeGreaterThan(0);
    const to = dirs.find(({ brokerId, logDir }) => brokerId === 1 && logDir !== from!.logDir)!.logDir;
    await admin.alterReplicaLogDirs([{ brokerId: 1, topic, partition: 0, logDir: to }]);
    await until('it has moved', async () => (await where())[0]?.logDir === to);
    const nowhere = admin.alterReplicaLogDirs([{ brokerId: 1, topic, partition: 0, logDir: '/no/such' }]);
    expect((await rejection<BrokerError>(nowhere)).errorName).toBe('LOG_DIR_NOT_FOUND');
  });

  it('describes and changes features', async () => {
    const level = async (name: string): Promise<number | undefined> =>
      (await admin.describeFeatures()).finalized.find((feature) => feature.name === name)?.maxVersion;
    const { supported, finalizedEpoch } = await admin.describeFeatures();
    expect(supported.map(({ name }) => name)).toContain('metadata.version');
    expect(finalizedEpoch).toBeGreaterThan(0);
    expect(await level('transaction.version')).toBe(2);
    const down = {
      feature: 'transaction.version',
      maxVersionLevel: 1,
      upgradeType: 'SAFE_DOWNGRADE',
    } as const;
    await admin.updateFeatures([down], { validateOnly: true });
    expect(await level('transaction.version')).toBe(2);
    await admin.updateFeatures([down]);
    await until('it is lower', async () => (await level('transaction.version')) === 1);
    await admin.updateFeatures([{ feature: 'transaction.version', maxVersionLevel: 2 }]);
    await until('it is back', async () => (await level('transaction.version')) === 2);
    const unknown = admin.updateFeatures([{ feature: 'no.such', maxVersionLevel: 1 }]);
    expect((await rejection<BrokerError>(unknown)).errorName).toMatch(
      /FEATURE_UPDATE_FAILED|INVALID_UPDATE_VERSION/,
    );
  });

  it('lists and describes transactions and producers, and ends one that hangs', async () => {
    const topic = await topicOn([2]);
    const transactionalId = uniqueName('k-07');
    const producer = kafka.producer({ transactionalId });
    await producer.init();
    producer.begin();
    await producer.sendAsync(topic, { partition: 0, value: Buffer.from('x') });
    const listed = await admin.listTransactions({ states: ['Ongoing'] });
    expect(listed).toContainEqual(expect.objectContaining({ transactionalId, state: 'Ongoing' }));
    expect(
      await admin.listTransactions({
        states: ['CompleteAbort'],
        transactionalIdPattern: `${transactionalId}.*`,
      }),
    ).toEqual([]);
    expect(await admin.listTransactions({ longerThanMs: 3_600_000 })).toEqual([]);
    const [transaction] = await admin.describeTransactions([transactionalId]);
    const { producerId, producerEpoch } = transaction!;
    expect(transaction).toMatchObject({
      state: 'Ongoing',
      timeoutMs: 60_000,
      partitions: [{ topic, partition: 0 }],
    });
    expect(transaction!.startedAt).toBeGreaterThan(1_600_000_000_000);
    expect(await admin.listTransactions({ producerIds: [producerId] })).toHaveLength(1);
    const producers = async () =>
      (await admin.describeProducers([{ topic, partition: 0 }]))[0]!.activeProducers;
    const [state] = await producers();
    expect(state).toMatchObject({
      producerId,
      producerEpoch,
      lastSequence: 0,
      currentTransactionStartOffset: 0,
    });
    const { coordinatorEpoch } = state!;
    await admin.abortTransaction({ topic, partition: 0, producerId, producerEpoch, coordinatorEpoch });
    expect((await producers())[0]!.currentTransactionStartOffset).toBeUndefined();
    const [stable] = await admin.listOffsets(topic, 'latest', { isolationLevel: 'read_committed' });
    expect(stable!.offset).toBe(2);
    await producer.close().catch(() => undefined);
    const strange = admin.describeTransactions([uniqueName('nobody')]);
    expect((await rejection<BrokerError>(strange)).errorName).toBe('TRANSACTIONAL_ID_NOT_FOUND');
  });

  it('fences producers: what they have open is aborted, and they are shut out', async () => {
    const topic = await topicOn([1]);
    const ids = [uniqueName('k-07'), uniqueName('k-07')];
    const producers = ids.map((transactionalId) => kafka.producer({ transactionalId }));
    for (const producer of producers) {
      await producer.init();
      producer.begin();
      await producer.sendAsync(topic, { partition: 0, value: 'open' });
    }
    const before = producers.map((producer) => producer.producerIdentity!);
    const fenced = await admin.fenceProducers(ids);
    expect(fenced.map(({ transactionalId, producerId }) => [transactionalId, producerId])).toEqual(
      before.map(({ producerId }, at) => [ids[at], producerId]),
    );
    for (const [at, { producerEpoch }] of fenced.entries())
      expect(producerEpoch).toBeGreaterThan(before[at]!.producerEpoch);
    for (const producer of producers) {
      await expect(producer.commit()).rejects.toMatchObject({ name: 'TransactionFatalError' });
      await producer.close().catch(() => undefined);
    }
    for (const { state } of await admin.describeTransactions(ids)) expect(state).not.toBe('Ongoing');
    const [end] = await admin.listOffsets(topic, 'latest');
    await until('the markers of both', async () => {
      const [stable] = await admin.listOffsets(topic, 'latest', { isolationLevel: 'read_committed' });
      return stable!.offset >= end!.offset;
    });
    expect((await rejection(admin.fenceProducers('x' as never))).message).toMatch('transactionalIds');
  });

  it('describes the quorum of controllers', async () => {
    const quorum = await admin.describeQuorum();
    const [voter] = quorum.voters;
    expect(quorum.voters).toHaveLength(1);
    expect(voter!.nodeId).toBe(quorum.leaderId);
    expect(quorum.leaderEpoch).toBeGreaterThan(0);
    expect(quorum.highWatermark).toBeGreaterThan(0);
    expect(voter!.logEndOffset).toBeGreaterThanOrEqual(quorum.highWatermark);
    expect(voter!.lastCaughtUpAt).toBeGreaterThan(1_600_000_000_000);
    const others = [1, 2].filter((nodeId) => nodeId !== quorum.leaderId);
    expect(quorum.observers.map(({ nodeId }) => nodeId)).toEqual(others);
    expect(quorum.observers[0]!.directoryId).toMatch(/^[\w-]{22}$/);
    expect(quorum.nodes).toEqual([
      { nodeId: quorum.leaderId, listeners: [expect.objectContaining({ host: expect.any(String) })] },
    ]);
  });

  it('describes the cluster', async () => {
    const { clusterId, controller, brokers } = await admin.describeCluster({ includeFencedBrokers: true });
    expect(clusterId).toMatch(/^[\w-]{22}$/);
    expect([1, 2]).toContain(controller);
    const ports = cluster.bootstrap.map((address) => Number(address.split(':')[1]));
    expect(brokers.map(({ nodeId, host, port, isFenced }) => [nodeId, host, port, isFenced])).toEqual(
      ports.map((port, at) => [at + 1, '127.0.0.1', port, false]),
    );
  });
});
