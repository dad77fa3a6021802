// What groups of the classic protocol are asked, step by step; to be asked of the box and of Kafka.
import { metadataApi } from '../../../../src/core/protocol/messages/03-metadata.ts';
import { offsetCommitApi } from '../../../../src/core/protocol/messages/08-offset-commit.ts';
import { offsetFetchApi } from '../../../../src/core/protocol/messages/09-offset-fetch.ts';
import { findCoordinatorApi } from '../../../../src/core/protocol/messages/10-find-coordinator.ts';
import { joinGroupApi } from '../../../../src/core/protocol/messages/11-join-group.ts';
import { heartbeatApi } from '../../../../src/core/protocol/messages/12-heartbeat.ts';
import { leaveGroupApi } from '../../../../src/core/protocol/messages/13-leave-group.ts';
import { syncGroupApi } from '../../../../src/core/protocol/messages/14-sync-group.ts';
import { describeGroupsApi } from '../../../../src/core/protocol/messages/15-describe-groups.ts';
import { listGroupsApi } from '../../../../src/core/protocol/messages/16-list-groups.ts';
import { deleteGroupsApi } from '../../../../src/core/protocol/messages/42-delete-groups.ts';
import { offsetDeleteApi } from '../../../../src/core/protocol/messages/47-offset-delete.ts';
import { encodeSubscription } from '../../../../src/core/protocol/consumer-protocol.ts';
import type { ResponseOf } from '../../../../src/core/protocol/api.ts';
import type { WireClient } from '../wire-client.ts';
import type { Talk } from './talk.ts';

export type Transcript = (talk: Talk, group: string) => Promise<void>;

type Joined = ResponseOf<typeof joinGroupApi>;

const NO_MEMBER = { memberId: '', groupInstanceId: null };

/** A member of a classic group in a transcript. */
export class ClassicTalker {
  memberId = '';
  generationId = -1;
  readonly name: string;
  readonly instanceId: string | null;
  readonly #talk: Talk;
  readonly #group: string;
  readonly #client: WireClient;
  topics: readonly string[] = ['lines'];
  protocols: readonly string[] = ['range'];

  constructor(talk: Talk, group: string, name: string, instanceId: string | null = null) {
    this.#talk = talk;
    this.#group = group;
    this.name = name;
    this.instanceId = instanceId;
    this.#client = talk.connect();
  }

  get who() {
    return { memberId: this.memberId, groupInstanceId: this.instanceId };
  }

  async join(version = 9, isNoted = true): Promise<Joined> {
    const joined = await this.#talk.ask(
      joinGroupApi,
      version,
      {
        groupId: this.#group,
        memberId: this.memberId,
        ...(version >= 5 && { groupInstanceId: this.instanceId }),
        sessionTimeoutMs: 10_000,
        rebalanceTimeoutMs: 20_000,
        protocolType: 'consumer',
        protocols: this.protocols.map((name) => ({
          name,
          metadata: encodeSubscription({ topics: this.topics }, 1),
        })),
      },
      this.#client,
    );
    this.#talk.name(joined.memberId, this.name);
    if (isNoted) this.#talk.note(`${this.name} joins (v${version})`, joined);
    if (joined.memberId !== '') this.memberId = joined.memberId;
    if (joined.errorCode === 0) this.generationId = joined.generationId;
    return joined;
  }

  /** Joins, asking for an id first. */
  async enter(): Promise<Joined> {
    await this.join();
    return this.join();
  }

  async sync(assignments: Readonly<Record<string, Buffer>> = {}) {
    this.#talk.note(`${this.name} syncs`, await this.askForSync(assignments));
  }

  /** Without writing it down. */
  askForSync(assignments: Readonly<Record<string, Buffer>> = {}) {
    return this.#talk.ask(
      syncGroupApi,
      5,
      {
        groupId: this.#group,
        generationId: this.generationId,
        ...this.who,
        protocolType: 'consumer',
        protocolName: 'range',
        assignments: Object.entries(assignments).map(([memberId, assignment]) => ({ memberId, assignment })),
      },
      this.#client,
    );
  }

  heartbeat(generationId = this.generationId) {
    const body = { groupId: this.#group, generationId, ...this.who };
    return this.#talk.say(`${this.name} heartbeats`, heartbeatApi, 4, body, this.#client);
  }

  commit(offset: number, version = 9, generationIdOrMemberEpoch = this.generationId) {
    return this.#talk.say(`${this.name} commits`, offsetCommitApi, version, {
      groupId: this.#group,
      generationIdOrMemberEpoch,
      ...this.who,
      topics: [commitOf('lines', [0, 1], offset)],
    });
  }

  leave(memberId = this.memberId) {
    const members = [{ memberId, groupInstanceId: this.instanceId }];
    return this.#talk.say(`${this.name} leaves`, leaveGroupApi, 5, { groupId: this.#group, members });
  }
}

