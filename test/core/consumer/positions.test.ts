import { describe, expect, it } from '@jest/globals';
import { UsageError } from '../../../src/errors.ts';
import { openPartitions } from '../../../src/core/consumer/open-partitions.ts';
import { resolvePositions } from '../../../src/core/consumer/positions.ts';
import { batch, run } from './batches.ts';
import { FakeCluster } from './fake-cluster.ts';
import { Notes, span } from './harness.ts';

function setUp(): FakeCluster {
  const cluster = new FakeCluster();
  cluster.topic('t', [1, 2]);
  cluster.topics.get('t')!.partitions[0]!.logStart = 5;
  cluster.append('t', 0, run(5, 5), run(10, 5));
  cluster.append('t', 1, run(0, 3));
  return cluster;
}

const offsets = (found: readonly { readonly offset: number }[]): number[] =>
  found.map(({ offset }) => offset);

describe('resolvePositions', () => {
  it('finds both ends, of several leaders', async () => {
    const cluster = setUp();
    const { clock } = cluster;
    expect(offsets(await clock.run(resolvePositions(cluster, 't', [1, 0], 'earliest')))).toEqual([0, 5]);
    expect(offsets(await clock.run(resolvePositions(cluster, 't', [0, 1], 'latest')))).toEqual([15, 3]);
    expect(offsets(await clock.run(resolvePositions(cluster, 't', [], 'latest')))).toEqual([]);
  });

  it('finds the first record at or after a time, the end where there is none', async () => {
    const cluster = setUp();
    const at = (timestamp: number) =>
      cluster.clock.run(resolvePositions(cluster, 't', [0, 1], { timestamp }));
    expect(offsets(await at(1000))).toEqual([5, 0]);
    expect(offsets(await at(1000.5))).toEqual([15, 3]);
    await expect(at(Number.NaN)).rejects.toThrow(UsageError);
  });

  it('takes numbers as they are, and only offsets', async () => {
    const cluster = setUp();
    expect(offsets(await resolvePositions(cluster, 't', [0, 1], 7))).toEqual([7, 7]);
    for (const wrong of [-1, 1.5, 2 ** 53])
      await expect(resolvePositions(cluster, 't', [0], wrong)).rejects.toThrow(UsageError);
  });

  it('takes what a group committed, the earliest offset where it committed nothing', async () => {
    const cluster = setUp();
    cluster.commits.set('g', new Map([['t-1', { offset: 2, leaderEpoch: 4, metadata: 'm' }]]));
    const found = await cluster.clock.run(resolvePositions(cluster, 't', [0, 1], { committedBy: 'g' }));
    expect(found).toEqual([
      { partition: 0, offset: 5, leaderEpoch: -1, metadata: '' },
      { partition: 1, offset: 2, leaderEpoch: 4, metadata: 'm' },
    ]);
  });

  it('stops at the last stable offset with read_committed', async () => {
    const cluster = setUp();
    cluster.topics.get('t')!.partitions[0]!.lastStable = 12;
    const found = await cluster.clock.run(
      resolvePositions(cluster, 't', [0], 'latest', { isolationLevel: 'read_committed' }),
    );
    expect(offsets(found)).toEqual([12]);
  });

  it('goes after a leader that moved', async () => {
    const cluster = setUp();
    await cluster.clock.run(resolvePositions(cluster, 't', [0], 'latest'));
    cluster.moveLeader('t', 0, 3);
    expect(offsets(await cluster.clock.run(resolvePositions(cluster, 't', [0], 'latest')))).toEqual([15]);
  });

  it('rejects at its deadline, saying what it could not find', async () => {
    const cluster = setUp();
    cluster.moveLeader('t', 0, -1);
    const found = resolvePositions(cluster, 't', [0], 'latest', { deadlineMs: 1500 });
    await expect(cluster.clock.run(found)).rejects.toThrow(
      /ListOffsets of t did not succeed within 1500 ms.*t-0 has no leader/,
    );
    expect(cluster.clock.now()).toBeLessThanOrEqual(1600);
    const unknown = resolvePositions(cluster, 't', [7], 'latest', { deadlineMs: 500 });
    await expect(cluster.clock.run(unknown)).rejects.toThrow(/there is no t-7/);
  });
});

