import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { fault } from '../../../src/testing/broker/faults/fault.ts';
import type { BrokerError } from '../../../src/errors.ts';
import { UsageError } from '../../../src/errors.ts';
import { Simulation, type Member } from './harness.ts';

let sim: Simulation;

beforeEach(async () => {
  sim = await Simulation.start({ orders: 2 });
});

afterEach(async () => {
  await sim.close();
  expect(sim.box.internalErrors).toEqual([]);
});

const claimed = (member: Member, count: number): Promise<void> =>
  sim.clock.runUntil(() => member.open.length === count);
const read = (member: Member, count: number): Promise<void> =>
  sim.clock.runUntil(() => member.records.length === count);

describe('a member alone', () => {
  it('claims every partition, reads from the earliest offset and commits what it settled', async () => {
    await sim.produce('orders', 0, 5);
    await sim.produce('orders', 1, 3);
    const member = sim.member().start();
    await read(member, 8);
    expect(member.events.slice(0, 4)).toEqual([
      'claimed 0 epoch 1',
      'claim 0 epoch 1 at 0',
      'claimed 1 epoch 1',
      'claim 1 epoch 1 at 0',
    ]);
    expect([...member.consumer.assignment]).toEqual([['orders', [0, 1]]]);
    expect(member.consumer.generation).toBe(1);
    await sim.clock.advance(5_000);
    expect([sim.committed(0), sim.committed(1)]).toEqual([5, 3]);
  });

  it('drains: waits for what is in flight, commits it, leaves, and says how it stood', async () => {
    await sim.produce('orders', 0, 4);
    const member = sim.member().start();
    member.settles = false;
    await read(member, 4);
    const draining = member.consumer.drain(30_000);
    await sim.clock.advance(1_000);
    expect(member.events.slice(4)).toEqual(['revoking 0 aborted true', 'revoking 1 aborted true']);
    member.settleAll();
    const summary = await sim.clock.run(draining);
    expect(summary).toMatchObject({ unsettled: 0, held: 0, committed: true, error: undefined });
    expect(summary.partitions[0]).toMatchObject({ partition: 0, committedOffset: 4, commitPoint: 4 });
    expect(member.events.slice(6)).toEqual(['committed 0@4 1@0', 'released 0 epoch 1', 'released 1 epoch 1']);
    expect(sim.box.group('g')).toMatchObject({ state: 'Empty', members: [] });
    expect(await member.consumer.drain(1)).toBe(summary);
    expect(member.claims.every(({ dead, lost }) => dead && !lost.aborted)).toBe(true);
  });

  it('drains at the deadline too: the settled head is committed, the rest is counted', async () => {
    await sim.produce('orders', 0, 4);
    const member = sim.member().start();
    member.settles = false;
    await read(member, 4);
    for (const at of [0, 1, 3]) member.claim(0).settle(member.held[at]!.sequence);
    const from = sim.clock.now();
    const summary = await sim.clock.run(member.consumer.drain(10_000));
    expect(sim.clock.now() - from).toBeLessThan(10_100);
    expect(summary).toMatchObject({ unsettled: 1, committed: true });
    expect(summary.partitions[0]).toMatchObject({ committedOffset: 2, firstUnsettled: 2, lost: false });
    expect(sim.committed(0)).toBe(2);
    expect(member.lost).toHaveLength(1);
    expect(member.lost[0]).toMatchObject({ topic: 'orders', partition: 0, firstUnsettled: 2 });
    const { lateSettles } = member.claim(0);
    member.settleAll();
    await sim.clock.advance(10_000);
    expect(member.claim(0).lateSettles).toBeGreaterThan(lateSettles);
    expect(sim.committed(0)).toBe(2);
  });

  it('does not wait for what is held, and commits before it', async () => {
    await sim.produce('orders', 0, 4);
    const member = sim.member().start();
    member.onRecord = ({ claim, sequence, record }) =>
      record.offset === 1 ? claim.hold(sequence) : claim.settle(sequence);
    await read(member, 4);
    const from = sim.clock.now();
    const summary = await sim.clock.run(member.consumer.drain(30_000));
    expect(sim.clock.now() - from).toBeLessThan(1_000);
    expect(summary).toMatchObject({ unsettled: 0, held: 1, committed: true });
    expect(sim.committed(0)).toBe(1);
  });

  it('aborts: claims are lost at once, what was settled is committed, the group is left', async () => {
    await sim.produce('orders', 0, 4);
    const member = sim.member().start();
    member.settles = false;
    await read(member, 4);
    member.claim(0).settle(member.held[0]!.sequence);
    const summary = await sim.clock.run(member.consumer.abort(new Error('the test says so')));
    expect(summary).toMatchObject({ unsettled: 3 });
    expect(member.events.slice(4, 7)).toEqual([
      'lost claim 0 dead true aborted true',
      'lost 0 epoch 1',
      'lost claim 1 dead true aborted true',
    ]);
    expect(member.lost[0]!.message).toContain('the test says so');
    expect(sim.committed(0)).toBe(1);
    expect(sim.box.group('g')?.members).toEqual([]);
  });

  it('commits again after so many records, before the interval is over', async () => {
    await sim.produce('orders', 0, 60);
    const member = sim.member({ commitEveryRecords: 20, commitIntervalMs: 1_000_000 }).start();
    await read(member, 60);
    await sim.clock.advance(100);
    expect(sim.committed(0)).toBeGreaterThanOrEqual(40);
    await sim.clock.run(member.consumer.drain(1_000));
    expect(sim.committed(0)).toBe(60);
  });

  it('commits when it is told to, all claims in one request, and says when that fails', async () => {
    await sim.produce('orders', 0, 3);
    await sim.produce('orders', 1, 2);
    const member = sim.member().start();
    await read(member, 5);
    const before = sim.box.requests('OffsetCommit').length;
    await sim.clock.run(member.consumer.commit());
    expect([sim.committed(0), sim.committed(1)]).toEqual([3, 2]);
    expect(sim.box.requests('OffsetCommit')).toHaveLength(before + 1);
    await sim.clock.run(member.consumer.commit());
    expect(sim.box.requests('OffsetCommit')).toHaveLength(before + 1);

    sim.box.fault({
      match: { api: 'OffsetCommit' },
      do: fault.error('GROUP_AUTHORIZATION_FAILED'),
      count: 1,
    });
    await sim.produce('orders', 0, 1);
    await read(member, 6);
    const refused = await sim.clock.run(member.consumer.commit().catch((error: unknown) => error));
    expect(refused).toMatchObject({ errorName: 'GROUP_AUTHORIZATION_FAILED' });
    expect(sim.committed(0)).toBe(3);
  });

  it('never has two commits under way, and the next one covers all that moved meanwhile', async () => {
    await sim.produce('orders', 0, 50);
    const rule = sim.box.fault({ match: { api: 'OffsetCommit' }, do: fault.delay(2_000), count: Infinity });
    const member = sim.member({ commitEveryRecords: 1 }).start();
    member.settles = false;
    await read(member, 50);
    const from = sim.box.requests('OffsetCommit').length;
    for (const { claim, sequence } of member.held.splice(0)) {
      claim.settle(sequence);
      await sim.clock.advance(100);
    }
    await sim.clock.advance(5_000);
    rule.remove();
    const commits = sim.box.requests('OffsetCommit').slice(from);
    expect(commits.length).toBeGreaterThanOrEqual(3);
    expect(commits.length).toBeLessThanOrEqual(4);
    expect(sim.committed(0)).toBe(50);
  });

  it('carries the leader epoch and the metadata string of the commit point, and hands the latter to the next owner', async () => {
    await sim.produce('orders', 0, 3);
    const member = sim.member().start();
    await read(member, 3);
    member.claim(0).commitMetadata = 'closedUpTo=7';
    await sim.clock.run(member.consumer.drain(1_000));
    expect(sim.box.committed('g', 'orders', 0)).toMatchObject({ offset: 3, metadata: 'closedUpTo=7' });
    expect(member.commits.find(({ partition }) => partition === 0)!.leaderEpoch).toBeGreaterThanOrEqual(0);
    const next = sim.member().start();
    await claimed(next, 2);
    expect(next.claim(0)).toMatchObject({ startOffset: 3, startMetadata: 'closedUpTo=7' });
    await sim.clock.run(next.consumer.drain(0));
  });

  it('shows its oldest unsettled record', async () => {
    await sim.produce('orders', 0, 2);
    const member = sim.member().start();
    member.settles = false;
    await read(member, 2);
    member.claim(0).settle(member.held[0]!.sequence);
    await sim.clock.advance(7_000);
    expect(member.claim(0).firstUnsettled()).toBe(1);
    expect(member.claim(0).oldestUnsettledAgeMs()).toBeGreaterThanOrEqual(7_000);
    expect(member.claim(1).oldestUnsettledAgeMs()).toBe(0);
    expect(member.claim(0)).toMatchObject({ position: 2, lag: 0, unsettledRecords: 1, inFlightRecords: 1 });
  });

  it('commits the delivery position: not what was prefetched, and over nothing that was not handed over', async () => {
    await sim.produce('orders', 0, 100);
    const member = sim.member({ credit: { records: 10 } }).start();
    member.settles = false;
    await read(member, 10);
    await sim.clock.advance(20_000);
    expect(sim.committed(0) ?? 0).toBe(0);
    member.settleAll();
    await sim.clock.run(member.consumer.drain(0));
    expect(sim.committed(0)).toBe(10);
  });
});

