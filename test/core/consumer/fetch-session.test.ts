import { describe, expect, it } from '@jest/globals';
import { ProtocolError, type KafkaError } from '../../../src/errors.ts';
import { Fetcher } from '../../../src/core/consumer/fetcher.ts';
import type { FetcherOptions } from '../../../src/core/consumer/options.ts';
import type { PartitionReader } from '../../../src/core/consumer/partition-reader.ts';
import { ERRORS } from '../../../src/core/protocol/error-codes.ts';
import { seededRandom } from '../../../src/testing/simulation/seeded-random.ts';
import { batch, run } from './batches.ts';
import { FakeCluster, type SeenFetch } from './fake-cluster.ts';
import { Notes, span } from './harness.ts';

interface Open {
  readonly reader: PartitionReader;
  readonly notes: Notes;
}

interface Setup {
  readonly cluster: FakeCluster;
  readonly fetcher: Fetcher;
  readonly open: Open[];
}

function read(partitions: number, options: FetcherOptions = {}, cluster = new FakeCluster()): Setup {
  cluster.topic('t', new Array<number>(partitions).fill(1));
  const fetcher = new Fetcher(cluster, options);
  const open = Array.from({ length: partitions }, (_, partition) => openOne(fetcher, partition));
  return { cluster, fetcher, open };
}

function openOne(fetcher: Fetcher, partition: number): Open {
  const reader = fetcher.open({ topic: 't', partition, startOffset: 0 });
  const notes = new Notes();
  notes.then = (sequence) => reader.settle(sequence);
  reader.start(notes);
  return { reader, notes };
}

const named = ({ request }: SeenFetch): number =>
  request.topics.reduce((sum, { partitions }) => sum + partitions.length, 0);
const forgotten = ({ request }: SeenFetch): number[] =>
  (request.forgottenTopicsData ?? []).flatMap(({ partitions }) => [...partitions]);

