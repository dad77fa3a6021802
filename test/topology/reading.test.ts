// What a topology can read: several groups, topics by pattern and by format, partitions from here to there.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { json, nullable, text, topology } from '../../src/index.ts';
import { eachClaim, map, merge, tap } from '../../src/operators/index.ts';
import type { Sluice } from '../../src/index.ts';
import { rejection } from '../helpers/rejection.ts';
import { SimulatedCluster } from './simulated-cluster.ts';

let sim: SimulatedCluster;

beforeEach(async () => {
  sim = await SimulatedCluster.start({ orders: 2, refunds: 1, 'log-a': 1, 'log-b': 1, log: 1, out: 1 });
});

afterEach(() => sim.close());

describe('groups', () => {
  it('merge into one flow, each with its own commits', async () => {
    await sim.sendNumbers('orders', 3);
    await sim.sendNumbers('refunds', 2);
    const seen: string[] = [];
    const running = topology('both', ({ fromGroup, toTopic }) =>
      merge(
        fromGroup({ groupId: 'g', topics: ['orders'], value: text() }),
        fromGroup({ groupId: 'h', topics: ['refunds'], value: text() }),
      ).pipe(
        map(({ topic, value }) => `${topic} ${value}`),
        toTopic('out', (value) => ({ value })),
        tap((value) => seen.push(value)),
      ),
    ).start(sim.kafka());
    await sim.clock.run(running.ready);
    await sim.until(() => seen.length === 5, running);
    expect(await sim.clock.run(running.drain())).toEqual({ recordsIn: 5, recordsOut: 5, unsettled: 0 });
    expect([...seen].sort()).toEqual(['orders 0', 'orders 1', 'orders 2', 'refunds 0', 'refunds 1']);
    expect([sim.committed('g', 'orders'), sim.committed('h', 'refunds')]).toEqual([3, 2]);
    expect(sim.committed('g', 'refunds')).toBeUndefined();
  });

  it('follow a pattern, topics that come later included', async () => {
    await sim.sendNumbers('log-a', 1);
    await sim.sendNumbers('log', 1);
    const seen: string[] = [];
    const running = topology('pattern', ({ fromGroup }) =>
      fromGroup({ groupId: 'g', topics: /^log-/, value: text() }).pipe(
        tap(({ topic, value }) => seen.push(`${topic} ${value}`)),
      ),
    ).start(sim.kafka());
    await sim.until(() => seen.length === 1, running);
    sim.box.createTopic('log-c', 1);
    await sim.sendNumbers('log-c', 1);
    await sim.sendNumbers('log-b', 1);
    await sim.until(() => seen.length === 3, running);
    await sim.clock.run(running.drain());
    expect([...seen].sort()).toEqual(['log-a 0', 'log-b 0', 'log-c 0']);
    expect(sim.committed('g', 'log')).toBeUndefined();
    expect(sim.committed('g', 'log-c')).toBe(1);
  });

  it('read each topic by its own formats, told apart by the name', async () => {
    await sim.send('orders', [{ key: 'k', value: '{"total":3}' }]);
    await sim.send('refunds', [
      { key: Buffer.from([0xff]), value: 'text' },
      { key: null, value: null },
    ]);
    const seen: unknown[] = [];
    const formats = {
      orders: { key: text(), value: json(z.object({ total: z.number() })) },
      refunds: { value: nullable(text()) },
    };
    const running = topology('formats', ({ fromGroup }) =>
      fromGroup({ groupId: 'g', topics: formats }).pipe(
        tap((record) => {
          if (record.topic === 'orders') seen.push([record.key.toUpperCase(), record.value.total + 1]);
          else seen.push([record.key, record.value?.length]);
        }),
      ),
    ).start(sim.kafka());
    await sim.until(() => seen.length === 3, running);
    await sim.clock.run(running.drain());
    expect(seen).toHaveLength(3);
    expect(seen).toContainEqual(['K', 4]);
    expect(seen).toContainEqual([Buffer.from([0xff]), 4]);
    expect(seen).toContainEqual([null, undefined]);
  });

  it('need a name and a topic', () => {
    const kafka = sim.kafka();
    const group = (options: object) =>
      topology('g', ({ fromGroup }) => fromGroup(options as { groupId: string; topics: string[] })).start(
        kafka,
      );
    expect(() => group({ groupId: '', topics: ['orders'] })).toThrow(/'groupId'/);
    expect(() => group({ groupId: 'g', topics: [] })).toThrow(/names no topic/);
    expect(() => group({ groupId: 'g', topics: {} })).toThrow(/names no topic/);
    expect(() => group({ groupId: 'g' })).toThrow(/'topics'/);
  });
});