describe('starts', () => {
  const startAt = async (from: 'latest' | { timestamp: number }): Promise<Member> => {
    const member = sim.member({ from }).start();
    await claimed(member, 2);
    return member;
  };

  it('at latest are committed before anything is emitted', async () => {
    await sim.produce('orders', 0, 5);
    const rule = sim.box.fault({ match: { api: 'OffsetCommit' }, do: fault.delay(3_000) });
    const member = sim.member({ from: 'latest' }).start();
    await sim.clock.run(rule.wait());
    await sim.clock.advance(2_000);
    expect(member.claims).toEqual([]);
    await claimed(member, 2);
    expect([sim.committed(0), sim.committed(1)]).toEqual([5, 0]);
    expect(member.records).toEqual([]);
    expect(member.events[0]).toBe('committed 0@5 1@0');
  });

  it('at latest are repeated when the commit fails, and nothing is emitted before', async () => {
    sim.box.fault({
      match: { api: 'OffsetCommit' },
      do: fault.error('COORDINATOR_LOAD_IN_PROGRESS'),
      count: 60,
    });
    const member = await startAt('latest');
    expect(sim.committed(0)).toBe(0);
    expect(member.events.filter((event) => event.startsWith('commit failed')).length).toBeGreaterThan(0);
  });

  it('at a timestamp', async () => {
    await sim.produce('orders', 0, 5);
    await sim.clock.advance(10_000);
    const timestamp = sim.clock.wallNow();
    await sim.produce('orders', 0, 2);
    const member = await startAt({ timestamp });
    expect(member.claim(0).startOffset).toBe(5);
    expect(sim.committed(0)).toBe(5);
  });

  it('of partitions that appear later are at the earliest offset, whatever `from` says', async () => {
    const member = sim.member({ from: 'latest', metadataMaxAgeMs: 2_000 }).start();
    await claimed(member, 2);
    sim.box.expandPartitions('orders', 3);
    await sim.produce('orders', 2, 4);
    await claimed(member, 3);
    expect(member.claim(2).startOffset).toBe(0);
    await read(member, 4);
  });

  it('of partitions that appeared while nobody was there are at the earliest offset too', async () => {
    const first = await startAt('latest');
    await sim.clock.run(first.consumer.drain(0));
    sim.box.expandPartitions('orders', 3);
    await sim.produce('orders', 2, 4);
    const second = sim.member({ from: 'latest' }).start();
    await claimed(second, 3);
    expect(second.claim(2).startOffset).toBe(0);
  });

  it('ask for all commits in one request', async () => {
    const member = sim.member().start();
    await claimed(member, 2);
    expect(sim.box.requests('OffsetFetch')).toHaveLength(1);
  });

  it('out of range fail by default, naming the range', async () => {
    await sim.produce('orders', 0, 3);
    const first = sim.member({ from: 'latest' }).start();
    await claimed(first, 2);
    await sim.clock.run(first.consumer.drain(0));
    sim.box.recreateTopic('orders');
    const second = sim.member({ from: 100 }).start();
    await claimed(second, 2);
    await sim.clock.advance(2_000);
    expect(second.events.filter((event) => event.startsWith('error')).length).toBe(2);
  });
});

