// Every error that the coordinator may answer, and answers that never come, on the broker in the box in simulated time.
import { afterEach, describe, expect, it } from '@jest/globals';
import { Kafka } from '../../../../src/core/client.ts';
import type { BlockedEvent } from '../../../../src/core/group/listener.ts';
import type { ERRORS } from '../../../../src/core/protocol/error-codes.ts';
import { BrokerError } from '../../../../src/errors.ts';
import { fault, type FaultAction } from '../../../../src/testing/broker/faults/fault.ts';
import type { FaultMatch } from '../../../../src/testing/broker/faults/fault-rule.ts';
import { SimulatedProcess } from '../../../../src/testing/simulation/simulated-process.ts';
import { seededRandom } from '../../../../src/testing/simulation/seeded-random.ts';
import { Member, Simulation } from '../harness.ts';

type ErrorName = keyof typeof ERRORS;

const HEARTBEAT = 'ConsumerGroupHeartbeat';
const SESSION_MS = 20_000;
const GROUP = { consumerSessionTimeoutMs: SESSION_MS, consumerHeartbeatIntervalMs: 1_000 };

let simulation: Simulation;

afterEach(() => simulation.close());

interface Heartbeat {
  readonly memberId: string;
  readonly memberEpoch: number;
  readonly rebalanceTimeoutMs: number;
  readonly subscribedTopicNames: readonly string[] | null;
  readonly subscribedTopicRegex: string | null;
  readonly topicPartitions: readonly { readonly partitions: readonly number[] }[] | null;
}

const run = (done: () => boolean, limitMs?: number): Promise<void> =>
  simulation.clock.runUntil(done, limitMs);
const pass = (ms: number): Promise<void> =>
  simulation.clock.run(new Promise((resolve) => simulation.clock.setTimeout(resolve, ms)));
/** Bodies of requests by API, as they came. */
const bodies = new Map<string, unknown[]>();
const heartbeats = (): Heartbeat[] => (bodies.get(HEARTBEAT) ?? []) as Heartbeat[];

async function boot(...of: Parameters<typeof Simulation.start>): Promise<void> {
  simulation = await Simulation.start(...of);
  bodies.clear();
  simulation.box.fault({
    match: { api: [HEARTBEAT, 'OffsetCommit', 'OffsetFetch'] },
    observe: ({ api, body }) => bodies.set(api, [...(bodies.get(api) ?? []), body]),
  });
}

const told = (member: Member, word: string): string[] =>
  member.events.filter((event) => event.startsWith(word));

function member(options: Parameters<Simulation['member']>[0] = {}): Member {
  return simulation.member({ groupProtocol: 'consumer', commitIntervalMs: 500, ...options }).start();
}

async function started(options: Parameters<Simulation['member']>[0] = {}): Promise<Member> {
  await boot({ orders: 4 }, 2, { group: GROUP });
  const one = member(options);
  await run(() => one.open.length === 4);
  await pass(1_500);
  return one;
}

/** The next such request of that kind is acted on. */
function next(act: FaultAction, match: FaultMatch = {}): void {
  simulation.box.fault({ match: { api: HEARTBEAT, ...match }, do: act });
}

const joins: FaultMatch = { where: ({ body }) => (body as Heartbeat).memberEpoch === 0 };
const keeps: FaultMatch = { where: ({ body }) => (body as Heartbeat).memberEpoch > 0 };

