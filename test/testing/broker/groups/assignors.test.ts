// The server-side assignors against what Kafka's own made of the same random groups, round after round: test/golden/group/GenerateAssignments.java.
import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { NOTHING_ASSIGNED } from '../../../../src/testing/broker/groups/assignors/assignment.ts';
import type { Assignment } from '../../../../src/testing/broker/groups/assignors/assignment.ts';
import type { Assignor } from '../../../../src/testing/broker/groups/assignors/group-spec.ts';
import { assignRange } from '../../../../src/testing/broker/groups/assignors/range.ts';
import { assignUniform } from '../../../../src/testing/broker/groups/assignors/uniform.ts';
import { assignTargets } from '../../../../src/testing/broker/groups/consumer/target-assignment.ts';

type Assigned = Readonly<
  Record<string, readonly (readonly [place: number, partitions: readonly number[]])[]>
>;

interface Round {
  readonly partitions: readonly number[];
  readonly members: readonly (readonly [id: string, instanceId: string | null, places: readonly number[]])[];
  readonly uniform: Assigned;
  readonly range: Assigned;
}

interface Game {
  readonly topics: readonly (readonly [name: string, id: string])[];
  readonly rounds: readonly Round[];
}

const file = path.join('test', 'golden', 'group', 'assignments.json');
const games = JSON.parse(readFileSync(file, 'utf8')) as readonly Game[];
const ASSIGNORS: readonly (readonly [name: 'uniform' | 'range', assignor: Assignor])[] = [
  ['uniform', assignUniform],
  ['range', assignRange],
];

/** One round, given what the one before left. */
function play(game: Game, round: Round, assignor: Assignor, before: ReadonlyMap<string, Assignment>) {
  const topicAt = (place: number) => ({
    id: game.topics[place]![1],
    name: game.topics[place]![0],
    partitions: { length: round.partitions[place]! },
  });
  const members = round.members.map(([id, instanceId, places]) => {
    const topicNames = places.map((place) => game.topics[place]![0]);
    const assignment = before.get(id) ?? NOTHING_ASSIGNED;
    return [id, { instanceId, topicNames, matchedNames: [], assignment }] as const;
  });
  return assignTargets({
    members: new Map(members),
    isHomogeneous: new Set(round.members.map(([, , places]) => places.join())).size <= 1,
    assignor,
    topics: {
      get: (name) => topicAt(game.topics.findIndex(([known]) => known === name)),
      byId: (id) => topicAt(game.topics.findIndex(([, known]) => known === id)),
    },
  });
}

function describeAssignment(game: Game, targets: ReadonlyMap<string, Assignment>): Assigned {
  const placeOf = (topicId: string) => game.topics.findIndex(([, id]) => id === topicId);
  return Object.fromEntries(
    Array.from(targets, ([id, target]) => [
      id,
      Array.from(target, ([topicId, partitions]) => [placeOf(topicId), partitions] as const),
    ]),
  );
}

describe.each(ASSIGNORS)('the assignor %s', (name, assignor) => {
  it(`assigns as Kafka does, in ${games.length} groups over ${games[0]!.rounds.length} rounds`, () => {
    for (const game of games) {
      let targets: ReadonlyMap<string, Assignment> = new Map();
      for (const round of game.rounds) {
        targets = play(game, round, assignor, targets);
        expect(describeAssignment(game, targets)).toEqual(round[name]);
      }
    }
  });

  it('gives every partition of a subscribed topic to one subscriber', () => {
    for (const game of games) {
      let targets: ReadonlyMap<string, Assignment> = new Map();
      for (const round of game.rounds) {
        targets = play(game, round, assignor, targets);
        const given = [...targets.values()].flatMap((target) =>
          Array.from(target).flatMap(([topicId, partitions]) =>
            partitions.map((partition) => `${topicId} ${partition}`),
          ),
        );
        const places = new Set(round.members.flatMap(([, , subscribed]) => subscribed));
        const total = [...places].reduce((sum, place) => sum + round.partitions[place]!, 0);
        expect([given.length, new Set(given).size]).toEqual([total, total]);
      }
    }
  });
});
