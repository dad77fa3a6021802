// What groups of the consumer protocol (KIP-848) are asked, step by step; to be asked of the box and of Kafka.
import { metadataApi } from '../../../../src/core/protocol/messages/03-metadata.ts';
import { offsetCommitApi } from '../../../../src/core/protocol/messages/08-offset-commit.ts';
import { offsetFetchApi } from '../../../../src/core/protocol/messages/09-offset-fetch.ts';
import { describeGroupsApi } from '../../../../src/core/protocol/messages/15-describe-groups.ts';
import { listGroupsApi } from '../../../../src/core/protocol/messages/16-list-groups.ts';
import { createTopicsApi } from '../../../../src/core/protocol/messages/19-create-topics.ts';
import { deleteTopicsApi } from '../../../../src/core/protocol/messages/20-delete-topics.ts';
import { createPartitionsApi } from '../../../../src/core/protocol/messages/37-create-partitions.ts';
import { deleteGroupsApi } from '../../../../src/core/protocol/messages/42-delete-groups.ts';
import { offsetDeleteApi } from '../../../../src/core/protocol/messages/47-offset-delete.ts';
import { consumerGroupHeartbeatApi } from '../../../../src/core/protocol/messages/68-consumer-group-heartbeat.ts';
import { consumerGroupDescribeApi } from '../../../../src/core/protocol/messages/69-consumer-group-describe.ts';
import type { RequestOf, ResponseOf } from '../../../../src/core/protocol/api.ts';
import { encodeAssignment } from '../../../../src/core/protocol/consumer-protocol.ts';
import { ClassicTalker, commitOf } from './classic-transcripts.ts';
import type { Transcript } from './classic-transcripts.ts';
import type { Talk } from './talk.ts';

type Heartbeat = Partial<RequestOf<typeof consumerGroupHeartbeatApi>>;
type Beaten = ResponseOf<typeof consumerGroupHeartbeatApi>;

/** A member of a consumer group in a transcript; its id sorts and hashes the same on every broker. */
export class ConsumerTalker {
  epoch = 0;
  owned: NonNullable<Beaten['assignment']>['topicPartitions'] = [];
  readonly id: string;
  readonly instanceId: string | null;
  readonly #talk: Talk;
  readonly #group: string;

  constructor(talk: Talk, group: string, id: string, instanceId: string | null = null) {
    this.#talk = talk;
    this.#group = group;
    this.id = id;
    this.instanceId = instanceId;
  }

  join(change: Heartbeat = {}, version = 1): Promise<Beaten> {
    return this.beat(
      {
        memberEpoch: 0,
        rebalanceTimeoutMs: 60_000,
        subscribedTopicNames: ['lines'],
        topicPartitions: [],
        ...change,
      },
      version,
    );
  }

  async beat(change: Heartbeat = {}, version = 1): Promise<Beaten> {
    const answer = await this.#talk.say(
      `${this.id} heartbeats`,
      consumerGroupHeartbeatApi,
      version,
      this.body(change),
    );
    this.take(answer);
    return answer;
  }

  /** Says that it owns what it was told to have. */
  settle(): Promise<Beaten> {
    return this.beat({ topicPartitions: this.owned });
  }

  body(change: Heartbeat = {}): RequestOf<typeof consumerGroupHeartbeatApi> {
    const memberEpoch = change.memberEpoch ?? this.epoch;
    return { groupId: this.#group, memberId: this.id, instanceId: this.instanceId, memberEpoch, ...change };
  }

  take(answer: Beaten): void {
    if (answer.errorCode !== 0) return;
    this.epoch = answer.memberEpoch;
    this.owned = answer.assignment?.topicPartitions ?? this.owned;
  }

  commit(version = 9, epoch = this.epoch, partitions: readonly number[] = [0]) {
    return this.#talk.say(`${this.id} commits`, offsetCommitApi, version, {
      groupId: this.#group,
      generationIdOrMemberEpoch: epoch,
      memberId: this.id,
      topics: [commitOf('lines', partitions, 3)],
    });
  }

  fetch(memberEpoch: number, memberId: string | null = this.id) {
    const topics = [{ name: 'lines', partitionIndexes: [0, 1] }];
    return this.#talk.say(`${this.id} fetches`, offsetFetchApi, 9, {
      groups: [{ groupId: this.#group, memberId, memberEpoch, topics }],
    });
  }
}

