import { describe, expect, it } from '@jest/globals';
import { Fetcher } from '../../../src/core/consumer/fetcher.ts';
import type { FetcherOptions } from '../../../src/core/consumer/options.ts';
import { ERRORS } from '../../../src/core/protocol/error-codes.ts';
import { run } from './batches.ts';
import { FakeCluster, type FakePartition } from './fake-cluster.ts';
import { Notes, span } from './harness.ts';

interface Setup {
  readonly cluster: FakeCluster;
  readonly log: FakePartition;
  readonly notes: Notes;
  /** Nodes that were asked for the partition since the last call. */
  readonly asked: () => number[];
}

function setUp(options: FetcherOptions = { rackId: 'here' }): Setup {
  const cluster = new FakeCluster();
  const log = cluster.topic('t', [1]).partitions[0]!;
  log.follower = 2;
  const fetcher = new Fetcher(cluster, options);
  const reader = fetcher.open({ topic: 't', partition: 0, startOffset: 0 });
  const notes = new Notes();
  notes.then = (sequence) => reader.settle(sequence);
  reader.start(notes);
  let from = 0;
  return {
    cluster,
    log,
    notes,
    asked: () => {
      const nodes = cluster.fetches.slice(from).map(({ nodeId }) => nodeId);
      from = cluster.fetches.length;
      return nodes;
    },
  };
}

describe('reading from the nearest replica (KIP-392)', () => {
  it('goes to the follower that the leader names, and stays there', async () => {
    const { cluster, notes, asked } = setUp();
    cluster.append('t', 0, run(0, 5));
    await cluster.clock.advance(20);
    expect(notes.offsets).toEqual(span(0, 5));
    cluster.append('t', 0, run(5, 5));
    await cluster.clock.advance(3000);
    expect(notes.offsets).toEqual(span(0, 10));
    const [first, ...rest] = asked();
    expect(first).toBe(1);
    expect(new Set(rest)).toEqual(new Set([2]));
  });

  it('reads from the leader without a rack', async () => {
    const { cluster, notes, asked } = setUp({});
    cluster.append('t', 0, run(0, 5));
    await cluster.clock.advance(1000);
    expect(notes.offsets).toEqual(span(0, 5));
    expect(new Set(asked())).toEqual(new Set([1]));
  });

  it('asks the leader again when the lease is over, and takes the next one', async () => {
    const { cluster, asked } = setUp({ rackId: 'here', replicaLeaseMs: 10_000 });
    await cluster.clock.advance(9_000);
    asked();
    await cluster.clock.advance(2_000);
    expect(asked().filter((node) => node === 1)).toEqual([1]);
    await cluster.clock.advance(7_000);
    expect(new Set(asked())).toEqual(new Set([2]));
  });

  it('returns to the leader, which serves, when the follower is gone, and comes back later', async () => {
    const { cluster, notes, asked } = setUp();
    cluster.append('t', 0, run(0, 5));
    await cluster.clock.advance(600);
    cluster.dead.add(2);
    asked();
    cluster.append('t', 0, run(5, 5));
    await cluster.clock.advance(600);
    expect(notes.offsets).toEqual(span(0, 10));
    await cluster.clock.advance(5_000);
    expect(asked().filter((node) => node === 2).length).toBeLessThanOrEqual(2);
    cluster.dead.clear();
    await cluster.clock.advance(10_000);
    asked();
    cluster.append('t', 0, run(10, 5));
    await cluster.clock.advance(600);
    expect(notes.offsets).toEqual(span(0, 15));
    expect(new Set(asked())).toEqual(new Set([2]));
  });

  it('asks the leader before it believes that a position is out of range, or a log truncated', async () => {
    const { cluster, log, notes, asked } = setUp();
    cluster.append('t', 0, run(0, 5));
    await cluster.clock.advance(600);
    log.followerEnd = 3;
    asked();
    await cluster.clock.advance(2_000);
    expect(notes.errors).toEqual([]);
    expect(asked().at(-1)).toBe(1);
    cluster.append('t', 0, run(5, 5));
    await cluster.clock.advance(20);
    expect(notes.offsets).toEqual(span(0, 10));
    log.followerEnd = undefined;
    await cluster.clock.advance(12_000);
    expect(asked().at(-1)).toBe(2);
    cluster.tamper = (response, nodeId) =>
      nodeId === 1
        ? response
        : {
            ...response,
            responses: response.responses.map((topic) => ({
              ...topic,
              partitions: topic.partitions.map((one) => ({
                ...one,
                divergingEpoch: { epoch: 0, endOffset: 4 },
              })),
            })),
          };
    cluster.append('t', 0, run(10, 5));
    await cluster.clock.advance(1_000);
    expect(notes.errors).toEqual([]);
    expect(notes.offsets).toEqual(span(0, 15));
  });

  it.each([
    'NOT_LEADER_OR_FOLLOWER',
    'REPLICA_NOT_AVAILABLE',
    'UNKNOWN_TOPIC_ID',
    'CORRUPT_MESSAGE',
  ] as const)('asks the leader after %s of a follower', async (name) => {
    const { cluster, notes, asked } = setUp();
    await cluster.clock.advance(600);
    asked();
    cluster.tamper = (response, nodeId) =>
      nodeId === 1
        ? response
        : {
            ...response,
            responses: [
              {
                topicId: cluster.topics.get('t')!.id,
                partitions: [
                  {
                    partitionIndex: 0,
                    errorCode: ERRORS[name],
                    highWatermark: -1,
                    records: null,
                    abortedTransactions: null,
                  },
                ],
              },
            ],
          };
    cluster.append('t', 0, run(0, 5));
    await cluster.clock.advance(600);
    expect(notes.offsets).toEqual(span(0, 5));
    expect(asked().at(-1)).toBe(1);
  });

  it('stays with a leader that names a broker nobody knows', async () => {
    const { cluster, log, notes } = setUp();
    log.follower = 9;
    cluster.append('t', 0, run(0, 5));
    await cluster.clock.advance(3_000);
    expect(cluster.fetches.every(({ nodeId }) => nodeId === 1)).toBe(true);
    expect(cluster.refreshes).toBeGreaterThan(1);
    log.follower = -1;
    await cluster.clock.advance(3_000);
    expect(notes.offsets).toEqual(span(0, 5));
  });

  it('follows a leader that moves to another broker, through the follower', async () => {
    const { cluster, notes } = setUp();
    cluster.append('t', 0, run(0, 5));
    await cluster.clock.advance(600);
    cluster.moveLeader('t', 0, 3);
    cluster.append('t', 0, run(5, 5));
    await cluster.clock.advance(600);
    expect(notes.offsets).toEqual(span(0, 10));
    cluster.moveLeader('t', 0, 2);
    cluster.append('t', 0, run(10, 5));
    await cluster.clock.advance(600);
    expect(notes.offsets).toEqual(span(0, 15));
    expect(notes.errors).toEqual([]);
  });
});
