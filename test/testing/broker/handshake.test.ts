// The traps that clients fall into when a broker is not exactly Kafka. SLUICE_CONFORMANCE=host:port runs the same against that broker.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { AnyApi } from '../../../src/core/protocol/api.ts';
import { encodeRequest } from '../../../src/core/protocol/frame.ts';
import { ERRORS } from '../../../src/core/protocol/error-codes.ts';
import { fetchApi } from '../../../src/core/protocol/messages/01-fetch.ts';
import { produceApi } from '../../../src/core/protocol/messages/00-produce.ts';
import { metadataApi } from '../../../src/core/protocol/messages/03-metadata.ts';
import { findCoordinatorApi } from '../../../src/core/protocol/messages/10-find-coordinator.ts';
import { joinGroupApi } from '../../../src/core/protocol/messages/11-join-group.ts';
import { leaveGroupApi } from '../../../src/core/protocol/messages/13-leave-group.ts';
import { apiVersionsApi } from '../../../src/core/protocol/messages/18-api-versions.ts';
import { createTopicsApi } from '../../../src/core/protocol/messages/19-create-topics.ts';
import { deleteTopicsApi } from '../../../src/core/protocol/messages/20-delete-topics.ts';
import { initProducerIdApi } from '../../../src/core/protocol/messages/22-init-producer-id.ts';
import { ZERO_UUID } from '../../../src/core/protocol/schema.ts';
import { tcpTransport } from '../../../src/core/network/transport.ts';
import { createBroker } from '../../../src/testing/broker/create-broker.ts';
import type { BrokerBox } from '../../../src/testing/broker/broker-box.ts';
import { batchOf, fetchRequest, produceRequest, recordsIn } from './requests.ts';
import { WireClient } from './wire-client.ts';

const given = process.env['SLUICE_CONFORMANCE'];
const topic = `lines-${process.pid}`;
let box: BrokerBox | undefined;
let broker = given ?? '';
const clients: WireClient[] = [];

function connect(clientId = 'test'): WireClient {
  const client = new WireClient(tcpTransport, broker, clientId);
  clients.push(client);
  return client;
}

/** The versions the broker announces for an API. */
async function announced(api: AnyApi): Promise<[number, number]> {
  const { apiKeys } = await connect().call(apiVersionsApi, 3, {
    clientSoftwareName: 'sluice-test',
    clientSoftwareVersion: '0',
  });
  const row = apiKeys.find(({ apiKey }) => apiKey === api.key)!;
  return [row.minVersion, row.maxVersion];
}

async function untilLed(): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const { topics } = await connect().call(metadataApi, 12, {
      topics: [{ name: topic }],
      allowAutoTopicCreation: false,
    });
    if (topics[0]!.partitions.length === 3 && topics[0]!.partitions.every(({ leaderId }) => leaderId >= 0))
      return;
  }
  throw new Error('the topic has no leaders');
}

beforeAll(async () => {
  if (given === undefined) {
    box = await createBroker({ autoCreateTopics: false });
    broker = box.bootstrap[0]!;
  }
  const { topics } = await connect().call(createTopicsApi, 7, {
    topics: [
      {
        name: topic,
        numPartitions: 3,
        replicationFactor: 1,
        assignments: [],
        configs: [{ name: 'max.message.bytes', value: '1048588' }],
      },
    ],
  });
  expect(topics[0]).toMatchObject({ errorCode: ERRORS.NONE, numPartitions: 3, replicationFactor: 1 });
  await untilLed();
});

afterAll(async () => {
  await connect().call(deleteTopicsApi, 5, { topicNames: [topic], timeoutMs: 1000 });
  for (const client of clients) client.close();
  expect(box?.internalErrors ?? []).toEqual([]);
  await box?.close();
});

