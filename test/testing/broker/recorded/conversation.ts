// What is said to a broker that has just been started, in every version of every API that there is a table of. The same words get the same
// answers from every broker that is one, but for ids, times and addresses.
import { APIS } from '../../../../src/core/protocol/apis.ts';
import type { AnyApi } from '../../../../src/core/protocol/api.ts';
import { encodeSubscription } from '../../../../src/core/protocol/consumer-protocol.ts';
import { ZERO_UUID } from '../../../../src/core/protocol/schema.ts';
import { BatchBuilder } from '../../../../src/core/records/batch-builder.ts';
import { createAclsApi } from '../../../../src/core/protocol/messages/30-create-acls.ts';
import { deleteAclsApi } from '../../../../src/core/protocol/messages/31-delete-acls.ts';
import { describeAclsApi } from '../../../../src/core/protocol/messages/29-describe-acls.ts';
import { describeLogDirsApi } from '../../../../src/core/protocol/messages/35-describe-log-dirs.ts';
import { alterConfigsApi } from '../../../../src/testing/broker/tables/33-alter-configs.ts';
import { describeConfigsApi } from '../../../../src/core/protocol/messages/32-describe-configs.ts';
import { describeTopicPartitionsApi } from '../../../../src/testing/broker/tables/75-describe-topic-partitions.ts';
import { electLeadersApi } from '../../../../src/core/protocol/messages/43-elect-leaders.ts';
import { listPartitionReassignmentsApi } from '../../../../src/core/protocol/messages/46-list-partition-reassignments.ts';
import type { Talk } from './talk.ts';

const TIME = Date.UTC(2026, 0, 2);
const GROUP = 0;
const TRANSACTION = 1;
const TOPIC = 2;

/** Every API that there is a conversation about, by name. */
export const SPOKEN: ReadonlyMap<string, AnyApi> = new Map(
  [
    ...APIS,
    alterConfigsApi,
    createAclsApi,
    deleteAclsApi,
    describeAclsApi,
    describeLogDirsApi,
    describeConfigsApi,
    describeTopicPartitionsApi,
    electLeadersApi,
    listPartitionReassignmentsApi,
  ].map((api) => [api.name, api]),
);
const named = (name: string): AnyApi => SPOKEN.get(name)!;

/** A batch of two records. */
function batch(producerId = -1, producerEpoch = -1, baseSequence = -1, transactional = false): Buffer {
  const builder = new BatchBuilder(10_000);
  builder.tryAppend(Buffer.from('key'), Buffer.from('value'), [['header', Buffer.from('h')]], TIME);
  builder.tryAppend(null, null, undefined, TIME + 1);
  return builder.seal({ codec: 'none', producerId, producerEpoch, baseSequence, transactional });
}

const subscription = encodeSubscription({ topics: ['golden'], userData: null });

async function connect(talk: Talk): Promise<void> {
  await talk.each(named('ApiVersions'), { clientSoftwareName: 'golden', clientSoftwareVersion: '1' });
  await talk.each(named('SaslHandshake'), { mechanism: 'PLAIN' });
  for (const [keyType, key] of [
    [GROUP, 'golden-group'],
    [TRANSACTION, 'golden-txn'],
  ] as const)
    await talk.askUntilReady(named('FindCoordinator'), 3, { key, keyType }, ({ errorCode }) => errorCode);
  await talk.each(named('FindCoordinator'), { key: 'golden-group', keyType: GROUP }, { max: 3 });
  await talk.each(
    named('FindCoordinator'),
    { keyType: GROUP, coordinatorKeys: ['golden-group', ''] },
    { min: 4 },
  );
}

