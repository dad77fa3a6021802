// Requests of groups that no honest client sends: whatever comes, the box answers or hangs up, and never breaks or grows without bound.
import { afterEach, describe, expect, it } from '@jest/globals';
import { fc } from '../../../helpers/fast-check.ts';
import type { AnyApi } from '../../../../src/core/protocol/api.ts';
import { encodeAssignment, encodeSubscription } from '../../../../src/core/protocol/consumer-protocol.ts';
import { offsetCommitApi } from '../../../../src/core/protocol/messages/08-offset-commit.ts';
import { offsetFetchApi } from '../../../../src/core/protocol/messages/09-offset-fetch.ts';
import { joinGroupApi } from '../../../../src/core/protocol/messages/11-join-group.ts';
import { heartbeatApi } from '../../../../src/core/protocol/messages/12-heartbeat.ts';
import { leaveGroupApi } from '../../../../src/core/protocol/messages/13-leave-group.ts';
import { syncGroupApi } from '../../../../src/core/protocol/messages/14-sync-group.ts';
import { describeGroupsApi } from '../../../../src/core/protocol/messages/15-describe-groups.ts';
import { listGroupsApi } from '../../../../src/core/protocol/messages/16-list-groups.ts';
import { deleteGroupsApi } from '../../../../src/core/protocol/messages/42-delete-groups.ts';
import { offsetDeleteApi } from '../../../../src/core/protocol/messages/47-offset-delete.ts';
import { consumerGroupHeartbeatApi } from '../../../../src/core/protocol/messages/68-consumer-group-heartbeat.ts';
import { consumerGroupDescribeApi } from '../../../../src/core/protocol/messages/69-consumer-group-describe.ts';
import { simulated } from '../simulated.ts';
import type { Simulated } from '../simulated.ts';

let sim: Simulated;

afterEach(async () => {
  await sim.box.close();
  expect(sim.box.internalErrors).toEqual([]);
});

const groupId = fc.constantFrom('a', 'a', 'a', 'b', 'b', '');
/** The first three stand for ids that the box gave away, once it did. */
const memberId = fc.constantFrom('m1', 'm2', 'm3', '');
const instanceId = fc.constantFrom(null, null, 'i1', 'i2', '');
const epoch = fc.constantFrom(-3, -2, -1, 0, 1, 2, 3, 4, 5, 2 ** 31 - 1);
const ms = fc.constantFrom(-1, 0, 1, 6000, 10_000, 1_800_000, 2 ** 31 - 1);
const topic = fc.constantFrom('lines', 'others', 'none', '');
const partition = fc.constantFrom(-1, 0, 1, 2, 9, 2 ** 31 - 1);
const noise = fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes));
const assignment = fc
  .array(fc.record({ topic, partitions: fc.array(partition, { maxLength: 4 }) }), { maxLength: 3 })
  .map((assignedPartitions) => encodeAssignment({ assignedPartitions }));
const subscription = fc
  .record({
    topics: fc.array(topic, { maxLength: 4 }),
    ownedPartitions: fc.array(fc.record({ topic, partitions: fc.array(partition, { maxLength: 4 }) }), {
      maxLength: 3,
    }),
  })
  .map((one) => encodeSubscription(one, 1));
const ID_LINES = 'lines';
const topicId = fc.constantFrom(ID_LINES, 'AAAAAAAAAAAAAAAAAAAAAA', 'AAAAAAAAAAAAAAAAAAAAAQ');

type Request = readonly [api: AnyApi, version: number, body: object];

const one = <T>(api: AnyApi, version: fc.Arbitrary<number>, body: fc.Arbitrary<T>): fc.Arbitrary<Request> =>
  fc.tuple(version, body).map(([chosen, value]): Request => [api, chosen, value as object]);

const consumerJoin = one(
  consumerGroupHeartbeatApi,
  fc.constant(1),
  fc.record({
    groupId: fc.constantFrom('a', 'b'),
    memberId: fc.constantFrom('m1', 'm2', 'm3', 'm4'),
    memberEpoch: fc.constant(0),
    instanceId,
    rebalanceTimeoutMs: fc.constantFrom(0, 1000, 20_000),
    subscribedTopicNames: fc.array(topic, { maxLength: 4 }),
    subscribedTopicRegex: fc.constantFrom(null, null, 'l.*', '(o+)+t.*'),
    topicPartitions: fc.constant([]),
  }),
);
const classicJoin = one(
  joinGroupApi,
  fc.constantFrom(3, 5, 9),
  fc.record({
    groupId: fc.constantFrom('a', 'b'),
    memberId,
    groupInstanceId: fc.constantFrom(null, 'i1', 'i2'),
    sessionTimeoutMs: fc.constantFrom(6000, 10_000),
    rebalanceTimeoutMs: fc.constantFrom(-1, 0, 1, 5000),
    protocolType: fc.constant('consumer'),
    protocols: fc.constant([{ name: 'range', metadata: encodeSubscription({ topics: ['lines'] }, 1) }]),
  }),
).map(([api, version, body]): Request => {
  // Before version 5 there are no instance ids.
  return [api, version, version < 5 ? { ...body, groupInstanceId: null } : body];
});