describe('two members', () => {
  it('revoke in order: gate, flush, drain, commit with the generation still owned, release, then join', async () => {
    await sim.produce('orders', 0, 4);
    await sim.produce('orders', 1, 4);
    const generations: number[] = [];
    sim.box.fault({
      match: { api: 'OffsetCommit' },
      observe: ({ body }) =>
        generations.push((body as { generationIdOrMemberEpoch: number }).generationIdOrMemberEpoch),
    });
    const first = sim.member({ commitIntervalMs: 1_000_000 }).start();
    first.settles = false;
    await read(first, 8);
    const second = sim.member().start();
    await sim.clock.runUntil(() => first.events.includes('revoking 1 aborted true'));
    await sim.clock.advance(5_000);
    expect(second.claims).toEqual([]);
    await sim.produce('orders', 0, 1);
    await sim.clock.advance(2_000);
    expect(first.records).toHaveLength(8);
    const joinsBefore = sim.box.requests('JoinGroup').length;
    first.settleAll();
    await claimed(second, 1);
    expect(first.events.slice(4, 11)).toEqual([
      'revoking 0 aborted true',
      'revoking 1 aborted true',
      'committed 0@4 1@4',
      'released 0 epoch 1',
      'released 1 epoch 1',
      'claimed 0 epoch 2',
      'claim 0 epoch 2 at 4',
    ]);
    const commit = sim.box.requests('OffsetCommit').at(-1)!;
    const join = sim.box.requests('JoinGroup')[joinsBefore]!;
    expect(commit.atMs).toBeLessThanOrEqual(join.atMs);
    expect(second.claim(1).startOffset).toBe(4);
    expect(generations).toEqual([1]);
    await read(first, 9);
  });

  it('do not wait longer than the drain timeout: what is unsettled then is lost and not committed', async () => {
    await sim.produce('orders', 0, 4);
    await sim.produce('orders', 1, 4);
    const first = sim.member({ drainTimeoutMs: 10_000, commitIntervalMs: 1_000_000 }).start();
    first.settles = false;
    await read(first, 8);
    for (const { claim, sequence, record } of first.held) {
      if (claim.partition === 1 || record.offset < 2) claim.settle(sequence);
    }
    sim.box.fault({
      match: { api: 'OffsetCommit' },
      do: fault.error('COORDINATOR_LOAD_IN_PROGRESS'),
      count: 3,
    });
    const second = sim.member().start();
    await sim.clock.runUntil(() => first.events.includes('revoking 1 aborted true'));
    const from = sim.clock.now();
    const before = sim.committed(0) ?? 0;
    await claimed(second, 1);
    expect(sim.clock.now() - from).toBeGreaterThan(9_900);
    expect(first.lost).toHaveLength(1);
    expect(first.lost[0]).toMatchObject({ partition: 0, firstUnsettled: 2 });
    expect(first.events).toContain('lost 0 epoch 1');
    expect(first.events).toContain('released 1 epoch 1');
    expect(sim.committed(1)).toBe(4);
    expect(sim.committed(0) ?? 0).toBe(before);
    first.settleAll();
    expect(first.events.filter((event) => event.includes('failed'))).toEqual([]);
  });

  it('come and go 20 times: nothing is lost, nothing comes twice, commits never go back', async () => {
    const main = sim.member().start();
    const others: Member[] = [];
    const highest = new Map<number, number>();
    let produced = 0;
    for (let round = 0; round < 20; round += 1) {
      await sim.produce('orders', 0, 10);
      await sim.produce('orders', 1, 10);
      produced += 20;
      const other = sim.member().start();
      others.push(other);
      await claimed(other, 1);
      await sim.clock.advance(1_000 + round * 137);
      await sim.clock.run(other.consumer.drain(5_000));
      await claimed(main, 2);
      for (const partition of [0, 1]) {
        const offset = sim.committed(partition) ?? 0;
        expect(offset).toBeGreaterThanOrEqual(highest.get(partition) ?? 0);
        highest.set(partition, offset);
      }
    }
    await sim.clock.advance(5_000);
    await sim.clock.run(main.consumer.drain(5_000));
    const all = [main, ...others].flatMap((member) => member.records);
    expect(all).toHaveLength(produced);
    expect(new Set(all.map(({ partition, offset }) => `${partition}:${offset}`)).size).toBe(produced);
    expect([sim.committed(0), sim.committed(1)]).toEqual([200, 200]);
  });

  it('keep heartbeats at their interval and the generation constant while one of them stalls', async () => {
    await sim.produce('orders', 0, 40);
    const first = sim.member({ credit: { records: 5 } }).start();
    const second = sim.member().start();
    await claimed(first, 1);
    await claimed(second, 1);
    first.settles = false;
    const { generation } = first.consumer;
    const from = sim.box.requests('Heartbeat').length;
    await sim.clock.advance(60_000);
    expect(first.consumer.generation).toBe(generation);
    expect(sim.box.requests('Heartbeat').length - from).toBeGreaterThanOrEqual(38);
  });
});

