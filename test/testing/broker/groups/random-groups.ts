// Random histories of consumer groups: members that come, go, settle slowly, and change their minds. The same for the same seed.
import { metadataApi } from '../../../../src/core/protocol/messages/03-metadata.ts';
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