async function topics(talk: Talk): Promise<string> {
  const create = named('CreateTopics');
  const topic = (name: string, more: object = {}): object => ({
    name,
    numPartitions: 1,
    replicationFactor: 1,
    assignments: [],
    configs: [],
    ...more,
  });
  await talk.ask(create, create.maxVersion, {
    timeoutMs: 10_000,
    topics: [topic('golden', { numPartitions: 2, configs: [{ name: 'retention.ms', value: '-1' }] })],
  });
  await talk.each(create, (version: number) => ({
    timeoutMs: 10_000,
    topics: [
      topic(`made-${version}`),
      topic('golden'),
      topic('wide', { replicationFactor: 99 }),
      topic('bad name'),
      topic('none', { numPartitions: 0 }),
    ],
  }));
  const metadata = named('Metadata');
  const asked = { allowAutoTopicCreation: false };
  const ready = await talk.askUntilReady(
    metadata,
    metadata.maxVersion,
    { ...asked, topics: [{ name: 'golden' }] },
    ({ topics: [one] }) =>
      one.errorCode || one.partitions.find((each: any) => each.errorCode)?.errorCode || 0,
  );
  await talk.each(metadata, { ...asked, topics: [{ name: 'golden' }, { name: 'nowhere' }] });
  const { topicId } = ready.topics[0];
  await talk.each(metadata, { ...asked, topics: [{ name: null, topicId }] }, { min: 12 });
  await talk.each(metadata, { ...asked, topics: [] }, { min: 1 });
  await talk.each(named('DescribeCluster'), {
    includeClusterAuthorizedOperations: false,
    includeFencedBrokers: false,
  });
  await talk.each(named('DescribeTopicPartitions'), {
    topics: [{ name: 'golden' }, { name: 'nowhere' }],
    responsePartitionLimit: 100,
    cursor: null,
  });
  return topicId;
}

async function records(talk: Talk, topicId: string): Promise<void> {
  const produce = named('Produce');
  await talk.each(produce, (version: number) => ({
    transactionalId: null,
    acks: -1,
    timeoutMs: 10_000,
    topicData: [
      {
        ...(version < 13 ? { name: 'golden' } : { topicId }),
        partitionData: [
          { index: 0, records: batch() },
          { index: 9, records: batch() },
        ],
      },
      {
        ...(version < 13 ? { name: 'nowhere' } : { topicId: ZERO_UUID }),
        partitionData: [{ index: 0, records: batch() }],
      },
    ],
  }));
  const fetch = named('Fetch');
  await talk.each(fetch, (version: number) => ({
    replicaId: -1,
    maxWaitMs: 0,
    minBytes: 0,
    maxBytes: 1_000_000,
    isolationLevel: version % 2,
    sessionId: 0,
    sessionEpoch: -1,
    topics: [
      {
        ...(version < 13 ? { topic: 'golden' } : { topicId }),
        partitions: [
          { partition: 0, fetchOffset: 20, partitionMaxBytes: 1_000_000 },
          { partition: 1, fetchOffset: 99, partitionMaxBytes: 1_000_000 },
          { partition: 9, fetchOffset: 0, partitionMaxBytes: 1_000_000 },
        ],
      },
    ],
    forgottenTopicsData: [],
    rackId: '',
  }));
  await talk.each(named('ListOffsets'), (version: number) => ({
    replicaId: -1,
    isolationLevel: 0,
    topics: [
      {
        name: 'golden',
        partitions: [-1, -2, TIME, TIME + 9, ...(version >= 7 ? [-3] : [])]
          .map((timestamp, at) => ({
            partitionIndex: at === 3 ? 1 : 0,
            timestamp,
          }))
          .filter(
            ({ partitionIndex }, at, all) =>
              all.findIndex((one) => one.partitionIndex === partitionIndex) === at,
          ),
      },
      { name: 'nowhere', partitions: [{ partitionIndex: 0, timestamp: -1 }] },
    ],
  }));
  for (const timestamp of [-2, TIME, TIME + 9, -3])
    await talk.each(
      named('ListOffsets'),
      {
        replicaId: -1,
        isolationLevel: 0,
        topics: [{ name: 'golden', partitions: [{ partitionIndex: 0, timestamp }] }],
      },
      { min: 7 },
    );
  await talk.each(named('OffsetForLeaderEpoch'), {
    replicaId: -1,
    topics: [
      {
        topic: 'golden',
        partitions: [
          { partition: 0, currentLeaderEpoch: -1, leaderEpoch: 0 },
          { partition: 1, currentLeaderEpoch: 7, leaderEpoch: 0 },
          { partition: 9, currentLeaderEpoch: -1, leaderEpoch: 0 },
        ],
      },
    ],
  });
}

