// A member over a kafkajs whose group, fetches and failures are what the test says, in virtual time.
import { describe, expect, it } from '@jest/globals';
import type { GroupClaim } from '../../src/core/group/claim.ts';
import type { RecordGroup } from '../../src/core/group/record-group.ts';
import type { GroupConsumerOptions } from '../../src/core/group/options.ts';
import { KafkajsStreamClient } from '../../src/kafkajs/index.ts';
import { BrokerError, OffsetRangeError, type KafkaError } from '../../src/errors.ts';
import { VirtualClock } from '../../src/testing/simulation/virtual-clock.ts';
import { FakeKafkajs, protocolError } from './fake-kafkajs.ts';

class Member {
  readonly kafkajs = new FakeKafkajs();
  readonly clock = new VirtualClock();
  readonly group: RecordGroup;
  readonly claims: GroupClaim[] = [];
  readonly told: string[] = [];
  /** Offsets handed over and not settled, with what settles them. */
  readonly inFlight = new Map<number, () => void>();
  failure: KafkaError | undefined;
  brokenBy: KafkaError | undefined;
  settlesAtOnce = true;

  constructor(options: Partial<GroupConsumerOptions> = {}) {
    const client = new KafkajsStreamClient(this.kafkajs.client, {}, this.clock);
    this.group = client.openGroup(
      { groupId: 'g', topics: ['in'], ...options },
      {
        onClaim: (claim) => this.read(claim),
        onRebalance: ({ kind, partition }) => this.told.push(`${kind} ${partition}`),
        onFailed: (error) => (this.failure = error),
      },
    );
    this.group.start();
  }

  async joined(partitions: readonly number[] = [0]): Promise<this> {
    await this.pass();
    this.kafkajs.join(partitions);
    await this.pass();
    this.kafkajs.passSeeks();
    return this;
  }

  /** Lets run what is due, and time pass. */
  pass(ms = 0): Promise<void> {
    return this.clock.advance(ms);
  }

  get claim(): GroupClaim {
    return this.claims.at(-1)!;
  }

  private read(claim: GroupClaim): void {
    this.claims.push(claim);
    claim.start({
      onRecord: (record, sequence) => {
        if (this.settlesAtOnce) claim.settle(sequence);
        else
          this.inFlight.set(record.offset, () => {
            this.inFlight.delete(record.offset);
            claim.settle(sequence);
          });
      },
      onPressure: () => undefined,
      onRevoking: () => undefined,
      onLost: () => undefined,
      onEnd: () => undefined,
      onError: (error) => (this.brokenBy = error),
    });
  }
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, at) => from + at);