describe('a claim that is lost', () => {
  it('when the member is fenced out: dead at once, never committed, read again by a new claim', async () => {
    await sim.produce('orders', 0, 4);
    const member = sim.member().start();
    member.settles = false;
    await read(member, 4);
    sim.box.fault({ match: { api: 'Heartbeat' }, do: fault.error('UNKNOWN_MEMBER_ID') });
    await sim.clock.runUntil(() => member.lost.length === 2);
    expect(member.lost[0]).toMatchObject({ code: 'CLAIM_LOST', partition: 0, firstUnsettled: 0 });
    const old = member.held.splice(0);
    for (const { claim, sequence } of old) claim.settle(sequence);
    expect(old[0]!.claim.dead).toBe(true);
    await sim.clock.runUntil(() => member.records.length === 8);
    expect(member.claim(0)).toMatchObject({ claimEpoch: 2, startOffset: 0, dead: false });
    await sim.clock.advance(20_000);
    expect(sim.committed(0) ?? 0).toBe(0);
    expect(old[0]!.claim.lateSettles).toBe(4);
  });

  it('when the process stood still for longer than the session: nothing of it is produced or committed', async () => {
    await sim.produce('orders', 0, 4);
    const member = sim.member().start();
    member.settles = false;
    await read(member, 4);
    const claim = member.claim(0);
    const { claimEpoch } = claim;
    const commits = sim.box.requests('OffsetCommit').length;
    const now = sim.clock.now.bind(sim.clock);
    sim.clock.now = () => now() + 50_000;
    expect(claim.dead).toBe(true);
    expect(claim.lost.aborted).toBe(true);
    member.settleAll();
    await sim.clock.advance(100);
    expect(sim.box.requests('OffsetCommit')).toHaveLength(commits);
    await sim.clock.runUntil(() => member.claim(0).claimEpoch > claimEpoch);
    expect(member.claim(0).startOffset).toBe(0);
  });

  it('when the commit is refused for an old generation', async () => {
    await sim.produce('orders', 0, 4);
    sim.box.fault({ match: { api: 'OffsetCommit' }, do: fault.error('ILLEGAL_GENERATION') });
    const member = sim.member().start();
    await read(member, 4);
    await sim.clock.runUntil(() => member.lost.length === 2);
    expect(member.events).toContain('commit failed: ILLEGAL_GENERATION');
    await sim.clock.runUntil(() => member.claims.length === 4);
    await sim.clock.advance(6_000);
    expect(sim.committed(0)).toBe(4);
  });

  it('with the whole group, when it is fenced by another member of its instance id', async () => {
    const first = sim.member({ groupInstanceId: 'one' }).start();
    await claimed(first, 2);
    const second = sim.member({ groupInstanceId: 'one' }).start();
    await sim.clock.runUntil(() => first.failure !== undefined);
    expect((first.failure as BrokerError).errorName).toBe('FENCED_INSTANCE_ID');
    expect(first.lost).toHaveLength(2);
    await claimed(second, 2);
  });
});

