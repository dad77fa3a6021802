import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ERRORS } from '../../../../src/core/protocol/error-codes.ts';
import { leaveGroupApi } from '../../../../src/core/protocol/messages/13-leave-group.ts';
import { TestMember } from '../group-member.ts';
import type { MemberOptions } from '../group-member.ts';
import { simulated } from '../simulated.ts';
import type { Simulated } from '../simulated.ts';

let sim: Simulated;
const member = (options?: MemberOptions): TestMember => new TestMember(sim.connect(), options);
const state = () => sim.box.group('readers')?.state;

/** Two members in one generation; the first leads and has assigned. */
async function stableGroup(options?: MemberOptions): Promise<[TestMember, TestMember]> {
  const [leader, other] = [member(options), member(options)];
  await sim.run(leader.join());
  await sim.run(leader.sync({ [leader.memberId]: 'everything' }));
  const joining = other.join();
  await sim.clock.advance(1);
  await sim.run(Promise.all([joining, leader.join()]));
  await sim.run(
    Promise.all([other.sync(), leader.sync({ [leader.memberId]: 'first', [other.memberId]: 'second' })]),
  );
  expect(state()).toBe('Stable');
  return [leader, other];
}

beforeEach(async () => {
  sim = await simulated();
});

afterEach(async () => {
  await sim.box.close();
  expect(sim.box.internalErrors).toEqual([]);
});

