// What else can be changed of a running cluster: configurations of groups, SCRAM users, levels of features; and what it forgets or says by itself.
import { afterEach, describe, expect, it } from '@jest/globals';
import { pbkdf2Sync } from 'node:crypto';
import { encodeSubscription } from '../../../src/core/protocol/consumer-protocol.ts';
import { ERRORS } from '../../../src/core/protocol/error-codes.ts';
import { metadataApi } from '../../../src/core/protocol/messages/03-metadata.ts';
import { offsetCommitApi } from '../../../src/core/protocol/messages/08-offset-commit.ts';
import { joinGroupApi } from '../../../src/core/protocol/messages/11-join-group.ts';
import { saslHandshakeApi } from '../../../src/core/protocol/messages/17-sasl-handshake.ts';
import { initProducerIdApi } from '../../../src/core/protocol/messages/22-init-producer-id.ts';
import { describeConfigsApi } from '../../../src/core/protocol/messages/32-describe-configs.ts';
import { saslAuthenticateApi } from '../../../src/core/protocol/messages/36-sasl-authenticate.ts';
import { incrementalAlterConfigsApi } from '../../../src/core/protocol/messages/44-incremental-alter-configs.ts';
import { describeUserScramCredentialsApi } from '../../../src/core/protocol/messages/50-describe-user-scram-credentials.ts';
import { alterUserScramCredentialsApi } from '../../../src/core/protocol/messages/51-alter-user-scram-credentials.ts';
import { updateFeaturesApi } from '../../../src/core/protocol/messages/57-update-features.ts';
import { consumerGroupHeartbeatApi } from '../../../src/core/protocol/messages/68-consumer-group-heartbeat.ts';
import { apiVersionsApi } from '../../../src/core/protocol/messages/18-api-versions.ts';
import { fault } from '../../../src/testing/broker/faults/fault.ts';
import { scramClient } from './scram-client.ts';
import { simulated } from './simulated.ts';
import type { Simulated } from './simulated.ts';

const GROUP = 32;
const SHA_256 = 1;

let sim: Simulated;

afterEach(async () => {
  await sim.box.close();
  expect(sim.box.internalErrors).toEqual([]);
});

