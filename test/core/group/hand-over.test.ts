import { describe, expect, it } from '@jest/globals';
import type { Assignment, MemberSubscription } from '../../../src/core/group/assignors/assignor.ts';
import { withoutHandOvers } from '../../../src/core/group/hand-over.ts';
import { UsageError } from '../../../src/errors.ts';

const member = (memberId: string, generationId: number, owned: readonly number[]): MemberSubscription => ({
  memberId,
  groupInstanceId: null,
  topics: ['t'],
  userData: null,
  ownedPartitions: owned.length > 0 ? new Map([['t', owned]]) : new Map(),
  generationId,
  rackId: null,
});

const division = (shares: { readonly [memberId: string]: readonly number[] }): Map<string, Assignment> =>
  new Map(Object.entries(shares).map(([memberId, partitions]) => [memberId, new Map([['t', partitions]])]));

const checked = (
  members: readonly MemberSubscription[],
  shares: { readonly [memberId: string]: readonly number[] },
) =>
  Object.fromEntries(
    [...withoutHandOvers('some', members, division(shares))].map(([memberId, assignment]) => [
      memberId,
      assignment.get('t') ?? [],
    ]),
  );

describe('a cooperative division', () => {
  it('stays as it is where everybody gets what is free or their own', () => {
    const members = [member('a', 5, [0]), member('b', 5, [1]), member('c', -1, [])];
    expect(checked(members, { a: [0], b: [1], c: [2] })).toEqual({ a: [0], b: [1], c: [2] });
  });

  it('that gives one member what another holds is refused', () => {
    const members = [member('a', 5, [0, 1]), member('b', -1, [])];
    expect(() => checked(members, { a: [0], b: [1] })).toThrow(UsageError);
    expect(() => checked(members, { a: [0], b: [1] })).toThrow(
      /'some' is cooperative and gave t-1 to b while a still holds it/,
    );
  });

  it('keeps a partition with its holder, whoever else claims it from an older generation', () => {
    const members = [member('stale', 4, [0, 1]), member('b', 5, [1])];
    expect(checked(members, { stale: [0], b: [1] })).toEqual({ stale: [0], b: [1] });
  });

  it('leaves out what only an overtaken member claims: it gives it up first', () => {
    const members = [member('stale', 4, [0, 1]), member('b', 5, [2])];
    expect(checked(members, { stale: [0], b: [1, 2] })).toEqual({ stale: [0], b: [2] });
  });

  it('leaves out what two members claim', () => {
    const members = [member('a', 5, [0]), member('b', 5, [0]), member('c', 5, [1])];
    expect(checked(members, { a: [], b: [], c: [0, 1] })).toEqual({ a: [], b: [], c: [1] });
  });
});