describe('rewind', () => {
  it('starts the partition over at its commit point with a new claim, and the group sees nothing', async () => {
    await sim.produce('orders', 0, 6);
    const member = sim.member().start();
    member.settles = false;
    await read(member, 6);
    const { claim } = member.held[0]!;
    for (const at of [0, 1, 4]) claim.settle(member.held[at]!.sequence);
    let answered = (): void => {};
    member.sent = new Promise((resolve) => (answered = resolve));
    const events = member.events.length;
    const { generation } = member.consumer;
    claim.rewind(500);
    expect(claim.dead).toBe(true);
    expect(claim.lost.aborted).toBe(true);
    await sim.clock.advance(5_000);
    expect(member.claims).toHaveLength(2);
    claim.settle(member.held[2]!.sequence);
    answered();
    const from = sim.clock.now();
    await sim.clock.runUntil(() => member.claims.length === 3);
    expect(sim.clock.now() - from).toBe(500);
    await sim.clock.runUntil(() => member.records.length === 9);
    expect(member.events.slice(events).filter((event) => !event.startsWith('committed'))).toEqual([
      'lost claim 0 dead true aborted true',
      'rewinding 0',
      'claim 0 epoch 2 at 3',
    ]);
    expect(member.records.slice(6).map(({ offset }) => offset)).toEqual([3, 4, 5]);
    expect(member.consumer.generation).toBe(generation);
    claim.settle(member.held[5]!.sequence);
    expect(member.claim(0).firstUnsettled()).toBe(3);
    expect(claim.lateSettles).toBe(1);
    claim.rewind(0);
    await sim.clock.advance(1_000);
    expect(member.claims).toHaveLength(3);
  });

  it('under way when the group rebalances: waits only for what was sent, commits, and gives the partition away', async () => {
    await sim.produce('orders', 0, 6);
    const member = sim.member().start();
    member.settles = false;
    await read(member, 6);
    const { claim } = member.held[0]!;
    claim.settle(member.held[0]!.sequence);
    claim.rewind(1_000_000);
    const from = sim.clock.now();
    const summary = await sim.clock.run(member.consumer.drain(30_000));
    expect(sim.clock.now() - from).toBeLessThan(1_000);
    expect(sim.committed(0)).toBe(1);
    expect(summary.partitions[0]).toMatchObject({ unsettled: 5, committedOffset: 1 });
    await sim.clock.advance(2_000_000);
    expect(member.claims).toHaveLength(2);
  });
});