describe('ApiVersions', () => {
  it('announces Produce from 0, or librdkafka does not compress', async () => {
    expect(await announced(produceApi)).toEqual([0, 13]);
  });

  it('answers an unknown version with error 35 in version 0, naming its own range', async () => {
    const client = connect();
    const frame = await client.exchange((id) => {
      const request = encodeRequest(apiVersionsApi, 4, id, 'test', {
        clientSoftwareName: 'sluice-test',
        clientSoftwareVersion: '0',
      });
      request.writeInt16BE(99, 6);
      return request;
    });
    const body = frame.subarray(4);
    expect(body.readInt16BE(0)).toBe(35);
    expect(body.readInt32BE(2)).toBe(1);
    expect([body.readInt16BE(6), body.readInt16BE(8)]).toEqual([18, 0]);
    expect(body.readInt16BE(10)).toBeGreaterThanOrEqual(4);
    expect(body).toHaveLength(12);
    // The connection goes on, with a version both know.
    const again = await client.call(apiVersionsApi, 0, {});
    expect(again.errorCode).toBe(ERRORS.NONE);
  });

  it.each([0, 1, 2, 3, 4])('answers version %d with a header of version 0', async (version) => {
    const frame = await connect().exchange((id) =>
      encodeRequest(apiVersionsApi, version, id, 'test', {
        clientSoftwareName: 'sluice',
        clientSoftwareVersion: '0',
      }),
    );
    // Right behind the correlation id stands the error code: no byte of tags before it.
    expect(frame.readInt16BE(4)).toBe(0);
    const isFlexible = version >= 3;
    const count = isFlexible ? frame[6]! - 1 : frame.readInt32BE(6);
    expect(count).toBeGreaterThan(15);
  });

  it('says which level of transaction.version is in force', async () => {
    const { finalizedFeatures } = await connect().call(apiVersionsApi, 3, {
      clientSoftwareName: 'sluice',
      clientSoftwareVersion: '0',
    });
    const level = finalizedFeatures.find(({ name }) => name === 'transaction.version')?.maxVersionLevel;
    expect(level).toBe(2);
  });
});

describe('Metadata', () => {
  it('names a controller that is one of the brokers, in every version', async () => {
    const [min, max] = await announced(metadataApi);
    for (let version = Math.max(1, min); version <= Math.min(max, metadataApi.maxVersion); version++) {
      const { brokers, controllerId } = await connect().call(metadataApi, version, {
        topics: [],
        allowAutoTopicCreation: true,
      });
      expect(brokers.map(({ nodeId }) => nodeId)).toContain(controllerId);
    }
  });

  it('gives leaders, epochs and the id of a topic, by name and by id', async () => {
    const byName = await connect().call(metadataApi, 12, {
      topics: [{ name: topic }],
      allowAutoTopicCreation: false,
    });
    const found = byName.topics[0]!;
    expect(found).toMatchObject({ errorCode: 0, name: topic });
    expect(found.topicId).not.toBe(ZERO_UUID);
    expect(found.partitions.map(({ partitionIndex }) => partitionIndex).sort()).toEqual([0, 1, 2]);
    expect(found.partitions.every(({ leaderEpoch }) => leaderEpoch >= 0)).toBe(true);
    const byId = await connect().call(metadataApi, 12, {
      topics: [{ topicId: found.topicId, name: null }],
      allowAutoTopicCreation: false,
    });
    expect(byId.topics[0]).toMatchObject({ errorCode: 0, name: topic, topicId: found.topicId });
    const unknown = await connect().call(metadataApi, 12, {
      topics: [{ topicId: 'AAAAAAAAAAAAAAAAAAAABA', name: null }],
      allowAutoTopicCreation: false,
    });
    expect(unknown.topics[0]).toMatchObject({ errorCode: ERRORS.UNKNOWN_TOPIC_ID, name: null });
  });

  it('refuses names that are none, and does not create what it may not', async () => {
    const { topics } = await connect().call(metadataApi, 9, {
      topics: [{ name: 'not a name!' }, { name: `${topic}-missing` }],
      allowAutoTopicCreation: false,
    });
    const codes = new Map(topics.map(({ name, errorCode }) => [name, errorCode]));
    expect(codes.get('not a name!')).toBe(ERRORS.INVALID_TOPIC_EXCEPTION);
    expect(codes.get(`${topic}-missing`)).toBe(ERRORS.UNKNOWN_TOPIC_OR_PARTITION);
  });
});

