import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Kafka } from '../../../src/core/client.ts';
import type { CommitOptions, Committer, Generation, OffsetPoint } from '../../../src/core/group/committer.ts';
import type { ManagedPartition } from '../../../src/core/offsets/managed-partition.ts';
import type { OffsetManager } from '../../../src/core/offsets/offset-manager.ts';
import { OffsetStash } from '../../../src/core/offsets/offset-stash.ts';
import type { OffsetManagerOptions } from '../../../src/core/offsets/options.ts';
import { OffsetCommitError, TimeoutError, UsageError, type KafkaError } from '../../../src/errors.ts';
import { fault } from '../../../src/testing/broker/faults/fault.ts';
import { rejection } from '../../helpers/rejection.ts';
import { SimulatedCluster } from '../../topology/simulated-cluster.ts';

let cluster: SimulatedCluster;
let kafka: Kafka;

beforeEach(async () => {
  cluster = await SimulatedCluster.start({ a: 4, b: 1 }, { brokers: 3 });
  kafka = cluster.kafka();
});

afterEach(() => cluster.close());

const run = <T>(promise: Promise<T>): Promise<T> => cluster.clock.run(promise);
const manager = (options: Partial<OffsetManagerOptions> = {}): OffsetManager =>
  kafka.offsets({ groupId: 'g', ...options });
const inLog = (partition = 0, topic = 'a'): unknown => {
  const found = cluster.box.committed('g', topic, partition);
  return found === undefined ? undefined : [found.offset, found.metadata];
};
const commits = (): number => cluster.box.requests('OffsetCommit').length;
const manage = (offsets: OffsetManager, partition = 0): Promise<ManagedPartition> =>
  run(offsets.manage('a', partition));

describe('the next offset', () => {
  it('is the initial position without a commit, and the commit with one', async () => {
    await cluster.sendNumbers('a', 7);
    expect(await manage(manager())).toMatchObject({
      nextOffset: 0,
      metadata: '',
      committedOffset: undefined,
    });
    expect(await manage(manager({ initial: 'latest' }))).toMatchObject({ nextOffset: 7, metadata: '' });
    expect(await manage(manager({ initial: 3 }))).toMatchObject({ nextOffset: 3, isDirty: false });

    const offsets = manager();
    (await manage(offsets)).markNextOffset(42, 'm');
    await run(offsets.commit());
    const next = await manage(manager({ initial: 'latest' }));
    expect(next).toMatchObject({ nextOffset: 42, metadata: 'm', committedOffset: 42, isDirty: false });
  });

  it('is marked forward only and reset backward only', async () => {
    const one = await manage(manager({ initial: 100 }));
    expect(one.markNextOffset(10, 'ten')).toBe(true);
    expect(one.markNextOffset(10)).toBe(false);
    expect(one.markNextOffset(5)).toBe(false);
    expect(one).toMatchObject({ nextOffset: 10, metadata: 'ten' });
    expect(one.resetOffset(11)).toBe(false);
    expect(one.resetOffset(5, 'five')).toBe(true);
    expect(one).toMatchObject({ nextOffset: 5, metadata: 'five' });
    expect(one.resetOffset(5, 'again')).toBe(true);
    expect(one).toMatchObject({ nextOffset: 5, metadata: 'again' });
  });

  it('of a partition without a commit may be reset below where it starts, not above', async () => {
    const one = await manage(manager({ initial: 100 }));
    expect(one.resetOffset(101)).toBe(false);
    expect(one.resetOffset(50)).toBe(true);
    expect(one.nextOffset).toBe(50);
  });

  it('is one past a record that is marked, and keeps the last metadata', async () => {
    const offsets = manager();
    const one = await manage(offsets);
    one.markNextOffset(3, 'kept');
    expect(offsets.markMessage({ topic: 'a', partition: 0, offset: 9, leaderEpoch: 2 })).toBe(true);
    expect(one).toMatchObject({ nextOffset: 10, metadata: 'kept' });
    await run(offsets.commit());
    expect(cluster.box.committed('g', 'a', 0)).toMatchObject({
      offset: 10,
      leaderEpoch: 2,
      metadata: 'kept',
    });
  });

  it.each([-1, 0.5, NaN])('is never %p', async (offset) => {
    const one = await manage(manager());
    expect(() => one.markNextOffset(offset)).toThrow(UsageError);
    expect(() => one.resetOffset(offset)).toThrow(UsageError);
    expect(one.isDirty).toBe(false);
  });

  it('has one keeper: a partition is managed once, until it is released', async () => {
    const offsets = manager();
    const both = Promise.allSettled([offsets.manage('a', 0), offsets.manage('a', 0)]);
    const [first, second] = await run(both);
    expect(first.status).toBe('fulfilled');
    expect(second).toMatchObject({ status: 'rejected', reason: { code: 'USAGE', option: 'partition' } });
    expect(await rejection(offsets.manageAll('a', [1, 1]))).toBeInstanceOf(UsageError);
    offsets.partition('a', 0)!.markNextOffset(4);
    await run(offsets.release('a', 0));
    expect(inLog()).toEqual([4, '']);
    expect(offsets.partition('a', 0)).toBeUndefined();
    expect(() => offsets.markMessage({ topic: 'a', partition: 0, offset: 1 })).toThrow(/not managed/);
    expect(await manage(offsets)).toMatchObject({ nextOffset: 4 });
  });
});