const requests = fc.oneof(
  { weight: 6, arbitrary: consumerJoin },
  { weight: 8, arbitrary: classicJoin },
  {
    weight: 6,
    arbitrary: one(
      consumerGroupHeartbeatApi,
      fc.constant(1),
      fc.record({
        groupId,
        memberId,
        memberEpoch: epoch,
        instanceId,
        rebalanceTimeoutMs: ms,
        subscribedTopicNames: fc.option(fc.array(topic, { maxLength: 4 })),
        subscribedTopicRegex: fc.option(fc.constantFrom('', 'l.*', '(a+)+', '[', '.*', 'o{3}')),
        serverAssignor: fc.constantFrom(null, 'range', 'uniform', 'none'),
        topicPartitions: fc.option(
          fc.array(fc.record({ topicId, partitions: fc.array(partition, { maxLength: 4 }) }), {
            maxLength: 3,
          }),
        ),
      }),
    ),
  },
  {
    weight: 4,
    arbitrary: one(
      joinGroupApi,
      fc.constantFrom(5, 9),
      fc.record({
        groupId,
        memberId,
        groupInstanceId: instanceId,
        sessionTimeoutMs: ms,
        rebalanceTimeoutMs: ms,
        protocolType: fc.constantFrom('consumer', 'consumer', 'connect', ''),
        protocols: fc.array(
          fc.record({
            name: fc.constantFrom('range', 'sticky', ''),
            metadata: fc.oneof(noise, subscription),
          }),
          { maxLength: 3 },
        ),
      }),
    ),
  },
  {
    weight: 3,
    arbitrary: one(
      syncGroupApi,
      fc.constantFrom(3, 5),
      fc.record({
        groupId,
        memberId,
        groupInstanceId: instanceId,
        generationId: epoch,
        assignments: fc.array(fc.record({ memberId, assignment: fc.oneof(noise, assignment) }), {
          maxLength: 3,
        }),
      }),
    ),
  },
  one(
    heartbeatApi,
    fc.constant(4),
    fc.record({ groupId, memberId, groupInstanceId: instanceId, generationId: epoch }),
  ),
  one(
    leaveGroupApi,
    fc.constant(5),
    fc.record({
      groupId,
      members: fc.array(fc.record({ memberId, groupInstanceId: instanceId }), { maxLength: 3 }),
    }),
  ),
  one(
    offsetCommitApi,
    fc.constantFrom(8, 9),
    fc.record({
      groupId,
      memberId,
      generationIdOrMemberEpoch: epoch,
      topics: fc.array(
        fc.record({
          name: topic,
          partitions: fc.array(
            fc.record({
              partitionIndex: partition,
              committedOffset: fc.constantFrom(-5, 0, 2 ** 53 - 1),
              committedMetadata: fc.constantFrom(null, '', 'x'),
            }),
            { maxLength: 3 },
          ),
        }),
        { maxLength: 3 },
      ),
    }),
  ),
  one(
    offsetFetchApi,
    fc.constant(9),
    fc.record({
      groups: fc.array(
        fc.record({
          groupId,
          memberId: fc.option(memberId),
          memberEpoch: epoch,
          topics: fc.option(
            fc.array(fc.record({ name: topic, partitionIndexes: fc.array(partition, { maxLength: 3 }) }), {
              maxLength: 2,
            }),
          ),
        }),
        { maxLength: 3 },
      ),
    }),
  ),
  one(describeGroupsApi, fc.constant(6), fc.record({ groups: fc.array(groupId, { maxLength: 3 }) })),
  one(
    consumerGroupDescribeApi,
    fc.constant(1),
    fc.record({
      groupIds: fc.array(groupId, { maxLength: 3 }),
      includeAuthorizedOperations: fc.boolean(),
    }),
  ),
  one(
    listGroupsApi,
    fc.constant(5),
    fc.record({
      statesFilter: fc.array(fc.constantFrom('Stable', ' empty ', ''), { maxLength: 2 }),
      typesFilter: fc.array(fc.constantFrom('consumer', 'Classic', ''), { maxLength: 2 }),
    }),
  ),
  one(deleteGroupsApi, fc.constant(2), fc.record({ groupsNames: fc.array(groupId, { maxLength: 2 }) })),
  one(
    offsetDeleteApi,
    fc.constant(0),
    fc.record({
      groupId,
      topics: fc.array(
        fc.record({
          name: topic,
          partitions: fc.array(fc.record({ partitionIndex: partition }), { maxLength: 2 }),
        }),
        { maxLength: 2 },
      ),
    }),
  ),
);

