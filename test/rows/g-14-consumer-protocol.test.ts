// Row G-14: what sarama lacks. Groups of the consumer protocol (KIP-848), patterns on the broker, static members, on a real broker of 4.0 or later.
import { afterEach, describe, expect, it } from '@jest/globals';
import { systemClock } from '../../src/core/clock.ts';
import { Producer } from '../../src/core/producer/producer.ts';
import type { BrokerError } from '../../src/errors.ts';
import { brokers, isKafka39 } from '../helpers/brokers.ts';
import { until } from '../helpers/until.ts';
import { EpochGroup, type EpochMember } from './programs/epoch-group.ts';

const PARTITIONS = 6;
const MOST_GAP_MS = 200;
const MOST_TRIES = 12;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const idsOf = (members: readonly EpochMember[]): string[] =>
  members.map(({ consumer }) => consumer.memberId).sort();

(brokers === undefined || isKafka39 ? describe.skip : describe)('G-14: the consumer group protocol', () => {
  let group: EpochGroup;

  afterEach(() => group.close());

  it('members join, leave and are killed: every record is read, and only what is moved is given up', async () => {
    group = await EpochGroup.create(PARTITIONS);
    await group.produce(50, PARTITIONS);
    const one = group.join();
    await group.balanced('one alone', [one, 6]);
    const two = group.join();
    await group.balanced('two members', [one, 3], [two, 3]);
    expect(one.count('released')).toBe(3);
    expect(one.count('claimed')).toBe(6);
    const three = group.join();
    await group.balanced('three members', [one, 2], [two, 2], [three, 2]);
    await two.leave();
    await group.balanced('two that are left', [one, 3], [three, 3]);
    await three.kill();
    await group.balanced('one that is left', [one, 6]);
    await group.produce(50, PARTITIONS);
    await until('everything to be committed', async () => (await group.committed()) === 600);
    const read = new Set(
      group.members.flatMap(({ seen }) => seen.map((at) => `${at.partition}:${at.offset}`)),
    );
    expect(read.size).toBe(600);
    expect([one, two].flatMap(({ failedCommits }) => failedCommits)).toEqual([]);
    expect(one.count('lost') + two.count('lost')).toBe(0);
  });

  it('the broker describes our members: epochs, topics, targets, assignor, rack', async () => {
    group = await EpochGroup.create(PARTITIONS);
    const members = [group.join({ rackId: 'east', groupRemoteAssignor: 'range' }), group.join()];
    await group.balanced('both', [members[0]!, 3], [members[1]!, 3]);
    await until('the group to be stable', async () => (await group.describe()).groupState === 'Stable');
    const described = await group.describe();
    expect(described).toMatchObject({ errorCode: 0, assignorName: 'range' });
    expect(described.members.map(({ memberId }) => memberId).sort()).toEqual(idsOf(members));
    for (const { memberId, assignment, targetAssignment, memberEpoch, ...member } of described.members) {
      const ours = members.find(({ consumer }) => consumer.memberId === memberId)!;
      const owned = assignment.topicPartitions.flatMap(({ topicName, partitions }) =>
        partitions.map((partition) => `${topicName}-${partition}`),
      );
      expect(owned.sort()).toEqual(ours.owned);
      expect(targetAssignment).toEqual(assignment);
      expect(memberEpoch).toBe(ours.consumer.generation);
      expect(member).toMatchObject({ subscribedTopicNames: [group.topic], memberType: 1 });
    }
    expect(described.members.map(({ rackId }) => rackId).sort()).toEqual(['east', null].sort());
  });

  it.each(['uniform', 'range'])('the assignor %s of the broker', async (groupRemoteAssignor) => {
    group = await EpochGroup.create(PARTITIONS);
    const second = `${group.topic}-b`;
    await group.createTopic(second, 1);
    const topics = [group.topic, second];
    const members = [1, 2].map(() => group.join({ topics, groupRemoteAssignor }));
    await until('all to be owned', () => members.flatMap(({ owned }) => owned).length === 7);
    await until('the assignor', async () => (await group.describe()).assignorName === groupRemoteAssignor);
    await until('no more than one apart', () => {
      const [a, b] = members.map(({ owned }) => owned.length);
      return a! + b! === 7 && Math.abs(a! - b!) === 1;
    });
  });

  it('UNSUPPORTED_ASSIGNOR ends the member and says which there are', async () => {
    group = await EpochGroup.create(1);
    const member = group.join({ groupRemoteAssignor: 'nobodys' });
    await until('the failure', () => member.failure !== undefined);
    expect((member.failure as BrokerError).errorName).toBe('UNSUPPORTED_ASSIGNOR');
    expect(member.failure!.message).toMatch(/uniform, range/);
  });

  it('a pattern is matched by the broker, new topics included; one RE2 cannot express by the client', async () => {
    group = await EpochGroup.create(2);
    const { topic } = group;
    const onBroker = group.join({ topics: new RegExp(`^${topic}(?:-\\d)?$`) });
    await group.balanced('one topic', [onBroker, 2]);
    const [described] = (await group.describe()).members;
    expect(described).toMatchObject({
      subscribedTopicNames: [],
      subscribedTopicRegex: `${topic}(?:-\\d)?`,
    });
    await group.createTopic(`${topic}-2`, 1);
    await group.createTopic(`${topic}-other`, 1);
    await group.balanced('the new topic', [onBroker, 3]);
    await onBroker.leave();
    const here = group.join({ topics: new RegExp(`^(?=${topic})(?!.*other)`) });
    await group.balanced('both topics', [here, 3]);
    const names = (await group.describe()).members[0]!.subscribedTopicNames;
    expect([...names].sort()).toEqual([topic, `${topic}-2`]);
    await group.createTopic(`${topic}-3`, 1);
    await group.balanced('the third topic', [here, 4]);
    expect(here.count('released') + here.count('lost')).toBe(0);
  });

  it('partitions that are added are claimed, and the others never notice', async () => {
    group = await EpochGroup.create(2);
    const member = group.join();
    await group.balanced('two', [member, 2]);
    await group.kafka.admin().createPartitions([{ topic: group.topic, count: 5 }]);
    await group.balanced('five', [member, 5]);
    expect(member.count('claimed')).toBe(5);
    expect(member.count('released') + member.count('lost')).toBe(0);
  });

  it('a rolling restart of three static members: each has its partitions again, and the others never notice', async () => {
    group = await EpochGroup.create(PARTITIONS, { sessionMs: 20_000, heartbeatMs: 300 });
    const names = ['one', 'two', 'three'];
    const members = names.map((groupInstanceId) => group.join({ groupInstanceId }));
    await until('two partitions each', () => members.every(({ owned }) => owned.length === 2));
    for (const [at, groupInstanceId] of names.entries()) {
      const old = members[at]!;
      const had = old.owned;
      const others = members.filter((member) => member !== old);
      const before = others.map(({ events }) => events.length);
      await old.leave();
      await pause(700);
      const again = group.join({ groupInstanceId });
      members[at] = again;
      await group.balanced(`${groupInstanceId} is back`, [again, 2]);
      expect(again.owned).toEqual(had);
      expect(again.consumer.memberId).not.toBe(old.consumer.memberId);
      expect(others.map(({ events }) => events.length)).toEqual(before);
      expect(others.map(({ owned }) => owned.length)).toEqual([2, 2]);
    }
  });

  it('a static member whose former self was killed waits until its session is over', async () => {
    group = await EpochGroup.create(2, { sessionMs: 3_000, heartbeatMs: 300 });
    const one = group.join({ groupInstanceId: 'one' });
    await group.balanced('it', [one, 2]);
    await one.kill();
    const again = group.join({ groupInstanceId: 'one' });
    await group.balanced('its successor', [again, 2]);
    expect(again.failure).toBeUndefined();
  });

  it('the session is as long as the configuration of the group says, by our own clock', async () => {
    const sessionMs = 2_000;
    group = await EpochGroup.create(2, { sessionMs, heartbeatMs: 300 });
    const from = systemClock.now();
    const member = group.join();
    await group.balanced('it', [member, 2]);
    await pause(500);
    const { cluster } = member.kafka;
    const silent = cluster.coordinator.bind(cluster);
    cluster.coordinator = () => new Promise<number>(() => undefined);
    // Nobody was told anything: by default a session would last longer than this waits.
    await until('the loss', () => member.count('lost') === 2);
    expect(systemClock.now() - from).toBeGreaterThanOrEqual(sessionMs);
    cluster.coordinator = silent;
  });

  it(`while a member joins, untouched partitions have no gap over ${MOST_GAP_MS} ms`, async () => {
    group = await EpochGroup.create(PARTITIONS);
    const one = group.join();
    const two = group.join();
    await group.balanced('both', [one, 3], [two, 3]);
    // What it does not get either, a busy machine holds up.
    const witness = group.join({ groupId: `${group.groupId}-witness` });
    await group.balanced('the witness', [witness, PARTITIONS]);
    const producer = new Producer(group.kafka.cluster, { lingerMs: 0 });
    let at = 0;
    const filling = setInterval(() => {
      for (let partition = 0; partition < PARTITIONS; partition += 1)
        void producer.sendAsync(group.topic, { key: null, value: String((at += 1)), partition });
    }, 20);
    let gap = Infinity;
    let mostGapMs = MOST_GAP_MS;
    // A machine that stands still for a moment is no fault of ours; it does not do so every time.
    for (let attempt = 0; attempt < MOST_TRIES; attempt += 1) {
      await pause(500);
      const had = new Map([one, two].map((member) => [member, member.owned]));
      const from = systemClock.now();
      const three = group.join();
      await group.balanced('all three', [one, 2], [two, 2], [three, 2]);
      await pause(500);
      const gaps = [one, two].flatMap((member) => {
        const untouched = member.owned.filter((name) => had.get(member)!.includes(name));
        expect(untouched).toHaveLength(2);
        return untouched.map((name) => longestGap(member, Number(name.split('-').at(-1)), from));
      });
      const ofWitness = Array.from({ length: PARTITIONS }, (_, partition) =>
        longestGap(witness, partition, from),
      );
      gap = Math.max(...gaps);
      mostGapMs = Math.max(MOST_GAP_MS, 2 * Math.max(...ofWitness));
      if (gap <= mostGapMs) break;
      await three.leave();
      await group.balanced('both again', [one, 3], [two, 3]);
    }
    clearInterval(filling);
    await producer.close();
    expect(gap).toBeLessThanOrEqual(mostGapMs);
  }, 240_000);
});

function longestGap(member: EpochMember, partition: number, fromMs: number): number {
  const times = member.seen.filter((seen) => seen.partition === partition && seen.atMs >= fromMs);
  let longest = 0;
  let last = fromMs;
  for (const { atMs } of times) {
    longest = Math.max(longest, atMs - last);
    last = atMs;
  }
  return longest;
}