describe('a classic group', () => {
  it('goes from Empty over both rebalance states to Stable', async () => {
    const states: string[] = [];
    const one = member();
    const joined = await sim.run(one.join());
    states.push(state()!);
    expect(joined).toMatchObject({
      errorCode: 0,
      generationId: 1,
      leader: one.memberId,
      protocolName: 'range',
    });
    expect(joined.members).toMatchObject([{ memberId: one.memberId, metadata: Buffer.from('all') }]);
    const synced = await sim.run(one.sync({ [one.memberId]: 'everything' }));
    states.push(state()!);
    expect(synced).toMatchObject({
      errorCode: 0,
      protocolName: 'range',
      assignment: Buffer.from('everything'),
    });
    expect(await sim.run(one.heartbeat())).toBe(ERRORS.NONE);
    expect(await sim.run(one.leave())).toBe(ERRORS.NONE);
    states.push(state()!);
    expect(states).toEqual(['CompletingRebalance', 'Stable', 'Empty']);
    expect(sim.box.group('readers')).toMatchObject({ generationId: 2, members: [], protocolName: null });
  });

  it('waits for every member to rejoin and tells them by their heartbeats', async () => {
    const leader = member();
    await sim.run(leader.join());
    await sim.run(leader.sync({ [leader.memberId]: 'everything' }));
    const other = member();
    const joining = other.join();
    await sim.clock.advance(1000);
    expect(state()).toBe('PreparingRebalance');
    expect(await sim.run(leader.heartbeat())).toBe(ERRORS.REBALANCE_IN_PROGRESS);
    const [joinedOther, joinedLeader] = await sim.run(Promise.all([joining, leader.join()]));
    expect(joinedLeader.generationId).toBe(2);
    expect(joinedLeader.members.map(({ memberId }) => memberId).sort()).toEqual(
      [leader.memberId, other.memberId].sort(),
    );
    expect(joinedOther).toMatchObject({ generationId: 2, leader: leader.memberId, members: [] });
    const followed = other.sync();
    await sim.clock.advance(1000);
    expect(state()).toBe('CompletingRebalance');
    await sim.run(leader.sync({ [leader.memberId]: 'a', [other.memberId]: 'b' }));
    expect((await sim.run(followed)).assignment.toString()).toBe('b');
  });

  it('goes on without members that do not rejoin within the rebalance timeout', async () => {
    const [leader, other] = await stableGroup({ sessionTimeoutMs: 60_000, rebalanceTimeoutMs: 20_000 });
    const third = member({ sessionTimeoutMs: 60_000, rebalanceTimeoutMs: 20_000 });
    const startedAt = sim.clock.now();
    const joining = third.join();
    await sim.clock.advance(1);
    const [joined] = await sim.run(Promise.all([joining, other.join()]));
    expect(sim.clock.now() - startedAt).toBeGreaterThanOrEqual(20_000);
    expect(sim.clock.now() - startedAt).toBeLessThan(20_100);
    expect(joined.generationId).toBe(3);
    expect(joined.leader).toBe(other.memberId);
    expect(await sim.run(leader.heartbeat())).toBe(ERRORS.UNKNOWN_MEMBER_ID);
  });

  it('removes a member whose session ends, and not one that heartbeats', async () => {
    const [leader, other] = await stableGroup();
    for (let beat = 0; beat < 9; beat++) {
      await sim.clock.advance(1000);
      expect(await sim.run(leader.heartbeat())).toBe(ERRORS.NONE);
    }
    await sim.clock.advance(1500);
    expect(state()).toBe('PreparingRebalance');
    expect(await sim.run(leader.heartbeat())).toBe(ERRORS.REBALANCE_IN_PROGRESS);
    expect(await sim.run(other.heartbeat())).toBe(ERRORS.UNKNOWN_MEMBER_ID);
    const rejoined = await sim.run(leader.join());
    expect(rejoined.members).toHaveLength(1);
  });

  it('takes commits as heartbeats', async () => {
    const [leader] = await stableGroup();
    for (let beat = 0; beat < 30; beat++) {
      await sim.clock.advance(900);
      await sim.run(leader.commit(beat));
    }
    expect(sim.box.group('readers')!.members.map(({ memberId }) => memberId)).toEqual([leader.memberId]);
  });

  it('rebalances when a member leaves', async () => {
    const [leader, other] = await stableGroup();
    expect(await sim.run(leader.leave())).toBe(ERRORS.NONE);
    expect(state()).toBe('PreparingRebalance');
    const joined = await sim.run(other.join());
    expect(joined).toMatchObject({ generationId: 3, leader: other.memberId });
    expect(await sim.run(leader.leave())).toBe(ERRORS.UNKNOWN_MEMBER_ID);
  });

  it('sends syncs that wait back into the rebalance when the leader goes', async () => {
    const [leader, other] = await stableGroup();
    await sim.run(Promise.all([leader.join(), delayedJoin(other)]));
    const waiting = other.sync();
    await sim.clock.advance(10);
    await sim.run(leader.leave());
    expect((await sim.run(waiting)).errorCode).toBe(ERRORS.REBALANCE_IN_PROGRESS);
  });

  it('removes a leader that never assigns, after the rebalance timeout', async () => {
    const options = { sessionTimeoutMs: 120_000, rebalanceTimeoutMs: 15_000 };
    const [leader, other] = await stableGroup(options);
    await sim.run(Promise.all([leader.join(), delayedJoin(other)]));
    const waiting = other.sync();
    const startedAt = sim.clock.now();
    expect((await sim.run(waiting)).errorCode).toBe(ERRORS.REBALANCE_IN_PROGRESS);
    expect(sim.clock.now() - startedAt).toBeLessThanOrEqual(15_000);
    expect(await sim.run(leader.heartbeat())).toBe(ERRORS.UNKNOWN_MEMBER_ID);
    expect((await sim.run(other.join())).leader).toBe(other.memberId);
  });

  it('answers a lost join again without a new generation, and rebalances for a changed subscription', async () => {
    const [, other] = await stableGroup();
    const again = await sim.run(other.joinOnce());
    expect(again).toMatchObject({ errorCode: 0, generationId: 2, members: [] });
    expect(state()).toBe('Stable');
    other.subscribe('more');
    const joining = other.joinOnce();
    await sim.clock.advance(10);
    expect(state()).toBe('PreparingRebalance');
    joining.catch(() => {});
  });

  it('rebalances whenever the leader joins again', async () => {
    const [leader] = await stableGroup();
    const joining = leader.joinOnce();
    await sim.clock.advance(10);
    expect(state()).toBe('PreparingRebalance');
    joining.catch(() => {});
  });

  it('forgets an id that it gave away when nobody comes with it', async () => {
    const one = member();
    const asked = await sim.run(one.joinOnce());
    expect(asked.errorCode).toBe(ERRORS.MEMBER_ID_REQUIRED);
    await sim.clock.advance(10_001);
    expect((await sim.run(one.joinOnce())).errorCode).toBe(ERRORS.UNKNOWN_MEMBER_ID);
  });

  it('waits for members that were given an id', async () => {
    const [one, two] = [member(), member()];
    await sim.run(Promise.all([one.joinOnce(), two.joinOnce()]));
    const first = one.joinOnce();
    // The first rebalance of an empty group does not wait for them: its delay decides.
    await sim.run(first);
    await sim.run(one.sync({ [one.memberId]: 'everything' }));
    const three = member();
    await sim.run(three.joinOnce());
    const joining = Promise.all([one.joinOnce(), three.joinOnce()]);
    await sim.clock.advance(1000);
    expect(state()).toBe('PreparingRebalance');
    await sim.run(Promise.all([joining, two.joinOnce()]));
    expect(sim.box.group('readers')!.members).toHaveLength(3);
  });

  it('gathers members for the initial rebalance delay and prolongs it while more come', async () => {
    await sim.box.close();
    sim = await simulated({ group: { initialRebalanceDelayMs: 3000 } });
    const members = [member(), member(), member()];
    const joins = [members[0]!.join()];
    await sim.clock.advance(2000);
    joins.push(members[1]!.join());
    await sim.clock.advance(2000);
    joins.push(members[2]!.join());
    const joined = await sim.run(Promise.all(joins));
    expect(new Set(joined.map(({ generationId }) => generationId))).toEqual(new Set([1]));
    expect(sim.clock.now()).toBe(9000);
  });

  it('elects the protocol that all offer and most prefer', async () => {
    const options = (...protocols: string[]): MemberOptions => ({ protocols });
    const members = [
      member(options('sticky', 'range')),
      member(options('range', 'sticky')),
      member(options('range')),
    ];
    await sim.run(members[0]!.join());
    const joins = [members[1]!.join(), members[2]!.join()];
    await sim.clock.advance(10);
    const joined = await sim.run(Promise.all([...joins, members[0]!.join()]));
    expect(joined.map(({ protocolName }) => protocolName)).toEqual(['range', 'range', 'range']);
    const stranger = member(options('unheard-of'));
    expect((await sim.run(stranger.join())).errorCode).toBe(ERRORS.INCONSISTENT_GROUP_PROTOCOL);
  });

  it('refuses other generations, strangers, and commits while it is completing a rebalance', async () => {
    const [leader, other] = await stableGroup();
    const stale = leader.generationId - 1;
    leader.generationId = stale;
    expect(await sim.run(leader.heartbeat())).toBe(ERRORS.ILLEGAL_GENERATION);
    expect(await sim.run(leader.commit(5))).toBe(ERRORS.ILLEGAL_GENERATION);
    expect((await sim.run(leader.sync())).errorCode).toBe(ERRORS.ILLEGAL_GENERATION);
    const stranger = member();
    stranger.memberId = 'nobody';
    stranger.generationId = 2;
    expect(await sim.run(stranger.heartbeat())).toBe(ERRORS.UNKNOWN_MEMBER_ID);
    expect(await sim.run(stranger.commit(5))).toBe(ERRORS.UNKNOWN_MEMBER_ID);
    stranger.memberId = '';
    stranger.generationId = -1;
    expect(await sim.run(stranger.commit(5))).toBe(ERRORS.UNKNOWN_MEMBER_ID);
    leader.generationId = stale + 1;
    expect(await sim.run(leader.commit(5))).toBe(ERRORS.NONE);
    expect(sim.box.committed('readers', 'lines', 0)).toEqual({
      offset: 5,
      leaderEpoch: -1,
      metadata: 'mark',
    });
    await sim.run(Promise.all([leader.join(), delayedJoin(other)]));
    expect(await sim.run(leader.commit(6))).toBe(ERRORS.REBALANCE_IN_PROGRESS);
    expect(await sim.run(leader.commit(6, 'no-such-topic'))).toBe(ERRORS.UNKNOWN_TOPIC_OR_PARTITION);
    expect(await sim.run(leader.heartbeat())).toBe(ERRORS.NONE);
  });

  it('takes commits from outside a membership while it is empty', async () => {
    const outsider = member();
    expect(await sim.run(outsider.commit(3))).toBe(ERRORS.NONE);
    expect(await sim.run(outsider.commit(3, 'no-such-topic'))).toBe(ERRORS.UNKNOWN_TOPIC_OR_PARTITION);
    expect(state()).toBe('Empty');
    outsider.generationId = 7;
    outsider.memberId = 'nobody';
    expect(await sim.run(outsider.commit(3))).toBe(ERRORS.UNKNOWN_MEMBER_ID);
  });

  it('keeps heartbeats of a member alive on another connection while its join waits', async () => {
    const [leader, other] = await stableGroup();
    const joining = other.client;
    other.subscribe('more');
    const waiting = other.joinOnce();
    await sim.clock.advance(20_000);
    // The member that waits for its join does not expire; the leader, silent for longer than its session, does.
    expect((await sim.run(waiting)).members).toHaveLength(1);
    expect(await sim.run(leader.heartbeat())).toBe(ERRORS.UNKNOWN_MEMBER_ID);
    expect(joining.waiting).toBe(0);
  });

  it('removes a member that does not ask for its assignment, though the others have theirs', async () => {
    const [leader, other] = await stableGroup({ sessionTimeoutMs: 60_000, rebalanceTimeoutMs: 20_000 });
    await sim.run(Promise.all([leader.join(), delayedJoin(other)]));
    await sim.run(leader.sync({ [leader.memberId]: 'first' }));
    expect(state()).toBe('Stable');
    await sim.clock.advance(19_000);
    expect(await sim.run(other.heartbeat())).toBe(ERRORS.NONE);
    await sim.clock.advance(1000);
    expect(state()).toBe('PreparingRebalance');
    expect(await sim.run(other.heartbeat())).toBe(ERRORS.UNKNOWN_MEMBER_ID);
  });

  it('waits for the whole delay when the only newcomer leaves again, and is empty then', async () => {
    await sim.box.close();
    sim = await simulated({ group: { initialRebalanceDelayMs: 3000 } });
    const one = member();
    await sim.run(one.joinOnce());
    const joining = one.joinOnce();
    await sim.clock.advance(1000);
    const elsewhere = new TestMember(sim.connect());
    elsewhere.memberId = one.memberId;
    expect(await sim.run(elsewhere.leave())).toBe(ERRORS.NONE);
    expect((await sim.run(joining)).errorCode).toBe(ERRORS.UNKNOWN_MEMBER_ID);
    expect(state()).toBe('PreparingRebalance');
    await sim.clock.advance(2000);
    expect(state()).toBe('Empty');
  });

  it('loses several members at once with one rebalance', async () => {
    const [leader, other] = await stableGroup();
    const third = member();
    const joining = third.join();
    await sim.clock.advance(1);
    await sim.run(Promise.all([joining, leader.join(), other.join()]));
    await sim.run(Promise.all([leader.sync(), other.sync(), third.sync()]));
    const generation = sim.box.group('readers')!.generationId;
    const { members } = await sim.run(
      sim.connect().call(leaveGroupApi, 5, {
        groupId: 'readers',
        members: [{ memberId: leader.memberId }, { memberId: 'stranger' }, { memberId: other.memberId }],
      }),
    );
    expect(members.map(({ errorCode }) => errorCode)).toEqual([
      ERRORS.NONE,
      ERRORS.UNKNOWN_MEMBER_ID,
      ERRORS.NONE,
    ]);
    expect(state()).toBe('PreparingRebalance');
    expect(await sim.run(third.join())).toMatchObject({
      generationId: generation + 1,
      leader: third.memberId,
    });
  });
});