describe('Produce', () => {
  it('closes the connection on versions 0 to 2', async () => {
    const client = connect();
    await client.write(
      (() => {
        const request = encodeRequest(
          produceApi,
          3,
          1,
          'test',
          produceRequest(batchOf({ values: ['x'] }), { topic }),
        );
        request.writeInt16BE(2, 6);
        return request;
      })(),
    );
    await client.closed;
    expect(client.isClosed).toBe(true);
  });

  it('overwrites base offset and leader epoch, whatever the client put there, and nothing else', async () => {
    const client = connect();
    const batch = batchOf({ values: ['a', 'b', 'c'] });
    batch.writeInt32BE(0, 12);
    const { responses } = await client.call(produceApi, 9, produceRequest(batch, { topic }));
    const base = responses[0]!.partitionResponses[0]!;
    expect(base.errorCode).toBe(ERRORS.NONE);
    const fetched = await client.call(fetchApi, 12, fetchRequest({ topic, offset: base.baseOffset }));
    const { records } = fetched.responses[0]!.partitions[0]!;
    expect(recordsIn(records).map(([, value]) => value)).toEqual(['a', 'b', 'c']);
    expect(Number(records!.readBigInt64BE(0))).toBe(base.baseOffset);
    expect(records!.readInt32BE(12)).toBeGreaterThanOrEqual(0);
    expect(records!.subarray(16)).toEqual(batch.subarray(16));
  });

  it('answers nothing to acks=0 and keeps the order of the connection', async () => {
    const client = connect();
    const records = batchOf({ values: ['quiet'] });
    await client.post(produceApi, 9, produceRequest(records, { topic, partition: 2, acks: 0 }));
    const spoken = await client.call(
      produceApi,
      9,
      produceRequest(batchOf({ values: ['loud'] }), { topic, partition: 2 }),
    );
    expect(spoken.responses[0]!.partitionResponses[0]).toMatchObject({ errorCode: 0, baseOffset: 1 });
    const fetched = await client.call(fetchApi, 12, fetchRequest({ topic, partition: 2 }));
    expect(recordsIn(fetched.responses[0]!.partitions[0]!.records)).toEqual([
      [0, 'quiet'],
      [1, 'loud'],
    ]);
  });

  it('closes the connection when an acks=0 request fails', async () => {
    const client = connect();
    const damaged = batchOf({ values: ['x'] });
    damaged[damaged.length - 1]! ^= 0xff;
    await client.post(produceApi, 9, produceRequest(damaged, { topic, acks: 0 }));
    await client.closed;
    expect(client.isClosed).toBe(true);
  });

  const patched = (patch: (batch: Buffer) => void): Buffer => {
    const batch = batchOf({ values: ['a', 'b'] });
    patch(batch);
    return batch;
  };
  it.each<[string, Uint8Array | null, number]>([
    ['a wrong checksum', patched((batch) => (batch[30]! ^= 1)), ERRORS.CORRUPT_MESSAGE],
    ['magic 1', patched((batch) => batch.writeInt8(1, 16)), ERRORS.INVALID_RECORD],
    ['a base offset', patched((batch) => batch.writeInt32BE(7, 4)), ERRORS.INVALID_RECORD],
    [
      'two batches',
      Buffer.concat([batchOf({ values: ['a'] }), batchOf({ values: ['b'] })]),
      ERRORS.INVALID_RECORD,
    ],
    ['no records at all', Buffer.alloc(0), ERRORS.INVALID_RECORD],
    ['more than max.message.bytes', batchOf({ values: ['x'.repeat(1_100_000)] }), ERRORS.MESSAGE_TOO_LARGE],
  ])('refuses %s', async (_what, records, code) => {
    const { responses } = await connect().call(
      produceApi,
      9,
      produceRequest(records, { topic, partition: 1 }),
    );
    expect(responses[0]!.partitionResponses[0]).toMatchObject({ errorCode: code, baseOffset: -1 });
  });

  it('takes topic ids from version 13 on', async () => {
    const { topics } = await connect().call(metadataApi, 12, {
      topics: [{ name: topic }],
      allowAutoTopicCreation: false,
    });
    const { topicId } = topics[0]!;
    const records = batchOf({ values: ['by id'] });
    const good = await connect().call(produceApi, 13, produceRequest(records, { topicId, partition: 1 }));
    expect(good.responses[0]).toMatchObject({ topicId, partitionResponses: [{ errorCode: 0 }] });
    const bad = await connect().call(
      produceApi,
      13,
      produceRequest(records, { topicId: 'AAAAAAAAAAAAAAAAAAAABA' }),
    );
    expect(bad.responses[0]!.partitionResponses[0]!.errorCode).toBe(ERRORS.UNKNOWN_TOPIC_ID);
  });
});