describe('a member over kafkajs', () => {
  it('starts at the commit with its metadata, else at the earliest, and has kafkajs go there', async () => {
    const m = new Member();
    m.kafkajs.committed = [
      { partition: 0, offset: '7', metadata: 'seven' },
      { partition: 1, offset: '-1', metadata: null },
    ];
    m.kafkajs.ends = { low: '3', high: '100' };
    await m.joined([0, 1]);
    expect(m.kafkajs.seeks).toEqual([
      { topic: 'in', partition: 0, offset: '7' },
      { topic: 'in', partition: 1, offset: '3' },
    ]);
    expect(m.claims.map(({ startOffset, startMetadata }) => [startOffset, startMetadata])).toEqual([
      [7, 'seven'],
      [3, ''],
    ]);
    expect(m.told).toEqual(['claimed 0', 'claimed 1']);
  });

  it.each([
    ['latest', '100'],
    [{ timestamp: 5 }, '42'],
  ] as const)('a start at %j is committed before anything is handed over', async (from, offset) => {
    const m = await new Member({ from }).joined();
    expect(m.kafkajs.commits).toEqual([{ topic: 'in', partition: 0, offset, metadata: '' }]);
    expect(m.claim.startOffset).toBe(Number(offset));
  });

  it('commits the commit point only, with its metadata, over what kafkajs passed over', async () => {
    const m = await new Member().joined();
    m.settlesAtOnce = false;
    m.claim.commitMetadata = 'marks';
    await Promise.all([m.kafkajs.fetch(0, range(0, 10)), m.pass(1)]);
    expect([...m.inFlight.keys()]).toEqual(range(0, 10));
    for (const at of [0, 1, 2, 5]) m.inFlight.get(at)!();
    await Promise.all([m.group.commit(), m.pass(1)]);
    expect(m.kafkajs.commits.at(-1)).toMatchObject({ offset: '3', metadata: 'marks' });
    for (const settle of [...m.inFlight.values()]) settle();
    m.kafkajs.tell('end', { topic: 'in', partition: 0, batchSize: 0, firstOffset: '10', lastOffset: '11' });
    await m.pass(1);
    await Promise.all([m.group.commit(), m.pass(1)]);
    expect(m.kafkajs.commits.at(-1)).toMatchObject({ offset: '12' });
    expect(m.claim.lag).toBe(88);
  });

  it('drops what was fetched for an older position, and a fetch from elsewhere makes kafkajs go back', async () => {
    const m = await new Member().joined();
    await Promise.all([m.kafkajs.fetch(0, range(0, 5)), m.pass(1)]);
    const seeks = m.kafkajs.seeks.length;
    await Promise.all([m.kafkajs.fetch(20, range(20, 25)), m.pass(1)]);
    expect(m.claim.position).toBe(5);
    expect(m.kafkajs.seeks.slice(seeks)).toEqual([{ topic: 'in', partition: 0, offset: '5' }]);
    // Sought, and the same again: there is nothing for anybody in between.
    m.kafkajs.passSeeks();
    await Promise.all([m.kafkajs.fetch(20, range(20, 25)), m.pass(1)]);
    expect(m.claim.position).toBe(25);
  });

  it("a position that the log does not hold is the claim's error, by default", async () => {
    const m = await new Member().joined();
    m.kafkajs.ends = { low: '50', high: '100' };
    await Promise.all([m.kafkajs.fetch(50, range(50, 60)), m.pass(1)]);
    expect(m.brokenBy).toBeInstanceOf(OffsetRangeError);
    expect(m.brokenBy).toMatchObject({ offset: 0, earliest: 50, latest: 100 });
    const goesOn = await new Member({ outOfRange: 'earliest' }).joined();
    goesOn.kafkajs.ends = { low: '50', high: '100' };
    await Promise.all([goesOn.kafkajs.fetch(50, range(50, 60)), goesOn.pass(1)]);
    expect(goesOn.kafkajs.seeks.at(-1)).toMatchObject({ offset: '50' });
    expect(goesOn.claim.position).toBe(50);
  });

  it('puts the next join off until what is in flight is settled and committed, with heartbeats', async () => {
    const m = await new Member({ heartbeatIntervalMs: 100 }).joined();
    m.settlesAtOnce = false;
    await Promise.all([m.kafkajs.fetch(0, range(0, 3)), m.pass(1)]);
    m.kafkajs.heartbeatError = protocolError('REBALANCE_IN_PROGRESS', 27);
    m.kafkajs.tell('rebalancing');
    expect(() => m.kafkajs.askToJoin()).toThrow(/drained and committed first/);
    const beats = m.kafkajs.heartbeats;
    await m.pass(1_000);
    expect(m.kafkajs.heartbeats).toBeGreaterThan(beats + 5);
    expect(() => m.kafkajs.askToJoin()).toThrow(/drained and committed first/);
    for (const settle of [...m.inFlight.values()]) settle();
    await m.pass(1);
    expect(m.kafkajs.commits.at(-1)).toMatchObject({ offset: '3' });
    expect(m.told).toEqual(['claimed 0', 'released 0']);
    m.kafkajs.heartbeatError = undefined;
    m.kafkajs.committed = [{ partition: 0, offset: '3', metadata: '' }];
    m.kafkajs.join([0]);
    await m.pass(1);
    expect(m.claim).toMatchObject({ claimEpoch: 2, startOffset: 3, generation: 2 });
  });

  it('what is not settled in time is lost, and never committed', async () => {
    const m = await new Member({ drainTimeoutMs: 500 }).joined();
    m.settlesAtOnce = false;
    await Promise.all([m.kafkajs.fetch(0, range(0, 3)), m.pass(1)]);
    const late = [...m.inFlight.values()];
    m.kafkajs.tell('rebalancing');
    await m.pass(501);
    expect(m.told.at(-1)).toBe('lost 0');
    m.kafkajs.join([]);
    for (const settle of late) settle();
    await m.pass(10_000);
    expect(m.kafkajs.commits).toEqual([]);
  });

  it('commits nothing of an old generation, also when kafkajs joins without asking', async () => {
    const m = await new Member().joined();
    m.settlesAtOnce = false;
    await Promise.all([m.kafkajs.fetch(0, range(0, 3)), m.pass(1)]);
    const late = [...m.inFlight.values()];
    m.kafkajs.tell('join', { memberId: 'me', memberAssignment: { in: [1] } });
    await m.pass(1);
    expect(m.told).toEqual(['claimed 0', 'lost 0', 'claimed 1']);
    for (const settle of late) settle();
    await m.pass(20_000);
    expect(m.kafkajs.commits.filter(({ partition }) => partition === 0)).toEqual([]);
  });

  it('a commit that is refused for a generation that is gone ends the claims, and is not repeated', async () => {
    const m = await new Member().joined();
    m.kafkajs.commitError = protocolError('UNKNOWN_MEMBER_ID', 25);
    await Promise.all([m.kafkajs.fetch(0, range(0, 3)), m.pass(1)]);
    const refused = m.group.commit().catch((error: unknown) => error);
    await m.pass(1);
    expect(await refused).toMatchObject({ errorName: 'UNKNOWN_MEMBER_ID' });
    expect(m.claim.dead).toBe(true);
    expect(m.told.at(-1)).toBe('lost 0');
    m.kafkajs.commitError = undefined;
    await m.pass(10_000);
    expect(m.kafkajs.commits).toEqual([]);
  });

  it('the session ends by our own clock; where the group thinks otherwise the claims begin anew', async () => {
    const m = await new Member({ sessionTimeoutMs: 10_000 }).joined();
    await m.pass(10_001);
    expect(m.told).toEqual(['claimed 0', 'lost 0']);
    m.kafkajs.tell('heartbeat');
    await m.pass(1);
    expect(m.told.at(-1)).toBe('claimed 0');
    expect(m.claim.claimEpoch).toBe(2);
  });

  it('parks a partition that has no room, and goes on when it has', async () => {
    const m = await new Member({ credit: { records: 2 }, prefetchBytes: 50 }).joined();
    m.settlesAtOnce = false;
    const fetched = m.kafkajs.fetch(0, range(0, 20));
    await m.pass(1);
    expect(m.inFlight.size).toBe(2);
    expect(m.kafkajs.paused.size).toBe(0);
    await m.pass(100);
    await fetched;
    expect([...m.kafkajs.paused]).toEqual(['in-0']);
    m.settlesAtOnce = true;
    for (const settle of [...m.inFlight.values()]) settle();
    await m.pass(1);
    expect(m.kafkajs.paused.size).toBe(0);
    expect(m.claim.position).toBe(20);
  });

  it('a crash that kafkajs mends costs the claims; one that it does not ends the member', async () => {
    const m = await new Member().joined();
    m.kafkajs.tell('crash', { error: new Error('gone'), groupId: 'g', restart: true });
    expect(m.told).toEqual(['claimed 0', 'lost 0']);
    m.kafkajs.join([0]);
    await m.pass(1);
    expect(m.told.at(-1)).toBe('claimed 0');
    const cause = protocolError('GROUP_AUTHORIZATION_FAILED', 30);
    m.kafkajs.tell('crash', { error: cause, groupId: 'g', restart: false });
    await m.pass(1);
    expect(m.failure).toBeInstanceOf(BrokerError);
    expect(m.failure).toMatchObject({ errorName: 'GROUP_AUTHORIZATION_FAILED', cause });
    expect(m.kafkajs.disconnects).toBeGreaterThan(0);
  });

  it('rewinds in place: kafkajs goes back to the commit point, and the group sees nothing', async () => {
    const m = await new Member().joined();
    m.settlesAtOnce = false;
    await Promise.all([m.kafkajs.fetch(0, range(0, 5)), m.pass(1)]);
    m.inFlight.get(0)!();
    m.claim.rewind(100);
    await m.pass(101);
    expect(m.kafkajs.seeks.at(-1)).toMatchObject({ offset: '1' });
    expect(m.claim).toMatchObject({ claimEpoch: 2, startOffset: 1 });
    m.kafkajs.passSeeks();
    m.settlesAtOnce = true;
    await Promise.all([m.kafkajs.fetch(1, range(1, 5)), m.pass(1)]);
    expect(m.claim.position).toBe(5);
    expect(m.told).toEqual(['claimed 0']);
  });

  it('a drain waits for what is in flight, commits, and disconnects kafkajs', async () => {
    const m = await new Member().joined();
    m.settlesAtOnce = false;
    await Promise.all([m.kafkajs.fetch(0, range(0, 2)), m.pass(1)]);
    const drained = m.group.drain(1_000);
    await m.pass(10);
    expect(m.kafkajs.disconnects).toBe(0);
    for (const settle of [...m.inFlight.values()]) settle();
    await m.pass(1);
    expect(await drained).toMatchObject({ unsettled: 0, committed: true });
    expect(m.kafkajs.commits.at(-1)).toMatchObject({ offset: '2' });
    expect(m.kafkajs.disconnects).toBe(1);
  });
});
