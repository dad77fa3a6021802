import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Assignment } from '../../../src/core/group/assignors/assignor.ts';
import { rangeAssignor } from '../../../src/core/group/assignors/range.ts';
import type { MembershipHost } from '../../../src/core/group/group-membership.ts';
import type { DividedTopics } from '../../../src/core/group/leader.ts';
import { Membership } from '../../../src/core/group/membership.ts';
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
} from '../../../src/core/protocol/consumer-protocol.ts';
import { ERRORS } from '../../../src/core/protocol/error-codes.ts';
import { BrokerError, type KafkaError } from '../../../src/errors.ts';
import { connectionLost, FakeCluster } from './fake-cluster.ts';

const SESSION_MS = 45_000;
const REBALANCE_MS = 60_000;

let cluster: FakeCluster;
let host: TestHost;
let membership: Membership;
let generation: number;

/** Writes down what it is told. */
class TestHost implements MembershipHost {
  readonly events: string[] = [];
  revoking: Promise<void> = Promise.resolve();
  topicNames: readonly string[] = ['orders'];
  failure: KafkaError | undefined;
  divided: DividedTopics | undefined;

  async topics(): Promise<readonly string[]> {
    return this.topicNames;
  }

  onDivided(topics: DividedTopics | undefined): void {
    this.divided = topics;
  }

  onAssigned(assignment: Assignment): void {
    const partitions = [...assignment].map(([topic, some]) => `${topic} ${some.join(',')}`).join('; ');
    this.events.push(`assigned ${partitions}`);
  }

  async onRevoke(): Promise<void> {
    this.events.push('revoke');
    await this.revoking;
    this.events.push('revoked');
  }

  onLost(cause: KafkaError): void {
    this.events.push(`lost: ${nameOf(cause)}`);
  }

  onFailed(cause: KafkaError): void {
    this.failure = cause;
    this.events.push(`failed: ${nameOf(cause)}`);
  }
}

function nameOf(error: KafkaError): string {
  return error instanceof BrokerError ? error.errorName : error.code;
}

function newMembership(groupInstanceId: string | null = null): Membership {
  return new Membership(
    cluster,
    {
      groupId: 'g',
      groupInstanceId,
      sessionTimeoutMs: SESSION_MS,
      heartbeatIntervalMs: 3_000,
      rebalanceTimeoutMs: REBALANCE_MS,
      assignors: [rangeAssignor],
    },
    host,
  );
}

/** Only member and leader, unless a test says otherwise. */
function answerAsCoordinator(): void {
  generation = 0;
  cluster.on('JoinGroup', (body) => {
    if (body.memberId === '')
      return {
        errorCode: ERRORS.MEMBER_ID_REQUIRED,
        memberId: 'm1',
        protocolName: '',
        leader: '',
        members: [],
      };
    generation += 1;
    const { memberId, protocols } = body;
    return {
      errorCode: 0,
      generationId: generation,
      protocolType: 'consumer',
      protocolName: 'range',
      leader: memberId,
      memberId,
      members: [{ memberId, metadata: protocols[0].metadata }],
    };
  });
  cluster.on('SyncGroup', (body) => ({
    errorCode: 0,
    assignment: body.assignments[0]?.assignment ?? Buffer.alloc(0),
  }));
  cluster.on('Heartbeat', () => ({ errorCode: 0 }));
  cluster.on('LeaveGroup', () => ({ errorCode: 0, members: [] }));
}

const untilStable = (): Promise<void> =>
  cluster.clock.runUntil(() => membership.state === 'stable' && host.events.length > 0);

async function startStable(): Promise<void> {
  membership.start();
  await untilStable();
}

beforeEach(() => {
  cluster = new FakeCluster();
  cluster.setTopic('orders', 3);
  host = new TestHost();
  answerAsCoordinator();
  membership = newMembership();
});

