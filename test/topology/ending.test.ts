// How a run ends: drained, aborted, failed, refused.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { from, interval, mergeAll } from 'rxjs';
import { delay } from '../../src/core/clock.ts';
import { fromIterable, fromObservable, text, topology, type Flow, type Sluice } from '../../src/index.ts';
import { batch, eachClaim, fanOut, filter, map, mapAsync, merge, tap } from '../../src/operators/index.ts';
import { fault } from '../../src/testing/broker/faults/fault.ts';
import { rejection } from '../helpers/rejection.ts';
import { SimulatedCluster } from './simulated-cluster.ts';

let sim: SimulatedCluster;

beforeEach(async () => {
  sim = await SimulatedCluster.start({ in: 2, other: 1, out: 1 });
});

afterEach(() => sim.close());

const never = (): Promise<never> => new Promise(() => undefined);

describe('draining', () => {
  it('flushes what batches hold, writes, commits and leaves', async () => {
    await sim.sendNumbers('in', 7);
    let seen = 0;
    const running = topology('held', ({ fromGroup, toTopic }) =>
      fromGroup({ groupId: 'g', topics: ['in'], value: text() }).pipe(
        tap(() => seen++),
        batch({ maxRecords: 100, withinMs: 600_000 }),
        toTopic('out', (records) => ({ value: records.map(({ value }) => value).join('') })),
      ),
    ).start(sim.kafka());
    await sim.until(() => seen === 7, running);
    expect(await sim.values('out')).toEqual([]);
    expect(await sim.clock.run(running.drain())).toEqual({ recordsIn: 7, recordsOut: 1, unsettled: 0 });
    expect(await sim.values('out')).toEqual(['0123456']);
    expect(sim.committed('g', 'in')).toBe(7);
    expect(sim.box.group('g')).toMatchObject({ state: 'Empty', members: [] });
  });

  it('waits no longer than it is told to, and counts what it leaves', async () => {
    await sim.sendNumbers('in', 3);
    let called = 0;
    const running = topology('slow', ({ fromGroup }) =>
      fromGroup({ groupId: 'g', topics: ['in'], value: text() }).pipe(
        mapAsync(
          ({ value }) => {
            called++;
            return value === '0' ? Promise.resolve(value) : never();
          },
          { concurrency: 9, order: 'input' },
        ),
      ),
    ).start(sim.kafka());
    await sim.until(() => called === 3, running);
    const before = sim.clock.now();
    expect(await sim.clock.run(running.drain(1_500))).toEqual({ recordsIn: 3, recordsOut: 0, unsettled: 2 });
    expect(sim.clock.now() - before).toBeGreaterThanOrEqual(1_500);
    expect(sim.clock.now() - before).toBeLessThan(3_000);
    expect(sim.committed('g', 'in')).toBe(1);
    expect(sim.box.group('g')).toMatchObject({ members: [] });
  });

  it('is one, however often it is asked for', async () => {
    const running = topology('twice', ({ fromGroup }) => fromGroup({ groupId: 'g', topics: ['in'] })).start(
      sim.kafka(),
    );
    await sim.clock.run(running.ready);
    const all = await sim.clock.run(Promise.all([running.drain(), running.drain(), running.done]));
    expect(new Set(all).size).toBe(1);
    expect(await running.abort()).toBe(all[0]);
  });

  it('ends a run that has not joined yet', async () => {
    sim.box.fault({ match: { api: 'JoinGroup' }, do: fault.dropRequest, count: Infinity });
    const running = topology('early', ({ fromGroup }) => fromGroup({ groupId: 'g', topics: ['in'] })).start(
      sim.kafka(),
    );
    await sim.clock.advance(1_000);
    expect(await sim.clock.run(running.drain(), 30_000)).toEqual({
      recordsIn: 0,
      recordsOut: 0,
      unsettled: 0,
    });
  });
});

