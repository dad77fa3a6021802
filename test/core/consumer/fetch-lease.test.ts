import { describe, expect, it } from '@jest/globals';
import { ConnectionLease } from '../../../src/core/cluster/connection-lease.ts';
import { Fetcher } from '../../../src/core/consumer/fetcher.ts';
import { run } from './batches.ts';
import { FakeCluster } from './fake-cluster.ts';
import { Notes } from './harness.ts';

/** Each fetcher has two connections to a broker. */
const pairOf = (use: string | undefined): number => Math.floor(Number(use?.slice('fetch-'.length)) / 2);

describe('fetchers of one client', () => {
  it('have numbers of their own, the smallest that is free', () => {
    const cluster = new FakeCluster();
    const lease = (): ConnectionLease => new ConnectionLease(cluster, 'fetch');
    const [a, b, c] = [lease(), lease(), lease()];
    expect([a.number, b.number, c.number]).toEqual([0, 1, 2]);
    b.release(cluster.clock.now());
    expect(lease().number).toBe(1);
    b.release(cluster.clock.now());
    expect(lease().number).toBe(3);
    expect(new ConnectionLease(cluster, 'join').number).toBe(0);
    expect(new ConnectionLease(new FakeCluster(), 'fetch').number).toBe(0);
  });

  it('use a connection again only when the poll that may be on it is over', async () => {
    const cluster = new FakeCluster();
    cluster.topic('t', [1]);
    const read = (): Fetcher => {
      const fetcher = new Fetcher(cluster, { fetchMaxWaitMs: 100 });
      const reader = fetcher.open({ topic: 't', partition: 0, startOffset: 0 });
      const notes = new Notes();
      notes.then = (sequence) => reader.settle(sequence);
      reader.start(notes);
      return fetcher;
    };
    cluster.append('t', 0, run(0, 5));
    const used = async (): Promise<number[]> => {
      cluster.fetches.length = 0;
      const fetcher = read();
      await cluster.clock.advance(50);
      fetcher.close();
      const polls = cluster.fetches.filter(({ asked }) => asked.length > 0);
      return [...new Set(polls.map(({ use }) => pairOf(use)))];
    };
    expect(await used()).toEqual([0]);
    expect(await used()).toEqual([1]);
    await cluster.clock.advance(51);
    expect(await used()).toEqual([0]);
  });
});
