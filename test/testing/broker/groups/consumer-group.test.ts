import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { decodeAssignment, encodeAssignment } from '../../../../src/core/protocol/consumer-protocol.ts';
import { ERRORS } from '../../../../src/core/protocol/error-codes.ts';
import { consumerGroupDescribeApi } from '../../../../src/core/protocol/messages/69-consumer-group-describe.ts';
import { fault } from '../../../../src/testing/broker/faults/fault.ts';
import type { BrokerOptions } from '../../../../src/testing/broker/options.ts';
import { TestMember } from '../group-member.ts';
import { simulated } from '../simulated.ts';
import type { Simulated } from '../simulated.ts';
import { TestConsumer } from './consumer-member.ts';

const SESSION_MS = 45_000;
const REBALANCE_MS = 20_000;

let sim: Simulated;
const consumer = (id: string, groupId?: string) => new TestConsumer(sim.connect(), id, groupId);
const group = () => sim.box.group('readers');
const memberIds = () => group()!.members.map(({ memberId }) => memberId);

async function start(options: BrokerOptions & { readonly seed?: number } = {}): Promise<void> {
  await sim?.box.close();
  sim = await simulated(options);
}

/** Two settled members, with partitions 0 and 1, and 2. */
async function pair(): Promise<[TestConsumer, TestConsumer]> {
  const [one, two] = [consumer('one'), consumer('two')];
  await sim.run(one.join());
  await sim.run(two.join());
  await sim.run(one.beat());
  await sim.run(one.settle());
  await sim.run(two.beat());
  await sim.run(two.settle());
  expect(group()).toMatchObject({
    state: 'Stable',
    type: 'consumer',
    generationId: 3,
    protocolName: 'uniform',
  });
  return [one, two];
}

/** Moves time on in small steps, with heartbeats of these members. */
async function liveFor(durationMs: number, ...members: readonly TestConsumer[]): Promise<void> {
  for (let lived = 0; lived < durationMs; lived += 1000) {
    await sim.clock.advance(1000);
    for (const member of members) expect((await sim.run(member.beat())).errorCode).toBe(ERRORS.NONE);
  }
}

beforeEach(() => start());

afterEach(async () => {
  await sim.box.close();
  expect(sim.box.internalErrors).toEqual([]);
});

