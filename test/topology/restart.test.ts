// A topology that is begun again after a failure: when, how often, and what ends it.
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import diagnosticsChannel from 'node:diagnostics_channel';
import { StageError, text, topology, UsageError, type Restart } from '../../src/index.ts';
import { map } from '../../src/operators/index.ts';
import { systemClock, type Clock } from '../../src/core/clock.ts';
import { isFatal, RestartPolicy } from '../../src/topology/restart-policy.ts';
import type { RestartOptions } from '../../src/topology/types.ts';
import {
  AuthenticationError,
  BrokerError,
  ConnectionError,
  TransactionFatalError,
} from '../../src/errors.ts';
import { rejection } from '../helpers/rejection.ts';
import { SimulatedCluster } from './simulated-cluster.ts';

let warnings: jest.SpiedFunction<typeof process.emitWarning>;

beforeEach(() => {
  warnings = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
});

afterEach(() => warnings.mockRestore());

const boom = new Error('boom');

describe('the waits', () => {
  function waits(
    options: RestartOptions,
    ranMs: readonly number[],
    random = () => 0,
  ): (number | undefined)[] {
    let now = 0;
    const clock: Clock = { ...systemClock, now: () => now };
    const policy = new RestartPolicy(options, clock, random);
    return ranMs.map((ms) => {
      policy.began();
      now += ms;
      return policy.next(boom)?.delayMs;
    });
  }

  it('double from the shortest to the longest', () => {
    expect(waits({ minDelayMs: 100, maxDelayMs: 500, jitter: 0 }, [0, 0, 0, 0, 0])).toEqual([
      100, 200, 400, 500, 500,
    ]);
  });

  it('are shortened by chance, by up to the share that is left to it', () => {
    expect(waits({ minDelayMs: 1_000, jitter: 0.5 }, [0], () => 0.5)).toEqual([750]);
    expect(waits({ minDelayMs: 1_000, jitter: 1 }, [0], () => 0.999)[0]).toBeCloseTo(1);
  });

  it('begin again after a run that was healthy', () => {
    const options = { minDelayMs: 100, maxDelayMs: 10_000, jitter: 0, healthyAfterMs: 5_000 };
    expect(waits(options, [0, 0, 4_999, 5_000, 0])).toEqual([100, 200, 400, 100, 200]);
  });

  it('end when there were too many within the time, and only then', () => {
    const options = { minDelayMs: 0, maxDelayMs: 0, maxRestarts: 2, withinMs: 10_000 };
    expect(waits(options, [0, 0, 0])).toEqual([0, 0, undefined]);
    expect(waits(options, [6_000, 6_000, 6_000, 6_000])).toEqual([0, 0, 0, 0]);
    expect(waits({ maxRestarts: 0 }, [0])).toEqual([undefined]);
  });

  it.each<[RestartOptions, string]>([
    [{ minDelayMs: -1 }, 'restart.minDelayMs'],
    [{ minDelayMs: 100, maxDelayMs: 50 }, 'restart.maxDelayMs'],
    [{ jitter: 2 }, 'restart.jitter'],
    [{ maxRestarts: 1.5 }, 'restart.maxRestarts'],
    [{ withinMs: 0 }, 'restart.withinMs'],
    [{ healthyAfterMs: -1 }, 'restart.healthyAfterMs'],
    [{ onRestart: 1 as never }, 'restart'],
  ])('%j makes no sense', (options, option) => {
    expect(() => waits(options, [])).toThrow(expect.objectContaining({ code: 'USAGE', option }));
  });
});

describe('a failure is fatal', () => {
  const broker = (name: string): BrokerError => new BrokerError(name, name, { retriable: false });
  const at = { host: 'h', port: 1, phase: 'auth' as const };
  it.each<[unknown, boolean]>([
    [new UsageError('no'), true],
    [new TransactionFatalError('PRODUCER_FENCED', 'no', { retriable: false }), true],
    [broker('GROUP_AUTHORIZATION_FAILED'), true],
    [broker('TOPIC_AUTHORIZATION_FAILED'), true],
    [broker('FENCED_INSTANCE_ID'), true],
    [broker('UNKNOWN_TOPIC_OR_PARTITION'), false],
    [broker('REQUEST_TIMED_OUT'), false],
    [new AuthenticationError('no', { ...at, retriable: false }), true],
    [new AuthenticationError('no token', { ...at, retriable: true }), false],
    [new ConnectionError('gone', at), false],
    [new AggregateError([boom, new UsageError('no')]), true],
    [boom, false],
    [undefined, false],
  ])('%s: %s', (cause, fatal) => {
    expect(isFatal(cause)).toBe(fatal);
  });
});