describe('configurations of a group', () => {
  const alter = async (name: string, value: string | null, group = 'readers'): Promise<unknown> => {
    const configs = [{ name, configOperation: value === null ? 1 : 0, value }];
    const resources = [{ resourceType: GROUP, resourceName: group, configs }];
    const { responses } = await sim.run(
      sim.connect().call(incrementalAlterConfigsApi, 1, { resources, validateOnly: false }),
    );
    return responses[0]!.errorCode;
  };
  const valueOf = async (name: string, group = 'readers'): Promise<unknown> => {
    const resources = [{ resourceType: GROUP, resourceName: group, configurationKeys: [name] }];
    const { results } = await sim.run(sim.connect().call(describeConfigsApi, 4, { resources }));
    const [config] = results[0]!.configs;
    return [config?.value, config?.configSource];
  };
  const beat = (memberEpoch: number) =>
    sim.run(
      sim.connect(sim.box.coordinatorOf('readers')).call(consumerGroupHeartbeatApi, 1, {
        groupId: 'readers',
        memberId: 'me',
        memberEpoch,
        rebalanceTimeoutMs: 60_000,
        ...(memberEpoch === 0 && { subscribedTopicNames: ['lines'], topicPartitions: [] }),
      }),
    );

  it('are set over those of the cluster, described and removed', async () => {
    sim = await simulated();
    expect(await valueOf('consumer.session.timeout.ms')).toEqual(['45000', 5]);
    expect(await alter('consumer.session.timeout.ms', '50000')).toBe(ERRORS.NONE);
    expect(await valueOf('consumer.session.timeout.ms')).toEqual(['50000', 8]);
    expect(await valueOf('consumer.session.timeout.ms', 'others')).toEqual(['45000', 5]);
    await alter('consumer.session.timeout.ms', null);
    expect(await valueOf('consumer.session.timeout.ms')).toEqual(['45000', 5]);
  });

  it('refuse what is beyond the bounds, what nobody knows, and no group', async () => {
    sim = await simulated();
    const { INVALID_CONFIG, INVALID_REQUEST } = ERRORS;
    expect(await alter('consumer.session.timeout.ms', '1000')).toBe(INVALID_CONFIG);
    expect(await alter('consumer.session.timeout.ms', '70000')).toBe(INVALID_CONFIG);
    expect(await alter('consumer.heartbeat.interval.ms', '16000')).toBe(INVALID_CONFIG);
    expect(await alter('consumer.session.timeout.ms', 'long')).toBe(INVALID_CONFIG);
    expect(await alter('no.such', '1')).toBe(INVALID_CONFIG);
    expect(await alter('consumer.session.timeout.ms', '50000', '')).toBe(INVALID_REQUEST);
  });

  it('may be shorter where the cluster says so', async () => {
    sim = await simulated({
      group: { consumerMinSessionTimeoutMs: 1000, consumerMinHeartbeatIntervalMs: 100 },
    });
    expect(await alter('consumer.heartbeat.interval.ms', '200')).toBe(ERRORS.NONE);
    expect(await alter('consumer.session.timeout.ms', '1000')).toBe(ERRORS.NONE);
    expect(await alter('consumer.session.timeout.ms', '999')).toBe(ERRORS.INVALID_CONFIG);
  });

  it('are what its members are told and held to', async () => {
    sim = await simulated();
    const { heartbeatIntervalMs, memberEpoch } = await beat(0);
    expect(heartbeatIntervalMs).toBe(5000);
    await alter('consumer.heartbeat.interval.ms', '10000');
    await alter('consumer.session.timeout.ms', '60000');
    expect((await beat(memberEpoch)).heartbeatIntervalMs).toBe(10_000);
    await sim.clock.advance(59_000);
    expect((await beat(memberEpoch)).errorCode).toBe(ERRORS.NONE);
    await sim.clock.advance(61_000);
    expect((await beat(memberEpoch)).errorCode).toBe(ERRORS.UNKNOWN_MEMBER_ID);
  });

  it('are kept over a restart', async () => {
    sim = await simulated();
    await alter('consumer.session.timeout.ms', '50000');
    const restore = sim.box.snapshot();
    await sim.box.close();
    sim = await simulated({ restore });
    expect(await valueOf('consumer.session.timeout.ms')).toEqual(['50000', 8]);
  });
});

describe('a group of the consumer protocol that is empty', () => {
  it('keeps its commits when somebody joins by the classic protocol with an id that nobody knows', async () => {
    sim = await simulated();
    const client = sim.connect();
    const groupId = 'readers';
    const beat = (memberEpoch: number) =>
      sim.run(
        client.call(consumerGroupHeartbeatApi, 1, {
          groupId,
          memberId: 'me',
          memberEpoch,
          rebalanceTimeoutMs: 60_000,
          ...(memberEpoch === 0 && { subscribedTopicNames: ['lines'], topicPartitions: [] }),
        }),
      );
    const { memberEpoch } = await beat(0);
    const partitions = [{ partitionIndex: 0, committedOffset: 7, committedMetadata: null }];
    await sim.run(
      client.call(offsetCommitApi, 9, {
        groupId,
        memberId: 'me',
        generationIdOrMemberEpoch: memberEpoch,
        topics: [{ name: 'lines', partitions }],
      }),
    );
    await beat(-1);
    const { errorCode } = await sim.run(
      client.call(joinGroupApi, 5, {
        groupId,
        sessionTimeoutMs: 10_000,
        rebalanceTimeoutMs: 10_000,
        memberId: 'of another time',
        protocolType: 'consumer',
        protocols: [{ name: 'range', metadata: Buffer.alloc(0) }],
      }),
    );
    expect(errorCode).toBe(ERRORS.UNKNOWN_MEMBER_ID);
    expect(sim.box.committed(groupId, 'lines', 0)?.offset).toBe(7);
  });
});