async function groups(talk: Talk, topicId: string): Promise<void> {
  const join = named('JoinGroup');
  const joining = (groupId: string, memberId: string): object => ({
    groupId,
    sessionTimeoutMs: 30_000,
    rebalanceTimeoutMs: 30_000,
    memberId,
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: subscription }],
  });
  for (let version = join.minVersion; version <= join.maxVersion; version++) {
    const groupId = `joined-${version}`;
    const first = await talk.ask(join, version, joining(groupId, ''));
    if (version >= 4) await talk.ask(join, version, joining(groupId, first.memberId));
    await talk.ask(join, version, joining(groupId, 'stranger'));
  }
  const groupId = 'golden-group';
  const { memberId } = await talk.ask(join, 3, joining(groupId, ''));
  const generationId = 1;
  await talk.each(named('SyncGroup'), (version: number) => ({
    groupId,
    generationId,
    memberId,
    ...(version >= 5 && { protocolType: 'consumer', protocolName: 'range' }),
    assignments: [{ memberId, assignment: Buffer.from('assignment') }],
  }));
  await talk.each(named('Heartbeat'), { groupId, generationId, memberId });
  await talk.each(named('Heartbeat'), { groupId, generationId: 7, memberId });
  await talk.each(named('OffsetCommit'), (version: number) => ({
    groupId,
    generationIdOrMemberEpoch: generationId,
    memberId,
    ...(version <= 4 && { retentionTimeMs: -1 }),
    topics: [
      {
        ...(version < 10 ? { name: 'golden' } : { topicId }),
        partitions: [
          { partitionIndex: 0, committedOffset: version, committedMetadata: `version ${version}` },
          { partitionIndex: 9, committedOffset: 1, committedMetadata: null },
        ],
      },
    ],
  }));
  await talk.each(
    named('OffsetFetch'),
    { groupId, topics: [{ name: 'golden', partitionIndexes: [0, 1] }] },
    { max: 7 },
  );
  await talk.each(
    named('OffsetFetch'),
    (version: number) => ({
      groups: [
        {
          groupId,
          topics: [{ ...(version < 10 ? { name: 'golden' } : { topicId }), partitionIndexes: [0, 1] }],
        },
        { groupId: 'nobody', topics: null },
      ],
      requireStable: true,
    }),
    { min: 8 },
  );
  await talk.each(named('DescribeGroups'), { groups: [groupId, 'nobody'] });
  await talk.each(named('ListGroups'), (version: number) =>
    version >= 4 ? { statesFilter: ['Stable'] } : {},
  );
  await talk.each(named('OffsetDelete'), {
    groupId,
    topics: [{ name: 'golden', partitions: [{ partitionIndex: 0 }] }],
  });
  await talk.each(named('DeleteGroups'), { groupsNames: [groupId, 'nobody'] });
  await talk.each(named('LeaveGroup'), (version: number) => ({
    groupId,
    ...(version < 3 ? { memberId: 'stranger' } : { members: [{ memberId: 'stranger' }] }),
  }));
  await talk.ask(named('LeaveGroup'), 5, { groupId, members: [{ memberId }] });
  await talk.ask(named('OffsetDelete'), 0, {
    groupId,
    topics: [{ name: 'golden', partitions: [{ partitionIndex: 0 }] }],
  });
  await talk.ask(named('DeleteGroups'), 2, { groupsNames: [groupId] });

  const heartbeat = named('ConsumerGroupHeartbeat');
  for (let version = heartbeat.minVersion; version <= heartbeat.maxVersion; version++) {
    const member = `AAAAAAAAAAAAAAAAAAAAA${version}`;
    const joined = await talk.ask(heartbeat, version, {
      groupId: `consumer-${version}`,
      memberId: version === 0 ? '' : member,
      memberEpoch: 0,
      rebalanceTimeoutMs: 30_000,
      subscribedTopicNames: ['golden'],
      serverAssignor: 'uniform',
      topicPartitions: [],
    });
    const own = { groupId: `consumer-${version}`, memberId: joined.memberId };
    await talk.ask(heartbeat, version, {
      ...own,
      memberEpoch: joined.memberEpoch,
      topicPartitions: joined.assignment?.topicPartitions ?? [],
    });
    await talk.ask(heartbeat, version, { ...own, memberEpoch: 77 });
    await talk.each(named('ConsumerGroupDescribe'), {
      groupIds: [own.groupId, 'nobody'],
      includeAuthorizedOperations: false,
    });
    await talk.ask(heartbeat, version, { ...own, memberEpoch: -1 });
  }
}