describe('a heartbeat that is refused', () => {
  it.each<ErrorName>([
    'COORDINATOR_LOAD_IN_PROGRESS',
    'COORDINATOR_NOT_AVAILABLE',
    'NOT_COORDINATOR',
    'UNKNOWN_SERVER_ERROR',
    'REQUEST_TIMED_OUT',
  ])('%s: is repeated soon with everything in it, and the claims go on', async (name) => {
    const one = await started();
    const before = heartbeats().length;
    next(fault.error(name), keeps);
    await run(() => heartbeats().length >= before + 2);
    await pass(3_000);
    const [refused, repeated] = heartbeats().slice(before);
    expect(refused!.subscribedTopicNames).toBeNull();
    expect(repeated).toMatchObject({
      memberEpoch: one.consumer.generation,
      rebalanceTimeoutMs: 60_000,
      subscribedTopicNames: ['orders'],
      topicPartitions: [{ partitions: [0, 1, 2, 3] }],
    });
    expect(heartbeats().at(-1)).toMatchObject({ subscribedTopicNames: null, topicPartitions: null });
    expect(told(one, 'claim')).toHaveLength(8);
    expect(one.open).toHaveLength(4);
  });

  it.each<ErrorName>(['UNKNOWN_MEMBER_ID', 'FENCED_MEMBER_EPOCH', 'GROUP_ID_NOT_FOUND'])(
    '%s: loses every claim, and joins again from epoch 0 as the same member',
    async (name) => {
      const one = await started();
      const { memberId } = one.consumer;
      next(fault.error(name), keeps);
      await run(() => one.lost.length === 4);
      await run(() => one.open.length === 4);
      expect(told(one, 'released')).toEqual([]);
      const joined = heartbeats().filter(({ memberEpoch }) => memberEpoch === 0);
      expect(joined).toHaveLength(2);
      expect(joined[1]).toMatchObject({ memberId, subscribedTopicNames: ['orders'], topicPartitions: [] });
      expect(one.open.map(({ claimEpoch }) => claimEpoch)).toEqual([2, 2, 2, 2]);
      expect(one.failure).toBeUndefined();
    },
  );

  it.each<ErrorName>([
    'FENCED_INSTANCE_ID',
    'UNSUPPORTED_ASSIGNOR',
    'UNSUPPORTED_VERSION',
    'GROUP_MAX_SIZE_REACHED',
    'UNRELEASED_INSTANCE_ID',
    'GROUP_AUTHORIZATION_FAILED',
    'TOPIC_AUTHORIZATION_FAILED',
    'INVALID_REQUEST',
  ])('%s: ends the member with the error', async (name) => {
    const one = await started();
    next(fault.error(name), keeps);
    await run(() => one.failure !== undefined);
    expect(one.failure).toBeInstanceOf(BrokerError);
    expect((one.failure as BrokerError).errorName).toBe(name);
    expect(one.failure!.message).toContain('group g');
    expect(one.lost).toHaveLength(4);
    expect(one.consumer.generation).toBe(-1);
  });

  it.each<[ErrorName, string]>([
    ['UNSUPPORTED_VERSION', "groupProtocol: 'classic'"],
    ['GROUP_MAX_SIZE_REACHED', 'group.consumer.max.size'],
    ['UNSUPPORTED_ASSIGNOR', 'groupRemoteAssignor'],
    ['GROUP_ID_NOT_FOUND', "groupProtocol: 'classic'"],
    ['GROUP_AUTHORIZATION_FAILED', 'group g'],
    ['FENCED_INSTANCE_ID', 'groupInstanceId'],
  ])('%s when it joins: ends it at once, and says what to do (%s)', async (name, advice) => {
    await boot({ orders: 4 }, 1, { group: GROUP });
    next(fault.error(name), joins);
    const one = member();
    await run(() => one.failure !== undefined, 1_000);
    expect(one.failure!.message).toContain(advice);
  });

  it('INVALID_REGULAR_EXPRESSION: subscribes to the names that match here', async () => {
    await boot({ orders: 4, 'orders-2': 1, payments: 1 }, 1, { group: GROUP });
    next(fault.error('INVALID_REGULAR_EXPRESSION'), joins);
    const one = member({ topics: /^orders/ });
    await run(() => one.open.length === 5);
    expect(heartbeats()[0]).toMatchObject({ subscribedTopicNames: [], subscribedTopicRegex: 'orders.*' });
    expect(heartbeats()[1]).toMatchObject({
      subscribedTopicNames: ['orders', 'orders-2'],
      subscribedTopicRegex: '',
    });
    simulation.box.createTopic('orders-3', 1);
    await run(() => one.open.length === 6);
    expect(heartbeats().some(({ subscribedTopicNames }) => subscribedTopicNames?.length === 3)).toBe(true);
  });
});