describe('a consumer group', () => {
  it('takes partitions from one member before it gives them to another', async () => {
    const [one, two] = [consumer('one'), consumer('two')];
    const joined = await sim.run(one.join());
    expect(joined).toMatchObject({ errorCode: 0, memberEpoch: 2, heartbeatIntervalMs: 5000 });
    expect(one.partitions).toEqual([0, 1, 2]);
    expect(group()).toMatchObject({ state: 'Stable', generationId: 2 });
    await sim.run(two.join());
    expect([two.epoch, two.partitions]).toEqual([3, []]);
    expect(group()!.state).toBe('Reconciling');
    await sim.run(one.beat());
    expect([one.epoch, one.partitions]).toEqual([2, [0, 1]]);
    expect((await sim.run(two.beat())).assignment).toBeNull();
    await sim.run(one.settle());
    expect(one.epoch).toBe(3);
    await sim.run(two.beat());
    expect(two.partitions).toEqual([2]);
    expect(group()!.state).toBe('Stable');
    const assigned = group()!.members.map(
      ({ assignment }) => decodeAssignment(assignment).assignedPartitions,
    );
    expect(assigned).toEqual([
      [{ topic: 'lines', partitions: [0, 1] }],
      [{ topic: 'lines', partitions: [2] }],
    ]);
  });

  it('gives what a member that left had to those that stay', async () => {
    const [one, two] = await pair();
    expect(await sim.run(one.leave())).toMatchObject({ errorCode: 0, memberEpoch: -1 });
    expect(group()).toMatchObject({ state: 'Assigning', generationId: 4 });
    await sim.run(two.beat());
    expect(two.partitions).toEqual([0, 1, 2]);
    await sim.run(two.leave());
    expect(group()).toMatchObject({ state: 'Empty', generationId: 5, members: [] });
  });

  it('removes a member whose session ends, to the millisecond, and not one that heartbeats', async () => {
    const [one, two] = await pair();
    const lastBeat = sim.clock.now();
    await liveFor(SESSION_MS - 1000, one);
    expect(sim.clock.now() - lastBeat).toBe(SESSION_MS - 1000);
    await sim.clock.advance(999);
    expect(memberIds()).toEqual(['one', 'two']);
    await sim.clock.advance(1);
    expect(memberIds()).toEqual(['one']);
    await sim.run(one.beat());
    expect(one.partitions).toEqual([0, 1, 2]);
    expect(await sim.run(two.beat())).toMatchObject({
      errorCode: ERRORS.UNKNOWN_MEMBER_ID,
      errorMessage: 'Member two is not a member of group readers.',
    });
  });

  it('removes a member that does not give partitions up within its rebalance timeout, though it heartbeats', async () => {
    const [one, two] = [consumer('one'), consumer('two')];
    await sim.run(one.join());
    await sim.run(two.join());
    await sim.run(one.beat());
    await liveFor(REBALANCE_MS - 1000, one, two);
    expect(memberIds()).toEqual(['one', 'two']);
    await sim.clock.advance(1000);
    expect(memberIds()).toEqual(['two']);
    await sim.run(two.beat());
    expect(two.partitions).toEqual([0, 1, 2]);
  });

  it('lets a member that did give up in time live on', async () => {
    const [one] = await pair();
    await liveFor(REBALANCE_MS + 2000, one, consumerLike('two'));
    expect(memberIds()).toEqual(['one', 'two']);
  });

  it('keeps the partitions of a static member that left for a while, for its session', async () => {
    const first = { instanceId: 'first' };
    const [one, other] = [consumer('one'), consumer('other')];
    await sim.run(one.join(first));
    await sim.run(other.join());
    await sim.run(one.beat(first));
    await sim.run(one.beat({ ...first, topicPartitions: one.assignment }));
    await sim.run(other.beat());
    const held = one.partitions;
    expect(await sim.run(one.beat({ ...first, memberEpoch: -2 }))).toMatchObject({ memberEpoch: -2 });
    const again = consumer('again');
    await sim.run(again.join(first));
    expect(again.partitions).toEqual(held);
    expect(group()).toMatchObject({ generationId: 3 });
    expect(memberIds()).toEqual(['other', 'again']);
    await sim.run(again.beat({ ...first, memberEpoch: -2 }));
    await liveFor(SESSION_MS, other);
    expect(memberIds()).toEqual(['other']);
    await sim.run(other.beat());
    expect(other.partitions).toEqual([0, 1, 2]);
  });

  it('assigns again when topics come, grow and go', async () => {
    const one = consumer('one');
    await sim.run(one.join({ subscribedTopicNames: ['lines', 'later'] }));
    sim.box.createTopic('later', 2);
    await sim.run(one.beat());
    expect(one.partitions).toEqual([0, 0, 1, 1, 2]);
    await sim.run(one.settle());
    sim.box.expandPartitions('later', 4);
    await sim.run(one.beat());
    expect(one.partitions).toEqual([0, 0, 1, 1, 2, 2, 3]);
    await sim.run(one.settle());
    sim.box.deleteTopic('later');
    await sim.run(one.beat());
    expect(one.partitions).toEqual([0, 1, 2]);
    expect(group()!.generationId).toBe(5);
    await sim.run(one.settle());
    sim.box.recreateTopic('lines');
    await sim.run(one.beat());
    expect(one.partitions).toEqual([]);
    await sim.run(one.settle());
    expect(one.assignment.map(({ topicId }) => topicId)).toEqual([sim.box.topicId('lines')]);
  });

  it('finds topics by regular expression beside the heartbeats, new ones ten seconds later at the earliest', async () => {
    const one = consumer('one');
    await sim.run(one.join({ subscribedTopicNames: null, subscribedTopicRegex: 'l.*' }));
    expect(one.partitions).toEqual([]);
    await sim.clock.advance(1);
    await sim.run(one.beat());
    expect(one.partitions).toEqual([0, 1, 2]);
    sim.box.createTopic('later', 1);
    await liveFor(9000, one);
    expect(one.partitions).toEqual([0, 1, 2]);
    await liveFor(3000, one);
    expect(one.partitions).toEqual([0, 0, 1, 2]);
  });

  it('waits between two assignments when told to', async () => {
    await start({ group: { assignmentIntervalMs: 1000 } });
    const [one, two] = [consumer('one'), consumer('two')];
    await sim.run(one.join());
    await sim.run(two.join());
    expect(group()!.state).toBe('Assigning');
    expect(two.partitions).toEqual([]);
    await sim.run(one.beat());
    expect(one.partitions).toEqual([0, 1, 2]);
    await sim.clock.advance(1000);
    await sim.run(one.beat());
    expect(one.partitions).toEqual([0, 1]);
  });

  it('takes no more members than it may', async () => {
    await start({ group: { consumerMaxSize: 1 } });
    const [one, two] = [consumer('one'), consumer('two')];
    await sim.run(one.join());
    expect(await sim.run(two.join())).toMatchObject({ errorCode: ERRORS.GROUP_MAX_SIZE_REACHED });
    expect(await sim.run(one.join())).toMatchObject({ errorCode: ERRORS.NONE });
  });

  it('moves with its coordinator, with fresh sessions and without losing a partition', async () => {
    await start({ brokers: 2 });
    const coordinator = sim.box.coordinatorOf('readers');
    const one = new TestConsumer(sim.connect(coordinator), 'one');
    await sim.run(one.join());
    await sim.clock.advance(SESSION_MS - 1);
    sim.box.rehashCoordinators();
    expect((await sim.run(one.beat())).errorCode).toBe(ERRORS.NOT_COORDINATOR);
    await sim.clock.advance(SESSION_MS - 1);
    const moved = new TestConsumer(sim.connect(1 - coordinator), 'one');
    moved.epoch = one.epoch;
    expect(await sim.run(moved.settle())).toMatchObject({ errorCode: 0, memberEpoch: one.epoch });
  });

  it('answers as faults say', async () => {
    sim.box.fault({
      match: { api: 'ConsumerGroupHeartbeat', group: 'readers' },
      do: fault.error('FENCED_MEMBER_EPOCH'),
      count: 1,
    });
    sim.box.fault({
      match: { api: 'ConsumerGroupDescribe', group: 'readers' },
      do: fault.error('GROUP_AUTHORIZATION_FAILED'),
      count: 1,
    });
    const one = consumer('one');
    expect((await sim.run(one.join())).errorCode).toBe(ERRORS.FENCED_MEMBER_EPOCH);
    expect((await sim.run(one.join())).errorCode).toBe(ERRORS.NONE);
    const body = { groupIds: ['readers'], includeAuthorizedOperations: false };
    const described = await sim.run(one.client.call(consumerGroupDescribeApi, 1, body));
    expect(described.groups[0]!.errorCode).toBe(ERRORS.GROUP_AUTHORIZATION_FAILED);
  });

  it('is not there when the cluster says so', async () => {
    await start({ features: { 'group.version': 0 } });
    expect((await sim.run(consumer('one').join())).errorCode).toBe(ERRORS.UNSUPPORTED_VERSION);
  });

  it('plays the same way for the same seed', async () => {
    const play = async (): Promise<unknown> => {
      await start({ seed: 7 });
      const [one, two] = await pair();
      await sim.run(one.leave());
      await sim.run(two.beat());
      return [group(), one.assignment, two.assignment];
    };
    expect(await play()).toEqual(await play());
  });
});

