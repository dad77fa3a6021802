import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Kafka } from '../../../src/core/client.ts';
import type { Cluster } from '../../../src/core/cluster/cluster.ts';
import type { KafkaOptions } from '../../../src/core/options.ts';
import { ERRORS } from '../../../src/core/protocol/error-codes.ts';
import { metadataApi } from '../../../src/core/protocol/messages/03-metadata.ts';
import { VirtualClock } from '../../../src/testing/simulation/virtual-clock.ts';
import { FakeBrokers, topicId } from '../../helpers/fake-brokers.ts';
import { rejection } from '../../helpers/rejection.ts';

const MAX_AGE_MS = 300_000;

let clock: VirtualClock;
let brokers: FakeBrokers;
let kafka: Kafka;
let cluster: Cluster;
let changes: number;

async function connect(options: Partial<KafkaOptions> = {}): Promise<void> {
  kafka = new Kafka(
    { brokers: brokers.addresses, ...options },
    { clock, random: () => 0.5, transport: brokers.transport },
  );
  cluster = kafka.cluster;
  await clock.run(cluster.refresh([]));
  changes = 0;
  cluster.metadata.onChange(() => (changes += 1));
  brokers.seen.length = 0;
}

beforeEach(async () => {
  clock = new VirtualClock();
  brokers = new FakeBrokers(clock, 3);
  await connect();
});

afterEach(async () => {
  await kafka.close();
  await clock.advance(10);
  expect(clock.pendingTimers).toBe(0);
});

const refresh = (...topics: string[]): Promise<void> => clock.run(cluster.refresh(topics));
const asked = (): (readonly string[] | null)[] =>
  brokers.bodies(metadataApi).map(({ topics }) => topics?.map(({ name }) => name!) ?? null);

describe('what is cached', () => {
  it('is what was asked for', async () => {
    brokers.topic('a', [1, 2, 3]);
    brokers.topic('b', [1]);
    await refresh('a');
    expect([...cluster.metadata.topics()].map(({ name }) => name)).toEqual(['a']);
    expect(cluster.metadata.topic('a')).toMatchObject({ id: topicId(1), errorCode: 0 });
    expect(
      cluster.metadata.topic('a')!.partitions.map(({ index, leader }) => [index, leader?.nodeId]),
    ).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
    ]);
    expect(cluster.metadata.leader('a', 3)).toBeUndefined();
    expect(cluster.metadata.leader('b', 0)).toBeUndefined();
  });

  it('is everything when no topic is named, and what is gone is marked', async () => {
    brokers.topic('a', [1]);
    brokers.topic('b', [1]);
    await clock.run(cluster.refresh());
    expect([...cluster.metadata.topics()].map(({ name }) => name)).toEqual(['a', 'b']);
    expect(asked()).toEqual([null]);
    brokers.topics.delete('a');
    await clock.run(cluster.refresh());
    expect(cluster.metadata.topic('a')).toMatchObject({
      errorCode: ERRORS.UNKNOWN_TOPIC_OR_PARTITION,
      partitions: [],
    });
    expect(cluster.metadata.leader('a', 0)).toBeUndefined();
    expect(cluster.metadata.topicById(topicId(1))).toBeUndefined();
  });

  it('holds errors of topics as their code', async () => {
    await refresh('nope');
    expect(cluster.metadata.topic('nope')).toMatchObject({
      errorCode: ERRORS.UNKNOWN_TOPIC_OR_PARTITION,
      partitions: [],
    });
  });

  it('keeps partitions of a topic that is only unavailable', async () => {
    const topic = brokers.topic('a', [1]);
    await refresh('a');
    brokers.on(metadataApi, (body) => {
      const answer = brokers.metadata(body);
      return {
        ...answer,
        topics: answer.topics.map((row) => ({
          ...row,
          errorCode: ERRORS.TOPIC_AUTHORIZATION_FAILED,
          partitions: [],
        })),
      };
    });
    topic.partitions[0]!.leader = 2;
    await refresh('a');
    expect(cluster.metadata.topic('a')).toMatchObject({ errorCode: ERRORS.TOPIC_AUTHORIZATION_FAILED });
    expect(cluster.metadata.leader('a', 0)?.nodeId).toBe(1);
  });

  it('sorts partitions and finds them where indices are missing', async () => {
    brokers.topic('a', [1, 2, 3]);
    brokers.on(metadataApi, (body) => {
      const answer = brokers.metadata(body);
      return {
        ...answer,
        topics: answer.topics.map((row) => ({
          ...row,
          partitions: [row.partitions[2]!, row.partitions[0]!],
        })),
      };
    });
    await refresh('a');
    expect(cluster.metadata.topic('a')!.partitions.map(({ index }) => index)).toEqual([0, 2]);
    expect(cluster.metadata.leader('a', 2)?.nodeId).toBe(3);
    expect(cluster.metadata.leader('a', 1)).toBeUndefined();
  });

  it('tells of changes, and only of changes', async () => {
    const topic = brokers.topic('a', [1, 2]);
    await refresh('a');
    expect(changes).toBe(1);
    await refresh('a');
    expect(changes).toBe(1);
    Object.assign(topic.partitions[1]!, { leader: 3, leaderEpoch: 1 });
    await refresh('a');
    expect(changes).toBe(2);
    topic.partitions.push({ leader: 1, leaderEpoch: 0 });
    await refresh('a');
    expect(changes).toBe(3);
    brokers.advertised = [1, 2];
    await refresh('a');
    expect(changes).toBe(4);
    const calls: number[] = [];
    const stop = cluster.metadata.onChange(() => calls.push(1));
    stop();
    brokers.advertised = [1, 2, 3];
    await refresh('a');
    expect([changes, calls.length]).toEqual([5, 0]);
    brokers.on(metadataApi, (body) => {
      const answer = brokers.metadata(body);
      return { ...answer, brokers: answer.brokers.map((node) => ({ ...node, rack: 'r' })) };
    });
    await refresh('a');
    expect([changes, cluster.metadata.rack(2)]).toEqual([6, 'r']);
    await refresh('a');
    expect(changes).toBe(6);
  });
});