describe('openPartitions', () => {
  it('reads all partitions to where they end now', async () => {
    const cluster = setUp();
    const open = await cluster.clock.run(
      openPartitions(cluster, { topic: 't', from: 'earliest', to: 'latest' }),
    );
    cluster.append('t', 1, batch(3, ['later']));
    const all = open.readers.map((reader) => {
      const notes = new Notes();
      notes.then = (sequence) => reader.settle(sequence);
      reader.start(notes);
      return notes;
    });
    await cluster.clock.advance(100);
    expect(all.map(({ offsets: seen }) => seen)).toEqual([span(5, 10), span(0, 3)]);
    expect(all.map(({ ends }) => ends)).toEqual([1, 1]);
    open.close();
    await cluster.clock.advance(2000);
    expect(cluster.clock.pendingTimers).toBe(0);
  });

  it('pauses, resumes and seeks one, some and all, and tells high watermarks', async () => {
    const cluster = setUp();
    const open = await cluster.clock.run(openPartitions(cluster, { topic: 't', from: 'earliest' }));
    const all = open.readers.map((reader) => {
      const notes = new Notes();
      notes.then = (sequence) => reader.settle(sequence);
      reader.start(notes);
      return notes;
    });
    open.pause([0]);
    await cluster.clock.advance(1000);
    expect(all.map(({ offsets: seen }) => seen.length)).toEqual([0, 3]);
    open.pause();
    cluster.append('t', 1, batch(3, ['later']));
    await cluster.clock.advance(1000);
    expect(all.map(({ offsets: seen }) => seen.length)).toEqual([0, 3]);
    open.resume();
    await cluster.clock.advance(1000);
    expect(all.map(({ offsets: seen }) => seen)).toEqual([span(5, 10), span(0, 4)]);
    expect([...open.highWatermarks()]).toEqual([
      [0, 15],
      [1, 4],
    ]);
    await cluster.clock.run(open.seek('earliest', [1]));
    await cluster.clock.advance(1000);
    expect(all.map(({ offsets: seen }) => seen.length)).toEqual([10, 8]);
    expect(() => open.pause([2])).toThrow(/Partition 2 of t is not among/);
    open.close();
  });

  it('refuses partitions that are not there, partitions named twice, and unknown topics at the deadline', async () => {
    const cluster = setUp();
    const open = (topic: string, partitions?: readonly number[]) =>
      cluster.clock.run(
        openPartitions(cluster, {
          topic,
          from: 'latest',
          deadlineMs: 1000,
          ...(partitions && { partitions }),
        }),
      );
    await expect(open('t', [2])).rejects.toThrow(/partitions 0 to 1; there is no 2/);
    await expect(open('t', [1, 1])).rejects.toThrow(/named twice/);
    await expect(open('none')).rejects.toThrow(/UNKNOWN_TOPIC_OR_PARTITION/);
  });

  it('takes the commit, its leader epoch and its metadata over', async () => {
    const cluster = setUp();
    cluster.commits.set('g', new Map([['t-1', { offset: 2, leaderEpoch: 0, metadata: 'm' }]]));
    const open = await cluster.clock.run(
      openPartitions(cluster, { topic: 't', partitions: [1], from: { committedBy: 'g' } }),
    );
    expect(open.readers[0]!.commitPoint()).toEqual({ offset: 2, leaderEpoch: 0, metadata: 'm' });
    await cluster.clock.advance(20);
    expect(cluster.fetches[0]!.request.topics[0]!.partitions[0]).toMatchObject({
      fetchOffset: 2,
      lastFetchedEpoch: 0,
    });
    open.close();
  });
});
