import { describe, expect, it } from '@jest/globals';
import { encodeSubscription } from '../../../../src/core/protocol/consumer-protocol.ts';
import { ERRORS } from '../../../../src/core/protocol/error-codes.ts';
import type { ClusterTopics } from '../../../../src/testing/broker/groups/consumer/group-environment.ts';
import type { HeartbeatRequest } from '../../../../src/testing/broker/groups/consumer/heartbeat.ts';
import { GroupCoordinator } from '../../../../src/testing/broker/groups/group-coordinator.ts';
import type { JoinRequest, JoinResult } from '../../../../src/testing/broker/groups/group-types.ts';
import { settingsOf } from '../../../../src/testing/broker/options.ts';
import { seededRandom } from '../../../../src/testing/simulation/seeded-random.ts';
import { GroupConfigs } from '../../../../src/testing/broker/state/group-configs.ts';
import { VirtualClock } from '../../../../src/testing/simulation/virtual-clock.ts';

const LINES = { id: 'zB-vM-yKQtumw0ewYkwe3A', name: 'lines', partitions: { length: 3 } };
const TOPICS: ClusterTopics = {
  created: 1,
  version: 1,
  get: (name) => (name === 'lines' ? LINES : undefined),
  byId: (id) => (id === LINES.id ? LINES : undefined),
  all: () => [LINES],
};

const CONSUMER: HeartbeatRequest = {
  version: 1,
  groupId: 'consumers',
  memberId: 'one',
  memberEpoch: 0,
  instanceId: null,
  rackId: null,
  rebalanceTimeoutMs: 20_000,
  topicNames: ['lines'],
  topicRegex: 'li.*',
  assignorName: 'range',
  owned: [],
  clientId: 'test',
  clientHost: '/127.0.0.1',
};
const CLASSIC: JoinRequest = {
  memberId: '',
  instanceId: null,
  clientId: 'test',
  clientHost: '/127.0.0.1',
  sessionTimeoutMs: 10_000,
  rebalanceTimeoutMs: 20_000,
  protocolType: 'consumer',
  protocols: [{ name: 'range', metadata: encodeSubscription({ topics: ['lines'] }) }],
  needsKnownMemberId: false,
  canSkipAssignment: true,
};

interface World {
  readonly clock: VirtualClock;
  readonly groups: GroupCoordinator;
}

function world(): World {
  const clock = new VirtualClock();
  const settings = settingsOf({
    group: { offsetsRetentionMs: 60_000, offsetsRetentionCheckIntervalMs: 1000 },
  });
  const configs = new GroupConfigs(settings.group);
  return {
    clock,
    groups: new GroupCoordinator({ clock, random: seededRandom(3), settings }, TOPICS, configs),
  };
}

/** What is there after a restart: a copy that shares nothing, in a process whose clock says something else. */
async function restarted({ groups }: World): Promise<World> {
  const next = world();
  await next.clock.advance(5000);
  next.groups.restore(structuredClone(groups.snapshot()));
  return next;
}

const commit = (groups: GroupCoordinator, groupId: string, atMs: number): void => {
  const from = { memberId: '', instanceId: null, generationId: -1, version: 9, isTransactional: false };
  const group = groups.checkCommit(groupId, from, []);
  if (typeof group === 'number') throw new Error(`commit: ${group}`);
  group.offsets.set(
    'lines',
    0,
    { offset: 7, leaderEpoch: 1, metadata: 'm' },
    { atMs, expiresAtMs: undefined },
  );
};

describe('groups as plain data', () => {
  it('keep classic members with their generation and assignment, and their sessions start anew', async () => {
    const before = world();
    const joining = before.groups.join('classics', CLASSIC) as Promise<JoinResult>;
    await before.clock.advance(1);
    const { memberId } = await joining;
    const sync = { memberId, instanceId: null, generationId: 1, protocolType: null, protocolName: null };
    await before.groups.sync('classics', { ...sync, assignments: new Map([[memberId, Buffer.from('all')]]) });
    await before.clock.advance(9000);
    const after = await restarted(before);
    const who = { memberId, instanceId: null, generationId: 1 };
    await after.clock.advance(9000);
    expect(after.groups.heartbeat('classics', who)).toBe(ERRORS.NONE);
    expect(await after.groups.sync('classics', { ...sync, assignments: new Map() })).toMatchObject({
      errorCode: 0,
      assignment: Buffer.from('all'),
      protocolName: 'range',
    });
    await after.clock.advance(10_000);
    expect(after.groups.get('classics')).toBeUndefined();
  });

  it('forget a rebalance that was under way', async () => {
    const before = world();
    const joining = before.groups.join('classics', CLASSIC) as Promise<JoinResult>;
    await before.clock.advance(1);
    const { memberId } = await joining;
    const after = await restarted(before);
    const who = { memberId, instanceId: null, generationId: 1 };
    expect(after.groups.heartbeat('classics', who)).toBe(ERRORS.ILLEGAL_GENERATION);
    const again = after.groups.join('classics', { ...CLASSIC, memberId }) as Promise<JoinResult>;
    expect(await after.clock.run(again)).toMatchObject({ errorCode: 0, generationId: 1, leader: memberId });
  });

  it('keep consumers with their epochs, targets and partitions on their way', async () => {
    const before = world();
    before.groups.consumerHeartbeat(CONSUMER);
    await before.clock.advance(1);
    before.groups.consumerHeartbeat({ ...CONSUMER, memberId: 'two' });
    const ask: HeartbeatRequest = {
      ...CONSUMER,
      topicNames: null,
      topicRegex: null,
      rebalanceTimeoutMs: -1,
      owned: null,
    };
    const first = before.groups.consumerHeartbeat({ ...ask, memberEpoch: 2 });
    const after = await restarted(before);
    expect(after.groups.snapshot()).toEqual(before.groups.snapshot());
    const next = { ...ask, memberEpoch: 2, owned: [{ topicId: LINES.id, partitions: [0, 1] }] };
    expect(after.groups.consumerHeartbeat(next)).toEqual(before.groups.consumerHeartbeat(next));
    expect(first).toMatchObject({ memberEpoch: 2 });
    const second = { ...ask, memberId: 'two', memberEpoch: 4 };
    expect(after.groups.consumerHeartbeat(second)).toEqual(before.groups.consumerHeartbeat(second));
    expect(after.groups.get('consumers')!.membership.state).toBe(
      before.groups.get('consumers')!.membership.state,
    );
    await after.clock.advance(44_000);
    expect(after.groups.get('consumers')!.membership.state).not.toBe('Empty');
    await after.clock.advance(1000);
    expect(after.groups.get('consumers')).toBeUndefined();
  });

  it('keep commits, those of open transactions too, and their age', async () => {
    const before = world();
    commit(before.groups, 'alone', before.clock.now());
    const { offsets } = before.groups.get('alone')!;
    offsets.stage(1000, 'lines', 1, { offset: 9, leaderEpoch: -1, metadata: '' });
    await before.clock.advance(40_000);
    const after = await restarted(before);
    const restored = after.groups.get('alone')!.offsets;
    expect(restored.get('lines', 0)).toEqual({ offset: 7, leaderEpoch: 1, metadata: 'm' });
    expect(restored.hasPending('lines', 1)).toBe(true);
    restored.endTransaction(1000, true);
    expect(restored.get('lines', 1)?.offset).toBe(9);
    await after.clock.advance(21_000);
    expect(after.groups.get('alone')!.offsets.get('lines', 0)).toBeUndefined();
    await after.clock.advance(60_000);
    expect(after.groups.get('alone')).toBeUndefined();
  });
});