describe('a static member', () => {
  const options: MemberOptions = { instanceId: 'instance-1' };

  it('comes back under its name without a rebalance, and fences its predecessor', async () => {
    const first = member(options);
    await sim.run(first.join());
    await sim.run(first.sync({ [first.memberId]: 'everything' }));
    const second = member(options);
    const joined = await sim.run(second.join());
    expect(joined).toMatchObject({
      errorCode: 0,
      generationId: 1,
      leader: second.memberId,
      skipAssignment: true,
    });
    expect(state()).toBe('Stable');
    expect((await sim.run(second.sync())).assignment.toString()).toBe('everything');
    expect(await sim.run(first.heartbeat())).toBe(ERRORS.FENCED_INSTANCE_ID);
    expect(await sim.run(first.commit(1))).toBe(ERRORS.FENCED_INSTANCE_ID);
    expect(await sim.run(second.heartbeat())).toBe(ERRORS.NONE);
  });

  it('does not tell a client before version 9 that it leads', async () => {
    const first = member(options);
    await sim.run(first.join());
    await sim.run(first.sync({ [first.memberId]: 'everything' }));
    const second = member({ ...options, version: 8 });
    const joined = await sim.run(second.join());
    expect(joined).toMatchObject({ errorCode: 0, leader: first.memberId, members: [] });
  });

  it('is rebalanced away only when its session ends', async () => {
    const [leader] = await stableGroup();
    const fixed = member(options);
    const joining = fixed.join();
    await sim.clock.advance(1);
    await sim.run(Promise.all([joining, leader.join()]), 15_000);
    expect(sim.box.group('readers')!.members.map(({ instanceId }) => instanceId)).toContain('instance-1');
    fixed.client.close();
    await sim.clock.advance(11_000);
    expect(sim.box.group('readers')!.members.map(({ instanceId }) => instanceId)).not.toContain('instance-1');
  });
});

async function delayedJoin(joining: TestMember): Promise<void> {
  joining.subscribe('again');
  await joining.join();
}