async function transactions(talk: Talk, topicId: string): Promise<void> {
  const init = named('InitProducerId');
  const idempotent = { transactionalId: null, transactionTimeoutMs: 60_000 };
  await talk.askUntilReady(init, init.maxVersion, idempotent, ({ errorCode }) => errorCode);
  await talk.each(init, idempotent);
  await talk.each(init, (version: number) => ({
    transactionalId: `version-${version}`,
    transactionTimeoutMs: 60_000,
  }));
  const transactionalId = 'golden-txn';
  const { producerId, producerEpoch } = await talk.askUntilReady(
    init,
    4,
    { transactionalId, transactionTimeoutMs: 60_000 },
    ({ errorCode }) => errorCode,
  );
  const own = { transactionalId, producerId, producerEpoch };
  const stale = { ...own, producerEpoch: Number(producerEpoch) + 5 };
  const topics = [{ name: 'golden', partitions: [1] }];
  const old = (who: typeof own): object => ({
    v3AndBelowTransactionalId: who.transactionalId,
    v3AndBelowProducerId: who.producerId,
    v3AndBelowProducerEpoch: who.producerEpoch,
    v3AndBelowTopics: topics,
  });
  await talk.each(named('AddPartitionsToTxn'), old(own), { max: 3 });
  await talk.each(named('AddPartitionsToTxn'), old(stale), { max: 3 });
  await talk.each(
    named('AddPartitionsToTxn'),
    { transactions: [{ ...own, verifyOnly: true, topics }] },
    { min: 4 },
  );
  const produce = (version: number, sequence: number): Promise<unknown> =>
    talk.ask(named('Produce'), version, {
      transactionalId,
      acks: -1,
      timeoutMs: 10_000,
      topicData: [
        {
          ...(version < 13 ? { name: 'golden' } : { topicId }),
          partitionData: [{ index: 1, records: batch(producerId, producerEpoch, sequence, true) }],
        },
      ],
    });
  await produce(11, 0);
  await produce(11, 0);
  await produce(11, 9);
  await talk.each(named('AddOffsetsToTxn'), { ...own, groupId: 'txn-group' });
  await talk.each(
    named('TxnOffsetCommit'),
    (version: number) => ({
      ...own,
      groupId: 'txn-group',
      topics: [
        {
          name: 'golden',
          partitions: [
            { partitionIndex: 0, committedOffset: version, committedMetadata: 'in a transaction' },
          ],
        },
      ],
    }),
    { max: 4 },
  );
  await talk.ask(named('OffsetFetch'), 9, {
    groups: [{ groupId: 'txn-group', topics: [{ name: 'golden', partitionIndexes: [0] }] }],
    requireStable: true,
  });
  await talk.each(named('DescribeTransactions'), { transactionalIds: [transactionalId, 'nobody'] });
  await talk.each(named('ListTransactions'), { stateFilters: ['Ongoing', 'Nothing'], producerIdFilters: [] });
  await talk.each(named('DescribeProducers'), { topics: [{ name: 'golden', partitionIndexes: [1, 9] }] });
  await talk.each(named('EndTxn'), { ...stale, committed: true }, { max: 4 });
  await talk.ask(named('EndTxn'), 3, { ...own, committed: true });
  await talk.askUntilReady(named('EndTxn'), 3, { ...own, committed: true }, ({ errorCode }) => errorCode);
  await talk.ask(named('EndTxn'), 3, { ...own, committed: false });
  const again = await talk.askUntilReady(
    init,
    5,
    { transactionalId, transactionTimeoutMs: 60_000 },
    ({ errorCode }) => errorCode,
  );
  const next = { transactionalId, producerId: again.producerId, producerEpoch: again.producerEpoch };
  await talk.ask(named('TxnOffsetCommit'), 5, {
    ...next,
    groupId: 'txn-group',
    topics: [
      { name: 'golden', partitions: [{ partitionIndex: 0, committedOffset: 9, committedMetadata: null }] },
    ],
  });
  await talk.ask(named('EndTxn'), 5, { ...next, committed: false });
}