describe('a group that changes its protocol', () => {
  const everything = encodeAssignment({ assignedPartitions: [{ topic: 'lines', partitions: [0, 1, 2] }] });

  /** A member of the classic protocol with everything, and one of the consumer protocol that has just joined. */
  async function mixed(): Promise<[TestMember, TestConsumer]> {
    const classic = new TestMember(sim.connect(), { subscribedTo: ['lines'] });
    await sim.run(classic.join());
    await sim.run(classic.syncWith({ [classic.memberId]: everything }));
    const one = consumer('one');
    await sim.run(one.join());
    expect(group()).toMatchObject({ type: 'consumer', state: 'Reconciling', generationId: 2 });
    return [classic, one];
  }

  it('has a classic member join again before its partitions go elsewhere', async () => {
    const [classic, one] = await mixed();
    expect(await sim.run(classic.heartbeat())).toBe(ERRORS.REBALANCE_IN_PROGRESS);
    const owned = (partitions: readonly number[]) =>
      classic.owns([{ topic: 'lines', partitions: [...partitions] }]);
    owned([0, 1, 2]);
    expect(await sim.run(classic.joinOnce())).toMatchObject({ errorCode: 0, generationId: 1 });
    const kept = decodeAssignment((await sim.run(classic.sync())).assignment).assignedPartitions;
    expect(kept).toEqual([{ topic: 'lines', partitions: [0, 1] }]);
    owned([0, 1]);
    expect(await sim.run(classic.heartbeat())).toBe(ERRORS.REBALANCE_IN_PROGRESS);
    expect(await sim.run(classic.joinOnce())).toMatchObject({ errorCode: 0, generationId: 2 });
    await sim.run(classic.sync());
    expect(await sim.run(classic.heartbeat())).toBe(ERRORS.NONE);
    await sim.run(one.beat());
    expect(one.partitions).toEqual([2]);
    expect(group()!.state).toBe('Stable');
  });

  it('removes a classic member that does not join again, or does not sync, within its rebalance timeout', async () => {
    const [classic, one] = await mixed();
    const beatBoth = async (durationMs: number): Promise<void> => {
      for (let lived = 0; lived < durationMs; lived += 5000) {
        await sim.clock.advance(5000);
        await sim.run(one.beat());
        await sim.run(classic.heartbeat());
      }
    };
    await sim.run(classic.heartbeat());
    await beatBoth(25_000);
    expect(memberIds()).toEqual([classic.memberId, 'one']);
    await beatBoth(5000);
    expect(memberIds()).toEqual(['one']);
    expect(await sim.run(classic.heartbeat())).toBe(ERRORS.UNKNOWN_MEMBER_ID);
    const late = new TestMember(sim.connect(), { subscribedTo: ['lines'] });
    await sim.run(late.join());
    for (let lived = 0; lived < 30_000; lived += 5000) {
      await sim.clock.advance(5000);
      await sim.run(one.settle());
      if (lived < 25_000) await sim.run(late.heartbeat());
    }
    expect(memberIds()).toEqual(['one']);
  });

  it('is a classic group again when the last consumer leaves, and rebalances', async () => {
    const [classic, one] = await mixed();
    await sim.run(one.leave());
    expect(group()).toMatchObject({ type: 'classic', state: 'PreparingRebalance', generationId: 2 });
    expect(await sim.run(classic.join())).toMatchObject({
      errorCode: 0,
      generationId: 3,
      leader: classic.memberId,
    });
  });

  it.each([
    ['disabled', ERRORS.GROUP_ID_NOT_FOUND],
    ['downgrade', ERRORS.GROUP_ID_NOT_FOUND],
    ['upgrade', ERRORS.NONE],
  ] as const)(
    'with the policy %s lets a consumer into a classic group or not',
    async (migrationPolicy, error) => {
      await start({ group: { migrationPolicy } });
      const classic = new TestMember(sim.connect(), { subscribedTo: ['lines'] });
      await sim.run(classic.join());
      await sim.run(classic.syncWith({ [classic.memberId]: everything }));
      expect((await sim.run(consumer('one').join())).errorCode).toBe(error);
      const isUp = error === ERRORS.NONE;
      expect(group()!.type).toBe(isUp ? 'consumer' : 'classic');
      expect(await sim.run(classic.heartbeat())).toBe(isUp ? ERRORS.REBALANCE_IN_PROGRESS : ERRORS.NONE);
    },
  );

  it('refuses a consumer where members do not speak of topics, and leaves the group as it was', async () => {
    const classic = new TestMember(sim.connect());
    await sim.run(classic.join());
    await sim.run(classic.sync({ [classic.memberId]: 'everything' }));
    expect(await sim.run(consumer('one').join())).toMatchObject({ errorCode: ERRORS.GROUP_ID_NOT_FOUND });
    expect(await sim.run(classic.heartbeat())).toBe(ERRORS.NONE);
  });
});

function consumerLike(id: string): TestConsumer {
  const member = consumer(id);
  member.epoch = 3;
  return member;
}