describe('commits', () => {
  it('go out at the interval, only while there is something to commit', async () => {
    const committed: unknown[] = [];
    const offsets = manager({ commitIntervalMs: 1_000, onCommitted: (points) => committed.push(...points) });
    const one = await manage(offsets);
    one.markNextOffset(5, 'x');
    await cluster.clock.advance(900);
    expect(inLog()).toBeUndefined();
    await cluster.clock.advance(200);
    expect(inLog()).toEqual([5, 'x']);
    expect(one).toMatchObject({ isDirty: false, committedOffset: 5 });
    await cluster.clock.advance(10_000);
    expect(commits()).toBe(1);
    expect(committed).toEqual([{ topic: 'a', partition: 0, offset: 5, metadata: 'x', leaderEpoch: -1 }]);
    await run(offsets.close());
  });

  it('write a reset', async () => {
    const offsets = manager();
    const one = await manage(offsets);
    one.markNextOffset(10);
    await run(offsets.commit());
    one.resetOffset(5);
    await run(offsets.commit());
    expect(inLog()).toEqual([5, '']);
  });

  it('take what is marked while another one is under way along with the next', async () => {
    const offsets = manager();
    const one = await manage(offsets);
    one.markNextOffset(1);
    const first = offsets.commit();
    one.markNextOffset(2);
    expect(one.isDirty).toBe(true);
    const second = offsets.commit();
    const third = offsets.commit();
    await run(Promise.all([first, second, third]));
    expect(inLog()).toEqual([2, '']);
    expect(commits()).toBe(2);
  });

  it('of a stash go out in one request', async () => {
    const offsets = manager();
    await run(offsets.manageAll('a', [0, 1, 2, 3]));
    const stash = new OffsetStash();
    for (let n = 0; n < 100; n++) stash.markNextOffset('a', n % 4, n, `n${n}`);
    offsets.markOffsets(stash);
    await run(offsets.commit());
    expect(commits()).toBe(1);
    expect([0, 1, 2, 3].map((partition) => inLog(partition))).toEqual([
      [96, 'n96'],
      [97, 'n97'],
      [98, 'n98'],
      [99, 'n99'],
    ]);
    const back = new OffsetStash();
    back.resetOffset('a', 1, 7);
    back.resetOffset('a', 2, 500);
    offsets.resetOffsets(back);
    await run(offsets.commit());
    expect([1, 2].map((partition) => inLog(partition))).toEqual([
      [7, 'n97'],
      [98, 'n98'],
    ]);
  });

  it('of a stash with a partition that is not managed change nothing', async () => {
    const offsets = manager();
    const one = await manage(offsets);
    const stash = new OffsetStash();
    stash.markNextOffset('a', 0, 5);
    stash.markNextOffset('b', 0, 5);
    expect(() => offsets.markOffsets(stash)).toThrow(/b-0 is not managed/);
    expect(one.nextOffset).toBe(0);
  });

  it('find a coordinator that has moved', async () => {
    const offsets = manager();
    const one = await manage(offsets);
    for (let n = 1; n <= 100; n++) {
      if (n % 20 === 0) cluster.box.rehashCoordinators();
      one.markNextOffset(n);
      await run(offsets.commit());
    }
    expect(inLog()).toEqual([100, '']);
  });

  it('reject with what failed and keep it, while the rest is in the log', async () => {
    const offsets = manager();
    const [bad, good] = await run(offsets.manageAll('a', [0, 1]));
    bad!.markNextOffset(5, 'm'.repeat(5_000));
    good!.markNextOffset(6);
    const error = await run(rejection<OffsetCommitError>(offsets.commit()));
    expect(error).toBeInstanceOf(OffsetCommitError);
    expect(error).toMatchObject({ errorName: 'OFFSET_METADATA_TOO_LARGE', retriable: false });
    expect(error.failed).toMatchObject([{ topic: 'a', partition: 0, offset: 5 }]);
    expect(error.message).toContain('a-0 at 5');
    expect([bad!.isDirty, good!.isDirty]).toEqual([true, false]);
    expect(inLog(1)).toEqual([6, '']);
    bad!.resetOffset(5, 'short');
    await run(offsets.commit());
    expect(inLog()).toEqual([5, 'short']);
  });

  it('that fail at the interval are told, and made up for by the next', async () => {
    const errors: KafkaError[] = [];
    const offsets = manager({
      commitIntervalMs: 1_000,
      commitTimeoutMs: 500,
      onCommitFailed: (error) => errors.push(error),
    });
    const one = await manage(offsets);
    const down = cluster.box.fault({
      match: { api: 'OffsetCommit' },
      do: fault.error('COORDINATOR_LOAD_IN_PROGRESS'),
      count: Infinity,
    });
    one.markNextOffset(3);
    await cluster.clock.advance(1_900);
    expect(errors).toHaveLength(1);
    expect(errors[0]).toBeInstanceOf(OffsetCommitError);
    down.remove();
    await cluster.clock.advance(1_500);
    expect(inLog()).toEqual([3, '']);
    await run(offsets.close());
  });

  it('that fail at the interval with nobody to tell are a process warning', async () => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    const offsets = manager({ commitIntervalMs: 1_000 });
    (await manage(offsets)).markNextOffset(3, 'm'.repeat(5_000));
    await cluster.clock.advance(1_500);
    expect(warn.mock.calls.map(([message]) => message)).toEqual([
      expect.stringContaining('OFFSET_METADATA_TOO_LARGE'),
    ]);
    warn.mockRestore();
    await run(rejection(offsets.close()));
  });

  it('are repeated while one without an answer may still arrive', async () => {
    const sent: number[] = [];
    let unanswered = true;
    const committer: Committer = {
      commit(points: readonly OffsetPoint[], _: Generation, options: CommitOptions) {
        sent.push(points[0]!.offset);
        if (!unanswered) return Promise.resolve();
        options.onUnanswered?.();
        return Promise.reject(new TimeoutError('no answer', { afterMs: 1, sent: true }));
      },
    };
    const offsets = manager({ committer, commitIntervalMs: 1_000, onCommitFailed: () => undefined });
    const one = await manage(offsets);
    one.markNextOffset(1);
    await cluster.clock.advance(1_000);
    unanswered = false;
    one.markNextOffset(2);
    await cluster.clock.advance(60_000);
    expect(sent[0]).toBe(1);
    expect(sent.slice(1).every((offset) => offset === 2)).toBe(true);
    expect(sent.length).toBeGreaterThanOrEqual(29);
    expect(sent.length).toBeLessThanOrEqual(33);
    await run(offsets.close());
  });

  it('are repeated once more before a partition is released, while one without an answer may still arrive', async () => {
    const sent: number[] = [];
    const committer: Committer = {
      commit(points: readonly OffsetPoint[], _: Generation, options: CommitOptions) {
        sent.push(points[0]!.offset);
        if (sent.length === 1) options.onUnanswered?.();
        return Promise.resolve();
      },
    };
    const offsets = manager({ committer, autoCommit: false });
    const one = await manage(offsets);
    one.markNextOffset(1);
    await run(offsets.commit());
    await run(offsets.release(one.topic, one.partition));
    expect(sent).toEqual([1, 1]);
    await run(offsets.close());
  });

  it('are made as the member that is named', async () => {
    const seen: Generation[] = [];
    const committer: Committer = {
      commit: (_, generation) => {
        seen.push(generation);
        return Promise.resolve();
      },
    };
    const member = { memberId: 'm-1', generation: 3 };
    const offsets = manager({ committer, member });
    const one = await manage(offsets);
    one.markNextOffset(1);
    await run(offsets.commit());
    member.generation = 4;
    one.markNextOffset(2);
    await run(offsets.commit());
    expect(seen).toEqual([
      { groupId: 'g', memberId: 'm-1', generationId: 3, groupInstanceId: null },
      { groupId: 'g', memberId: 'm-1', generationId: 4, groupInstanceId: null },
    ]);
  });
});

