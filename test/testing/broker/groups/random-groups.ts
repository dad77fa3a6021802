// Random histories of consumer groups: members that come, go, settle slowly, and change their minds. The same for the same seed.
import { metadataApi } from '../../../../src/core/protocol/messages/03-metadata.ts';
import { joinGroupApi } from '../../../../src/core/protocol/messages/11-join-group.ts';
import { heartbeatApi } from '../../../../src/core/protocol/messages/12-heartbeat.ts';
import { leaveGroupApi } from '../../../../src/core/protocol/messages/13-leave-group.ts';
import { syncGroupApi } from '../../../../src/core/protocol/messages/14-sync-group.ts';
import { decodeAssignment, encodeSubscription } from '../../../../src/core/protocol/consumer-protocol.ts';
import { seededRandom } from '../../../../src/testing/simulation/seeded-random.ts';
import type { Transcript } from './classic-transcripts.ts';
import { ConsumerTalker, describeConsumers } from './consumer-transcripts.ts';
import type { Talk } from './talk.ts';

const STEPS = 40;
const MAX_MEMBERS = 7;

export function randomHistory(seed: number, topics: readonly string[]): Transcript {
  return async (talk: Talk, group: string): Promise<void> => {
    const random = seededRandom(seed);
    const below = (limit: number) => Math.floor(random() * limit);
    const some = () => {
      const chosen = topics.filter(() => random() < 0.6);
      return chosen.length > 0 ? chosen : [topics[below(topics.length)]!];
    };
    const { topics: known } = await talk.ask(metadataApi, 12, { topics: topics.map((name) => ({ name })) });
    for (const { topicId, name } of known) talk.name(topicId, `id of ${name}`);
    const isAlike = random() < 0.5;
    const members: ConsumerTalker[] = [];
    for (let step = 0; step < STEPS; step++) {
      const member = members[below(members.length)];
      const choice = random();
      if (member === undefined || (choice < 0.2 && members.length < MAX_MEMBERS)) {
        const id = `member-${seed}-${step}-${below(1e9)}`;
        const joining = new ConsumerTalker(talk, group, id, random() < 0.2 ? `instance-${step}` : null);
        members.push(joining);
        const serverAssignor = random() < 0.3 ? 'range' : null;
        await joining.join({ subscribedTopicNames: isAlike ? [...topics] : some(), serverAssignor });
      } else if (choice < 0.28) {
        members.splice(members.indexOf(member), 1);
        await member.beat({ memberEpoch: -1 });
      } else if (choice < 0.35 && !isAlike) {
        await member.beat({ subscribedTopicNames: some(), topicPartitions: member.owned });
      } else if (choice < 0.5) await member.beat();
      else await member.settle();
      if (step % 10 === 9) await describeConsumers(talk, group);
    }
  };
}

/** A member of the classic protocol that does, slowly, what it is told. The id is its own: a consumer group takes it. */
class MixedTalker {
  generationId = -1;
  owned: { topic: string; partitions: number[] }[] = [];
  readonly id: string;
  readonly #talk: Talk;
  readonly #group: string;
  readonly #topics: readonly string[];

  constructor(talk: Talk, group: string, id: string, topics: readonly string[]) {
    this.#talk = talk;
    this.#group = group;
    this.id = id;
    this.#topics = topics;
  }

  async join(): Promise<void> {
    const metadata = encodeSubscription({ topics: this.#topics, ownedPartitions: this.owned }, 1);
    const joined = await this.#talk.say(`${this.id} joins`, joinGroupApi, 9, {
      groupId: this.#group,
      memberId: this.id,
      sessionTimeoutMs: 30_000,
      rebalanceTimeoutMs: 60_000,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata }],
    });
    if (joined.errorCode === 0) this.generationId = joined.generationId;
  }

  async sync(): Promise<void> {
    const { id: memberId, generationId } = this;
    const body = {
      groupId: this.#group,
      memberId,
      generationId,
      protocolType: 'consumer',
      protocolName: 'range',
    };
    const synced = await this.#talk.ask(syncGroupApi, 5, { ...body, assignments: [] });
    const assigned = decodeAssignment(synced.assignment).assignedPartitions;
    assigned.sort((a, b) => a.topic.localeCompare(b.topic));
    this.#talk.note(`${this.id} syncs`, [synced.errorCode, synced.assignment.length, assigned]);
    if (synced.errorCode === 0) this.owned = assigned;
  }

  async heartbeat(): Promise<void> {
    const { id: memberId, generationId } = this;
    const body = { groupId: this.#group, memberId, generationId };
    await this.#talk.say(`${this.id} heartbeats`, heartbeatApi, 4, body);
  }

  async leave(): Promise<void> {
    const members = [{ memberId: this.id, groupInstanceId: null }];
    await this.#talk.say(`${this.id} leaves`, leaveGroupApi, 5, { groupId: this.#group, members });
  }
}

/** As {@link randomHistory}, with members of both protocols; one of the consumer protocol always stays. */
export function mixedHistory(seed: number, topics: readonly string[]): Transcript {
  return async (talk: Talk, group: string): Promise<void> => {
    const random = seededRandom(seed);
    const below = (limit: number) => Math.floor(random() * limit);
    const { topics: known } = await talk.ask(metadataApi, 12, { topics: topics.map((name) => ({ name })) });
    for (const { topicId, name } of known) talk.name(topicId, `id of ${name}`);
    const anchor = new ConsumerTalker(talk, group, `anchor-${seed}`);
    await anchor.join({ subscribedTopicNames: [...topics] });
    const members: MixedTalker[] = [];
    for (let step = 0; step < STEPS; step++) {
      const member = members[below(members.length)];
      const choice = random();
      if (choice < 0.3) await anchor.settle();
      else if (member === undefined || (choice < 0.45 && members.length < MAX_MEMBERS)) {
        const some = random() < 0.7 ? topics : topics.slice(0, 1);
        const joining = new MixedTalker(talk, group, `classic-${seed}-${step}-${below(1e9)}`, some);
        members.push(joining);
        await joining.join();
        await joining.sync();
      } else if (choice < 0.5) {
        members.splice(members.indexOf(member), 1);
        await member.leave();
      } else if (choice < 0.7) await member.heartbeat();
      else {
        await member.join();
        await member.sync();
      }
      if (step % 10 === 9) await describeConsumers(talk, group);
    }
  };
}
