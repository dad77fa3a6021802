// The judge of group histories, by histories written by hand: each breaks one rule, and is told of.
import { describe, expect, it } from '@jest/globals';
import type { LoggedEntry } from './support/coordinator-log.ts';
import { judge, type GroupHistory, type MemberEvent } from './support/group-history.ts';

const commit = (at: number, partition: number, offset: number): LoggedEntry => ({
  kind: 'commit',
  at,
  partition,
  offset,
});
const generation = (at: number, number: number, owners: Record<string, number[]>): LoggedEntry => ({
  kind: 'generation',
  at,
  generation: number,
  owners: new Map(Object.entries(owners)),
});
const sends = (at: number, memberId: string, number: number, offset: number): MemberEvent => ({
  at,
  commit: { memberId, generation: number, points: [[0, offset]] },
});
const claims = (at: number, start: number): MemberEvent => ({
  at,
  claimed: true,
  partition: 0,
  epoch: 1,
  start,
});
const gets = (at: number, offset: number): MemberEvent => ({ at, got: offset, partition: 0, epoch: 1 });
const ends = (at: number, ended: 'released' | 'lost'): MemberEvent => ({ at, ended, partition: 0, epoch: 1 });

interface Parts {
  readonly a?: readonly MemberEvent[];
  readonly aEndedAt?: number;
  readonly b?: readonly MemberEvent[];
  readonly log?: readonly LoggedEntry[];
}

/** A has partition 0 first, commits one of two records and is killed; B does the rest. */
const A = [claims(10, 0), gets(11, 0), sends(12, 'a', 1, 1), gets(15, 1)];
const B = [claims(50, 1), gets(51, 1), gets(52, 2), sends(53, 'b', 2, 3)];
const LOG = [generation(9, 1, { a: [0] }), commit(13, 0, 1), generation(49, 2, { b: [0] }), commit(54, 0, 3)];

const history = ({ a = A, aEndedAt = 20, b = B, log = LOG }: Parts): GroupHistory => ({
  members: [
    { name: 'A', events: a, endedAt: aEndedAt },
    { name: 'B', events: b, endedAt: undefined },
  ],
  log,
  records: [3],
  lastActAt: 20,
  ownerlessMs: 40,
  endAt: 60,
});

const told = (parts: Parts): readonly string[] => judge(history(parts)).violations;

describe('the judge of a group', () => {
  it('has nothing to say about a member that was killed, and one that repeats what was not committed', () => {
    expect(judge(history({}))).toEqual({
      violations: [],
      figures: {
        claims: 2,
        repeated: 1,
        commits: 2,
        generations: 2,
        longestOwnerlessMs: 30,
        longestAfterLastActMs: 30,
      },
    });
  });

  it('misses a record that nobody got', () => {
    const b = B.filter(({ got }) => got !== 2);
    expect(told({ b })).toContainEqual('partition 0: 1 records are missing, the first is 2');
  });

  it('sees a record that one claim gets twice', () => {
    expect(told({ a: [...A, gets(16, 1)] })).toEqual(['A got 0-1 in claim epoch 1 twice']);
  });

  it('sees a claim that begins before the commit, and one that begins behind it', () => {
    expect(told({ b: [claims(50, 0), gets(50, 0), ...B.slice(1)] })).toEqual([
      'B began partition 0 at 0, but 1 was committed',
    ]);
    expect(told({ b: [claims(50, 2), ...B.slice(2)] })).toEqual([
      'B began partition 0 at 2, but 1 was committed',
    ]);
  });

  it('sees a claim that was given up in order and not committed whole', () => {
    expect(told({ a: [...A, ends(19, 'released')] })).toEqual([
      'A released partition 0 having read to 2, and B began at 1',
    ]);
    expect(told({ a: [...A, ends(19, 'lost')] })).toEqual([]);
  });

  it('sees a commit of what was not done yet', () => {
    const late = [claims(10, 0), sends(12, 'a', 1, 1), gets(14, 0), gets(15, 1)];
    expect(told({ a: late })).toEqual(['partition 0 was committed at 1 before all below was done']);
  });

  it('sees a commit of an old generation that reached the log', () => {
    const a = [...A, sends(16, 'a', 1, 2)];
    const log = [...LOG.slice(0, 3), commit(49, 0, 2), ...LOG.slice(3)];
    expect(told({ a, log, b: [claims(50, 2), gets(51, 2), sends(53, 'b', 2, 3)] })).toEqual([
      'the commit of partition 0 at 2 came from no owner of its time',
    ]);
  });

  it('lets a cooperative member commit what it is to give up, until somebody else has it', () => {
    const both = [generation(9, 1, { a: [0] }), generation(12, 2, { a: [], b: [] }), commit(13, 0, 1)];
    const a = [claims(10, 0), gets(11, 0), sends(12, 'a', 2, 1), ends(14, 'released')];
    const rest = [generation(49, 3, { a: [], b: [0] }), commit(54, 0, 3)];
    const b = [...B.slice(0, 3), sends(53, 'b', 3, 3)];
    expect(told({ a, b, log: [...both, ...rest] })).toEqual([]);
    const late = [both[0]!, generation(12, 2, { a: [], b: [0] }), commit(13, 0, 1), ...rest];
    expect(told({ a, b, log: late })).toEqual([
      'the commit of partition 0 at 1 came from no owner of its time',
    ]);
  });

  it('sees a member of the consumer protocol that commits what it does not have', () => {
    const has = (at: number, memberId: string, epoch: number, partitions: number[]): LoggedEntry => ({
      kind: 'member',
      at,
      memberId,
      has: { epoch, previousEpoch: epoch - 1, partitions },
    });
    const mine = [
      has(9, 'a', 1, [0]),
      commit(13, 0, 1),
      has(20, 'a', 2, []),
      has(49, 'b', 2, [0]),
      commit(54, 0, 3),
    ];
    expect(told({ log: mine })).toEqual([]);
    const foreign = [has(9, 'a', 1, []), ...mine.slice(1)];
    expect(told({ log: foreign })).toEqual(['the commit of partition 0 at 1 came from no owner of its time']);
  });

  it('sees two owners of one partition', () => {
    expect(told({ aEndedAt: 55 })).toEqual(['B had partition 0 5 ms before A had given it up (ended)']);
  });

  it('sees a partition that is without an owner for too long, also at the end', () => {
    const { violations } = judge({ ...history({}), ownerlessMs: 29 });
    expect(violations).toEqual(['partition 0 had no owner for 30 ms after the last act']);
    const gone = { ...history({ b: [...B, ends(55, 'released')] }), endAt: 100 };
    expect(judge(gone).violations).toEqual(['partition 0 had no owner for 45 ms after the last act']);
  });

  it('tells of a member that failed', () => {
    expect(told({ b: [...B, { at: 56, failed: 'fenced' }] })).toEqual(['B failed: fenced']);
  });
});
