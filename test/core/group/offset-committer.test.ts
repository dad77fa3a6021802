import { beforeEach, describe, expect, it } from '@jest/globals';
import type { OffsetPoint } from '../../../src/core/group/committer.ts';
import { committedOffsets } from '../../../src/core/consumer/committed-offsets.ts';
import { OffsetCommitter } from '../../../src/core/group/offset-committer.ts';
import { ERRORS } from '../../../src/core/protocol/error-codes.ts';
import { connectionLost, FakeCluster } from './fake-cluster.ts';

const GENERATION = { groupId: 'g', memberId: 'm1', groupInstanceId: null, generationId: 3 };
const POINTS: OffsetPoint[] = [
  { topic: 'a', partition: 0, offset: 10, leaderEpoch: 4, metadata: 'note' },
  { topic: 'a', partition: 1, offset: 2 ** 53 - 1, leaderEpoch: -1, metadata: '' },
  { topic: 'b', partition: 0, offset: 0, leaderEpoch: 0, metadata: '' },
];

let cluster: FakeCluster;

beforeEach(() => {
  cluster = new FakeCluster();
});

/** Answers every partition with the code that `codes` has for it, else 0. */
function answerCommits(codes: () => { readonly [partition: string]: number } = () => ({})): void {
  cluster.on('OffsetCommit', (body) => {
    const now = codes();
    return {
      topics: body.topics.map((topic: any) => ({
        name: topic.name,
        partitions: topic.partitions.map(({ partitionIndex }: any) => ({
          partitionIndex,
          errorCode: now[`${topic.name}-${partitionIndex}`] ?? 0,
        })),
      })),
    };
  });
}

const commit = (deadlineMs = 5_000, signal?: AbortSignal): Promise<void> =>
  cluster.clock.run(new OffsetCommitter(cluster).commit(POINTS, GENERATION, { deadlineMs, signal }));

describe('OffsetCommitter', () => {
  it.each([2, 3, 4, 5, 6, 7, 8, 9])('speaks version %i', async (version) => {
    cluster.limits.set('OffsetCommit', version);
    answerCommits();
    await commit();
    const [sent] = cluster.requests('OffsetCommit');
    expect(sent).toMatchObject({
      version,
      use: 'coordinator',
      body: { groupId: 'g', memberId: 'm1', generationIdOrMemberEpoch: 3 },
    });
    expect(sent!.body.topics).toMatchObject([
      {
        name: 'a',
        partitions: [
          { partitionIndex: 0, committedOffset: 10, committedMetadata: 'note' },
          { partitionIndex: 1, committedOffset: 2 ** 53 - 1, committedMetadata: '' },
        ],
      },
      { name: 'b', partitions: [{ partitionIndex: 0, committedOffset: 0 }] },
    ]);
    expect(sent!.body.topics[0].partitions[0].committedLeaderEpoch).toBe(version < 6 ? -1 : 4);
  });

  it('never sends version 10, which knows no names', async () => {
    answerCommits();
    await commit();
    expect(cluster.requests('OffsetCommit')[0]!.version).toBe(9);
  });

  it('tells of each try that was sent and not answered', async () => {
    answerCommits();
    cluster.once('OffsetCommit', () => connectionLost());
    let unanswered = 0;
    const options = { deadlineMs: 5_000, onUnanswered: () => (unanswered += 1) };
    await cluster.clock.run(new OffsetCommitter(cluster).commit(POINTS, GENERATION, options));
    expect(unanswered).toBe(1);
  });

  it('tells of a try that was called off while its answer was to come', async () => {
    cluster.on('OffsetCommit', () => new Promise<object>(() => {}));
    const controller = new AbortController();
    cluster.clock.setTimeout(() => controller.abort(new Error('enough')), 500);
    let unanswered = 0;
    const options = {
      deadlineMs: 5_000,
      signal: controller.signal,
      onUnanswered: () => (unanswered += 1),
    };
    const committing = new OffsetCommitter(cluster).commit(POINTS, GENERATION, options);
    await expect(cluster.clock.run(committing)).rejects.toThrow('enough');
    expect(unanswered).toBe(1);
  });

  it.each([
    'COORDINATOR_LOAD_IN_PROGRESS',
    'NOT_COORDINATOR',
    'COORDINATOR_NOT_AVAILABLE',
    'UNKNOWN_TOPIC_OR_PARTITION',
    'REQUEST_TIMED_OUT',
  ] as const)('repeats %s, only for the partitions concerned', async (name) => {
    let round = 0;
    answerCommits(() => (++round <= 2 ? { 'a-1': ERRORS[name] } : {}));
    await commit();
    const [first, ...more] = cluster.requests('OffsetCommit');
    expect(first!.body.topics).toHaveLength(2);
    expect(more).toHaveLength(2);
    for (const { body } of more)
      expect(body.topics).toMatchObject([{ name: 'a', partitions: [{ partitionIndex: 1 }] }]);
    expect(cluster.forgotten > 0).toBe(/COORDINATOR$|AVAILABLE|TIMED_OUT/.test(name));
  });

  it.each([
    'ILLEGAL_GENERATION',
    'UNKNOWN_MEMBER_ID',
    'REBALANCE_IN_PROGRESS',
    'FENCED_INSTANCE_ID',
    'OFFSET_METADATA_TOO_LARGE',
    'GROUP_AUTHORIZATION_FAILED',
  ] as const)(
    'rejects %s at once, naming the partition, also beside what could be repeated',
    async (name) => {
      answerCommits(() => ({ 'a-0': ERRORS.COORDINATOR_LOAD_IN_PROGRESS, 'b-0': ERRORS[name] }));
      await expect(commit()).rejects.toMatchObject({ errorName: name, topic: 'b', partition: 0 });
      expect(cluster.requests('OffsetCommit')).toHaveLength(1);
    },
  );

  it('finds the coordinator again when the connection breaks', async () => {
    answerCommits();
    cluster.once('OffsetCommit', () => connectionLost());
    await commit();
    expect(cluster.forgotten).toBe(1);
    expect(cluster.requests('OffsetCommit')).toHaveLength(2);
  });

  it('counts a partition that the answer leaves out as not committed', async () => {
    cluster.on('OffsetCommit', () => ({ topics: [] }));
    await expect(commit()).rejects.toMatchObject({ errorName: 'UNKNOWN_SERVER_ERROR' });
  });

  it('ends at its deadline with the last error as the cause', async () => {
    answerCommits(() => ({ 'a-0': ERRORS.COORDINATOR_LOAD_IN_PROGRESS }));
    await expect(commit(2_000)).rejects.toMatchObject({
      errorName: 'REQUEST_TIMED_OUT',
      cause: { errorName: 'COORDINATOR_LOAD_IN_PROGRESS' },
    });
    expect(cluster.clock.now()).toBeLessThanOrEqual(2_000);
  });

  it('stops repeating when it is aborted', async () => {
    answerCommits(() => ({ 'a-0': ERRORS.COORDINATOR_LOAD_IN_PROGRESS }));
    const controller = new AbortController();
    cluster.clock.setTimeout(() => controller.abort(new Error('enough')), 500);
    await expect(commit(5_000, controller.signal)).rejects.toThrow('enough');
    expect(cluster.clock.now()).toBe(500);
  });
});