describe('InitProducerId', () => {
  async function init(producerId = -1, producerEpoch = -1) {
    const body = { transactionalId: null, transactionTimeoutMs: 1000, producerId, producerEpoch };
    for (;;) {
      const answer = await connect().call(initProducerIdApi, 4, body);
      // A real cluster needs a moment for its first block of ids.
      if (answer.errorCode !== ERRORS.COORDINATOR_LOAD_IN_PROGRESS) return answer;
    }
  }

  it('gives an idempotent producer a new id with epoch 0, also when it names its old one', async () => {
    const first = await init();
    expect(first).toMatchObject({ errorCode: 0, producerEpoch: 0 });
    const second = await init(first.producerId, first.producerEpoch);
    expect(second).toMatchObject({ errorCode: 0, producerEpoch: 0 });
    expect(second.producerId).not.toBe(first.producerId);
  });

  it('is an idempotent log: duplicates within five batches, gaps and old epochs', async () => {
    const { producerId } = await init();
    const client = connect();
    const produce = async (baseSequence: number, producerEpoch = 0) => {
      const records = batchOf({ values: ['a', 'b'], producerId, producerEpoch, baseSequence });
      const { responses } = await client.call(
        produceApi,
        9,
        produceRequest(records, { topic, partition: 1 }),
      );
      const { errorCode, baseOffset } = responses[0]!.partitionResponses[0]!;
      return errorCode === 0 ? baseOffset : errorCode;
    };
    const first = await produce(0);
    for (let batch = 1; batch < 5; batch++) expect(await produce(2 * batch)).toBe(first + 2 * batch);
    expect(await produce(0)).toBe(first);
    expect(await produce(8)).toBe(first + 8);
    expect(await produce(12)).toBe(ERRORS.OUT_OF_ORDER_SEQUENCE_NUMBER);
    expect(await produce(10)).toBe(first + 10);
    // Six batches later the first is no longer remembered.
    expect(await produce(0)).toBe(ERRORS.OUT_OF_ORDER_SEQUENCE_NUMBER);
    expect(await produce(3, 1)).toBe(ERRORS.OUT_OF_ORDER_SEQUENCE_NUMBER);
    expect(await produce(0, 1)).toBe(first + 12);
    expect(await produce(12, 0)).toBe(ERRORS.INVALID_PRODUCER_EPOCH);
  });
});