describe('joining', () => {
  it('has a connection of its own, which the next member uses again once it has left', async () => {
    const other = newMembership();
    await startStable();
    const leaving = membership.leave('the test is over');
    await cluster.clock.advance(1_000);
    await leaving;
    membership = newMembership();
    await startStable();
    expect(new Set(cluster.requests('JoinGroup').map(({ use }) => use))).toEqual(new Set(['join-0']));
    await other.leave('it never joined');
  });

  it('takes the member id it is given, divides as the leader, and owns what it gets', async () => {
    await startStable();
    expect(host.events).toEqual(['assigned orders 0,1,2']);
    expect(membership.memberId).toBe('m1');
    expect(membership.current()).toEqual({
      groupId: 'g',
      groupInstanceId: null,
      memberId: 'm1',
      generationId: 1,
    });
    expect(host.divided?.partitionCounts).toEqual(new Map([['orders', 3]]));
    const joins = cluster.requests('JoinGroup');
    expect(joins.map(({ body }) => body.memberId)).toEqual(['', 'm1']);
    expect(joins.every(({ use }) => use.startsWith('join-'))).toBe(true);
    expect(joins[0]!.body).toMatchObject({
      groupId: 'g',
      sessionTimeoutMs: SESSION_MS,
      rebalanceTimeoutMs: REBALANCE_MS,
      protocolType: 'consumer',
    });
    expect(decodeSubscription(joins[0]!.body.protocols[0].metadata).topics).toEqual(['orders']);
    const [sync] = cluster.requests('SyncGroup');
    expect(sync!.use).toBe(joins[0]!.use);
    const other = newMembership();
    other.start();
    await cluster.clock.runUntil(() => other.state === 'stable');
    expect(cluster.requests('JoinGroup').at(-1)!.use).not.toBe(sync!.use);
    expect(decodeAssignment(sync!.body.assignments[0].assignment).assignedPartitions).toEqual([
      { topic: 'orders', partitions: [0, 1, 2] },
    ]);
  });

  it.each([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])('speaks JoinGroup %i', async (version) => {
    cluster.limits.set('JoinGroup', version);
    cluster.limits.set('SyncGroup', Math.min(version, 5));
    cluster.limits.set('Heartbeat', Math.min(version, 4));
    cluster.limits.set('LeaveGroup', Math.min(version, 5));
    await startStable();
    await cluster.clock.advance(4_000);
    expect(cluster.requests('Heartbeat')).toHaveLength(1);
    await cluster.clock.run(membership.leave('done'));
    const [leave] = cluster.requests('LeaveGroup');
    if (version < 3) expect(leave!.body.memberId).toBe('m1');
    else expect(leave!.body.members).toMatchObject([{ memberId: 'm1', groupInstanceId: null }]);
  });

  it('follows: hands in nothing and takes what it gets', async () => {
    cluster.on('JoinGroup', ({ memberId }) => ({
      errorCode: memberId === '' ? ERRORS.MEMBER_ID_REQUIRED : 0,
      generationId: 7,
      protocolName: 'range',
      leader: 'another',
      memberId: 'm1',
      members: [],
    }));
    const assignedPartitions = [{ topic: 'orders', partitions: [2, 0] }];
    cluster.on('SyncGroup', () => ({
      errorCode: 0,
      assignment: encodeAssignment({ assignedPartitions, userData: null }),
    }));
    await startStable();
    expect(host.events).toEqual(['assigned orders 0,2']);
    expect(host.divided).toBeUndefined();
    expect(cluster.requests('SyncGroup')[0]!.body.assignments).toEqual([]);
    expect(membership.generationId).toBe(7);
  });

  it('leads others, whose topics it asks for too', async () => {
    cluster.setTopic('payments', 2);
    cluster.once('JoinGroup', () => ({
      errorCode: 0,
      generationId: 1,
      protocolName: 'range',
      leader: 'm1',
      memberId: 'm1',
      members: [
        { memberId: 'm1', metadata: encodeSubscription({ topics: ['orders'] }) },
        {
          memberId: 'a0',
          metadata: encodeSubscription({ topics: ['orders', 'payments', 'missing'], userData: null }, 0),
        },
      ],
    }));
    await startStable();
    const assignments = cluster.requests('SyncGroup')[0]!.body.assignments;
    const byMember = Object.fromEntries(
      assignments.map((one: any) => [one.memberId, decodeAssignment(one.assignment).assignedPartitions]),
    );
    expect(byMember).toEqual({
      m1: [{ topic: 'orders', partitions: [2] }],
      a0: [
        { topic: 'orders', partitions: [0, 1] },
        { topic: 'payments', partitions: [0, 1] },
      ],
    });
    expect(host.divided?.partitionCounts).toEqual(
      new Map([
        ['missing', 0],
        ['orders', 3],
        ['payments', 2],
      ]),
    );
  });

  it('fails with the member named when a subscription is malformed', async () => {
    cluster.once('JoinGroup', () => ({
      errorCode: 0,
      generationId: 1,
      protocolName: 'range',
      leader: 'm1',
      memberId: 'm1',
      members: [{ memberId: 'bad-member', metadata: Buffer.from([0, 3, 0x7f, 0xff, 0xff, 0xff]) }],
    }));
    membership.start();
    await cluster.clock.runUntil(() => host.failure !== undefined);
    expect(host.failure?.message).toContain('bad-member');
  });

  it.each([
    'COORDINATOR_LOAD_IN_PROGRESS',
    'NOT_COORDINATOR',
    'COORDINATOR_NOT_AVAILABLE',
    'REBALANCE_IN_PROGRESS',
    'UNKNOWN_MEMBER_ID',
    'ILLEGAL_GENERATION',
  ] as const)('joins again after %s to JoinGroup', async (name) => {
    cluster.once('JoinGroup', () => ({
      errorCode: ERRORS[name],
      memberId: '',
      protocolName: '',
      leader: '',
      members: [],
    }));
    await startStable();
    expect(host.events).toEqual(['assigned orders 0,1,2']);
    expect(cluster.forgotten > 0).toBe(name === 'NOT_COORDINATOR' || name === 'COORDINATOR_NOT_AVAILABLE');
  });

  it.each([
    ['REBALANCE_IN_PROGRESS', 'm1'],
    ['ILLEGAL_GENERATION', 'm1'],
    ['UNKNOWN_MEMBER_ID', ''],
    ['NOT_COORDINATOR', 'm1'],
    ['COORDINATOR_LOAD_IN_PROGRESS', 'm1'],
  ] as const)('joins again after %s to SyncGroup, as %j', async (name, memberId) => {
    cluster.once('SyncGroup', () => ({ errorCode: ERRORS[name], assignment: Buffer.alloc(0) }));
    await startStable();
    expect(cluster.requests('JoinGroup')[2]!.body.memberId).toBe(memberId);
    expect(host.events).toEqual(['assigned orders 0,1,2']);
  });

  it.each([
    'GROUP_AUTHORIZATION_FAILED',
    'INCONSISTENT_GROUP_PROTOCOL',
    'INVALID_SESSION_TIMEOUT',
    'GROUP_MAX_SIZE_REACHED',
    'FENCED_INSTANCE_ID',
  ] as const)('fails on %s', async (name) => {
    cluster.on('JoinGroup', () => ({
      errorCode: ERRORS[name],
      memberId: '',
      protocolName: '',
      leader: '',
      members: [],
    }));
    membership.start();
    await cluster.clock.runUntil(() => host.failure !== undefined);
    expect(nameOf(host.failure!)).toBe(name);
    expect(membership.state).toBe('failed');
    expect(cluster.requests('JoinGroup')).toHaveLength(1);
  });

  it('survives a connection that breaks under JoinGroup and under SyncGroup', async () => {
    cluster.once('JoinGroup', () => connectionLost());
    cluster.once('SyncGroup', () => connectionLost());
    await startStable();
    expect(cluster.forgotten).toBe(2);
    expect(host.events).toEqual(['assigned orders 0,1,2']);
  });

  it('gives up at the deadline when it never got in, and not before', async () => {
    cluster.on('JoinGroup', () => connectionLost());
    membership.start();
    await cluster.clock.runUntil(() => host.failure !== undefined);
    expect(cluster.clock.now()).toBeGreaterThan(20_000);
    expect(cluster.clock.now()).toBeLessThan(30_000);
    expect(host.failure?.message).toContain('Joining group g did not succeed within 20000 ms');
    expect(cluster.clock.pendingTimers).toBe(0);
  });

  it('does not spin when the coordinator keeps asking for a member id', async () => {
    cluster.on('JoinGroup', () => ({
      errorCode: ERRORS.MEMBER_ID_REQUIRED,
      memberId: 'm',
      protocolName: '',
      leader: '',
      members: [],
    }));
    membership.start();
    await cluster.clock.advance(10_000);
    expect(cluster.requests('JoinGroup').length).toBeLessThan(30);
  });
});

