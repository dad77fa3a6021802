import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { GroupConsumer, OffsetStash, type GroupListener } from '../../src/core/index.ts';
import { OffsetCommitError, type ConsumerRecord, type Kafka } from '../../src/index.ts';
import { fill } from '../faults/support/marks.ts';
import { brokers, testKafka, uniqueName } from '../helpers/brokers.ts';
import { rejection } from '../helpers/rejection.ts';
import { until } from '../helpers/until.ts';

const onBroker = brokers === undefined ? describe.skip : describe;
const PARTITIONS = 4;
const RECORDS = 100;

onBroker('X-04: a member of a group marks by hand, many at once', () => {
  let kafka: Kafka;
  const topic = uniqueName('x-04');

  beforeAll(async () => {
    kafka = testKafka();
    await kafka.admin().createTopics([{ name: topic, partitions: PARTITIONS }]);
    await fill(kafka, topic, RECORDS, PARTITIONS);
  });
  afterAll(async () => {
    await kafka.admin().deleteTopics([topic]);
    await kafka.close();
  });

  /** Reads everything and settles it when it is told to, so that its own commits come last and are the same. */
  async function member(
    groupId: string,
  ): Promise<{ consumer: GroupConsumer; records: ConsumerRecord[]; settle: () => void }> {
    const records: ConsumerRecord[] = [];
    const settles: (() => void)[] = [];
    const listener: GroupListener = {
      onClaim: (claim) =>
        claim.start({
          onRecord: (record, sequence) => {
            records.push(record);
            settles.push(() => claim.settle(sequence));
          },
          onPressure: () => undefined,
          onEnd: () => undefined,
          onError: () => undefined,
          onRevoking: () => undefined,
          onLost: () => undefined,
        }),
      onRebalance: () => undefined,
      onFailed: () => undefined,
    };
    const consumer = new GroupConsumer(
      kafka.cluster,
      { groupId, topics: [topic], commitIntervalMs: 600_000 },
      listener,
    );
    consumer.start();
    await until('all is read', () => records.length === RECORDS);
    return { consumer, records, settle: () => settles.forEach((settle) => settle()) };
  }

  const inLog = async (groupId: string): Promise<unknown[]> =>
    (await kafka.admin().fetchOffsets(groupId)).map(({ partition, offset, metadata }) => [
      partition,
      offset,
      metadata,
    ]);

  it('a stash of 100 marks over all partitions is one commit, at one past the last of each', async () => {
    const groupId = uniqueName('x-04');
    const { consumer, records, settle } = await member(groupId);
    const commits: number[] = [];
    const offsets = kafka.offsets({
      groupId,
      member: consumer,
      autoCommit: false,
      onCommitted: (points) => commits.push(points.length),
    });
    const managed = await offsets.manageAll(topic, [0, 1, 2, 3]);

    const stash = new OffsetStash();
    for (const record of [...records].reverse()) stash.markMessage(record, `stashed ${record.offset}`);
    expect(stash.size).toBe(PARTITIONS);
    offsets.markOffsets(stash);
    await offsets.commit();
    const end = RECORDS / PARTITIONS;
    expect(await inLog(groupId)).toEqual(
      [0, 1, 2, 3].map((partition) => [partition, end, `stashed ${end - 1}`]),
    );
    expect(commits).toEqual([PARTITIONS]);

    // Forward only, and a reset of some of them.
    managed[0]!.markNextOffset(3, 'late');
    const back = new OffsetStash();
    back.resetOffset(topic, 1, 5, 'back');
    back.resetOffset(topic, 2, 6);
    offsets.resetOffsets(back);
    await offsets.commit();
    expect(await inLog(groupId)).toEqual([
      [0, end, `stashed ${end - 1}`],
      [1, 5, 'back'],
      [2, 6, `stashed ${end - 1}`],
      [3, end, `stashed ${end - 1}`],
    ]);
    expect(commits).toEqual([PARTITIONS, 2]);

    settle();
    await consumer.drain(5_000);
    await offsets.close();
  });

  it('a commit that the group refuses rejects with the partitions it is about', async () => {
    const groupId = uniqueName('x-04-refused');
    const { consumer, settle } = await member(groupId);
    const stranger = kafka.offsets({ groupId, autoCommit: false });
    const [zero, one] = await stranger.manageAll(topic, [0, 1]);
    zero!.markNextOffset(1);
    one!.markNextOffset(2);
    const error = await rejection<OffsetCommitError>(stranger.commit());
    expect(error).toBeInstanceOf(OffsetCommitError);
    expect(error).toMatchObject({ errorName: 'UNKNOWN_MEMBER_ID', retriable: false });
    expect(error.failed).toMatchObject([
      { topic, partition: 0, offset: 1 },
      { topic, partition: 1, offset: 2 },
    ]);
    expect([zero!.isDirty, one!.isDirty]).toEqual([true, true]);
    settle();
    await consumer.drain(5_000);
    await stranger.close();
  });

  it('what is settled is committed by commit(), before the interval asks for it', async () => {
    const groupId = uniqueName('x-04-settled');
    const { consumer, settle } = await member(groupId);
    settle();
    await consumer.commit();
    const end = RECORDS / PARTITIONS;
    expect(await inLog(groupId)).toEqual([0, 1, 2, 3].map((partition) => [partition, end, '']));
    await consumer.drain(5_000);
  });
});