describe('aborting', () => {
  it('waits for nothing, commits what was settled before, and tells the calls under way', async () => {
    await sim.sendNumbers('in', 5);
    const aborted: unknown[] = [];
    let called = 0;
    const running = topology('stopped', ({ fromGroup }) =>
      fromGroup({ groupId: 'g', topics: ['in'], value: text(), commitIntervalMs: 600_000 }).pipe(
        mapAsync(
          ({ value }, { signal }) => {
            called++;
            if (Number(value) < 2) return Promise.resolve(value);
            signal.addEventListener('abort', () => aborted.push(value));
            return never();
          },
          { concurrency: 9, order: 'none' },
        ),
      ),
    ).start(sim.kafka());
    await sim.until(() => called === 5, running);
    await sim.clock.settle();
    const before = sim.clock.now();
    expect(await sim.clock.run(running.abort('enough'))).toEqual({
      recordsIn: 5,
      recordsOut: 0,
      unsettled: 3,
    });
    expect(sim.clock.now() - before).toBeLessThan(100);
    expect(aborted).toEqual(['2', '3', '4']);
    expect(sim.committed('g', 'in')).toBe(2);
  });

  it('cuts a drain short', async () => {
    await sim.sendNumbers('in', 1);
    let called = 0;
    const running = topology('stuck', ({ fromGroup }) =>
      fromGroup({ groupId: 'g', topics: ['in'] }).pipe(
        mapAsync(
          () => {
            called++;
            return never();
          },
          { concurrency: 1, order: 'input' },
        ),
      ),
    ).start(sim.kafka());
    await sim.until(() => called === 1, running);
    const draining = running.drain();
    await sim.clock.advance(2_000);
    const before = sim.clock.now();
    void running.abort();
    expect(await sim.clock.run(draining)).toMatchObject({ unsettled: 1 });
    expect(sim.clock.now() - before).toBeLessThan(100);
  });
});

describe('a drain that a stage asks for', () => {
  const numbers = ['0', '1', '2', '3', '4', '5'];
  const sources: Record<string, (sluice: Sluice) => Flow<string>> = {
    fromIterable: () => fromIterable(numbers),
    fromObservable: () =>
      fromObservable(from(Promise.resolve(numbers)).pipe(mergeAll()), { overflow: 'error', capacity: 10 }),
    fromGroup: ({ fromGroup }) =>
      fromGroup({ groupId: 'g', topics: ['in'], value: text() }).pipe(map(({ value }) => value)),
    fromPartitions: ({ fromPartitions }) =>
      fromPartitions({ topic: 'in', from: 'earliest', value: text() }).pipe(map(({ value }) => value)),
    'lanes of fromGroup': ({ fromGroup }) =>
      fromGroup({ groupId: 'g', topics: ['in'], value: text() }).pipe(
        eachClaim((claim) => claim.pipe(map(({ value }) => value))),
      ),
    'lanes of fromPartitions': ({ fromPartitions }) =>
      fromPartitions({ topic: 'in', from: 'earliest', value: text() }).pipe(
        eachClaim((claim) =>
          claim.pipe(
            map(({ value }) => value),
            filter((value) => stop(value)),
          ),
        ),
      ),
  };
  let stop: (value: string) => boolean;

  it.each(Object.keys(sources))('comes behind the record that the stage has: %s', async (name) => {
    await sim.sendNumbers('in', 6);
    const seen: string[] = [];
    stop = (value) => {
      if (value === '3') void running.drain();
      return true;
    };
    const running = topology('until', (sluice) =>
      sources[name]!(sluice).pipe(
        filter((value) => stop(value)),
        tap((value) => seen.push(value)),
      ),
    ).start(sim.kafka());
    expect(await sim.clock.run(running.done)).toEqual({ recordsIn: 4, recordsOut: 0, unsettled: 0 });
    expect(seen).toEqual(['0', '1', '2', '3']);
    if (name.includes('fromGroup')) expect(sim.committed('g', 'in')).toBe(4);
  });

  it('by a failure lets the other branches have their share', async () => {
    await sim.sendNumbers('in', 6);
    const seen: string[] = [];
    const running = topology('branches', ({ fromPartitions }) =>
      fromPartitions({ topic: 'in', from: 'earliest', value: text() }).pipe(
        eachClaim((claim) =>
          claim.pipe(
            fanOut(
              map(({ value }) => {
                if (value === '3') throw new Error('three');
              }),
              (all) => all.pipe(tap(({ value }) => seen.push(value))),
            ),
          ),
        ),
      ),
    ).start(sim.kafka());
    expect(await sim.clock.run(rejection(running.done))).toMatchObject({ cause: new Error('three') });
    expect(seen).toEqual(['0', '1', '2', '3']);
  });
});