describe('heartbeats', () => {
  it('go out every interval on the connection of the coordinator', async () => {
    await startStable();
    await cluster.clock.advance(30_000);
    const beats = cluster.requests('Heartbeat');
    expect(beats).toHaveLength(10);
    expect(beats.every(({ use }) => use === 'coordinator')).toBe(true);
    expect(gaps(beats.map(({ atMs }) => atMs)).every((gap) => gap <= 3_010)).toBe(true);
  });

  it('keep their interval while the claims drain and while JoinGroup is held for 20 s', async () => {
    await startStable();
    let release = (): void => {};
    host.revoking = new Promise((resolve) => (release = resolve));
    cluster.on('Heartbeat', () => ({ errorCode: ERRORS.REBALANCE_IN_PROGRESS }));
    const before = cluster.handlers.get('JoinGroup')!;
    cluster.on('JoinGroup', async (body, sent) => {
      await cluster.sleep(20_000);
      cluster.on('Heartbeat', () => ({ errorCode: 0 }));
      return before(body, sent);
    });
    await cluster.clock.advance(20_000);
    expect(membership.state).toBe('revoking');
    release();
    await cluster.clock.advance(10_000);
    expect(membership.state).toBe('joining');
    await cluster.clock.advance(20_000);
    expect(membership.state).toBe('stable');
    const times = cluster.requests('Heartbeat').map(({ atMs }) => atMs);
    expect(times.length).toBeGreaterThanOrEqual(15);
    expect(Math.max(...gaps(times))).toBeLessThan(4_500);
    expect(host.events).toEqual(['assigned orders 0,1,2', 'revoke', 'revoked', 'assigned orders 0,1,2']);
  });

  it('of the old generation do not disturb the new one', async () => {
    await startStable();
    cluster.once('Heartbeat', async () => {
      await cluster.sleep(5_000);
      return { errorCode: ERRORS.ILLEGAL_GENERATION };
    });
    await cluster.clock.advance(3_100);
    membership.requestRejoin('a test');
    await cluster.clock.advance(10_000);
    expect(host.events).toEqual(['assigned orders 0,1,2', 'revoke', 'revoked', 'assigned orders 0,1,2']);
    expect(membership.state).toBe('stable');
  });

  it.each([
    ['REBALANCE_IN_PROGRESS', ['revoke', 'revoked'], 'm1'],
    ['ILLEGAL_GENERATION', ['lost: ILLEGAL_GENERATION'], 'm1'],
    ['UNKNOWN_MEMBER_ID', ['lost: UNKNOWN_MEMBER_ID'], ''],
  ] as const)('answered %s while stable: %j, then a join as %j', async (name, events, memberId) => {
    await startStable();
    cluster.once('Heartbeat', () => ({ errorCode: ERRORS[name] }));
    await cluster.clock.advance(10_000);
    expect(host.events).toEqual(['assigned orders 0,1,2', ...events, 'assigned orders 0,1,2']);
    expect(cluster.requests('JoinGroup')[2]!.body.memberId).toBe(memberId);
  });

  it.each(['ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID'] as const)(
    'answered %s while revoking: lost at once, joined when the claims are gone',
    async (name) => {
      await startStable();
      let release = (): void => {};
      host.revoking = new Promise((resolve) => (release = resolve));
      cluster.once('Heartbeat', () => ({ errorCode: ERRORS.REBALANCE_IN_PROGRESS }));
      await cluster.clock.advance(3_100);
      cluster.once('Heartbeat', () => ({ errorCode: ERRORS[name] }));
      await cluster.clock.advance(3_000);
      expect(host.events.slice(1)).toEqual(['revoke', `lost: ${name}`]);
      expect(membership.current()).toBeUndefined();
      release();
      await cluster.clock.advance(1_000);
      expect(host.events.slice(3)).toEqual(['revoked', 'assigned orders 0,1,2']);
    },
  );

  it.each(['FENCED_INSTANCE_ID', 'GROUP_AUTHORIZATION_FAILED'] as const)(
    'answered %s: lost, then failed',
    async (name) => {
      await startStable();
      cluster.once('Heartbeat', () => ({ errorCode: ERRORS[name] }));
      await cluster.clock.advance(10_000);
      expect(host.events.slice(1)).toEqual([`lost: ${name}`, `failed: ${name}`]);
      expect(cluster.clock.pendingTimers).toBe(0);
    },
  );

  it.each(['NOT_COORDINATOR', 'COORDINATOR_NOT_AVAILABLE', 'COORDINATOR_LOAD_IN_PROGRESS'] as const)(
    'answered %s are repeated soon, and nothing is lost',
    async (name) => {
      await startStable();
      let left = 3;
      cluster.on('Heartbeat', () => ({ errorCode: left-- > 0 ? ERRORS[name] : 0 }));
      await cluster.clock.advance(5_000);
      expect(cluster.requests('Heartbeat').length).toBeGreaterThanOrEqual(4);
      await cluster.clock.advance(60_000);
      expect(host.events).toEqual(['assigned orders 0,1,2']);
    },
  );
});

