// Several members of the same group, and what happens to them: rebalances, losses, crashes, restarts, and a process that stands still.
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { mapAsync, text, topology, type Claims, type ConsumerRecord } from '../../../src/index.ts';
import { fault, testTopology, type TestTopologyOptions } from '../../../src/testing/index.ts';

const copy = topology('copy', ({ fromGroup, toTopic }) =>
  fromGroup({ groupId: 'copy', topics: ['in'], value: text() }).pipe(
    toTopic('out', ({ value }) => ({ value })),
  ),
);

/** Answers when the test says so; until then its records are in flight. */
class Gate {
  readonly calls: { readonly value: string; readonly signal: AbortSignal; open(): void }[] = [];

  readonly topology = topology('gated', ({ fromGroup, toTopic }) =>
    fromGroup({ groupId: 'gated', topics: ['in'], value: text() }).pipe(
      mapAsync(
        ({ value }, { signal }) =>
          new Promise<string>((resolve) => {
            this.calls.push({ value, signal, open: () => resolve(value) });
          }),
        { concurrency: 10, order: 'none', name: 'gate' },
      ),
      toTopic('out', (value) => ({ value })),
    ),
  );

  open(): void {
    for (const call of this.calls.splice(0)) call.open();
  }
}

const topics = {
  in: { partitions: 4, value: text() },
  out: { value: text() },
} satisfies TestTopologyOptions['topics'];
const four = ['a', 'b', 'c', 'd'].map((value, partition) => ({ value, partition }));
const values = (records: readonly { readonly value: string | null }[]): (string | null)[] =>
  records.map(({ value }) => value).sort();

let warnings: jest.SpiedFunction<typeof process.emitWarning>;

beforeEach(() => {
  warnings = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
});

afterEach(() => warnings.mockRestore());