/** Some requests name the topic by its real id, which only the box knows. */
function withIds(body: object, id: string, members: readonly string[]): object {
  let text = JSON.stringify(body).replaceAll(`"topicId":"${ID_LINES}"`, `"topicId":"${id}"`);
  members.slice(-3).forEach((member, at) => {
    text = text.replaceAll(`"memberId":"m${at + 1}"`, `"memberId":"${member}"`);
  });
  return JSON.parse(text, (_key, value: unknown) => {
    const bytes = value as { readonly type?: string; readonly data?: readonly number[] } | null;
    return bytes?.type === 'Buffer' ? Buffer.from(bytes.data!) : value;
  }) as object;
}

describe('groups under hostile requests', () => {
  it('answer every one, in any order, and are gone when nobody is left', async () => {
    sim = await simulated({ topics: { lines: 3, others: 1 } });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(requests, fc.constantFrom(0, 0, 1, 500, 7000, 50_000)), {
          minLength: 10,
          maxLength: 60,
        }),
        async (steps) => {
          const client = sim.connect();
          const answers: Promise<unknown>[] = [];
          const members: string[] = [];
          for (const [[api, version, body], pauseMs] of steps) {
            const via = api === joinGroupApi || api === syncGroupApi ? sim.connect() : client;
            const answer = via.call(api, version, withIds(body, sim.box.topicId('lines'), members));
            answers.push(answer);
            void answer.then((said: { readonly memberId?: string | null }) =>
              members.push(said.memberId || 'm1'),
            );
            await sim.clock.advance(pauseMs + 1);
          }
          // Longer than any session or rebalance of these members may take.
          await sim.clock.advance(2 ** 31);
          await sim.run(Promise.all(answers));
          expect(sim.box.group('a')?.members ?? []).toEqual([]);
          expect(sim.box.group('b')?.members ?? []).toEqual([]);
          client.close();
        },
      ),
      { numRuns: 100, endOnFailure: true },
    );
    await sim.clock.advance(8 * 24 * 3_600_000);
    expect((await sim.run(sim.connect().call(listGroupsApi, 5, {}))).groups).toEqual([]);
    expect(sim.clock.pendingTimers).toBe(0);
  });

  it('survive an assignment of everything to everyone, twice, and of what is not there', async () => {
    sim = await simulated();
    const client = sim.connect();
    const protocols = [{ name: 'range', metadata: encodeSubscription({ topics: ['lines', 'lines', ''] }) }];
    const join = {
      groupId: 'a',
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 10_000,
      protocolType: 'consumer',
      protocols,
    };
    const { memberId } = await sim.run(client.call(joinGroupApi, 3, { ...join, memberId: '' }));
    const partitions = [0, 0, 1, -1, 2 ** 31 - 1];
    const assignedPartitions = [
      { topic: 'lines', partitions },
      { topic: 'lines', partitions },
      { topic: 'none', partitions },
    ];
    const assignments = [memberId, memberId, 'stranger'].map((id) => ({
      memberId: id,
      assignment: encodeAssignment({ assignedPartitions }),
    }));
    await sim.run(client.call(syncGroupApi, 3, { groupId: 'a', memberId, generationId: 1, assignments }));
    const consumer = {
      groupId: 'a',
      memberId: 'm',
      memberEpoch: 0,
      rebalanceTimeoutMs: 1000,
      subscribedTopicNames: ['lines'],
      topicPartitions: [],
    };
    expect((await sim.run(client.call(consumerGroupHeartbeatApi, 1, consumer))).errorCode).toBe(0);
    expect(sim.box.group('a')).toMatchObject({ type: 'consumer' });
    const assigned = sim.box.group('a')!.members.map(({ assignment: bytes }) => bytes.length);
    expect(assigned).toHaveLength(2);
  });
});