describe('a failure that no policy took', () => {
  it('drains what other claims and sources have on their way, commits it, and rejects', async () => {
    await sim.sendNumbers('in', 4, 0);
    await sim.sendNumbers('in', 3, 1);
    await sim.sendNumbers('other', 3);
    let slow = 0;
    const running = topology('failing', ({ fromGroup, toTopic }) => [
      fromGroup({ groupId: 'g', topics: ['in'], value: text() }).pipe(
        mapAsync(
          async (record) => {
            if (record.partition === 1 || record.value !== '2') return record;
            await delay(sim.clock, 1_000);
            throw new Error('two');
          },
          { name: 'check', concurrency: 9, order: 'input' },
        ),
        toTopic('out', ({ partition, value }) => ({ value: `${partition}:${value}` })),
      ),
      fromGroup({ groupId: 'h', topics: ['other'] }).pipe(
        mapAsync(
          async () => {
            slow++;
            await delay(sim.clock, 4_000);
          },
          { concurrency: 9, order: 'none' },
        ),
      ),
    ]).start(sim.kafka());
    const error = await sim.clock.run(rejection(running.done));
    expect(slow).toBe(3);
    expect(error).toMatchObject({
      code: 'STAGE_FAILED',
      stage: 'check',
      cause: new Error('two'),
      message: expect.stringContaining('in-0 offset 2') as unknown,
    });
    expect(sim.committed('h', 'other')).toBe(3);
    expect(sim.committed('g', 'in', 0)).toBe(2);
    expect(sim.committed('g', 'in', 1)).toBe(3);
    for (const group of ['g', 'h']) expect(sim.box.group(group)).toMatchObject({ members: [] });
    expect((await rejection(running.drain())) === error).toBe(true);
  });

  it('of a second stage meanwhile changes nothing; the first one is told', async () => {
    await sim.sendNumbers('in', 2);
    const run = topology('two', ({ fromGroup }) =>
      fromGroup({ groupId: 'g', topics: ['in'], value: text() }).pipe(
        map(({ value }) => {
          throw new Error(value);
        }),
      ),
    ).run(sim.kafka(), { signals: false });
    expect(await rejection(sim.clock.run(run))).toMatchObject({ cause: new Error('0') });
    expect(sim.committed('g', 'in') ?? 0).toBe(0);
  });

  it('may be the group itself: ready and done reject alike', async () => {
    const running = topology('nowhere', ({ fromGroup }) =>
      fromGroup({ groupId: 'g', topics: ['missing'] }),
    ).start(sim.kafka());
    const [ready, done] = await sim.clock.run(
      Promise.all([rejection(running.ready), rejection(running.done)]),
    );
    expect(done).toMatchObject({ code: 'BROKER_ERROR', errorName: 'UNKNOWN_TOPIC_OR_PARTITION' });
    expect(ready === done).toBe(true);
  });
});

describe('what cannot run', () => {
  const listeners = () => process.listenerCount('SIGTERM') + process.listenerCount('SIGINT');

  it('is refused: nothing, a plain Observable, a source subscribed twice; and leaves no trace', async () => {
    const before = listeners();
    const kafka = sim.kafka();
    for (const built of [undefined, null, [], [undefined], interval(1), 'flow']) {
      expect(await rejection(topology('wrong', () => built as never).run(kafka))).toMatchObject({
        code: 'USAGE',
        message: expect.stringContaining("topology 'wrong'") as unknown,
      });
      expect(() => topology('wrong', () => built as never).start(kafka)).toThrow(/topology 'wrong'/);
    }
    const twice = topology('twice', ({ fromGroup }) => {
      const records = fromGroup({ groupId: 'g', topics: ['in'] });
      return merge(records.pipe(map(({ offset }) => offset)), records.pipe(map(({ key }) => key)));
    });
    expect(await rejection(sim.clock.run(twice.run(kafka)))).toMatchObject({
      code: 'USAGE',
      message: expect.stringMatching(/fromGroup 'g' is subscribed a second time.*fanOut/) as unknown,
    });
    expect(listeners()).toBe(before);
  });

  it('also is a builder that throws', async () => {
    const before = listeners();
    const broken = topology('broken', () => {
      throw new Error('in the builder');
    });
    expect(await rejection(broken.run(sim.kafka()))).toEqual(new Error('in the builder'));
    expect(listeners()).toBe(before);
  });
});

describe('a run', () => {
  it('can follow another of the same topology, and goes on where that one stopped', async () => {
    const seen: string[] = [];
    const counted = topology('again', ({ fromGroup }) =>
      fromGroup({ groupId: 'g', topics: ['in'], value: text() }).pipe(tap(({ value }) => seen.push(value))),
    );
    for (const round of [1, 2]) {
      await sim.sendNumbers('in', 2);
      const running = counted.start(sim.kafka());
      await sim.until(() => seen.length === 2 * round, running);
      expect(await sim.clock.run(running.drain())).toMatchObject({ recordsIn: 2 });
    }
    expect(seen).toEqual(['0', '1', '0', '1']);
  });

  it('removes its signal listeners when it is over', async () => {
    const before = process.listenerCount('SIGTERM');
    const run = topology('short', ({ toTopic }) =>
      fromIterable(['x']).pipe(toTopic('out', (value) => ({ value }))),
    ).run(sim.kafka());
    expect(process.listenerCount('SIGTERM')).toBe(before + 1);
    await sim.clock.run(run);
    expect(process.listenerCount('SIGTERM')).toBe(before);
  });
});