describe('committedOffsets', () => {
  const asked = new Map([
    ['a', [0, 1]],
    ['b', [0]],
  ]);
  const found = [
    { partitionIndex: 0, committedOffset: 5, committedLeaderEpoch: 2, metadata: 'note', errorCode: 0 },
    { partitionIndex: 1, committedOffset: -1, committedLeaderEpoch: -1, metadata: '', errorCode: 0 },
  ];
  const fetch = (partitions = asked): Promise<OffsetPoint[]> => {
    const { signal } = new AbortController();
    return cluster.clock.run(
      committedOffsets(cluster, 'g', partitions, { deadlineMs: 5_000, signal, requireStable: true }),
    );
  };
  const answer = (version: number, errorCode = 0, partitionError = 0): object => {
    const partitions = found.map((one) => ({ ...one, errorCode: partitionError }));
    const topics = [{ name: 'a', partitions }];
    if (version >= 8) return { groups: [{ groupId: 'g', errorCode, topics }] };
    const old = topics.map((topic) => ({
      ...topic,
      partitions: partitions.map(({ committedLeaderEpoch, ...rest }) =>
        version >= 5 ? { ...rest, committedLeaderEpoch } : rest,
      ),
    }));
    return { topics: old, ...(version >= 2 ? { errorCode } : {}) };
  };

  it.each([1, 2, 3, 4, 5, 6, 7, 8, 9])(
    'speaks version %i and asks for everything at once',
    async (version) => {
      cluster.limits.set('OffsetFetch', version);
      cluster.on('OffsetFetch', (_, sent) => answer(sent.version));
      const leaderEpoch = version >= 5 ? 2 : -1;
      expect(await fetch()).toEqual([{ topic: 'a', partition: 0, offset: 5, leaderEpoch, metadata: 'note' }]);
      const [sent] = cluster.requests('OffsetFetch');
      const topics = version >= 8 ? sent!.body.groups[0].topics : sent!.body.topics;
      expect(topics).toMatchObject([
        { name: 'a', partitionIndexes: [0, 1] },
        { name: 'b', partitionIndexes: [0] },
      ]);
      expect(sent!.body.requireStable).toBe(version >= 7);
    },
  );

  it('asks nobody for nothing', async () => {
    expect(await fetch(new Map())).toEqual([]);
    expect(cluster.sent).toEqual([]);
  });

  it.each([
    ['NOT_COORDINATOR', 0],
    ['COORDINATOR_LOAD_IN_PROGRESS', 0],
    ['NONE', ERRORS.UNSTABLE_OFFSET_COMMIT],
  ] as const)('waits while the answer is %s, partition error %i', async (name, partitionError) => {
    cluster.on('OffsetFetch', () => answer(9));
    cluster.once('OffsetFetch', () => answer(9, ERRORS[name], partitionError));
    expect(await fetch()).toHaveLength(1);
    expect(cluster.requests('OffsetFetch')).toHaveLength(2);
  });

  it('rejects what waiting does not help', async () => {
    cluster.on('OffsetFetch', () => answer(9, ERRORS.GROUP_AUTHORIZATION_FAILED));
    await expect(fetch()).rejects.toMatchObject({ errorName: 'GROUP_AUTHORIZATION_FAILED' });
  });
});
