// What a topology tells on its channel.
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { map, tap, text, topology } from '../../src/index.ts';
import { RecordedEvents } from '../core/events/recorded-events.ts';
import { SimulatedCluster } from './simulated-cluster.ts';

let cluster: SimulatedCluster;
let events: RecordedEvents;

beforeEach(async () => {
  cluster = await SimulatedCluster.start({ orders: 1 });
  events = new RecordedEvents();
});

afterEach(async () => {
  events.close();
  await cluster.close();
});

const options = { groupId: 'g', topics: ['orders'], value: text() };

describe('a run of a topology', () => {
  it('tells its beginning, its drain and its sums', async () => {
    await cluster.sendNumbers('orders', 3);
    let seen = 0;
    const running = topology('shop', ({ fromGroup }) =>
      fromGroup(options).pipe(tap(() => (seen += 1))),
    ).start(cluster.kafka());
    await cluster.until(() => seen === 3, running);
    await cluster.clock.run(running.drain());
    expect(events.of('sluice:topology')).toEqual([
      { topology: 'shop', kind: 'started' },
      { topology: 'shop', kind: 'draining' },
      {
        topology: 'shop',
        kind: 'ended',
        recordsIn: 3,
        recordsOut: 0,
        unsettled: 0,
        isFailed: false,
        durationMs: expect.any(Number),
      },
    ]);
  });

  it('tells of a failure what it was and where, and not what it happened to', async () => {
    await cluster.send('orders', [{ value: 'what nobody is to read' }]);
    const running = topology('shop', ({ fromGroup }) =>
      fromGroup(options).pipe(
        map(
          (): never => {
            throw new TypeError('no price');
          },
          { name: 'price' },
        ),
      ),
    ).start(cluster.kafka());
    await expect(cluster.clock.run(running.done)).rejects.toThrow('no price');
    expect(events.kinds('sluice:topology')).toEqual(['started', 'failed', 'draining', 'ended']);
    expect(events.of('sluice:topology')[1]).toEqual({
      topology: 'shop',
      kind: 'failed',
      failure: {
        name: 'StageError',
        code: 'STAGE_FAILED',
        stage: 'price',
        message: expect.stringContaining('no price'),
      },
    });
    const text = inspect(events.all, { depth: Infinity, showHidden: true });
    expect(text).not.toContain('what nobody is to read');
  });
});
