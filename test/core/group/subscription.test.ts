import { describe, expect, it } from '@jest/globals';
import { Subscription } from '../../../src/core/group/subscription.ts';
import { FakeCluster } from './fake-cluster.ts';

describe('a subscription', () => {
  it('that was stopped stays so: a join that ends later watches nothing any more', () => {
    const cluster = new FakeCluster();
    const subscription = new Subscription(
      cluster,
      { topics: ['t'], excludeTopics: undefined },
      1_000,
      () => undefined,
    );
    subscription.watch(undefined);
    expect(cluster.clock.pendingTimers).toBe(1);
    subscription.stop();
    expect(cluster.clock.pendingTimers).toBe(0);
    subscription.watch({ partitionCounts: new Map([['t', 1]]), racks: new Map() });
    expect(cluster.clock.pendingTimers).toBe(0);
  });
});