describe('the session', () => {
  it('expires by our own clock, counted from the last heartbeat that was answered', async () => {
    await startStable();
    await cluster.clock.advance(9_100);
    const last = cluster.requests('Heartbeat').at(-1)!.atMs;
    cluster.on('Heartbeat', () => new Promise(() => {}));
    cluster.on('JoinGroup', () => new Promise(() => {}));
    await cluster.clock.runUntil(() => host.events.length > 1);
    expect(cluster.clock.now()).toBe(last + SESSION_MS);
    expect(host.events[1]).toBe('lost: REQUEST_TIMED_OUT');
    expect(membership.current()).toBeUndefined();
  });

  it('is over for whoever asks first after the process was stopped, before any timer has run', async () => {
    await startStable();
    await cluster.clock.advance(9_100);
    const lateAnswer = cluster.clock.now();
    cluster.clock.now = () => lateAnswer + SESSION_MS;
    expect(membership.checkSession()).toBe(true);
    expect(host.events[1]).toBe('lost: REQUEST_TIMED_OUT');
    expect(membership.checkSession()).toBe(false);
  });

  it('is not over one millisecond before', async () => {
    await startStable();
    await cluster.clock.advance(9_100);
    const last = cluster.requests('Heartbeat').at(-1)!.atMs;
    cluster.clock.now = () => last + SESSION_MS - 1;
    expect(membership.checkSession()).toBe(false);
    expect(membership.current()).toBeDefined();
  });

  it('is not renewed by an answer that was on the way while the process stood still', async () => {
    await startStable();
    let answer = (_: unknown): void => {};
    cluster.once('Heartbeat', () => new Promise((resolve) => (answer = resolve)));
    await cluster.clock.advance(3_100);
    const now = cluster.clock.now.bind(cluster.clock);
    cluster.clock.now = () => now() + 2 * SESSION_MS;
    answer({ errorCode: 0 });
    await cluster.clock.settle();
    expect(host.events[1]).toBe('lost: REQUEST_TIMED_OUT');
  });

  it('comes back when the cluster does, however long that takes', async () => {
    await startStable();
    for (const api of ['Heartbeat', 'JoinGroup', 'SyncGroup']) cluster.on(api, () => connectionLost());
    await cluster.clock.advance(600_000);
    expect(host.events).toEqual(['assigned orders 0,1,2', 'lost: REQUEST_TIMED_OUT']);
    answerAsCoordinator();
    await cluster.clock.advance(10_000);
    expect(host.events.at(-1)).toBe('assigned orders 0,1,2');
  });
});