describe('a classic group that is not stable yet', () => {
  it('takes a member of the consumer protocol, although its own have no assignment', async () => {
    sim = await simulated();
    const client = sim.connect();
    const groupId = 'readers';
    const join = (memberId: string) =>
      sim.run(
        client.call(joinGroupApi, 5, {
          groupId,
          sessionTimeoutMs: 10_000,
          rebalanceTimeoutMs: 10_000,
          memberId,
          protocolType: 'consumer',
          protocols: [{ name: 'range', metadata: encodeSubscription({ topics: ['lines'], userData: null }) }],
        }),
      );
    const { memberId } = await join('');
    expect((await join(memberId)).errorCode).toBe(ERRORS.NONE);
    const { errorCode } = await sim.run(
      sim.connect().call(consumerGroupHeartbeatApi, 1, {
        groupId,
        memberId: 'modern',
        memberEpoch: 0,
        rebalanceTimeoutMs: 10_000,
        subscribedTopicNames: ['lines'],
        topicPartitions: [],
      }),
    );
    expect(errorCode).toBe(ERRORS.NONE);
    expect(sim.box.group(groupId)?.type).toBe('consumer');
  });
});

describe('SCRAM users', () => {
  const PASSWORD = 'open sesame';
  const salt = Buffer.alloc(16, 3);
  const upsertion = (name: string, password = PASSWORD, iterations = 4096) => ({
    name,
    mechanism: SHA_256,
    iterations,
    salt,
    saltedPassword: pbkdf2Sync(password, salt, iterations, 32, 'sha256'),
  });
  type Upsertion = ReturnType<typeof upsertion>;
  const alter = async (upsertions: readonly Upsertion[], deletions: readonly string[] = []) => {
    const { results } = await sim.run(
      sim.connect().call(alterUserScramCredentialsApi, 0, {
        upsertions,
        deletions: deletions.map((name) => ({ name, mechanism: SHA_256 })),
      }),
    );
    return results.map(({ user, errorCode }) => [user, errorCode]);
  };
  const users = async (names: readonly string[] | null) => {
    const { results } = await sim.run(
      sim
        .connect()
        .call(describeUserScramCredentialsApi, 0, { users: names?.map((name) => ({ name })) ?? null }),
    );
    return results.map(({ user, errorCode, credentialInfos }) => [user, errorCode, credentialInfos]);
  };

  it('are set, described and removed', async () => {
    sim = await simulated();
    expect(await alter([upsertion('bob', PASSWORD, 8192)])).toEqual([['bob', ERRORS.NONE]]);
    expect(await users(null)).toEqual([['bob', ERRORS.NONE, [{ mechanism: SHA_256, iterations: 8192 }]]]);
    expect(await users(['eve'])).toEqual([['eve', ERRORS.RESOURCE_NOT_FOUND, []]]);
    expect(await alter([], ['bob'])).toEqual([['bob', ERRORS.NONE]]);
    expect(await alter([], ['bob'])).toEqual([['bob', ERRORS.RESOURCE_NOT_FOUND]]);
    expect(await users(null)).toEqual([]);
  });

  it('need a name, enough iterations and one change at a time', async () => {
    sim = await simulated();
    expect(
      await alter([upsertion(''), upsertion('hasty', PASSWORD, 100), upsertion('two'), upsertion('two')]),
    ).toEqual([
      ['', ERRORS.UNACCEPTABLE_CREDENTIAL],
      ['hasty', ERRORS.UNACCEPTABLE_CREDENTIAL],
      ['two', ERRORS.DUPLICATE_RESOURCE],
    ]);
  });

  it('may connect from then on, with their last password', async () => {
    sim = await simulated({ sasl: { users: { alice: PASSWORD }, mechanisms: ['SCRAM-SHA-256'] } });
    const connect = async (
      user: string,
      password: string,
    ): Promise<[number, ReturnType<typeof sim.connect>]> => {
      const client = sim.connect();
      await sim.run(client.call(saslHandshakeApi, 1, { mechanism: 'SCRAM-SHA-256' }));
      const scram = scramClient('sha256', user, password);
      const say = (text: string) =>
        sim.run(client.call(saslAuthenticateApi, 2, { authBytes: Buffer.from(text) }));
      const first = await say(scram.first);
      if (first.errorCode !== ERRORS.NONE) return [first.errorCode, client];
      const { errorCode } = await say(scram.finish(first.authBytes.toString()).message);
      return [errorCode, client];
    };
    const [errorCode, alice] = await connect('alice', PASSWORD);
    expect(errorCode).toBe(ERRORS.NONE);
    await sim.run(
      alice.call(alterUserScramCredentialsApi, 0, {
        deletions: [{ name: 'alice', mechanism: SHA_256 }],
        upsertions: [upsertion('bob', 'another one')],
      }),
    );
    expect((await connect('bob', 'another one'))[0]).toBe(ERRORS.NONE);
    expect((await connect('bob', PASSWORD))[0]).toBe(ERRORS.SASL_AUTHENTICATION_FAILED);
    expect((await connect('alice', PASSWORD))[0]).toBe(ERRORS.SASL_AUTHENTICATION_FAILED);
  });
});