describe('a cluster without the protocol', () => {
  it.each([
    ['does not know it', { versions: { [HEARTBEAT]: [1, 0] as const } }],
    ['has it switched off', { features: { 'group.version': 0 } }],
  ])('%s: the error names groupProtocol', async (_, more) => {
    simulation = await Simulation.start({ orders: 1 }, 1, more);
    const one = member();
    await run(() => one.failure !== undefined, 5_000);
    expect((one.failure as BrokerError).errorName).toBe('UNSUPPORTED_VERSION');
    expect(one.failure!.message).toContain("groupProtocol: 'classic'");
  });

  it('version 0: the coordinator makes the member id, and patterns are matched here', async () => {
    await boot({ orders: 4 }, 1, { group: GROUP, versions: { [HEARTBEAT]: [0, 0] } });
    const one = member({ topics: /^orders$/ });
    await run(() => one.open.length === 4);
    expect(heartbeats()[0]).toMatchObject({ memberId: '', subscribedTopicNames: ['orders'] });
    expect(one.consumer.memberId).not.toBe('');
    await simulation.clock.run(one.consumer.drain(1_000));
    expect(heartbeats().at(-1)).toMatchObject({ memberEpoch: -1, memberId: heartbeats().at(-2)!.memberId });
  });
});

describe('an answer that never comes', () => {
  it('of a join: joins once more from epoch 0 as the same member', async () => {
    await boot({ orders: 4 }, 1, { group: GROUP });
    next(fault.applyThenDropResponse, joins);
    const one = member();
    await run(() => one.open.length === 4);
    const ids = new Set(heartbeats().map(({ memberId }) => memberId));
    expect(ids.size).toBe(1);
    expect(simulation.box.group('g')!.members).toHaveLength(1);
  });

  it('of the heartbeat that moved the epoch: the next says everything with the old one, and goes on', async () => {
    const one = await started();
    next(fault.applyThenDropResponse, keeps);
    simulation.box.expandPartitions('orders', 6);
    await run(() => one.open.length === 6);
    expect(one.lost).toEqual([]);
    expect(told(one, 'claim 0')).toHaveLength(1);
  });

  it('of the acknowledgement: what was given up is acknowledged again, and the other gets it', async () => {
    const one = await started();
    simulation.box.fault({
      match: {
        api: HEARTBEAT,
        where: ({ body }) => (body as Heartbeat).topicPartitions?.[0]?.partitions.length === 2,
      },
      do: fault.applyThenDropResponse,
    });
    const two = member();
    await run(() => one.open.length === 2 && two.open.length === 2);
    expect(one.lost).toEqual([]);
    expect(two.lost).toEqual([]);
  });

  it('of any request: after the session the claims are lost by our own clock, and the member comes back', async () => {
    const one = await started();
    const silence = simulation.box.fault({
      match: { api: HEARTBEAT },
      do: fault.dropRequest,
      count: Infinity,
    });
    const sinceMs = simulation.clock.now();
    await run(() => one.lost.length === 4);
    const passedMs = simulation.clock.now() - sinceMs;
    expect(passedMs).toBeLessThanOrEqual(SESSION_MS);
    expect(passedMs).toBeGreaterThan(SESSION_MS - 2_500);
    expect(one.lost[0]!.message).toContain('its session is over');
    expect(one.consumer.generation).toBe(-1);
    silence.remove();
    await run(() => one.open.length === 4);
  });
});

