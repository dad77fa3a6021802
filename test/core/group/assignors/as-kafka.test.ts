import { describe, expect, it } from '@jest/globals';
import { resolveAssignors } from '../../../../src/core/group/assignors/named.ts';
import { divideBoth, isValid, readGroups } from './kafka-groups.ts';

const groups = readGroups();

describe("assignors divide as Java's client does", () => {
  it.each(resolveAssignors(['range', 'roundrobin', 'sticky', 'cooperative-sticky']))(
    '$name: 200 random groups, five rounds each, with racks, zombies and changing subscriptions',
    (assignor) => {
      expect(groups).toHaveLength(200);
      for (const [at, group] of groups.entries()) {
        expect(group).toHaveLength(5);
        for (const [number, round] of group.entries()) {
          const { kafka, ours } = divideBoth(assignor, round);
          expect(isValid(assignor, round, ours)).toBe(true);
          expect({ at, number, given: ours }).toEqual({ at, number, given: kafka });
        }
      }
    },
  );
});