describe('levels of features', () => {
  const update = (
    maxVersionLevel: number,
    upgradeType: number,
    feature = 'transaction.version',
    version = 2,
  ) =>
    sim.run(
      sim.connect().call(updateFeaturesApi, version, {
        featureUpdates: [{ feature, maxVersionLevel, upgradeType }],
      }),
    );
  const level = async (name: string): Promise<number | undefined> => {
    const versions = { clientSoftwareName: 'test', clientSoftwareVersion: '1' };
    const { finalizedFeatures } = await sim.run(sim.connect().call(apiVersionsApi, 4, versions));
    return finalizedFeatures.find((one) => one.name === name)?.maxVersionLevel;
  };

  it('go down only when that is asked for, and up again', async () => {
    sim = await simulated();
    expect((await update(1, 1)).errorCode).toBe(ERRORS.INVALID_UPDATE_VERSION);
    expect(await level('transaction.version')).toBe(2);
    expect((await update(1, 2)).errorCode).toBe(ERRORS.NONE);
    expect(await level('transaction.version')).toBe(1);
    await update(0, 2);
    expect(await level('transaction.version')).toBeUndefined();
    expect((await update(2, 1)).errorCode).toBe(ERRORS.NONE);
    expect(await level('transaction.version')).toBe(2);
  });

  it('are those that there are', async () => {
    sim = await simulated();
    expect((await update(9, 1)).errorCode).toBe(ERRORS.INVALID_UPDATE_VERSION);
    expect((await update(1, 1, 'no.such')).errorCode).toBe(ERRORS.INVALID_UPDATE_VERSION);
    expect(await update(1, 1, 'no.such', 1)).toMatchObject({
      errorCode: ERRORS.INVALID_UPDATE_VERSION,
      results: [],
    });
  });
});

describe('a transactional id', () => {
  it('is forgotten when nobody used it for as long as it is kept', async () => {
    sim = await simulated({ transactionalIdExpirationMs: 7_200_000 });
    const init = (producerId = -1, producerEpoch = -1) =>
      sim.run(
        sim.connect(sim.box.coordinatorOf('tx')).call(initProducerIdApi, 4, {
          transactionalId: 'tx',
          transactionTimeoutMs: 60_000,
          producerId,
          producerEpoch,
        }),
      );
    const first = await init();
    await sim.clock.advance(7_000_000);
    expect((await init()).producerId).toBe(first.producerId);
    await sim.clock.advance(7_000_000);
    expect(sim.box.transaction('tx')).toBeDefined();
    await sim.clock.advance(7_300_000);
    expect(sim.box.transaction('tx')).toBeUndefined();
    expect((await init()).producerId).not.toBe(first.producerId);
  });
});

describe('a cluster that a fault tells clients to look for anew', () => {
  it('says so in the metadata as a whole', async () => {
    sim = await simulated();
    sim.box.fault({ match: { api: 'Metadata' }, do: fault.error('REBOOTSTRAP_REQUIRED'), count: 1 });
    const ask = () => sim.run(sim.connect().call(metadataApi, 13, { topics: null }));
    expect(await ask()).toMatchObject({ errorCode: ERRORS.REBOOTSTRAP_REQUIRED, brokers: [], topics: [] });
    expect(await ask()).toMatchObject({ errorCode: ERRORS.NONE });
  });
});