describe('members of a test topology', () => {
  it('share the partitions, and share anew when one comes or goes', async () => {
    await using t = await testTopology(copy, { topics, members: 2 });
    const claims = (): (readonly string[])[] => t.members.map((member) => member.claims);
    expect(claims()).toEqual([
      ['in-0', 'in-1'],
      ['in-2', 'in-3'],
    ]);
    const third = await t.addMember();
    expect(third.name).toBe('member-3');
    expect(claims().flat().sort()).toEqual(['in-0', 'in-1', 'in-2', 'in-3']);
    expect(third.claims).toHaveLength(1);
    await t.pipe('in', four);
    expect(await t.removeMember(t.members[1])).toMatchObject({ unsettled: 0 });
    expect(t.members[1]).toMatchObject({ state: 'left', claims: [] });
    await t.pipe('in', four);
    await t.idle();
    expect(values(await t.read('out'))).toEqual(['a', 'a', 'b', 'b', 'c', 'c', 'd', 'd']);
    expect(t.committed('in')).toEqual({ 0: 2, 1: 2, 2: 2, 3: 2 });
  });

  it('lose nothing and double nothing in a rebalance', async () => {
    const kinds: string[] = [];
    const watched = topology('watched', ({ fromGroup, toTopic }) => {
      const claims: Claims<ConsumerRecord<Buffer | null, string>> = fromGroup({
        groupId: 'watched',
        topics: ['in'],
        value: text(),
      });
      claims.rebalances.subscribe(({ kind }) => kinds.push(kind));
      return claims.pipe(toTopic('out', ({ value }) => ({ value })));
    });
    await using t = await testTopology(watched, { topics, members: 2 });
    await t.pipe('in', four);
    kinds.length = 0;
    const before = t.box.group('watched')!.generationId;
    await t.rebalance();
    expect(t.box.group('watched')!.generationId).toBe(before + 1);
    expect(kinds.sort()).toEqual([...Array(4).fill('claimed'), ...Array(4).fill('released')]);
    expect(t.committed('in')).toEqual({ 0: 1, 1: 1, 2: 1, 3: 1 });
    await t.rebalance('watched');
    await t.pipe('in', four);
    await t.idle();
    expect(values(await t.read('out'))).toEqual(['a', 'a', 'b', 'b', 'c', 'c', 'd', 'd']);
    await expect(t.rebalance('other')).rejects.toThrow("topology 'watched' has no group 'other'");
  });

  it('abort the calls of lost claims, and their records come again', async () => {
    const gate = new Gate();
    await using t = await testTopology(gate.topology, { topics, members: 2 });
    await t.pipe('in', four);
    const loser = t.members.find(({ claims }) => claims.includes('in-3'))!;
    await t.lose({ topic: 'in', partition: 3 });
    const lost = gate.calls.filter(({ signal }) => signal.aborted);
    expect(lost.map(({ signal }) => signal.reason as unknown)).toEqual(
      lost.map(() => expect.objectContaining({ code: 'CLAIM_LOST' })),
    );
    expect(lost.map(({ value }) => value)).toContain('d');
    expect(loser.state).toBe('running');
    gate.open();
    await t.until(() => {
      gate.open();
      return Object.values(t.committed('in')).length === 4;
    });
    await t.idle();
    expect(values(await t.read('out'))).toEqual(['a', 'b', 'c', 'd']);
    await expect(t.lose({ topic: 'in', partition: 9 })).rejects.toThrow('no member has claimed in-9');
  });

  it('crash without a commit, and are read again from the last one', async () => {
    await using t = await testTopology(copy, { topics });
    await t.pipe('in', four);
    await t.idle();
    await t.pipe('in', four);
    expect(values(await t.read('out'))).toHaveLength(8);
    t.crash();
    expect(t.members[0]).toMatchObject({ state: 'crashed', claims: [] });
    await t.advance(10_000);
    expect(t.committed('in')).toEqual({ 0: 1, 1: 1, 2: 1, 3: 1 });
    await expect(t.idle()).rejects.toThrow(/in-0 offset 1 to 1: no member runs\n.*in-1 offset 1/s);
    const crashedAt = t.clock.now();
    await t.restart();
    // The group waits for the session of the process that was.
    expect(t.clock.now() - crashedAt).toBeGreaterThan(30_000);
    await t.idle();
    expect(values(await t.read('out'))).toEqual(['a', 'b', 'c', 'd']);
    expect(t.committed('in')).toEqual({ 0: 2, 1: 2, 2: 2, 3: 2 });
    expect(() => t.crash(t.members[0])).not.toThrow();
    expect(() => t.crash()).toThrow('crash: no member runs');
    await t.restart(t.members[0]);
    await expect(t.restart()).rejects.toThrow('restart: every member runs');
  });

  it('take over from one that crashed, when its session is over', async () => {
    await using t = await testTopology(copy, { topics, members: 2 });
    t.crash(t.members[0]);
    await t.pipe('in', four);
    expect(await t.read('out')).toHaveLength(2);
    await t.idle();
    expect(await t.read('out')).toHaveLength(2);
    expect(t.members[1]?.claims).toHaveLength(4);
  });

  it('stand still, and have lost their claims when they go on too late', async () => {
    const gate = new Gate();
    await using t = await testTopology(gate.topology, { topics, members: 2 });
    await t.pipe('in', four);
    t.freeze(t.members[0]);
    expect(t.members[0]?.state).toBe('frozen');
    const stale = gate.calls.slice(0, 2);
    // Its session, and then what the other one may take to settle before it gives its own partitions back.
    await t.advance(90_000);
    expect(t.members[1]?.claims).toHaveLength(4);
    t.thaw();
    await t.advance(5_000);
    expect(stale.map(({ signal }) => signal.aborted)).toContain(true);
    await t.until(() => {
      gate.open();
      return Object.values(t.committed('in')).length === 4;
    });
    await t.idle();
    expect(values(await t.read('out'))).toEqual(['a', 'b', 'c', 'd']);
  });

  it('meet the faults and acts of the cluster', async () => {
    await using t = await testTopology(copy, { topics, brokers: 3 });
    t.box.fault({ match: { api: 'Produce', topic: 'out' }, do: fault.applyThenDropResponse, count: 1 });
    await t.pipe('in', four);
    t.box.moveLeader('in', 0);
    await t.idle();
    expect(values(await t.read('out'))).toEqual(['a', 'b', 'c', 'd']);
  });

  it('are members of this test only', async () => {
    await using t = await testTopology(copy, { topics });
    await using other = await testTopology(copy, { topics });
    expect(() => t.crash(other.members[0])).toThrow('crash: member-1 is no member of this test topology');
    await t.drain();
    expect(() => t.freeze(t.members[0])).toThrow('freeze: member-1 does not run: left');
    await expect(testTopology(copy, { members: -1 })).rejects.toThrow("'members' is a whole number from 0");
    await using none = await testTopology(copy, { members: 0 });
    await none.pipe('in', { value: 'early' });
    await none.addMember();
    expect(await none.read('out')).toHaveLength(1);
  });
});
