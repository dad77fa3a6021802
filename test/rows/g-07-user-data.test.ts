import { afterEach, describe, expect, it } from '@jest/globals';
import { rangeAssignor, type Assignor } from '../../src/core/index.ts';
import type { Generation } from '../../src/core/group/committer.ts';
import { decodeSubscription } from '../../src/core/protocol/consumer-protocol.ts';
import { describeGroupsApi } from '../../src/core/protocol/messages/15-describe-groups.ts';
import { brokers } from '../helpers/brokers.ts';
import { until } from '../helpers/until.ts';
import { ClassicGroup } from './programs/classic-group.ts';

const onBroker = brokers === undefined ? describe.skip : describe;

interface Told {
  readonly partitions: number;
  readonly generation: Generation;
  readonly userData: string | undefined;
}

/** Divides as range does; members tell where they are, and are told who leads. */
function tagging(tag: string, told: Told[], seen: Set<string>): Assignor {
  return {
    name: 'tagging',
    assign(counts, members, racks) {
      for (const { userData } of members) seen.add(String(userData));
      return rangeAssignor.assign(counts, members, racks);
    },
    userData: (topics, last) => Buffer.from(`${tag} ${topics.length} ${last?.generationId ?? 'new'}`),
    assignmentUserData: (memberId) => Buffer.from(`to ${memberId} from ${tag}`),
    onAssignment(assignment, generation, userData) {
      const partitions = [...assignment.values()].flat().length;
      told.push({ partitions, generation, userData: userData?.toString() });
    },
  };
}

onBroker('G-07: user data and assignors of your own', () => {
  let group: ClassicGroup;
  afterEach(() => group.close());

  it('the leader sees it, DescribeGroups shows the same bytes, and every member hears what it was given', async () => {
    group = await ClassicGroup.create(4);
    const told: Told[][] = [[], []];
    const seen = new Set<string>();
    const one = group.join({ assignors: [tagging('east', told[0]!, seen)] });
    await group.balanced([one, 4]);
    expect([...seen]).toEqual(['east 1 new']);
    const two = group.join({ assignors: [tagging('west', told[1]!, seen)] });
    await group.balanced([one, 2], [two, 2]);
    expect(seen).toContain('east 1 1');
    expect(seen).toContain('west 1 new');
    for (const [at, member] of [one, two].entries()) {
      const { partitions, generation, userData } = told[at]!.at(-1)!;
      const { memberId, generation: generationId } = member.consumer;
      expect({ partitions, generation }).toMatchObject({
        partitions: 2,
        generation: { memberId, generationId },
      });
      expect(userData).toBe(`to ${memberId} from east`);
    }

    const { cluster } = group.kafka;
    await until('a stable group', async () => (await describeGroup()).groupState === 'Stable');
    const described = await describeGroup();
    expect(described.protocolData).toBe('tagging');
    const bytes = described.members.map(({ memberMetadata }) =>
      decodeSubscription(memberMetadata).userData?.toString(),
    );
    expect(bytes.sort()).toEqual(['east 1 1', 'west 1 new']);

    async function describeGroup() {
      const { groups } = await cluster.send(
        await cluster.coordinator('group', group.groupId),
        describeGroupsApi,
        {
          groups: [group.groupId],
          includeAuthorizedOperations: false,
        },
      );
      return groups[0]!;
    }
  });

  it('what it throws ends the membership, and is told', async () => {
    group = await ClassicGroup.create(1);
    const broken: Assignor = {
      name: 'broken',
      assign() {
        throw new Error('out of ideas');
      },
    };
    const member = group.join({ assignors: [broken] });
    await until('the failure', () => member.failures.length === 1);
    expect(member.failures[0]!.message).toContain('out of ideas');
  });

  it('a cooperative one that gives away what another still holds is refused', async () => {
    group = await ClassicGroup.create(2);
    const greedy: Assignor = {
      name: 'greedy',
      protocols: ['cooperative'],
      assign: (counts, members) => rangeAssignor.assign(counts, members),
    };
    const members = [group.join({ assignors: [greedy] })];
    await group.balanced([members[0]!, 2]);
    members.push(group.join({ assignors: [greedy] }));
    await until('the refusal', () => members.some(({ failures }) => failures.length > 0));
    const failure = members.flatMap(({ failures }) => failures)[0]!;
    expect(failure.message).toMatch(/'greedy' is cooperative and gave .* still holds it/);
  });
});
