// When a topology counts as started.
import { describe, expect, it } from '@jest/globals';
import { tap } from '../../src/operators/index.ts';
import { topology } from '../../src/index.ts';
import { Simulation } from '../core/group/harness.ts';

describe('the ready of a topology', () => {
  it('resolves when the group is joined, also for a member that gets no partition', async () => {
    const sim = await Simulation.start({ orders: 1 });
    const claimed: number[] = [];
    const members = [0, 1].map((member) =>
      topology('ready', ({ fromGroup }) => {
        const claims = fromGroup({ groupId: 'g', topics: ['orders'] });
        claims.rebalances.subscribe(({ kind }) => {
          if (kind === 'claimed') claimed.push(member);
        });
        return claims.pipe(tap(() => undefined));
      }).start(sim.client()),
    );
    await sim.clock.run(Promise.all(members.map(({ ready }) => ready)));
    expect(claimed.length).toBeGreaterThan(0);
    const summaries = await sim.clock.run(Promise.all(members.map((running) => running.drain())));
    expect(summaries.map(({ unsettled }) => unsettled)).toEqual([0, 0]);
    await sim.close();
  });
});