export function commitOf(
  name: string,
  partitions: readonly number[],
  committedOffset: number,
  metadata = 'm',
) {
  return {
    name,
    partitions: partitions.map((partitionIndex) => ({
      partitionIndex,
      committedOffset,
      committedMetadata: metadata,
    })),
  };
}

export async function describeAll(talk: Talk, group: string): Promise<void> {
  for (const version of [0, 4, 5, 6]) {
    const body = { groups: [group], includeAuthorizedOperations: version > 4 };
    await talk.say('described', describeGroupsApi, version, body);
  }
  for (const version of [2, 4, 5]) {
    const { groups } = await talk.ask(listGroupsApi, version, {});
    talk.note(
      `listed v${version}`,
      groups.filter(({ groupId }) => groupId === group),
    );
  }
}

const life: Transcript = async (talk, group) => {
  await describeAll(talk, group);
  const one = new ClassicTalker(talk, group, 'one');
  await one.enter();
  await describeAll(talk, group);
  await one.sync({ [one.memberId]: Buffer.from('abc') });
  await describeAll(talk, group);
  await one.heartbeat();
  await one.commit(5);
  await one.commit(6, 8);
  await one.commit(6, 9, one.generationId - 1);
  await one.commit(6, 9, -1);
  const fetch = { groupId: group, topics: [{ name: 'lines', partitionIndexes: [0, 1, 2, 7] }] };
  for (const version of [1, 3, 5, 7]) await talk.say('fetched', offsetFetchApi, version, fetch);
  for (const version of [2, 7])
    await talk.say('all', offsetFetchApi, version, { groupId: group, topics: null });
  for (const version of [8, 9]) {
    await talk.say('fetched', offsetFetchApi, version, { groups: [fetch] });
    await talk.say('all', offsetFetchApi, version, { groups: [{ groupId: group, topics: null }] });
  }
  await talk.say('not empty', deleteGroupsApi, 2, { groupsNames: [group] });
  const offsets = (topics: readonly string[]) => ({
    groupId: group,
    topics: topics.map((name) => ({ name, partitions: [{ partitionIndex: 0 }, { partitionIndex: 9 }] })),
  });
  await talk.say('subscribed', offsetDeleteApi, 0, offsets(['lines', 'others', 'no-such-topic']));
  await one.leave('nobody');
  await one.leave();
  await one.heartbeat();
  await describeAll(talk, group);
  await talk.say('unsubscribed', offsetDeleteApi, 0, offsets(['lines']));
  await talk.say('left', offsetFetchApi, 9, { groups: [{ groupId: group, topics: null }] });
  await talk.say('deleted', deleteGroupsApi, 2, { groupsNames: [group] });
  await talk.say('deleted again', deleteGroupsApi, 2, { groupsNames: [group, ''] });
  await talk.say('gone', offsetDeleteApi, 0, offsets(['lines']));
  await talk.say('gone', offsetFetchApi, 9, { groups: [fetch] });
};