describe('close', () => {
  it('commits what is marked, once, and ends the marking', async () => {
    const offsets = manager();
    const one = await manage(offsets);
    one.markNextOffset(8, 'last');
    await run(Promise.all([offsets.close(), offsets.close()]));
    expect(inLog()).toEqual([8, 'last']);
    expect(commits()).toBe(1);
    expect(one.markNextOffset(9)).toBe(false);
    expect(await rejection(offsets.manage('a', 1))).toBeInstanceOf(UsageError);
    await cluster.clock.advance(20_000);
    expect(commits()).toBe(1);
  });

  it('ends the looking up that is under way', async () => {
    cluster.box.fault({
      match: { api: 'OffsetFetch' },
      do: fault.error('UNSTABLE_OFFSET_COMMIT'),
      count: Infinity,
    });
    const offsets = manager({ isolationLevel: 'read_committed' });
    const managing = rejection(offsets.manage('a', 0));
    await cluster.clock.advance(5_000);
    await run(offsets.close());
    expect(await run(managing)).toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining('closed'),
    });
  });

  it('drops what is marked where nothing is committed by itself', async () => {
    const offsets = manager({ autoCommit: false, commitIntervalMs: 1_000 });
    const one = await manage(offsets);
    one.markNextOffset(4);
    await run(offsets.commit());
    one.markNextOffset(8);
    await cluster.clock.advance(10_000);
    await run(offsets.close());
    expect(inLog()).toEqual([4, '']);
  });

  it('repeats its commit as often as it may, and rejects with what is not in the log', async () => {
    cluster.box.fault({
      match: { api: 'OffsetCommit' },
      do: fault.error('COORDINATOR_LOAD_IN_PROGRESS'),
      count: Infinity,
    });
    const offsets = manager({ closeRetries: 3, commitTimeoutMs: 60_000 });
    (await manage(offsets)).markNextOffset(8);
    const error = await run(rejection<OffsetCommitError>(offsets.close()));
    expect(error.failed).toMatchObject([{ topic: 'a', partition: 0, offset: 8 }]);
    expect(commits()).toBe(4);
  });
});

describe('options', () => {
  it.each([
    [{ groupId: '' }, 'groupId'],
    [{ commitIntervalMs: 0 }, 'commitIntervalMs'],
    [{ commitTimeoutMs: 1.5 }, 'commitTimeoutMs'],
    [{ closeRetries: -1 }, 'closeRetries'],
  ])('%j is refused by name', (options, option) => {
    expect(() => manager(options)).toThrow(expect.objectContaining({ code: 'USAGE', option }));
  });
});
