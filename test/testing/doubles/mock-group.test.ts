// Each helper once as it holds and once as it does not, with the message it fails with.
import { describe, expect, it } from '@jest/globals';
import { expectTypeOf } from 'expect-type';
import { BrokerError } from '../../../src/errors.ts';
import {
  GroupConsumer,
  type GroupClaim,
  type GroupListener,
  type Kafka,
  type OpenGroupFunction,
  type RecordGroup,
} from '../../../src/core/index.ts';
import { MockGroup, VirtualClock } from '../../../src/testing/index.ts';

/** Code under test: settles what it gets, but for what it is to keep. */
class Service implements GroupListener {
  readonly seen: string[] = [];
  readonly told: string[] = [];
  readonly claims: GroupClaim[] = [];
  readonly group: RecordGroup;
  private readonly keeps: string;

  constructor(open: OpenGroupFunction, keeps = '') {
    this.keeps = keeps;
    this.group = open({ groupId: 'service', topics: ['orders'] }, this);
    this.group.start();
  }

  onClaim(claim: GroupClaim): void {
    this.claims.push(claim);
    claim.start({
      onRecord: (record, sequence) => {
        this.seen.push(
          `${claim.topic}-${claim.partition}/${claim.claimEpoch}@${record.offset} ${record.valueText}`,
        );
        if (record.valueText !== this.keeps) claim.settle(sequence);
      },
      onPressure: () => undefined,
      onEnd: () => undefined,
      onError: (error) => this.told.push(error.message),
      onRevoking: () => this.told.push('revoking'),
      onLost: ({ code, firstUnsettled }) => this.told.push(`${code} ${firstUnsettled}`),
    });
  }

  onRebalance({
    kind,
    partition,
    claimEpoch,
  }: {
    kind: string;
    partition: number;
    claimEpoch: number;
  }): void {
    this.told.push(`${kind} ${partition}/${claimEpoch}`);
  }

  onAssigned(): void {
    this.told.push('assigned');
  }

  onFailed(error: Error): void {
    this.told.push(`failed: ${error.message}`);
  }
}

const later = async (): Promise<void> => {
  for (let at = 0; at < 20; at++) await Promise.resolve();
};