async function administer(talk: Talk): Promise<void> {
  await talk.each(named('CreatePartitions'), (version: number) => ({
    timeoutMs: 10_000,
    validateOnly: false,
    topics: [
      { name: 'golden', count: 1, assignments: null },
      { name: `made-${version + 2}`, count: 3, assignments: null },
      { name: 'nowhere', count: 3, assignments: null },
    ],
  }));
  await talk.each(named('DescribeConfigs'), {
    resources: [
      { resourceType: TOPIC, resourceName: 'golden', configurationKeys: ['retention.ms', 'cleanup.policy'] },
      { resourceType: TOPIC, resourceName: 'nowhere', configurationKeys: null },
    ],
    includeSynonyms: true,
    includeDocumentation: false,
  });
  await talk.each(named('AlterConfigs'), {
    validateOnly: true,
    resources: [
      { resourceType: TOPIC, resourceName: 'golden', configs: [{ name: 'retention.ms', value: '1000' }] },
      { resourceType: TOPIC, resourceName: 'nowhere', configs: [] },
    ],
  });
  await talk.each(named('ElectLeaders'), {
    electionType: 0,
    timeoutMs: 10_000,
    topicPartitions: [{ topic: 'golden', partitions: [0, 9] }],
  });
  await talk.each(named('ListPartitionReassignments'), { timeoutMs: 10_000, topics: null });
  await talk.each(named('IncrementalAlterConfigs'), {
    validateOnly: false,
    resources: [
      {
        resourceType: TOPIC,
        resourceName: 'golden',
        configs: [{ name: 'cleanup.policy', configOperation: 0, value: 'compact' }],
      },
      {
        resourceType: TOPIC,
        resourceName: 'nowhere',
        configs: [{ name: 'retention.ms', configOperation: 1, value: null }],
      },
      {
        resourceType: TOPIC,
        resourceName: 'made-2',
        configs: [{ name: 'no.such', configOperation: 0, value: '1' }],
      },
    ],
  });
  await talk.each(named('DeleteRecords'), {
    timeoutMs: 10_000,
    topics: [
      {
        name: 'golden',
        partitions: [
          { partitionIndex: 0, offset: 1 },
          { partitionIndex: 1, offset: 999 },
          { partitionIndex: 9, offset: 1 },
        ],
      },
    ],
  });
  const whose = { principal: 'User:one', host: '*', operation: 3, permissionType: 3 };
  const filter = {
    resourceTypeFilter: TOPIC,
    resourceNameFilter: 'golden',
    patternTypeFilter: 3,
    principalFilter: null,
    hostFilter: null,
    operation: 1,
    permissionType: 1,
  };
  await talk.each(named('DescribeAcls'), filter);
  await talk.each(named('CreateAcls'), {
    creations: [{ resourceType: TOPIC, resourceName: 'golden', resourcePatternType: 3, ...whose }],
  });
  await talk.each(named('DeleteAcls'), { filters: [filter] });
  await talk.each(named('DescribeLogDirs'), {
    topics: [
      { topic: 'golden', partitions: [0, 1, 9] },
      { topic: 'nowhere', partitions: [0] },
    ],
  });
  const remove = named('DeleteTopics');
  await talk.each(
    remove,
    (version: number) => ({ timeoutMs: 10_000, topicNames: [`made-${version + 1}`, 'nowhere'] }),
    {
      max: 5,
    },
  );
  await talk.ask(remove, 6, {
    timeoutMs: 10_000,
    topics: [
      { name: 'made-7', topicId: ZERO_UUID },
      { name: null, topicId: 'AAAAAAAAAAAAAAAAAAAAZQ' },
    ],
  });
}

const GROUPS = 32;
const SCRAM_SHA_256 = 1;