describe('Fetch', () => {
  it('makes a session, or declines with id 0', async () => {
    const answer = await connect().call(fetchApi, 12, { ...fetchRequest({ topic }), sessionEpoch: 0 });
    if (box !== undefined) expect(answer.sessionId).toBeGreaterThan(0);
    expect(answer.errorCode).toBe(ERRORS.NONE);
    const unknown = await connect().call(fetchApi, 12, {
      ...fetchRequest({ topic }),
      sessionId: 99,
      sessionEpoch: 3,
    });
    expect(unknown.errorCode).toBe(ERRORS.FETCH_SESSION_ID_NOT_FOUND);
  });

  it('returns one whole batch even when it is larger than every limit', async () => {
    const client = connect();
    const value = 'y'.repeat(50_000);
    const sent = await client.call(produceApi, 9, produceRequest(batchOf({ values: [value] }), { topic }));
    const { baseOffset } = sent.responses[0]!.partitionResponses[0]!;
    const tiny = fetchRequest({ topic, offset: baseOffset, maxBytes: 1, partitionMaxBytes: 1 });
    const { responses } = await client.call(fetchApi, 12, tiny);
    expect(recordsIn(responses[0]!.partitions[0]!.records)).toEqual([[baseOffset, value]]);
  });

  it('knows topics by id from version 13 on', async () => {
    const { responses } = await connect().call(
      fetchApi,
      13,
      fetchRequest({ topicId: 'AAAAAAAAAAAAAAAAAAAABA' }),
    );
    expect(responses[0]!.partitions[0]!.errorCode).toBe(ERRORS.UNKNOWN_TOPIC_ID);
  });

  it('refuses offsets outside the log, and unknown partitions and epochs', async () => {
    const client = connect();
    const codeOf = async (at: Parameters<typeof fetchRequest>[0]): Promise<number> => {
      const { responses } = await client.call(fetchApi, 12, fetchRequest({ topic, ...at }));
      return responses[0]!.partitions[0]!.errorCode;
    };
    expect(await codeOf({ offset: 1_000_000 })).toBe(ERRORS.OFFSET_OUT_OF_RANGE);
    expect(await codeOf({ partition: 7 })).toBe(ERRORS.UNKNOWN_TOPIC_OR_PARTITION);
    expect(await codeOf({ leaderEpoch: 99 })).toBe(ERRORS.UNKNOWN_LEADER_EPOCH);
  });
});

describe('JoinGroup', () => {
  const join = (groupId: string, memberId: string) => ({
    groupId,
    memberId,
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 10_000,
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: Buffer.from([0, 0]) }],
  });

  it('sends a new member back with its id from version 4 on, and not before', async () => {
    const groupId = `group-${process.pid}`;
    await connect().call(findCoordinatorApi, 3, { key: groupId, keyType: 0 });
    const client = connect('a-client');
    let asked = await client.call(joinGroupApi, 5, join(groupId, ''));
    for (let tries = 0; tries < 100 && asked.errorCode !== ERRORS.MEMBER_ID_REQUIRED; tries++) {
      // A real cluster needs a moment to make its topic of offsets.
      await new Promise((resolve) => setTimeout(resolve, 100));
      asked = await client.call(joinGroupApi, 5, join(groupId, ''));
    }
    expect(asked).toMatchObject({ errorCode: ERRORS.MEMBER_ID_REQUIRED, generationId: -1, members: [] });
    expect(asked.memberId).toMatch(/^a-client-[0-9a-f-]{36}$/);
    const joined = await client.call(joinGroupApi, 5, join(groupId, asked.memberId));
    expect(joined).toMatchObject({
      errorCode: 0,
      generationId: 1,
      leader: asked.memberId,
      protocolName: 'range',
    });
    await client.call(leaveGroupApi, 1, { groupId, memberId: asked.memberId });
    const old = await connect('old').call(joinGroupApi, 3, join(`${groupId}-old`, ''));
    expect(old).toMatchObject({ errorCode: 0, generationId: 1, memberId: old.leader });
    await connect().call(leaveGroupApi, 1, { groupId: `${groupId}-old`, memberId: old.memberId });
  });

  it('refuses sessions that are too short and groups without a name', async () => {
    const short = await connect().call(joinGroupApi, 5, { ...join('short', ''), sessionTimeoutMs: 10 });
    expect(short.errorCode).toBe(ERRORS.INVALID_SESSION_TIMEOUT);
    const nameless = await connect().call(joinGroupApi, 5, join('', ''));
    expect(nameless.errorCode).toBe(ERRORS.INVALID_GROUP_ID);
  });
});