describe('leader epochs', () => {
  it('never go back within a topic id', async () => {
    const topic = brokers.topic('a', [1]);
    const [partition] = topic.partitions;
    Object.assign(partition!, { leader: 2, leaderEpoch: 5 });
    await refresh('a');
    Object.assign(partition!, { leader: 1, leaderEpoch: 4 });
    await refresh('a');
    expect(cluster.metadata.leader('a', 0)).toEqual({ nodeId: 2, leaderEpoch: 5 });
    Object.assign(partition!, { leader: 3, leaderEpoch: 6 });
    await refresh('a');
    expect(cluster.metadata.leader('a', 0)).toEqual({ nodeId: 3, leaderEpoch: 6 });
  });

  it('are remembered while there is no leader', async () => {
    const [partition] = brokers.topic('a', [1]).partitions;
    Object.assign(partition!, { leader: -1, leaderEpoch: 7 });
    await refresh('a');
    expect(cluster.metadata.leader('a', 0)).toBeUndefined();
    expect(cluster.metadata.topic('a')!.partitions[0]).toMatchObject({
      errorCode: ERRORS.LEADER_NOT_AVAILABLE,
    });
    Object.assign(partition!, { leader: 1, leaderEpoch: 6 });
    await refresh('a');
    expect(cluster.metadata.leader('a', 0)).toBeUndefined();
  });

  it('start anew with a new topic id, and the old id is gone', async () => {
    const [partition] = brokers.topic('a', [1], topicId(8)).partitions;
    partition!.leaderEpoch = 9;
    await refresh('a');
    brokers.topic('a', [2], topicId(9));
    await refresh('a');
    expect(cluster.metadata.leader('a', 0)).toEqual({ nodeId: 2, leaderEpoch: 0 });
    expect(cluster.metadata.topic('a')!.id).toBe(topicId(9));
    expect(cluster.metadata.topicById(topicId(8))).toBeUndefined();
    expect(cluster.metadata.topicById(topicId(9))?.name).toBe('a');
  });

  it('without topic ids and epochs follow the broker', async () => {
    await kafka.close();
    brokers.maxVersions.set(metadataApi.key, 6);
    await connect();
    const [partition] = brokers.topic('a', [1]).partitions;
    await refresh('a');
    expect(cluster.metadata.leader('a', 0)).toEqual({ nodeId: 1, leaderEpoch: -1 });
    partition!.leader = 3;
    await refresh('a');
    expect(cluster.metadata.leader('a', 0)?.nodeId).toBe(3);
  });
});