describe('a commit', () => {
  it('STALE_MEMBER_EPOCH: is repeated with the epoch of the next heartbeat, and no claim notices', async () => {
    const one = await started();
    const epochs: number[] = [];
    simulation.box.fault({
      match: { api: 'OffsetCommit' },
      observe: ({ body }) =>
        epochs.push((body as { generationIdOrMemberEpoch: number }).generationIdOrMemberEpoch),
    });
    await simulation.produce('orders', 0, 2);
    next(fault.error('STALE_MEMBER_EPOCH'), { api: 'OffsetCommit' });
    simulation.box.expandPartitions('orders', 5);
    await run(() => simulation.committed(0) === 2);
    expect(epochs.length).toBeGreaterThanOrEqual(2);
    expect(told(one, 'commit failed')).toEqual([]);
    expect(one.lost).toEqual([]);
  });

  it('UNKNOWN_MEMBER_ID: loses the claims and joins again', async () => {
    const one = await started();
    await simulation.produce('orders', 0, 2);
    next(fault.error('UNKNOWN_MEMBER_ID'), { api: 'OffsetCommit' });
    await run(() => one.lost.length === 4);
    await run(() => one.open.length === 4 && simulation.committed(0) === 2);
  });

  it('carries the epoch of the moment, and OffsetFetch says who asks', async () => {
    const one = await started();
    await simulation.produce('orders', 1, 1);
    await run(() => simulation.committed(1) === 1);
    const { memberId, generation } = one.consumer;
    expect(bodies.get('OffsetCommit')!.at(-1)).toMatchObject({
      memberId,
      generationIdOrMemberEpoch: generation,
    });
    const asked = bodies.get('OffsetFetch')!.at(-1) as {
      groups: { memberId: string; memberEpoch: number }[];
    };
    expect(asked.groups[0]).toMatchObject({ memberId, memberEpoch: generation });
  });

  it('STALE_MEMBER_EPOCH of OffsetFetch: is asked again in the name of the next epoch', async () => {
    await boot({ orders: 4 }, 1, { group: GROUP });
    next(fault.error('STALE_MEMBER_EPOCH'), { api: 'OffsetFetch' });
    const one = member();
    await run(() => one.open.length === 4);
    expect(one.failure).toBeUndefined();
    expect(simulation.box.requests('OffsetFetch').length).toBeGreaterThanOrEqual(2);
  });
});

describe('a coordinator that moves', () => {
  it('is followed, again and again, and no claim notices', async () => {
    const one = await started();
    for (let move = 0; move < 5; move += 1) {
      simulation.box.rehashCoordinators();
      await pass(2_500);
    }
    await simulation.produce('orders', 2, 3);
    await run(() => simulation.committed(2) === 3);
    expect(one.lost).toEqual([]);
    expect(told(one, 'claim ')).toHaveLength(4);
  });
});

describe('a process that stands still', () => {
  async function standingStill(forMs: number): Promise<{ member: Member; blocked: BlockedEvent[] }> {
    await boot({ orders: 4 }, 1, { group: GROUP });
    const { box, clock } = simulation;
    const process = new SimulatedProcess(clock, box.transport);
    const kafka = new Kafka(
      { brokers: box.bootstrap },
      { clock: process.clock, random: seededRandom(7), transport: process.transport },
    );
    const one = new Member(kafka, { groupId: 'g', topics: ['orders'], groupProtocol: 'consumer' });
    const blocked: BlockedEvent[] = [];
    Object.assign(one, { onBlocked: (event: BlockedEvent) => blocked.push(event) });
    one.start();
    await run(() => one.open.length === 4);
    await pass(1_500);
    process.stop();
    await pass(forMs);
    process.resume();
    await pass(3_000);
    await simulation.clock.run(one.consumer.drain(100).then(() => kafka.close()));
    return { member: one, blocked };
  }

  it('for less than a session: it is told, and every claim goes on', async () => {
    const { member: one, blocked } = await standingStill(SESSION_MS - 4_000);
    expect(one.lost).toEqual([]);
    expect(blocked).toHaveLength(1);
    expect(blocked[0]).toMatchObject({ sessionTimeoutMs: SESSION_MS, isSessionOver: false });
  });

  it('for longer: it is told why every claim is lost', async () => {
    const { member: one, blocked } = await standingStill(SESSION_MS + 1_000);
    expect(one.lost).toHaveLength(4);
    expect(one.lost[0]!.message).toContain('nothing else in this process ran');
    expect(blocked).toHaveLength(1);
    expect(blocked[0]).toMatchObject({ isSessionOver: true });
  });
});

