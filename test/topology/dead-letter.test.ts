// The dead letter policy of a stage: whose records it writes, what it says of them, and when they are settled.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { fromIterable, text, topology } from '../../src/index.ts';
import { batch, flatMap, map, mapAsync, retry, rewind, tap } from '../../src/operators/index.ts';
import { fault } from '../../src/testing/broker/faults/fault.ts';
import type { DumpedRecord } from '../../src/testing/broker/inspect.ts';
import { rejection } from '../helpers/rejection.ts';
import { SimulatedCluster } from './simulated-cluster.ts';

let sim: SimulatedCluster;

beforeEach(async () => {
  sim = await SimulatedCluster.start({ in: 1, dead: 1 });
});

afterEach(() => sim.close());

const headerOf = ({ headers }: DumpedRecord, name: string): string | undefined =>
  headers.find(([one]) => one === `__streams.errors.${name}`)?.[1]?.toString();

const offsets = (letters: readonly DumpedRecord[]) => letters.map((letter) => headerOf(letter, 'offset'));

describe('deadLetter', () => {
  it('writes the original bytes, headers and time, and tells where they are from and what failed (KIP-1034)', async () => {
    const value = Buffer.from([0, 255, 7]);
    const headers: [string, string | null][] = [
      ['h', '1'],
      ['h', null],
    ];
    await sim.send('in', [{ value: 'first' }, { key: 'k', value, headers, timestamp: 1_600_000_000_000 }]);
    const running = topology('t', ({ fromGroup, deadLetter }) =>
      fromGroup({ groupId: 'g', topics: ['in'], value: text() }).pipe(
        map((record) => record.value.length),
        map(
          (length) => {
            if (length === 3) throw new RangeError('three');
            return length;
          },
          { onError: deadLetter('dead') },
        ),
      ),
    ).start(sim.kafka());
    await sim.until(() => sim.box.partition('dead', 0).highWatermark === 1, running);
    expect(await sim.clock.run(running.drain())).toEqual({ recordsIn: 2, recordsOut: 1, unsettled: 0 });
    const [letter] = await sim.records('dead');
    expect(letter).toMatchObject({ timestamp: 1_600_000_000_000, key: Buffer.from('k'), value });
    expect(letter!.headers.slice(0, 2)).toEqual([
      ['h', Buffer.from('1')],
      ['h', null],
    ]);
    expect(letter!.headers.slice(2).map(([name]) => name)).toEqual([
      ...['exception', 'message', 'stacktrace', 'topic', 'partition', 'offset'].map(
        (name) => `__streams.errors.${name}`,
      ),
      ...['stage', 'attempts', 'retries', 'failed-at'].map((name) => `__sluice.errors.${name}`),
    ]);
    expect(headerOf(letter!, 'exception')).toBe('RangeError');
    expect(headerOf(letter!, 'message')).toBe('three');
    expect(headerOf(letter!, 'stacktrace')).toMatch(/RangeError: three\n +at /);
    expect(['topic', 'partition', 'offset'].map((name) => headerOf(letter!, name))).toEqual(['in', '0', '1']);
    expect(sim.committed('g', 'in')).toBe(2);
  });

  it('writes one letter for each record of a batch, and one for a record however many of its values fail', async () => {
    await sim.sendNumbers('in', 3);
    const running = topology('t', ({ fromGroup, deadLetter }) =>
      fromGroup({ groupId: 'g', topics: ['in'], value: text() }).pipe(
        flatMap(({ value }) => [value, value]),
        batch({ maxRecords: 6, withinMs: 100 }),
        tap(
          () => {
            throw new Error('all six');
          },
          { onError: deadLetter('dead') },
        ),
      ),
    ).start(sim.kafka());
    await sim.until(() => sim.box.partition('dead', 0).highWatermark === 3, running);
    expect(await sim.clock.run(running.drain())).toMatchObject({ unsettled: 0 });
    expect(offsets(await sim.records('dead'))).toEqual(['0', '1', '2']);
    expect(sim.committed('g', 'in')).toBe(3);
  });

  it('comes after the retries', async () => {
    await sim.sendNumbers('in', 1);
    let tries = 0;
    const running = topology('t', ({ fromGroup, deadLetter }) =>
      fromGroup({ groupId: 'g', topics: ['in'] }).pipe(
        mapAsync(
          async () => {
            throw new Error(`try ${++tries}`);
          },
          { concurrency: 1, order: 'input', onError: retry({ attempts: 3 }, deadLetter('dead')) },
        ),
      ),
    ).start(sim.kafka());
    await sim.until(() => sim.box.partition('dead', 0).highWatermark === 1, running);
    await sim.clock.run(running.drain());
    expect((await sim.records('dead')).map((letter) => headerOf(letter, 'message'))).toEqual(['try 3']);
    expect(sim.committed('g', 'in')).toBe(1);
  });

  it('settles the record only when the letter is in the log', async () => {
    await sim.sendNumbers('in', 1);
    sim.box.leaderless('dead', 0);
    const running = topology('t', ({ fromGroup, deadLetter }) =>
      fromGroup({ groupId: 'g', topics: ['in'], commitIntervalMs: 100 }).pipe(
        map(
          () => {
            throw new Error('dead');
          },
          { onError: deadLetter('dead') },
        ),
      ),
    ).start(sim.kafka());
    await sim.clock.run(running.ready);
    await sim.clock.advance(5_000);
    expect(sim.committed('g', 'in') ?? 0).toBe(0);
    sim.box.moveLeader('dead', 0, 0);
    await sim.until(() => sim.committed('g', 'in') === 1, running);
    expect(await sim.clock.run(running.drain())).toMatchObject({ recordsOut: 1, unsettled: 0 });
  });

  it('that cannot be written is a failure with both causes, and the record stays uncommitted', async () => {
    await sim.sendNumbers('in', 1);
    const failing = (topic: string) =>
      topology('t', ({ fromGroup, deadLetter }) =>
        fromGroup({ groupId: 'g', topics: ['in'] }).pipe(
          map(
            () => {
              throw new Error('on purpose');
            },
            { onError: deadLetter(topic) },
          ),
        ),
      ).run(sim.kafka(), { signals: false });
    const error = await sim.clock.run(rejection<AggregateError>(failing('missing')));
    expect(error.errors).toMatchObject([
      { code: 'STAGE_FAILED', cause: { message: 'on purpose' } },
      { code: 'BROKER_ERROR' },
    ]);
    expect(sim.committed('g', 'in') ?? 0).toBe(0);
  });

  it('of a plain value, which has no record, is a failure', async () => {
    const run = topology('t', ({ deadLetter }) =>
      fromIterable([1]).pipe(
        map(
          () => {
            throw new Error('on purpose');
          },
          { onError: deadLetter('dead') },
        ),
      ),
    ).run(sim.kafka(), { signals: false });
    expect(await rejection(sim.clock.run(run))).toMatchObject({ code: 'STAGE_FAILED' });
    expect(await sim.records('dead')).toEqual([]);
  });

  it('is withdrawn with its claim, whose next epoch writes it', async () => {
    await sim.sendNumbers('in', 2);
    let rewound = false;
    // The letter waits for its topic while the claim starts over.
    sim.box.fault({ match: { api: 'Metadata', topic: 'dead' }, do: fault.delay(2_000), count: 1 });
    const running = topology('t', ({ fromGroup, deadLetter }) =>
      fromGroup({ groupId: 'g', topics: ['in'], value: text() }).pipe(
        map(
          ({ value }) => {
            if (value === '0') throw new Error('bury me');
            return value;
          },
          { onError: deadLetter('dead') },
        ),
        tap(
          () => {
            if (rewound) return;
            rewound = true;
            throw new Error('once more');
          },
          { onError: rewind({ attempts: 3, minDelayMs: 10 }) },
        ),
      ),
    ).start(sim.kafka());
    await sim.until(() => sim.committed('g', 'in') === 2, running);
    await sim.clock.run(running.drain());
    expect(offsets(await sim.records('dead'))).toEqual(['0']);
  });
});