describe('leader hints (KIP-951)', () => {
  it('are taken when they are newer', async () => {
    brokers.topic('a', [1, 1]);
    await refresh('a');
    cluster.metadata.updateLeader('a', 1, { nodeId: 2, leaderEpoch: 3 });
    expect(cluster.metadata.leader('a', 1)).toEqual({ nodeId: 2, leaderEpoch: 3 });
    expect(cluster.metadata.leader('a', 0)?.nodeId).toBe(1);
    expect(changes).toBe(2);
    cluster.metadata.updateLeader('a', 1, { nodeId: 3, leaderEpoch: 3 });
    cluster.metadata.updateLeader('a', 1, { nodeId: 3, leaderEpoch: 2 });
    cluster.metadata.updateLeader('a', 1, { nodeId: -1, leaderEpoch: 9 });
    cluster.metadata.updateLeader('a', 9, { nodeId: 1, leaderEpoch: 9 });
    cluster.metadata.updateLeader('b', 0, { nodeId: 1, leaderEpoch: 9 });
    expect(cluster.metadata.leader('a', 1)).toEqual({ nodeId: 2, leaderEpoch: 3 });
    expect(changes).toBe(2);
    await refresh('a');
    expect(cluster.metadata.leader('a', 1)).toEqual({ nodeId: 2, leaderEpoch: 3 });
  });

  it('may name a broker that is new', async () => {
    brokers.topic('a', [1]);
    await refresh('a');
    cluster.metadata.updateLeader('a', 0, { nodeId: 7, leaderEpoch: 3, host: 'kafka-2', port: 9092 });
    expect(await clock.run(cluster.negotiated(7, metadataApi))).toBe(metadataApi.maxVersion);
  });
});

describe('refresh', () => {
  it('of 50 callers is one request', async () => {
    await clock.run(Promise.all(Array.from({ length: 50 }, () => cluster.refresh(['a']))));
    expect(asked()).toEqual([['a']]);
  });

  it('of other topics waits its turn and goes out together', async () => {
    for (const name of ['a', 'b', 'c']) brokers.topic(name, [1]);
    await clock.run(
      Promise.all([
        cluster.refresh(['a']),
        cluster.refresh(['b']),
        cluster.refresh(['c', 'a']),
        cluster.refresh(['a']),
      ]),
    );
    expect(asked()).toEqual([['a'], ['a'], ['b', 'c']]);
    expect(['a', 'b', 'c'].map((name) => cluster.metadata.leader(name, 0)?.nodeId)).toEqual([1, 1, 1]);
  });

  it('of all topics serves those who wait for some', async () => {
    brokers.topic('b', [1]);
    await clock.run(Promise.all([cluster.refresh(['a']), cluster.refresh(['b']), cluster.refresh()]));
    expect(asked().slice(1)).toEqual([null]);
    expect(cluster.metadata.leader('b', 0)?.nodeId).toBe(1);
  });

  it('rejects those who wait, and the next one starts afresh', async () => {
    for (const nodeId of [1, 2, 3]) brokers.stop(nodeId);
    const [one, two] = [rejection(cluster.refresh(['a'])), rejection(cluster.refresh(['b']))];
    expect((await clock.run(one)).message).toMatch(/None of 3 brokers/);
    brokers.topic('b', [1]);
    for (const nodeId of [1, 2, 3]) brokers.start(nodeId);
    await clock.run(two.catch(() => undefined));
    await refresh('b');
    expect(cluster.metadata.leader('b', 0)?.nodeId).toBe(1);
  });

  it('lets one caller give up without the others', async () => {
    brokers.topic('a', [1]);
    const controller = new AbortController();
    const one = rejection(cluster.refresh(['a'], controller.signal));
    const two = cluster.refresh(['a']);
    controller.abort(new Error('no more'));
    expect((await one).message).toBe('no more');
    await clock.run(two);
    expect(cluster.metadata.leader('a', 0)?.nodeId).toBe(1);
  });
});