async function nameTopics(talk: Talk, ...names: readonly string[]): Promise<void> {
  const { topics } = await talk.ask(metadataApi, 12, { topics: names.map((name) => ({ name })) });
  for (const { topicId, name } of topics) talk.name(topicId, `id of ${name}`);
}

export async function describeConsumers(talk: Talk, group: string): Promise<void> {
  for (const version of [0, 1]) {
    const body = { groupIds: [group], includeAuthorizedOperations: version === 1 };
    await talk.say('described', consumerGroupDescribeApi, version, body);
  }
  for (const version of [5, 6]) await talk.say('as classic', describeGroupsApi, version, { groups: [group] });
  const { groups } = await talk.ask(listGroupsApi, 5, {});
  talk.note(
    'listed',
    groups.filter(({ groupId }) => groupId === group),
  );
}

const life: Transcript = async (talk, group) => {
  await nameTopics(talk, 'lines', 'others');
  await describeConsumers(talk, group);
  await talk.say('described', consumerGroupDescribeApi, 1, {
    groupIds: [''],
    includeAuthorizedOperations: false,
  });
  const one = new ConsumerTalker(talk, group, 'member-one');
  await one.join();
  await describeConsumers(talk, group);
  await one.settle();
  await one.beat();
  await one.commit(9, 1, [0, 1]);
  await one.commit(8);
  await one.commit(9, 0);
  await one.commit(9, 2);
  await one.commit(9, -1);
  const two = new ConsumerTalker(talk, group, 'member-two');
  await two.join();
  await describeConsumers(talk, group);
  await one.beat();
  await describeConsumers(talk, group);
  await one.beat();
  await two.beat();
  await one.commit(9, 1, [0]);
  await one.commit(9, 1, [0, 1, 2]);
  await one.commit(9, 1, [2]);
  await one.settle();
  await one.commit(9, 1, [0]);
  await one.commit(9, 1, [2]);
  await describeConsumers(talk, group);
  await two.beat();
  await two.settle();
  await describeConsumers(talk, group);
  await two.commit(9, 1, [2]);
  await two.commit(9, 2, [2]);
  for (const epoch of [2, 1, 3, -1]) await one.fetch(epoch);
  await one.fetch(-1, null);
  await one.fetch(2, 'stranger');
  const offsets = { groupId: group, topics: [{ name: 'lines', partitions: [{ partitionIndex: 0 }] }] };
  await talk.say('subscribed', offsetDeleteApi, 0, offsets);
  await two.beat({ subscribedTopicNames: ['others', 'lines', 'no-such-topic'] });
  await one.beat();
  await one.settle();
  await two.settle();
  await one.settle();
  await describeConsumers(talk, group);
  await one.beat({ subscribedTopicNames: ['others'] });
  await one.beat({ topicPartitions: [] });
  await two.settle();
  await two.settle();
  await describeConsumers(talk, group);
  await two.beat({ serverAssignor: 'range' });
  await one.beat({ subscribedTopicNames: ['lines', 'others'], serverAssignor: 'range' });
  await two.settle();
  await one.settle();
  await describeConsumers(talk, group);
  await talk.say('not empty', deleteGroupsApi, 2, { groupsNames: [group] });
  await one.beat({ memberEpoch: -1 });
  await two.beat();
  await two.settle();
  await one.beat({ memberEpoch: -1 });
  await two.beat({ memberEpoch: -1 });
  await describeConsumers(talk, group);
  await talk.say('unsubscribed', offsetDeleteApi, 0, offsets);
  await talk.say('deleted', deleteGroupsApi, 2, { groupsNames: [group] });
  await describeConsumers(talk, group);
};