describe('commits that fail', () => {
  const refuse = (name: string, generationId = membership.generationId): string =>
    membership.refused('commit', new BrokerError(name, name, { retriable: false }), generationId);

  it.each([
    ['ILLEGAL_GENERATION', 'loseGeneration', 'lost: ILLEGAL_GENERATION'],
    ['UNKNOWN_MEMBER_ID', 'loseMember', 'lost: UNKNOWN_MEMBER_ID'],
    ['FENCED_INSTANCE_ID', 'fail', 'lost: FENCED_INSTANCE_ID'],
  ] as const)('with %s end the generation', async (name, verdict, event) => {
    await startStable();
    expect(refuse(name)).toBe(verdict);
    expect(host.events[1]).toBe(event);
  });

  it('with REBALANCE_IN_PROGRESS make a stable member revoke and rejoin', async () => {
    await startStable();
    expect(refuse('REBALANCE_IN_PROGRESS')).toBe('rejoin');
    await cluster.clock.advance(1_000);
    expect(host.events).toEqual(['assigned orders 0,1,2', 'revoke', 'revoked', 'assigned orders 0,1,2']);
  });

  it('of an old generation mean nothing', async () => {
    await startStable();
    expect(refuse('ILLEGAL_GENERATION', membership.generationId - 1)).toBe('ignore');
    expect(host.events).toEqual(['assigned orders 0,1,2']);
  });
});

