import { afterEach, describe, expect, it } from '@jest/globals';
import { ERRORS } from '../../../../src/core/protocol/error-codes.ts';
import { offsetCommitApi } from '../../../../src/core/protocol/messages/08-offset-commit.ts';
import { listGroupsApi } from '../../../../src/core/protocol/messages/16-list-groups.ts';
import { offsetDeleteApi } from '../../../../src/core/protocol/messages/47-offset-delete.ts';
import { TestMember } from '../group-member.ts';
import { simulated } from '../simulated.ts';
import type { Simulated } from '../simulated.ts';
import { TestConsumer } from './consumer-member.ts';

const HOUR_MS = 3_600_000;
const TIMES = { offsetsRetentionMs: HOUR_MS, offsetsRetentionCheckIntervalMs: 60_000 };

let sim: Simulated;

async function start(group = {}): Promise<void> {
  sim = await simulated({ topics: { lines: 3, others: 1 }, group: { ...TIMES, ...group } });
}

afterEach(async () => {
  await sim.box.close();
  expect(sim.box.internalErrors).toEqual([]);
});

/** A commit from outside any membership. */
function commit(groupId: string, topic = 'lines', retentionTimeMs?: number): Promise<unknown> {
  const partition = { partitionIndex: 0, committedOffset: 5, committedMetadata: null };
  return sim.run(
    sim.connect().call(offsetCommitApi, retentionTimeMs === undefined ? 9 : 2, {
      groupId,
      memberId: '',
      generationIdOrMemberEpoch: -1,
      ...(retentionTimeMs !== undefined && { retentionTimeMs }),
      topics: [{ name: topic, partitions: [partition] }],
    }),
  );
}

const listed = async (): Promise<string[]> => {
  const { groups } = await sim.run(sim.connect().call(listGroupsApi, 5, {}));
  return groups.map(({ groupId }) => groupId);
};

describe('commits', () => {
  it('of nobody expire an hour after they were made, and their group with them', async () => {
    await start();
    await commit('alone');
    await sim.clock.advance(HOUR_MS / 2);
    await commit('alone', 'others');
    await sim.clock.advance(HOUR_MS / 2 - 1000);
    expect(sim.box.committed('alone', 'lines', 0)?.offset).toBe(5);
    await sim.clock.advance(61_000);
    expect(sim.box.committed('alone', 'lines', 0)).toBeUndefined();
    expect(sim.box.committed('alone', 'others', 0)?.offset).toBe(5);
    await sim.clock.advance(HOUR_MS / 2);
    expect(await listed()).toEqual([]);
  });

  it('expire when an old client said so', async () => {
    await start();
    await commit('alone', 'lines', 120_000);
    await sim.clock.advance(110_000);
    expect(sim.box.committed('alone', 'lines', 0)?.offset).toBe(5);
    await sim.clock.advance(70_000);
    expect(await listed()).toEqual([]);
  });

  it('of a classic group stay while it has members, and for an hour after the last one', async () => {
    await start();
    const member = new TestMember(sim.connect(), { sessionTimeoutMs: 1_800_000, subscribedTo: ['lines'] });
    await sim.run(member.join());
    await sim.run(member.sync());
    expect(await sim.run(member.commit(7))).toBe(ERRORS.NONE);
    expect(await sim.run(member.commit(7, 'others'))).toBe(ERRORS.NONE);
    for (let lived = 0; lived < 4; lived++) {
      await sim.clock.advance(HOUR_MS / 3);
      expect(await sim.run(member.heartbeat())).toBe(ERRORS.NONE);
    }
    expect(sim.box.committed('readers', 'lines', 0)?.offset).toBe(7);
    expect(sim.box.committed('readers', 'others', 0)).toBeUndefined();
    await sim.run(member.leave());
    await sim.clock.advance(HOUR_MS - 60_000);
    expect(sim.box.committed('readers', 'lines', 0)?.offset).toBe(7);
    await sim.clock.advance(120_000);
    expect(sim.box.committed('readers', 'lines', 0)).toBeUndefined();
    expect(sim.box.group('readers')).toBeUndefined();
  });

  it('of a consumer group stay for topics that it reads', async () => {
    await start();
    const member = new TestConsumer(sim.connect(), 'one');
    await sim.run(member.join({ subscribedTopicNames: ['lines', 'others'] }));
    expect(await sim.run(member.commit(3))).toBe(ERRORS.NONE);
    for (let lived = 0; lived < 2 * HOUR_MS; lived += 40_000) {
      await sim.clock.advance(40_000);
      await sim.run(member.settle());
    }
    expect(sim.box.committed('readers', 'lines', 0)?.offset).toBe(3);
    await sim.run(member.beat({ subscribedTopicNames: ['others'] }));
    await sim.run(member.settle());
    await sim.clock.advance(40_000);
    await sim.run(member.settle());
    await sim.clock.advance(40_000);
    expect(sim.box.committed('readers', 'lines', 0)).toBeUndefined();
    expect(sim.box.group('readers')).toMatchObject({ state: 'Stable' });
    await sim.run(member.leave());
    await sim.clock.advance(60_000);
    expect(sim.box.group('readers')).toBeUndefined();
  });

  it('go with their topic, and by request where nobody reads it', async () => {
    await start();
    await commit('alone');
    await commit('alone', 'others');
    sim.box.deleteTopic('lines');
    expect(sim.box.committed('alone', 'lines', 0)).toBeUndefined();
    const partitions = [{ partitionIndex: 0 }, { partitionIndex: 5 }];
    const deleted = await sim.run(
      sim.connect().call(offsetDeleteApi, 0, { groupId: 'alone', topics: [{ name: 'others', partitions }] }),
    );
    expect(deleted.topics[0]!.partitions.map(({ errorCode }) => errorCode)).toEqual([
      ERRORS.NONE,
      ERRORS.UNKNOWN_TOPIC_OR_PARTITION,
    ]);
    expect(sim.box.committed('alone', 'others', 0)).toBeUndefined();
  });
});

describe('a classic group of limited size', () => {
  it('takes no more members, and none that wait', async () => {
    await start({ maxSize: 1, initialRebalanceDelayMs: 1000 });
    const [one, two] = [new TestMember(sim.connect()), new TestMember(sim.connect())];
    await sim.run(one.joinOnce());
    await sim.run(two.joinOnce());
    const joined = one.joinOnce();
    await sim.clock.advance(1);
    expect(await sim.run(two.joinOnce())).toMatchObject({
      errorCode: ERRORS.GROUP_MAX_SIZE_REACHED,
      memberId: '',
    });
    expect((await sim.run(joined)).errorCode).toBe(ERRORS.NONE);
    await sim.run(one.sync());
    expect((await sim.run(two.joinOnce())).errorCode).toBe(ERRORS.GROUP_MAX_SIZE_REACHED);
    expect((await sim.run(one.joinOnce())).errorCode).toBe(ERRORS.NONE);
  });
});