describe('topics', () => {
  it('that grow are claimed after the next refresh', async () => {
    const member = sim.member({ metadataMaxAgeMs: 10_000 }).start();
    await claimed(member, 2);
    sim.box.expandPartitions('orders', 5);
    await sim.clock.runUntil(() => member.open.length === 5, 15_000);
    expect([...member.consumer.assignment]).toEqual([['orders', [0, 1, 2, 3, 4]]]);
  });

  it('that match a pattern are claimed, now and later', async () => {
    const member = sim.member({ topics: /^ord/g, metadataMaxAgeMs: 10_000 }).start();
    await claimed(member, 2);
    sim.box.createTopic('other', 1);
    sim.box.createTopic('ordinary', 1);
    await sim.clock.runUntil(() => member.open.length === 3, 15_000);
    expect(member.open.map(({ topic }) => topic).sort()).toEqual(['orders', 'orders', 'ordinary']);
  });

  it('that do not exist fail by name at the deadline', async () => {
    const member = sim.member({ topics: ['orders', 'ordres'] }).start();
    await sim.clock.runUntil(() => member.failure !== undefined);
    expect(member.failure).toMatchObject({ errorName: 'UNKNOWN_TOPIC_OR_PARTITION', topic: 'ordres' });
    expect(sim.box.group('g')?.members ?? []).toEqual([]);
  });
});