const refusals: Transcript = async (talk, group) => {
  await nameTopics(talk, 'lines', 'others');
  const one = new ConsumerTalker(talk, group, 'member-one');
  await one.beat({ memberEpoch: 5 });
  await one.beat({ memberEpoch: -1 });
  await one.beat({ memberEpoch: -2 });
  await one.join({ memberEpoch: -3 });
  for (const version of [0, 1]) {
    await one.join({ groupId: ' ' }, version);
    await one.join({ memberId: '', memberEpoch: 1 }, version);
    await one.join({ memberId: '', memberEpoch: -1 }, version);
  }
  await one.join({ memberId: '' });
  await one.join({ instanceId: ' ' });
  await one.join({ rackId: '' });
  await one.join({ rebalanceTimeoutMs: -1 });
  await one.join({ topicPartitions: null });
  await one.join({ topicPartitions: [{ topicId: 'AAAAAAAAAAAAAAAAAAAAAQ', partitions: [1] }] });
  await one.join({ subscribedTopicNames: null });
  await one.join({ serverAssignor: 'cooperative' });
  for (const regex of [
    '[',
    '(',
    '(a',
    'a)',
    '*',
    'a**',
    'x{1001}',
    'x{2,1}',
    '\\8',
    '\\',
    '[b-a]',
    '(?=a)',
    '\\p{Nope}',
  ]) {
    await one.join({ subscribedTopicNames: null, subscribedTopicRegex: regex });
  }
  await one.join();
  await one.beat({ memberEpoch: 9 });
  await one.join({ subscribedTopicNames: ['lines', 'others'] });
  await one.beat({ memberEpoch: 1 });
  await one.beat({ memberEpoch: 1, topicPartitions: [] });
  await one.beat({
    memberEpoch: 1,
    topicPartitions: [{ topicId: 'AAAAAAAAAAAAAAAAAAAAAQ', partitions: [1] }],
  });
  const stranger = new ConsumerTalker(talk, group, 'stranger');
  await stranger.beat({ memberEpoch: 1 });
  await stranger.beat({ memberEpoch: -1 });
  await stranger.commit(9, 1);
  await one.beat({ memberEpoch: -1 });
};

const statics: Transcript = async (talk, group) => {
  await nameTopics(talk, 'lines');
  const one = new ConsumerTalker(talk, group, 'member-one', 'first');
  await one.beat({ memberEpoch: 1 });
  await one.join();
  await one.settle();
  const again = new ConsumerTalker(talk, group, 'member-again', 'first');
  await again.join();
  await one.join();
  await again.beat({ memberEpoch: 1 });
  await again.beat({ memberEpoch: -2 });
  await again.beat({ memberEpoch: 1, instanceId: 'second' });
  await one.beat({ memberEpoch: -2 });
  await describeConsumers(talk, group);
  await one.commit(9, -2);
  const other = new ConsumerTalker(talk, group, 'member-other');
  await other.join();
  await again.join();
  await describeConsumers(talk, group);
  await one.beat({ memberEpoch: 1 });
  await again.beat({ topicPartitions: again.owned });
  await other.beat();
  await again.beat({ memberEpoch: -1 });
  await other.settle();
  await describeConsumers(talk, group);
};

