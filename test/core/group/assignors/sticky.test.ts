import { describe, expect, it } from '@jest/globals';
import { fc } from '../../../helpers/fast-check.ts';
import type {
  Assignment,
  Assignor,
  MemberSubscription,
} from '../../../../src/core/group/assignors/assignor.ts';
import { cooperativeStickyAssignor } from '../../../../src/core/group/assignors/cooperative-sticky.ts';
import { resolveAssignors } from '../../../../src/core/group/assignors/named.ts';
import { stickyAssignor } from '../../../../src/core/group/assignors/sticky.ts';
import {
  decodeGeneration,
  decodeRemembered,
  encodeGeneration,
  encodeRemembered,
} from '../../../../src/core/group/assignors/sticky/user-data.ts';
import { UsageError } from '../../../../src/errors.ts';

const NOTHING: Assignment = new Map();

/** A group that lives through rounds as real members do. */
class Group {
  readonly held = new Map<string, Assignment>();
  private readonly assignor: Assignor;
  private generationId = 1;

  constructor(assignor: Assignor) {
    this.assignor = assignor;
  }

  /** Returns how many partitions changed their owner. */
  divide(counts: { readonly [topic: string]: number }, ids: readonly string[]): number {
    const before = this.owners();
    for (const id of this.held.keys()) if (!ids.includes(id)) this.held.delete(id);
    // Cooperatively what moves is first given up; what is left over is given in the second round.
    for (let rounds = 0; rounds < 3; rounds += 1) this.round(counts, ids);
    const after = this.owners();
    return [...after].filter(([place, id]) => before.get(place) !== id).length;
  }

  sizes(): number[] {
    return [...this.held.values()].map(sizeOf);
  }

  owners(): Map<string, string> {
    const owners = new Map<string, string>();
    for (const [id, assignment] of this.held) {
      for (const [topic, partitions] of assignment) {
        for (const partition of partitions) {
          expect(owners.has(`${topic}-${partition}`)).toBe(false);
          owners.set(`${topic}-${partition}`, id);
        }
      }
    }
    return owners;
  }

  private round(counts: { readonly [topic: string]: number }, ids: readonly string[]): void {
    const topics = Object.keys(counts);
    const generationId = this.generationId - 1;
    const members = ids.map((memberId): MemberSubscription => {
      const assignment = this.held.get(memberId);
      const last = assignment === undefined ? undefined : { assignment, generationId };
      return {
        memberId,
        groupInstanceId: null,
        topics,
        userData: this.assignor.userData!(topics, last),
        ownedPartitions: this.assignor === cooperativeStickyAssignor ? (assignment ?? NOTHING) : NOTHING,
        generationId: last === undefined ? -1 : generationId,
        rackId: null,
      };
    });
    const divided = this.assignor.assign(new Map(Object.entries(counts)), members);
    for (const id of ids) this.held.set(id, divided.get(id)!);
    this.generationId += 1;
  }
}

const sizeOf = (assignment: Assignment): number =>
  [...assignment.values()].reduce((sum, { length }) => sum + length, 0);

describe.each([stickyAssignor, cooperativeStickyAssignor])('$name', (assignor) => {
  it('gives every partition to one member, none more than one ahead of another, and moves no more than it must', () => {
    const groups = fc.record({
      counts: fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.integer({ min: 1, max: 20 }), {
        minKeys: 1,
        noNullPrototype: true,
      }),
      first: fc.integer({ min: 1, max: 8 }),
      then: fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 4 }),
    });
    fc.assert(
      fc.property(groups, ({ counts, first, then }) => {
        const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
        const group = new Group(assignor);
        const ids = (count: number): string[] => Array.from({ length: count }, (_, at) => `member-${at}`);
        group.divide(counts, ids(first));
        let size = first;
        for (const next of then) {
          const sizesBefore = group.sizes();
          const moved = group.divide(counts, ids(next));
          expect(group.owners().size).toBe(total);
          const sizes = group.sizes();
          expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
          if (next >= size) {
            // What the newcomers need, and nothing else, has moved.
            const kept = sizes.slice(0, size).reduce((sum, one) => sum + one, 0);
            expect(moved).toBeLessThanOrEqual(total - kept + Math.max(0, size - 1));
          } else {
            const orphaned = sizesBefore.slice(next).reduce((sum, one) => sum + one, 0);
            expect(moved).toBe(orphaned);
          }
          size = next;
        }
      }),
    );
  });

  it('is quick with a thousand partitions and a hundred members', () => {
    const group = new Group(assignor);
    const ids = Array.from({ length: 100 }, (_, at) => `member-${at}`);
    expect(group.divide({ a: 500, b: 500 }, ids)).toBe(1000);
    expect(group.divide({ a: 500, b: 500 }, ids.slice(1))).toBe(10);
  });
});