describe('the coordinator', () => {
  it('that moves is found again, and nothing is lost', async () => {
    await sim.close();
    sim = await Simulation.start({ orders: 2 }, 3);
    await sim.produce('orders', 0, 5);
    const member = sim.member().start();
    await read(member, 5);
    sim.box.rehashCoordinators();
    await sim.clock.advance(20_000);
    expect(member.lost).toEqual([]);
    expect(member.consumer.generation).toBe(1);
    await sim.clock.run(member.consumer.drain(1_000));
    expect(sim.committed(0)).toBe(5);
  });

  it('whose answers are lost is asked again', async () => {
    await sim.produce('orders', 0, 5);
    for (const api of ['JoinGroup', 'SyncGroup', 'OffsetFetch', 'OffsetCommit', 'Heartbeat']) {
      sim.box.fault({ match: { api }, do: fault.close });
    }
    const member = sim.member().start();
    await read(member, 5);
    const summary = await sim.clock.run(member.consumer.drain(1_000));
    expect(summary.committed).toBe(true);
    expect(sim.committed(0)).toBe(5);
  });
});

describe('options', () => {
  const refused = (options: object): unknown => {
    try {
      sim.member(options);
    } catch (error) {
      return error;
    }
    return undefined;
  };

  it('are checked, and the option at fault is named', () => {
    expect(refused({ drainTimeoutMs: 52_000 })).toMatchObject({
      code: 'USAGE',
      option: 'rebalanceTimeoutMs',
    });
    expect(refused({ drainTimeoutMs: 51_999 })).toBeUndefined();
    expect(refused({ heartbeatIntervalMs: 45_000 })).toMatchObject({ option: 'heartbeatIntervalMs' });
    expect(refused({ groupId: '' })).toMatchObject({ option: 'groupId' });
    expect(refused({ topics: [] })).toMatchObject({ option: 'topics' });
    expect(refused({ topics: ['a', ''] })).toMatchObject({ option: 'topics' });
    expect(refused({ groupInstanceId: 'a b' })).toMatchObject({ option: 'groupInstanceId' });
    expect(refused({ sessionTimeoutMs: 1.5 })).toMatchObject({ option: 'sessionTimeoutMs' });
    expect(refused({ commitIntervalMs: 0 })).toMatchObject({ option: 'commitIntervalMs' });
  });

  it('leave a consumer to be used once', async () => {
    const member = sim.member().start();
    expect(() => member.start()).toThrow(UsageError);
    await sim.clock.run(member.consumer.drain(0));
    const other = sim.member();
    const summary = await sim.clock.run(other.consumer.drain(0));
    expect(summary).toMatchObject({ partitions: [], committed: true });
    expect(() => other.start()).toThrow(UsageError);
  });
});