/** Of clients, users, groups and the cluster itself. */
async function govern(talk: Talk): Promise<void> {
  const set = (key: string): object => ({ key, value: 1e9, remove: false });
  const of = (entityType: string, entityName: string | null): object[] => [{ entityType, entityName }];
  await talk.each(named('AlterClientQuotas'), {
    validateOnly: false,
    entries: [
      { entity: of('client-id', 'other'), ops: [set('producer_byte_rate')] },
      { entity: of('user', null), ops: [set('consumer_byte_rate')] },
      { entity: of('client-id', 'third'), ops: [set('no_such_rate')] },
      { entity: of('nobody', 'x'), ops: [] },
      { entity: of('ip', '10.0.0.1'), ops: [set('producer_byte_rate')] },
    ],
  });
  const quotas = named('DescribeClientQuotas');
  const match = (entityType: string, matchType: number, text: string | null = null): object => ({
    components: [{ entityType, matchType, match: text }],
    strict: true,
  });
  const other = match('client-id', 0, 'other');
  await talk.askUntilReady(quotas, 1, other, ({ entries }) => (entries.length > 0 ? 0 : 3));
  await talk.each(quotas, other);
  await talk.each(quotas, match('user', 1));
  await talk.each(quotas, match('client-id', 2));
  await talk.each(quotas, match('nobody', 2));
  const scram = named('AlterUserScramCredentials');
  const credential = {
    mechanism: SCRAM_SHA_256,
    salt: Buffer.alloc(16, 1),
    saltedPassword: Buffer.alloc(32, 2),
  };
  await talk.each(scram, {
    deletions: [
      { name: 'nobody', mechanism: SCRAM_SHA_256 },
      { name: 'strange', mechanism: 9 },
    ],
    upsertions: [
      { name: 'golden', iterations: 4096, ...credential },
      { name: 'hasty', iterations: 10, ...credential },
      { name: 'slow', iterations: 1_000_000, ...credential },
      { name: '', iterations: 4096, ...credential },
      { name: 'twice', iterations: 4096, ...credential },
      { name: 'twice', iterations: 8192, ...credential },
    ],
  });
  const users = named('DescribeUserScramCredentials');
  await talk.askUntilReady(users, 0, { users: [{ name: 'golden' }] }, ({ results: [one] }) =>
    one.errorCode === 0 ? 0 : 3,
  );
  await talk.each(users, { users: [{ name: 'golden' }, { name: 'nobody' }] });
  await talk.each(users, { users: null });
  await talk.each(named('UpdateFeatures'), {
    timeoutMs: 10_000,
    validateOnly: true,
    featureUpdates: [{ feature: 'no.such', maxVersionLevel: 1, allowDowngrade: false, upgradeType: 1 }],
  });
  const group = (name: string, config: string, value: string): object => ({
    resourceType: GROUPS,
    resourceName: name,
    configs: [{ name: config, configOperation: 0, value }],
  });
  await talk.each(named('IncrementalAlterConfigs'), {
    validateOnly: false,
    resources: [
      group('configured', 'consumer.session.timeout.ms', '50000'),
      group('hasty', 'consumer.session.timeout.ms', '10'),
      group('slow', 'consumer.heartbeat.interval.ms', '100000'),
      group('strange', 'no.such', '1'),
      group('', 'consumer.session.timeout.ms', '50000'),
    ],
  });
  const keys = ['consumer.session.timeout.ms', 'consumer.heartbeat.interval.ms'];
  const configs = named('DescribeConfigs');
  const described = {
    resources: [{ resourceType: GROUPS, resourceName: 'configured', configurationKeys: keys }],
    includeSynonyms: true,
    includeDocumentation: false,
  };
  await talk.askUntilReady(configs, configs.maxVersion, described, ({ results: [one] }) =>
    one.configs.some(({ value }: { value: string }) => value === '50000') ? 0 : 3,
  );
  await talk.each(configs, described);
  await talk.each(named('WriteTxnMarkers'), {
    markers: [
      {
        producerId: 999_999,
        producerEpoch: 0,
        transactionResult: false,
        topics: [{ name: 'nowhere', partitionIndexes: [0] }],
        coordinatorEpoch: 0,
        transactionVersion: 0,
      },
    ],
  });
  await talk.each(named('AlterReplicaLogDirs'), {
    dirs: [{ path: '/no/such/folder', topics: [{ name: 'golden', partitions: [0] }] }],
  });
  await talk.each(named('AlterPartitionReassignments'), {
    timeoutMs: 10_000,
    topics: [
      { name: 'golden', partitions: [{ partitionIndex: 0, replicas: null }] },
      { name: 'nowhere', partitions: [{ partitionIndex: 0, replicas: null }] },
    ],
  });
}

/** Says everything. */
export async function converse(talk: Talk): Promise<void> {
  await connect(talk);
  const topicId = await topics(talk);
  await records(talk, topicId);
  await groups(talk, topicId);
  await transactions(talk, topicId);
  await administer(talk);
  await govern(talk);
  talk.close();
}