describe('a topology with restart', () => {
  let sim: SimulatedCluster;
  let failures = 0;
  const heard: (Restart & { readonly topology: string })[] = [];
  const hear = (message: unknown): void => void heard.push(message as (typeof heard)[number]);

  beforeEach(async () => {
    sim = await SimulatedCluster.start({ in: 1, out: 1 });
    heard.length = 0;
    diagnosticsChannel.subscribe('sluice:topology-restart', hear);
  });

  afterEach(async () => {
    diagnosticsChannel.unsubscribe('sluice:topology-restart', hear);
    await sim.close();
  });

  const copy = topology('copy', ({ fromGroup, toTopic }) =>
    fromGroup({ groupId: 'g', topics: ['in'], value: text() }).pipe(
      map((record) => {
        if (record.value === '2' && failures-- > 0) throw boom;
        return record.value;
      }),
      toTopic('out', (value) => ({ value })),
    ),
  );

  it('goes on where it was committed, tells each restart, and sums up', async () => {
    failures = 3;
    await sim.sendNumbers('in', 5);
    const told: Restart[] = [];
    const running = copy.start(sim.kafka(), {
      restart: { minDelayMs: 1_000, jitter: 0, onRestart: (restart) => told.push(restart) },
    });
    await sim.clock.run(running.ready);
    await sim.until(() => sim.committed('g', 'in') === 5, running);
    expect(await sim.clock.run(running.drain())).toEqual({
      recordsIn: expect.any(Number) as unknown as number,
      recordsOut: 5,
      unsettled: 0,
      restarts: 3,
    });
    expect(await sim.values('out')).toEqual(['0', '1', '2', '3', '4']);
    expect(told.map(({ restart, inARow, delayMs }) => [restart, inARow, delayMs])).toEqual([
      [1, 1, 1_000],
      [2, 2, 2_000],
      [3, 3, 4_000],
    ]);
    expect(told[0]!.cause).toBeInstanceOf(StageError);
    expect(heard.map(({ topology: name, restart }) => [name, restart])).toEqual([
      ['copy', 1],
      ['copy', 2],
      ['copy', 3],
    ]);
    expect(String(warnings.mock.calls[0]![0])).toMatch(/topology 'copy' failed and begins again in 1000 ms/);
  });

  it('fails with the last failure when there were too many', async () => {
    failures = Infinity;
    await sim.sendNumbers('in', 5);
    const run = copy.run(sim.kafka(), {
      signals: false,
      restart: { minDelayMs: 10, maxDelayMs: 10, maxRestarts: 2 },
    });
    const error = await sim.clock.run(rejection(run));
    expect(error).toMatchObject({ code: 'STAGE_FAILED', offset: 2 });
    expect(heard).toHaveLength(2);
    expect(sim.committed('g', 'in')).toBe(2);
  });

  it('is not restarted for what no restart mends, nor for what the user calls fatal', async () => {
    failures = Infinity;
    await sim.sendNumbers('in', 5);
    const own = { minDelayMs: 10, isFatal: (cause: unknown) => (cause as StageError).cause === boom };
    expect(
      await sim.clock.run(rejection(copy.run(sim.kafka(), { signals: false, restart: own }))),
    ).toMatchObject({ code: 'STAGE_FAILED' });
    const wrong = topology('wrong', () => 'no flow' as never);
    await expect(wrong.run(sim.kafka(), { signals: false, restart: {} })).rejects.toThrow(UsageError);
    expect(heard).toEqual([]);
  });

  it.each(['drain', 'abort'] as const)('heeds %s while it waits', async (how) => {
    failures = Infinity;
    await sim.sendNumbers('in', 5);
    const running = copy.start(sim.kafka(), {
      restart: { minDelayMs: 60_000, maxDelayMs: 60_000, jitter: 0 },
    });
    await sim.clock.runUntil(() => heard.length === 1);
    const before = sim.clock.now();
    expect(await sim.clock.run(rejection(running[how]()))).toMatchObject({ code: 'STAGE_FAILED' });
    expect(sim.clock.now() - before).toBeLessThan(1_000);
    await sim.clock.advance(120_000);
    expect(heard).toHaveLength(1);
    expect(await rejection(running.ready.then(() => running.done))).toMatchObject({ code: 'STAGE_FAILED' });
  });

  it('drains a run that is well', async () => {
    failures = 0;
    await sim.sendNumbers('in', 3);
    const running = copy.start(sim.kafka(), { restart: {} });
    await sim.until(() => sim.box.partition('out', 0).highWatermark === 3, running);
    expect(await sim.clock.run(running.drain())).toMatchObject({ recordsOut: 3, restarts: 0 });
  });

  it('ends with both failures when its onRestart throws', async () => {
    failures = Infinity;
    await sim.sendNumbers('in', 3);
    const thrown = new Error('no pager');
    const run = copy.run(sim.kafka(), {
      signals: false,
      restart: {
        onRestart: () => {
          throw thrown;
        },
      },
    });
    expect(await sim.clock.run(rejection<AggregateError>(run))).toMatchObject({
      errors: [{ code: 'STAGE_FAILED' }, thrown],
    });
  });
});