describe('a static member', () => {
  const STATIC = { groupInstanceId: 'i1' } as const;

  it('leaves for a while, and has its partitions again under a new member id while nobody else moves', async () => {
    const one = await started(STATIC);
    const two = member({ groupInstanceId: 'i2' });
    await run(() => two.open.length === 2 && one.open.length === 2);
    const had = one.open.map(({ partition }) => partition);
    await simulation.clock.run(one.consumer.drain(1_000));
    expect(heartbeats().findLast(({ memberEpoch }) => memberEpoch < 0)!.memberEpoch).toBe(-2);
    const before = two.events.filter((event) => !event.startsWith('committed'));
    await pass(5_000);
    const again = member(STATIC);
    await run(() => again.open.length === 2);
    expect(again.open.map(({ partition }) => partition)).toEqual(had);
    expect(again.consumer.memberId).not.toBe(one.consumer.memberId);
    expect(two.events.filter((event) => !event.startsWith('committed'))).toEqual(before);
  });

  it('is given up when it does not come back within the session', async () => {
    const one = await started(STATIC);
    const two = member({ groupInstanceId: 'i2' });
    await run(() => two.open.length === 2);
    await simulation.clock.run(one.consumer.drain(1_000));
    const leftMs = simulation.clock.now();
    await run(() => two.open.length === 4);
    expect(simulation.clock.now() - leftMs).toBeGreaterThan(SESSION_MS - 2_000);
  });

  it('UNRELEASED_INSTANCE_ID: waits for the session of one that was killed', async () => {
    const one = await started(STATIC);
    await simulation.clock.run(one.kafka.close());
    const two = member(STATIC);
    const killedMs = simulation.clock.now();
    await run(() => two.open.length === 4);
    expect(simulation.clock.now() - killedMs).toBeLessThan(SESSION_MS + 8_000);
    expect(two.failure).toBeUndefined();
  });

  it('UNRELEASED_INSTANCE_ID: gives up at the deadline where another one lives, and says who', async () => {
    const one = await started(STATIC);
    const two = member(STATIC);
    await run(() => two.failure !== undefined, 300_000);
    expect((two.failure as BrokerError).errorName).toBe('UNRELEASED_INSTANCE_ID');
    expect(two.failure!.message).toContain('groupInstanceId');
    expect(one.lost).toEqual([]);
    expect(one.open).toHaveLength(4);
  });

  it('takes its own place again after FENCED_MEMBER_EPOCH: the coordinator still holds it for alive', async () => {
    const one = await started(STATIC);
    next(fault.error('FENCED_MEMBER_EPOCH'), keeps);
    await run(() => one.lost.length === 4);
    const lostMs = simulation.clock.now();
    await run(() => one.open.length === 4);
    expect(simulation.clock.now() - lostMs).toBeLessThan(3_000);
    expect(one.failure).toBeUndefined();
  });

  it('FENCED_INSTANCE_ID: ends the one whose place was taken', async () => {
    const one = await started(STATIC);
    next(fault.error('FENCED_INSTANCE_ID'), keeps);
    await run(() => one.failure !== undefined);
    expect((one.failure as BrokerError).errorName).toBe('FENCED_INSTANCE_ID');
  });
});

describe('options', () => {
  it.each([
    [{ sessionTimeoutMs: 10_000 }, 'sessionTimeoutMs'],
    [{ heartbeatIntervalMs: 1_000 }, 'heartbeatIntervalMs'],
    [{ assignors: [] }, 'assignors'],
    [{ groupRemoteAssignor: '' }, 'groupRemoteAssignor'],
  ])('%j is refused, as in Java: the broker decides', async (options, option) => {
    await boot({ orders: 1 });
    expect(() => member(options)).toThrow(expect.objectContaining({ option }));
  });

  it('groupRemoteAssignor goes with this protocol only, and there are two protocols', async () => {
    await boot({ orders: 1 });
    expect(() => member({ groupProtocol: 'classic', groupRemoteAssignor: 'range' })).toThrow(
      'groupRemoteAssignor',
    );
    expect(() => member({ groupProtocol: 'other' as 'consumer' })).toThrow("'classic' or 'consumer'");
  });
});