const refusals: Transcript = async (talk, group) => {
  const join = {
    groupId: group,
    memberId: '',
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 10_000,
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: encodeSubscription({ topics: ['lines'] }) }],
  };
  const tryJoin = (what: string, change: Partial<typeof join>, version = 9) =>
    talk.say(what, joinGroupApi, version, { ...join, ...change });
  await tryJoin('without a group', { groupId: '' });
  await tryJoin('with too short a session', { sessionTimeoutMs: 1 });
  await tryJoin('with too long a session', { sessionTimeoutMs: 2_000_000 });
  await tryJoin('as a stranger', { memberId: 'stranger' });
  await tryJoin('without a type', { protocolType: '' });
  await tryJoin('without protocols', { protocols: [] }, 3);
  await talk.say('nobody heartbeats', heartbeatApi, 4, { groupId: group, generationId: 1, ...NO_MEMBER });
  await talk.say('nobody heartbeats', heartbeatApi, 4, { groupId: '', generationId: 1, ...NO_MEMBER });
  const sync = { generationId: 1, ...NO_MEMBER, protocolType: null, protocolName: null, assignments: [] };
  await talk.say('nobody syncs', syncGroupApi, 5, { groupId: group, ...sync });
  await talk.say('nobody syncs', syncGroupApi, 5, { groupId: '', ...sync });
  await talk.say('nobody leaves', leaveGroupApi, 2, { groupId: `${group}-none`, memberId: 'x' });
  await talk.say('nobody leaves', leaveGroupApi, 5, {
    groupId: `${group}-none`,
    members: [{ memberId: 'x' }],
  });
  await talk.say('nobody leaves', leaveGroupApi, 5, { groupId: '', members: [{ memberId: 'x' }] });
  for (const version of [2, 8, 9]) {
    for (const generationIdOrMemberEpoch of [-1, 3]) {
      const body = { groupId: `${group}-${version}-${generationIdOrMemberEpoch}`, generationIdOrMemberEpoch };
      const topics = [commitOf('lines', [0, 9], 4), commitOf('no-such-topic', [0], 4)];
      await talk.say('alone', offsetCommitApi, version, { ...body, memberId: '', topics });
    }
  }
  await talk.say('with long words', offsetCommitApi, 9, {
    groupId: `${group}-9--1`,
    generationIdOrMemberEpoch: -1,
    memberId: '',
    topics: [commitOf('lines', [0], 7, 'é'.repeat(4096)), commitOf('lines', [1], 7, 'e'.repeat(4097))],
  });
  await talk.say('a simple group', describeGroupsApi, 6, { groups: [`${group}-9--1`] });
  await talk.say('two', findCoordinatorApi, 4, { keyType: 0, coordinatorKeys: [group, 'other'] });
  for (const version of [0, 1, 3]) await talk.say('one', findCoordinatorApi, version, { key: group });
  const transactional = { keyType: 1, coordinatorKeys: [group] };
  const isReady = ({ coordinators }: ResponseOf<typeof findCoordinatorApi>) =>
    coordinators[0]!.errorCode === 0;
  await talk.until('a transactional id', findCoordinatorApi, 4, transactional, isReady);
  await talk.say('an empty key', findCoordinatorApi, 4, { keyType: 0, coordinatorKeys: [''] });
  await talk.say('an unknown type', findCoordinatorApi, 4, { keyType: 7, coordinatorKeys: ['x'] });
};

