import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { fc } from '../../helpers/fast-check.ts';
import type { Assignment, MemberSubscription } from '../../../src/core/group/assignors/assignor.ts';
import { rangeAssignor } from '../../../src/core/group/assignors/range.ts';

interface GoldenGroup {
  readonly partitions: { readonly [topic: string]: number };
  readonly members: readonly (readonly [memberId: string, instanceId: string | null, topics: string[]])[];
  readonly assignment: { readonly [memberId: string]: { readonly [topic: string]: number[] } };
}

const NOTHING = { userData: null, ownedPartitions: new Map(), generationId: -1, rackId: null };

const groups = fc
  .record({
    counts: fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), fc.integer({ min: 1, max: 40 }), {
      noNullPrototype: true,
    }),
    members: fc.uniqueArray(
      fc.record({
        memberId: fc.string({ minLength: 1, maxLength: 5 }),
        groupInstanceId: fc.option(fc.string({ minLength: 1, maxLength: 5 })),
        topics: fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'missing')),
      }),
      { minLength: 1, maxLength: 9, selector: ({ memberId }) => memberId },
    ),
  })
  .map(({ counts, members }) => ({
    counts: new Map(Object.entries(counts)),
    members: members.map((member): MemberSubscription => ({ ...member, ...NOTHING })),
  }));

function plain(result: ReadonlyMap<string, Assignment>): GoldenGroup['assignment'] {
  return Object.fromEntries(
    [...result].map(([memberId, topics]) => [
      memberId,
      Object.fromEntries([...topics].map(([topic, partitions]) => [topic, [...partitions]])),
    ]),
  );
}

/** Deals each topic's partitions out one place at a time: partition p goes to the first subscriber whose quota is not full. */
function model(
  counts: ReadonlyMap<string, number>,
  members: readonly MemberSubscription[],
): GoldenGroup['assignment'] {
  const result: { [memberId: string]: { [topic: string]: number[] } } = {};
  for (const { memberId } of members) result[memberId] = {};
  const rank = ({ groupInstanceId, memberId }: MemberSubscription): [number, string] =>
    groupInstanceId === null ? [1, memberId] : [0, groupInstanceId];
  for (const [topic, count] of counts) {
    const subscribers = members
      .filter(({ topics }) => topics.includes(topic))
      .sort((a, b) => {
        const [[x, s], [y, t]] = [rank(a), rank(b)];
        return x - y || (s < t ? -1 : Number(s > t));
      });
    for (let partition = 0; partition < count; partition += 1) {
      const owner = subscribers.findIndex((_, at) => {
        const quota = Math.floor(count / subscribers.length) + (at < count % subscribers.length ? 1 : 0);
        return (result[subscribers[at]!.memberId]![topic]?.length ?? 0) < quota;
      });
      if (owner >= 0) (result[subscribers[owner]!.memberId]![topic] ??= []).push(partition);
    }
  }
  return result;
}

describe('range', () => {
  it("divides as Java's RangeAssignor does", () => {
    const golden = JSON.parse(readFileSync('test/golden/group/range.json', 'utf8')) as GoldenGroup[];
    expect(golden).toHaveLength(200);
    for (const { partitions, members, assignment } of golden) {
      const seen = members.map(([memberId, groupInstanceId, topics]) => ({
        memberId,
        groupInstanceId,
        topics,
        ...NOTHING,
      }));
      expect(plain(rangeAssignor.assign(new Map(Object.entries(partitions)), seen))).toEqual(assignment);
    }
  });

  it('divides as a plain model does', () => {
    fc.assert(
      fc.property(groups, ({ counts, members }) => {
        expect(plain(rangeAssignor.assign(counts, members))).toEqual(model(counts, members));
      }),
    );
  });

  it('gives every partition of a subscribed topic to one subscriber, none more than one ahead of another', () => {
    fc.assert(
      fc.property(groups, ({ counts, members }) => {
        const result = rangeAssignor.assign(counts, members);
        for (const [topic, count] of counts) {
          const subscribers = members.filter(({ topics }) => topics.includes(topic));
          const given = members.map(({ memberId }) => result.get(memberId)!.get(topic) ?? []);
          const all = given.flat().sort((a, b) => a - b);
          expect(all).toEqual(subscribers.length === 0 ? [] : [...Array(count).keys()]);
          const sizes = subscribers.map(({ memberId }) => result.get(memberId)!.get(topic)?.length ?? 0);
          if (sizes.length > 0) expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
        }
      }),
    );
  });
});