describe('fetch sessions (KIP-227)', () => {
  it('names a partition once, and nothing while nothing happens', async () => {
    const { cluster } = read(100);
    await cluster.clock.advance(10_000);
    const [first, ...rest] = cluster.fetches;
    expect([named(first!), first!.request.sessionId, first!.request.sessionEpoch]).toEqual([100, 0, 0]);
    expect(rest.length).toBeGreaterThan(15);
    for (const fetch of rest) expect([named(fetch), forgotten(fetch)]).toEqual([0, []]);
    expect(rest.map(({ request }) => request.sessionEpoch)).toEqual(span(1, rest.length));
    expect(rest.at(-1)!.asked.length).toBe(100);
  });

  it('names those that moved on, and only them', async () => {
    const { cluster, open } = read(100);
    await cluster.clock.advance(1000);
    cluster.fetches.length = 0;
    cluster.append('t', 7, run(0, 3));
    await cluster.clock.advance(1000);
    expect(open[7]!.notes.offsets).toEqual(span(0, 3));
    const [next, ...rest] = cluster.fetches;
    expect(next!.request.topics.map(({ partitions }) => partitions)).toMatchObject([
      [{ partition: 7, fetchOffset: 3 }],
    ]);
    for (const fetch of rest) expect(named(fetch)).toBe(0);
  });

  it('forgets who has no room and takes them back, once each', async () => {
    const { cluster, open } = read(20);
    await cluster.clock.advance(1000);
    open[3]!.reader.pause();
    open[4]!.reader.pause();
    await cluster.clock.advance(3000);
    expect(cluster.fetches.flatMap(forgotten)).toEqual([3, 4]);
    expect(cluster.fetches.at(-1)!.asked.length).toBe(18);
    cluster.fetches.length = 0;
    open[3]!.reader.resume();
    await cluster.clock.advance(3000);
    expect(cluster.fetches.at(-1)!.asked.length).toBe(19);
    const inSession = cluster.fetches.filter(({ request }) => request.sessionEpoch! > 0);
    expect(inSession.map(named).reduce((sum, count) => sum + count)).toBe(1);
    cluster.append('t', 3, run(0, 2));
    await cluster.clock.advance(5);
    expect(open[3]!.notes.offsets).toEqual([0, 1]);
    expect(cluster.fetches.flatMap(forgotten)).toEqual([]);
  });

  it('goes without one while data flows', async () => {
    const { cluster, open } = read(3);
    for (let at = 0; at < 400; at += 1)
      for (const partition of [0, 1, 2]) cluster.append('t', partition, batch(at, ['x'.repeat(20_000)]));
    await cluster.clock.advance(1000);
    for (const { notes } of open) expect(notes.offsets).toEqual(span(0, 400));
    const [, ...rest] = cluster.fetches;
    const flowing = rest.slice(0, 5);
    for (const { request } of flowing) expect(request.sessionEpoch).toBe(-1);
    expect(cluster.fetches.at(-1)!.asked.length).toBe(3);
  });

  it.each([
    ['FETCH_SESSION_ID_NOT_FOUND', ERRORS.FETCH_SESSION_ID_NOT_FOUND, 0],
    ['INVALID_FETCH_SESSION_EPOCH', ERRORS.INVALID_FETCH_SESSION_EPOCH, undefined],
    ['FETCH_SESSION_TOPIC_ID_ERROR', ERRORS.FETCH_SESSION_TOPIC_ID_ERROR, undefined],
  ])('opens a new one at once after %s', async (_, errorCode, sessionId) => {
    const { cluster, open } = read(10);
    await cluster.clock.advance(1200);
    let broken = 1;
    cluster.tamper = (response) => (broken-- > 0 ? { errorCode, responses: [] } : response);
    const before = cluster.fetches.length;
    const failing = cluster.fetches.at(-1)!.request.sessionId;
    await cluster.clock.advance(510);
    const fresh = cluster.fetches.slice(before).find(({ request }) => request.sessionEpoch === 0)!;
    expect([named(fresh), fresh.request.sessionId]).toEqual([10, sessionId ?? failing]);
    cluster.append('t', 2, run(0, 4));
    await cluster.clock.advance(600);
    expect(open[2]!.notes.offsets).toEqual(span(0, 4));
    for (const { notes } of open) expect(notes.errors).toEqual([]);
    expect(cluster.fetches.filter(({ request }) => request.sessionEpoch === 0).length).toBe(2);
  });

  it('does not hammer a broker that refuses every session', async () => {
    const { cluster } = read(10);
    cluster.tamper = () => ({ errorCode: ERRORS.FETCH_SESSION_ID_NOT_FOUND, responses: [] });
    await cluster.clock.advance(10_000);
    expect(cluster.fetches.length).toBeLessThan(30);
  });

  it('asks in full each time where the broker keeps no session, or knows none', async () => {
    for (const fetchVersion of [6, 17]) {
      const cluster = new FakeCluster();
      cluster.fetchVersion = fetchVersion;
      cluster.keepsSessions = false;
      const { open } = read(10, {}, cluster);
      await cluster.clock.advance(2000);
      cluster.append('t', 2, run(0, 4));
      await cluster.clock.advance(600);
      expect(open[2]!.notes.offsets).toEqual(span(0, 4));
      for (const fetch of cluster.fetches) expect(named(fetch)).toBe(10);
    }
  });

  it('starts anew after a request that failed: what the broker remembers is not known', async () => {
    const { cluster, open } = read(10);
    await cluster.clock.advance(1200);
    const lost: KafkaError[] = [new ProtocolError('lost on the way', { retriable: true })];
    cluster.tamper = (response) => lost.pop() ?? response;
    cluster.append('t', 2, run(0, 4));
    await cluster.clock.advance(1500);
    expect(open[2]!.notes.offsets).toEqual(span(0, 4));
    const fulls = cluster.fetches.filter(({ request }) => request.sessionEpoch === 0);
    expect(fulls.length).toBe(2);
    expect(fulls[1]!.request.sessionId).toBeGreaterThan(0);
    expect(cluster.sessions.size).toBe(1);
  });

  it('gives the place of a closed reader to the next one of the same partition', async () => {
    const { cluster, fetcher, open } = read(3);
    await cluster.clock.advance(1200);
    open[1]!.reader.close();
    const again = openOne(fetcher, 1);
    await cluster.clock.advance(1200);
    expect(cluster.fetches.flatMap(forgotten)).toEqual([]);
    cluster.append('t', 1, run(0, 2));
    await cluster.clock.advance(5);
    expect(again.notes.offsets).toEqual([0, 1]);
    expect(open[1]!.notes.offsets).toEqual([]);
  });

  it('closes it when the fetcher closes', async () => {
    const { cluster, fetcher } = read(3);
    await cluster.clock.advance(1200);
    expect(cluster.sessions.size).toBe(1);
    fetcher.close();
    await cluster.clock.advance(600);
    expect(cluster.sessions.size).toBe(0);
    expect(cluster.fetches.at(-1)!.request.sessionEpoch).toBe(-1);
    expect(cluster.clock.pendingTimers).toBe(0);
  });

  it('waits out a throttled answer, which says nothing at all', async () => {
    const { cluster, open } = read(3);
    cluster.append('t', 0, run(0, 5));
    let throttled = 1;
    cluster.tamper = (response) =>
      throttled-- > 0 ? { throttleTimeMs: 300, errorCode: 0, responses: [] } : response;
    await cluster.clock.advance(299);
    expect(cluster.fetches.length).toBe(1);
    await cluster.clock.advance(10);
    expect(open[0]!.notes.offsets).toEqual(span(0, 5));
  });

  it('hands over each record once, whatever happens to sessions', async () => {
    const { cluster, open } = read(12);
    const next = seededRandom(11);
    const random = (below: number): number => Math.floor(next() * below);
    const ends = new Array<number>(12).fill(0);
    cluster.tamper = (response) => {
      const dice = random(60);
      if (dice === 0) cluster.sessions.clear();
      if (dice === 1) for (const session of cluster.sessions.values()) session.epoch += 1;
      if (dice === 2) return new ProtocolError('lost', { retriable: true });
      return response;
    };
    for (let round = 0; round < 600; round += 1) {
      const partition = random(12);
      const count = 1 + random(5);
      cluster.append('t', partition, run(ends[partition]!, count));
      ends[partition]! += count;
      const { reader } = open[random(12)]!;
      if (random(3) === 0) reader.pause();
      else reader.resume();
      if (random(20) === 0) reader.seek(reader.position);
      if (random(50) === 0) cluster.moveLeader('t', random(12), 1 + random(2));
      await cluster.clock.advance(random(40));
    }
    for (const { reader } of open) reader.resume();
    await cluster.clock.advance(5000);
    open.forEach(({ notes }, at) => {
      expect(notes.errors).toEqual([]);
      expect(notes.offsets).toEqual(span(0, ends[at]!));
    });
  });
});