const pair: Transcript = async (talk, group) => {
  const one = new ClassicTalker(talk, group, 'one');
  const two = new ClassicTalker(talk, group, 'two');
  one.protocols = ['roundrobin', 'range'];
  two.protocols = ['sticky', 'range'];
  await one.enter();
  one.protocols = ['range'];
  await one.sync({ [one.memberId]: Buffer.from('all') });
  await one.join();
  await one.sync({ [one.memberId]: Buffer.from('all') });
  await two.join();
  const waiting = two.join(9, false);
  await talk.until('it prepares', heartbeatApi, 4, beat(group, one), ({ errorCode }) => errorCode === 27);
  await describeAll(talk, group);
  await one.sync();
  await one.commit(1);
  await one.join();
  talk.note('two has joined', await waiting);
  await describeAll(talk, group);
  await one.commit(2);
  await two.commit(2, 9, 1);
  const synced = two.askForSync();
  await one.sync({ [one.memberId]: Buffer.from('a'), [two.memberId]: Buffer.from('b') });
  talk.note('two is synced', await synced);
  await two.join();
  await two.sync();
  await one.heartbeat(1);
  const stranger = new ClassicTalker(talk, group, 'stranger');
  stranger.protocols = ['other'];
  await stranger.join();
  await describeAll(talk, group);
  await two.leave();
  await one.heartbeat();
  await one.join();
  await one.sync({ [one.memberId]: Buffer.from('alone') });
  await describeAll(talk, group);
};

const beat = (groupId: string, { memberId, generationId }: ClassicTalker) => ({
  groupId,
  memberId,
  generationId,
});

const statics: Transcript = async (talk, group) => {
  const one = new ClassicTalker(talk, group, 'one', 'first');
  await one.join();
  await one.sync({ [one.memberId]: Buffer.from('mine') });
  await describeAll(talk, group);
  const again = new ClassicTalker(talk, group, 'again', 'first');
  await again.join();
  await again.sync();
  await one.heartbeat();
  await one.commit(3);
  await one.sync();
  await one.join();
  await one.leave();
  await describeAll(talk, group);
  const old = new ClassicTalker(talk, group, 'old', 'first');
  await old.join(8);
  await old.sync();
  await old.heartbeat();
  await old.leave('');
  await old.leave('');
  await describeAll(talk, group);
};

const ids: Transcript = async (talk, group) => {
  const { topics } = await talk.ask(metadataApi, 12, { topics: [{ name: 'lines' }] });
  const { topicId } = topics[0]!;
  talk.name(topicId, 'id of lines');
  const unknown = 'AAAAAAAAAAAAAAAAAAAAAQ';
  const { partitions } = commitOf('', [0, 1, 7], 12);
  const commit = {
    groupId: group,
    generationIdOrMemberEpoch: -1,
    memberId: '',
    topics: [
      { topicId, partitions },
      { topicId: unknown, partitions },
    ],
  };
  await talk.say('by id', offsetCommitApi, 10, commit);
  const wanted = [
    { topicId, partitionIndexes: [0, 1, 7] },
    { topicId: unknown, partitionIndexes: [0] },
  ];
  await talk.say('by id', offsetFetchApi, 10, { groups: [{ groupId: group, topics: wanted }] });
  await talk.say('all', offsetFetchApi, 10, { groups: [{ groupId: group, topics: null }] });
  await talk.say('all, stable', offsetFetchApi, 10, {
    groups: [{ groupId: group, topics: null }],
    requireStable: true,
  });
  await talk.say('with retention', offsetCommitApi, 2, {
    groupId: `${group}-old`,
    generationIdOrMemberEpoch: -1,
    memberId: '',
    retentionTimeMs: 5000,
    topics: [commitOf('lines', [0], 4), commitOf('lines', [1], 5)],
  });
  await talk.say('nothing', offsetCommitApi, 9, { ...commit, groupId: `${group}-none`, topics: [] });
  await talk.say('nothing', describeGroupsApi, 6, { groups: [`${group}-none`] });
  await talk.say('several', offsetFetchApi, 9, {
    groups: [
      { groupId: group, topics: [{ name: 'lines', partitionIndexes: [0] }] },
      { groupId: `${group}-none`, topics: [{ name: 'no-such-topic', partitionIndexes: [0] }] },
      { groupId: `${group}-old`, topics: null },
    ],
  });
  for (const key of ['x', `${group}:${topicId}:0`]) {
    await talk.say('of a share', findCoordinatorApi, 5, { keyType: 2, coordinatorKeys: [key] });
  }
};

export const CLASSIC_TRANSCRIPTS: Readonly<Record<string, Transcript>> = {
  life,
  refusals,
  pair,
  statics,
  ids,
};