describe('partitions', () => {
  type From = Parameters<Sluice['fromPartitions']>[0];

  async function read(options: Omit<From, 'topic' | 'value'>): Promise<string[]> {
    const seen: string[] = [];
    const run = topology('partitions', ({ fromPartitions }) =>
      fromPartitions({ topic: 'orders', value: text(), ...options }).pipe(
        tap(({ partition, value }) => seen.push(`${partition}:${value}`)),
      ),
    ).run(sim.kafka(), { signals: false });
    const { recordsIn, unsettled } = await sim.clock.run(run);
    expect([recordsIn, unsettled]).toEqual([seen.length, 0]);
    return seen.sort();
  }

  const numbers = (partition: number, from: number, to: number): string[] =>
    Array.from({ length: to - from }, (_, at) => `${partition}:${from + at}`);

  const stamped = (count: number, partition: number) =>
    Array.from({ length: count }, (_, at) => ({
      value: String(at),
      partition,
      timestamp: 1_700_000_000_000 + at * 1_000,
    }));

  beforeEach(async () => {
    await sim.send('orders', stamped(6, 0));
    await sim.send('orders', stamped(3, 1));
  });

  it('are read from the beginning to the end of now, all or some', async () => {
    expect(await read({ from: 'earliest', until: 'end' })).toEqual([
      ...numbers(0, 0, 6),
      ...numbers(1, 0, 3),
    ]);
    expect(await read({ from: 'earliest', to: 'latest', partitions: [1] })).toEqual(numbers(1, 0, 3));
    expect(await read({ from: 'latest', until: 'end' })).toEqual([]);
  });

  it('are read between offsets, the end excluded', async () => {
    expect(await read({ from: 2, to: 5, partitions: [0] })).toEqual(numbers(0, 2, 5));
    expect(await read({ from: 4, to: 4, partitions: [0] })).toEqual([]);
  });

  it('are read between times', async () => {
    const timestamp = (seconds: number) => ({ timestamp: 1_700_000_000_000 + seconds * 1_000 });
    expect(await read({ from: timestamp(1.5), until: 'end' })).toEqual([
      ...numbers(0, 2, 6),
      ...numbers(1, 2, 3),
    ]);
    expect(await read({ from: timestamp(1), to: timestamp(4) })).toEqual([
      ...numbers(0, 1, 4),
      ...numbers(1, 1, 3),
    ]);
  });

  it('are read from where a group stands, which learns nothing of it', async () => {
    const seen: string[] = [];
    const group = topology('group', ({ fromGroup }) =>
      fromGroup({ groupId: 'g', topics: ['orders'], value: text() }).pipe(
        tap(({ value }) => seen.push(value)),
      ),
    ).start(sim.kafka());
    await sim.until(() => seen.length === 9, group);
    await sim.clock.run(group.drain());
    await sim.send('orders', [{ value: '6', partition: 0 }]);
    expect(await read({ from: { committedBy: 'g' }, until: 'end' })).toEqual(['0:6']);
    expect(await read({ from: { committedBy: 'g' }, to: 'earliest' })).toEqual([]);
    expect([sim.committed('g', 'orders', 0), sim.committed('g', 'orders', 1)]).toEqual([6, 3]);
  });

  it('go on without an end until they are drained, and start over in lanes of their own', async () => {
    const seen: string[] = [];
    const running = topology('endless', ({ fromPartitions }) =>
      fromPartitions({ topic: 'orders', from: 'latest', value: text() }).pipe(
        eachClaim((claim) => claim.pipe(tap(({ value }) => seen.push(`${claim.partition}:${value}`)))),
      ),
    ).start(sim.kafka());
    await sim.clock.run(running.ready);
    await sim.send('orders', [
      { value: 'x', partition: 0 },
      { value: 'y', partition: 1 },
    ]);
    await sim.until(() => seen.length === 2, running);
    expect(await sim.clock.run(running.drain())).toEqual({ recordsIn: 2, recordsOut: 0, unsettled: 0 });
    expect([...seen].sort()).toEqual(['0:x', '1:y']);
  });

  it('that are not there are refused', async () => {
    const run = (options: object) =>
      rejection(
        sim.clock.run(
          topology('p', ({ fromPartitions }) => fromPartitions({ from: 'earliest', ...options } as From)).run(
            sim.kafka(),
            { signals: false },
          ),
        ),
      );
    expect(await run({ topic: 'missing' })).toMatchObject({ errorName: 'UNKNOWN_TOPIC_OR_PARTITION' });
    expect((await run({ topic: 'orders', partitions: [7] })).message).toMatch(/7/);
    expect(await run({ topic: '' })).toMatchObject({ code: 'USAGE', option: 'topic' });
  });
});

describe('two sources of one client', () => {
  it('do not wait for each other: one that is idle does not delay one that is busy', async () => {
    await sim.sendNumbers('orders', 1);
    const seenAt: number[] = [];
    const running = topology('neighbours', ({ fromGroup, fromPartitions }) =>
      merge(
        fromGroup({ groupId: 'g', topics: ['orders'], value: text() }).pipe(
          tap(() => seenAt.push(sim.clock.now())),
        ),
        fromGroup({ groupId: 'h', topics: ['refunds'], value: text() }),
        fromPartitions({ topic: 'log', from: 'earliest', value: text() }),
      ),
    ).start(sim.kafka());
    await sim.until(() => seenAt.length === 1, running);
    await sim.clock.advance(3_000);
    const producer = sim.kafka().producer();
    for (let sent = 1; sent <= 10; sent++) {
      await sim.clock.advance(37);
      const sentAt = sim.clock.now();
      await sim.clock.run(producer.sendAsync('orders', { value: 'now', partition: 0 }));
      await sim.until(() => seenAt.length > sent, running);
      // Latencies of the network, not the long poll of 500 ms of an idle neighbour.
      expect(seenAt.at(-1)! - sentAt).toBeLessThan(20);
    }
    await sim.clock.run(producer.close());
    await sim.clock.run(running.drain());
  });
});