describe('topics that are not there', () => {
  const creations = (): boolean[] =>
    brokers.bodies(metadataApi).map(({ allowAutoTopicCreation }) => allowAutoTopicCreation);

  it('may be created by asking for them', async () => {
    await refresh('a');
    expect(creations()).toEqual([true]);
  });

  it('are not created again once they existed', async () => {
    brokers.topic('a', [1]);
    await refresh('a');
    brokers.topics.delete('a');
    await refresh('a');
    expect(creations()).toEqual([true, false]);
  });

  it('are asked for apart from those that existed', async () => {
    brokers.topic('a', [1]);
    await refresh('a');
    await refresh('a', 'b');
    expect(asked()).toEqual([['a'], ['a'], ['b']]);
    expect(creations()).toEqual([true, false, true]);
  });

  it('are never created where the client or the caller forbids it', async () => {
    await clock.run(cluster.refresh(['a'], undefined, { allowAutoTopicCreation: false }));
    expect(creations()).toEqual([false]);
    await kafka.close();
    await connect({ allowAutoTopicCreation: false });
    await refresh('a');
    expect(creations()).toEqual([false]);
  });

  it('are created by one who may, though one who may not was first', async () => {
    await clock.run(
      Promise.all([
        cluster.refresh(['a'], undefined, { allowAutoTopicCreation: false }),
        cluster.refresh(['a']),
      ]),
    );
    expect(creations()).toEqual([false, true]);
  });
});

describe('age', () => {
  it('makes topics in use be asked for again, without creating them', async () => {
    const topic = brokers.topic('a', [1]);
    await refresh('a');
    Object.assign(topic.partitions[0]!, { leader: 2, leaderEpoch: 1 });
    await clock.advance(MAX_AGE_MS - 100);
    expect(cluster.metadata.leader('a', 0)?.nodeId).toBe(1);
    await clock.advance(200);
    expect(cluster.metadata.leader('a', 0)?.nodeId).toBe(2);
    expect(brokers.bodies(metadataApi).at(-1)).toMatchObject({ allowAutoTopicCreation: false });
  });

  it('makes topics that nobody looks up be forgotten', async () => {
    brokers.topic('a', [1]);
    brokers.topic('b', [1]);
    await refresh('a', 'b');
    for (let n = 0; n < 4; n += 1) {
      cluster.metadata.leader('a', 0);
      await clock.advance(MAX_AGE_MS + 100);
    }
    expect([...cluster.metadata.topics()].map(({ name }) => name)).toEqual(['a']);
    expect(asked().at(-1)).toEqual(['a']);
    await clock.advance(4 * MAX_AGE_MS);
    expect([...cluster.metadata.topics()]).toEqual([]);
    const requests = brokers.count(metadataApi);
    await clock.advance(4 * MAX_AGE_MS);
    expect(brokers.count(metadataApi)).toBe(requests);
  });

  it('is asked for again soon when it could not be', async () => {
    const topic = brokers.topic('a', [1]);
    await refresh('a');
    for (const nodeId of [1, 2, 3]) brokers.stop(nodeId);
    cluster.metadata.leader('a', 0);
    await clock.advance(MAX_AGE_MS + 10_000);
    for (const nodeId of [1, 2, 3]) brokers.start(nodeId);
    Object.assign(topic.partitions[0]!, { leader: 3, leaderEpoch: 4 });
    await clock.advance(30_000);
    expect(cluster.metadata.leader('a', 0)?.nodeId).toBe(3);
  });
});