const growth: Transcript = async (talk, group) => {
  const name = `grows-${group}`;
  talk.name(name, 'topic');
  const ask = { timeoutMs: 10_000 };
  const create = async (topic: string) => {
    const spec = { name: topic, numPartitions: 2, replicationFactor: 1, assignments: [], configs: [] };
    await talk.ask(createTopicsApi, 7, { ...ask, topics: [spec] });
    await talk.until(
      'made',
      metadataApi,
      12,
      { topics: [{ name: topic }] },
      ({ topics }) => topics[0]!.errorCode === 0,
    );
  };
  const quiet = talk.lines.length;
  const one = new ConsumerTalker(talk, group, 'member-one');
  await one.join({ subscribedTopicNames: [name] });
  await create(name);
  talk.lines.splice(quiet + 1);
  const { topics } = await talk.ask(metadataApi, 12, { topics: [{ name }] });
  talk.name(topics[0]!.topicId, 'topic id');
  const changed = (answer: Beaten) => answer.assignment !== null;
  const next = async (what: string) =>
    one.take(await talk.until(what, consumerGroupHeartbeatApi, 1, one.body(), changed));
  await next('the topic came');
  await one.settle();
  await talk.ask(createPartitionsApi, 3, {
    ...ask,
    topics: [{ name, count: 3, assignments: null }],
    validateOnly: false,
  });
  await next('the topic grew');
  await one.settle();
  await talk.ask(deleteTopicsApi, 5, { ...ask, topicNames: [name] });
  await next('the topic went');
  await one.settle();
};

const regexes: Transcript = async (talk, group) => {
  await nameTopics(talk, 'lines', 'others');
  const one = new ConsumerTalker(talk, group, 'member-one');
  await one.join({ subscribedTopicNames: null, subscribedTopicRegex: 'l[i-n]+(es|x)?' });
  one.take(
    await talk.until(
      'resolved',
      consumerGroupHeartbeatApi,
      1,
      one.body(),
      ({ assignment }) => assignment !== null,
    ),
  );
  await one.settle();
  await describeConsumers(talk, group);
  const two = new ConsumerTalker(talk, group, 'member-two');
  await two.join({ subscribedTopicNames: ['others'], subscribedTopicRegex: 'l[i-n]+(es|x)?' });
  await one.beat();
  await one.settle();
  await two.settle();
  await describeConsumers(talk, group);
  await two.beat({ subscribedTopicRegex: '' });
  await one.settle();
  await one.beat({ subscribedTopicRegex: '' });
  await describeConsumers(talk, group);
};

const upgrade: Transcript = async (talk, group) => {
  await nameTopics(talk, 'lines');
  const classic = new ClassicTalker(talk, group, 'classic');
  await classic.enter();
  const all = encodeAssignment({ assignedPartitions: [{ topic: 'lines', partitions: [0, 1, 2] }] }, 1);
  await classic.sync({ [classic.memberId]: all });
  await classic.commit(4);
  const one = new ConsumerTalker(talk, group, 'member-one');
  await one.beat({ memberEpoch: 1 });
  await one.join();
  await describeConsumers(talk, group);
  await classic.heartbeat();
  await classic.commit(5);
  await classic.sync();
  await classic.join();
  await classic.sync();
  await classic.heartbeat();
  await one.beat();
  await one.settle();
  await describeConsumers(talk, group);
  await classic.heartbeat();
  await classic.commit(6);
  await classic.commit(6, 9, 0);
  const third = new ClassicTalker(talk, group, 'third');
  await third.join();
  third.protocols = ['other'];
  await third.join();
  await one.beat({ memberEpoch: -1 });
  await talk.say('downgraded', describeGroupsApi, 6, { groups: [group] });
  await classic.heartbeat();
  await classic.join();
  await classic.sync({ [classic.memberId]: all });
  await classic.leave();
  await one.join();
  await describeConsumers(talk, group);
  await one.beat({ memberEpoch: -1 });
  await classic.join();
  classic.memberId = '';
  await classic.enter();
  await talk.say('classic again', describeGroupsApi, 6, { groups: [group] });
};

export const CONSUMER_TRANSCRIPTS: Readonly<Record<string, Transcript>> = {
  'consumer life': life,
  'consumer refusals': refusals,
  'consumer statics': statics,
  growth,
  regexes,
  upgrade,
};