describe('leaving', () => {
  it('tells the coordinator and leaves no timer behind', async () => {
    await startStable();
    await cluster.clock.run(membership.leave('the end'));
    expect(cluster.requests('LeaveGroup')[0]!.body.members).toMatchObject([
      { memberId: 'm1', reason: 'the end' },
    ]);
    expect(membership.state).toBe('left');
    await cluster.clock.runUntilIdle();
    expect(cluster.clock.pendingTimers).toBe(0);
  });

  it('keeps heartbeats going while it drains, whatever rebalances there are', async () => {
    await startStable();
    membership.beginLeaving();
    cluster.on('Heartbeat', () => ({ errorCode: ERRORS.REBALANCE_IN_PROGRESS }));
    await cluster.clock.advance(30_000);
    expect(cluster.requests('Heartbeat')).toHaveLength(10);
    expect(membership.current()).toBeDefined();
    expect(host.events).toEqual(['assigned orders 0,1,2']);
  });

  it('ends a join that is held, and takes back the member id', async () => {
    const before = cluster.handlers.get('JoinGroup')!;
    cluster.on('JoinGroup', (body, sent) =>
      body.memberId === '' ? before(body, sent) : new Promise(() => {}),
    );
    membership.start();
    await cluster.clock.advance(5_000);
    expect(membership.state).toBe('joining');
    await cluster.clock.run(membership.leave('changed its mind'), 6_000);
    expect(cluster.requests('LeaveGroup')[0]!.body.members).toMatchObject([{ memberId: 'm1' }]);
  });

  it('does not wait for a coordinator that does not answer', async () => {
    await startStable();
    cluster.on('LeaveGroup', () => new Promise(() => {}));
    const from = cluster.clock.now();
    await cluster.clock.run(membership.leave('the end'));
    expect(cluster.clock.now() - from).toBeLessThan(6_000);
  });

  it('of a static member tells nobody', async () => {
    membership = newMembership('instance-1');
    await startStable();
    expect(cluster.requests('JoinGroup')[0]!.body.groupInstanceId).toBe('instance-1');
    await cluster.clock.run(membership.leave('a restart'));
    expect(cluster.requests('LeaveGroup')).toHaveLength(0);
  });
});

function gaps(times: readonly number[]): number[] {
  return times.slice(1).map((time, at) => time - times[at]!);
}