async function failure(group: MockGroup): Promise<string | undefined> {
  try {
    await group.close();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

describe('MockGroup', () => {
  it('takes the place of a GroupConsumer', () => {
    const real =
      (kafka: Kafka): OpenGroupFunction =>
      (options, listener) =>
        new GroupConsumer(kafka.cluster, options, listener);
    expectTypeOf(real).returns.toEqualTypeOf<OpenGroupFunction>();
    expectTypeOf<GroupConsumer>().toExtend<RecordGroup>();
    expectTypeOf<MockGroup['open']>().toExtend<OpenGroupFunction>();
  });

  it('expectClaim: given out at the start, read, committed, drained', async () => {
    const group = new MockGroup();
    const orders = group.expectClaim('orders', 0, { offset: 5, metadata: 'm' }).expectSettledOnClose();
    group.expectClaim('orders', 1);
    orders.yieldRecord({ value: 'a' });
    const service = new Service(group.open);
    await later();
    expect(service.told).toEqual(['claimed 0/1', 'claimed 1/1', 'assigned']);
    expect(service.seen).toEqual(['orders-0/1@5 a']);
    expect(service.claims[0]).toMatchObject({ startOffset: 5, startMetadata: 'm', dead: false });
    expect([group.committed(orders), service.group.generation, service.group.claims.length]).toEqual([
      undefined,
      1,
      2,
    ]);
    await service.group.commit();
    expect(group.committed(orders)).toBe(6);
    orders.yieldRecord({ value: 'b' });
    await later();
    const summary = await service.group.drain(1_000);
    expect(summary).toMatchObject({ unsettled: 0, committed: true });
    expect(group.committed(orders)).toBe(7);
    expect(service.told.slice(3)).toEqual(['revoking', 'revoking', 'released 0/1', 'released 1/1']);
    expect(await failure(group)).toBeUndefined();
  });

  it('close: no member, one that was not started, a second one', async () => {
    const none = new MockGroup();
    none.expectClaim('orders', 0);
    expect(() => none.expectClaim('orders', 0)).toThrow('orders-0 is expected already');
    expect(await failure(none)).toBe('MockGroup: not all was as expected\n  no member was made');
    const idle = new MockGroup();
    idle.open({ groupId: 'g', topics: ['orders'] }, {} as GroupListener);
    expect(() => idle.open({ groupId: 'g', topics: ['orders'] }, {} as GroupListener)).toThrow(
      'a second member was made',
    );
    expect(() => new MockGroup().open({ groupId: '', topics: [] }, {} as GroupListener)).toThrow('groupId');
    expect(await failure(idle)).toBe(
      'MockGroup: not all was as expected\n  a second member was made\n  the member was not started',
    );
  });

  it('expectSettledOnClose: what the code keeps is named', async () => {
    const group = new MockGroup();
    group
      .expectClaim('orders', 0)
      .expectSettledOnClose()
      .yieldRecord({ value: 'a' })
      .yieldRecord({ value: 'b' });
    new Service(group.open, 'b');
    await later();
    expect(await failure(group)).toBe(
      'MockGroup: not all was as expected\n  orders-0: 1 records are not settled, the first at offset 1',
    );
  });

  it('revoke: drained and committed, or lost when it takes too long', async () => {
    const clock = new VirtualClock();
    const group = new MockGroup({ clock });
    const quick = group.expectClaim('orders', 0).yieldRecord({ value: 'a' });
    const slow = group.expectClaim('orders', 1).yieldRecord({ value: 'keep' });
    const service = new Service(group.open, 'keep');
    await later();
    await group.revoke(quick);
    expect(group.committed(quick)).toBe(1);
    const revoking = group.revoke(slow);
    await clock.run(revoking);
    expect(clock.now()).toBe(30_000);
    expect(group.committed(slow)).toBeUndefined();
    expect(service.told.slice(3)).toEqual([
      'revoking',
      'released 0/1',
      'revoking',
      'CLAIM_LOST 0',
      'lost 1/1',
    ]);
    expect(() => group.revoke(slow)).toThrow('MockGroup: orders-1 is not claimed');
    expect(service.claims[1]).toMatchObject({ dead: true });
    service.claims[1]!.settle(0);
    expect(slow.lateSettles).toBe(1);
    await clock.run(group.close());
  });

  it('lose: dead at once, and nothing is committed', async () => {
    const group = new MockGroup();
    const orders = group.expectClaim('orders', 0).yieldRecord({ value: 'a' });
    const service = new Service(group.open);
    await later();
    group.lose(orders, 'the session is over');
    expect(service.told.slice(2)).toEqual(['CLAIM_LOST 1', 'lost 0/1']);
    expect((service.claims[0]!.lost.reason as Error).message).toMatch(/the session is over/);
    orders.yieldRecord({ value: 'b' });
    await service.group.drain(0);
    expect([group.committed(orders), service.seen.length]).toEqual([undefined, 1]);
    expect(() => group.lose(orders)).toThrow('orders-0 is not claimed');
    expect(() => group.committed(new MockGroup().expectClaim('x', 0))).toThrow('not a partition');
    await group.close();
  });

  it('fail: every claim is lost, and the code is told', async () => {
    const group = new MockGroup();
    const fenced = new BrokerError('FENCED_INSTANCE_ID', 'fenced', { retriable: false });
    expect(() => group.fail(fenced)).toThrow('no member was started');
    group.expectClaim('orders', 0);
    const service = new Service(group.open);
    await later();
    group.fail(fenced);
    expect(service.told.slice(2)).toEqual(['CLAIM_LOST 0', 'lost 0/1', 'failed: fenced']);
    await group.close();
  });

  it('lets the code rewind: what was not settled comes again in a new claim', async () => {
    const clock = new VirtualClock();
    const group = new MockGroup({ clock });
    group.expectClaim('orders', 0).yieldRecord({ value: 'a' }).yieldRecord({ value: 'keep' });
    const service = new Service(group.open, 'keep');
    await later();
    await clock.advance(50);
    expect(service.claims[0]!.oldestUnsettledAgeMs()).toBe(50);
    expect(service.claims[0]!.inFlightBytes).toBeGreaterThan(0);
    service.claims[0]!.rewind(100);
    await clock.advance(200);
    expect(service.seen).toEqual(['orders-0/1@0 a', 'orders-0/1@1 keep', 'orders-0/2@1 keep']);
    service.claims[1]!.settle(2);
    const summary = clock.run(service.group.abort(new Error('enough')));
    expect((await summary).partitions).toMatchObject([{ claimEpoch: 2, commitPoint: 2 }]);
    await clock.run(group.close());
  });
});