describe('cooperative-sticky', () => {
  const member = (memberId: string, owned: readonly number[], generationId: number): MemberSubscription => ({
    memberId,
    groupInstanceId: null,
    topics: ['t'],
    userData: null,
    ownedPartitions: new Map([['t', owned]]),
    generationId,
    rackId: null,
  });
  const divide = (...members: MemberSubscription[]): { [id: string]: readonly number[] } =>
    Object.fromEntries(
      [...cooperativeStickyAssignor.assign(new Map([['t', 4]]), members)].map(([id, share]) => [
        id,
        share.get('t') ?? [],
      ]),
    );

  it('leaves out what another member still holds', () => {
    expect(divide(member('a', [0, 1, 2, 3], 5), member('b', [], -1))).toEqual({ a: [0, 1], b: [] });
    expect(divide(member('a', [0, 1], 6), member('b', [], 6))).toEqual({ a: [0, 1], b: [2, 3] });
  });

  it('ignores what a member of an old generation says that it holds', () => {
    expect(divide(member('zombie', [0, 1, 2, 3], 3), member('a', [0, 1], 7), member('b', [2, 3], 7))).toEqual(
      { zombie: [], a: [0, 1], b: [2] },
    );
  });

  it('gives what two members of one generation hold to neither of them at once', () => {
    const divided = divide(member('a', [0, 1], 7), member('b', [1, 2, 3], 7));
    expect(Object.values(divided).flat()).not.toContain(1);
  });
});

describe('user data', () => {
  it('comes back as it was', () => {
    const assignment = new Map([
      ['a', [0, 2]],
      ['b', [1]],
    ]);
    const bytes = encodeRemembered({ assignment, generationId: 7 });
    expect(decodeRemembered(bytes)).toEqual({ partitions: assignment, generationId: 7 });
    expect(decodeGeneration(encodeGeneration(9))).toBe(9);
  });

  it('of version 0 has no generation', () => {
    const bytes = encodeRemembered({ assignment: new Map([['a', [3]]]), generationId: 7 });
    expect(decodeRemembered(bytes.subarray(0, -4))).toEqual({
      partitions: new Map([['a', [3]]]),
      generationId: -1,
    });
  });

  it('that is no user data is nothing, in no time', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        expect(decodeRemembered(Buffer.from(bytes)).generationId).toEqual(expect.any(Number));
        expect(decodeGeneration(Buffer.from(bytes))).toEqual(expect.any(Number));
      }),
    );
    expect(decodeRemembered(Buffer.from('7fffffff', 'hex'))).toEqual({
      partitions: new Map(),
      generationId: -1,
    });
  });
});

describe('names of assignors', () => {
  it('default to range, with the way to cooperative-sticky open', () => {
    expect(resolveAssignors(undefined).map(({ name }) => name)).toEqual(['range', 'cooperative-sticky']);
  });

  it.each([[[]], [['fair']], [['range', 'range']], [[{ name: '' }]], ['range']])(
    '%j is refused',
    (assignors) => {
      expect(() => resolveAssignors(assignors as never)).toThrow(UsageError);
    },
  );
});
