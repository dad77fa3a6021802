// What goes wrong in a topology under test comes up where the test awaits, in words.
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { delay as rxDelay, timer } from 'rxjs';
import {
  batch,
  fail,
  map,
  mapAsync,
  passing,
  perRecord,
  retry,
  StageError,
  tap,
  text,
  topology,
  type ConsumerRecord,
  type Flow,
  type Topology,
} from '../../../src/index.ts';
import { createFlow } from '../../../src/flow/flow.ts';
import { testTopology, VirtualClock } from '../../../src/testing/index.ts';

type Words = Flow<ConsumerRecord<Buffer | null, string>>;

/** `in` through stages to nowhere. */
const through = (stages: (words: Words) => Flow<unknown>): Topology =>
  topology('words', ({ fromGroup }) => stages(fromGroup({ groupId: 'g', topics: ['in'], value: text() })));

const inOrder = { concurrency: 2, order: 'input' } as const;
const forever = (): Promise<never> => new Promise<never>(() => undefined);
const seconds = (startedAt: number): number => (performance.now() - startedAt) / 1_000;

let warnings: jest.SpiedFunction<typeof process.emitWarning>;

beforeEach(() => {
  warnings = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
});

afterEach(() => warnings.mockRestore());

describe('a failure of the topology', () => {
  const failing = through((words) =>
    words.pipe(
      map(
        ({ value }) => {
          if (value === 'bad') throw new Error('boom');
          return value;
        },
        { name: 'parse', onError: fail },
      ),
    ),
  );

  it('rejects the call it came up in, once, as a StageError', async () => {
    const t = await testTopology(failing, { topics: { in: 1 } });
    await t.pipe('in', { value: 'good' });
    const failure = await t.pipe('in', { value: 'bad' }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(StageError);
    expect(failure).toMatchObject({ stage: 'parse', value: { value: 'bad', offset: 1 } });
    expect(t.members[0]?.state).toBe('failed');
    await t.advance(1_000);
    // What was good is committed, what was bad comes again.
    expect(t.committed('in')).toEqual({ 0: 1 });
    await expect(t.idle()).rejects.toThrow(/in-0 offset 1 to 1: no member runs/);
    await expect(t.restart()).rejects.toThrow('stage parse failed at in-0 offset 1');
    await t.close();
  });

  it('rejects close() when no call has rejected with it', async () => {
    const t = await testTopology(failing, { topics: { in: 1 } });
    const running = t.pipe('in', { value: 'bad' });
    await running.catch(() => undefined);
    await t.close();
    const late = await testTopology(through((words) => words.pipe(tap(() => undefined))));
    await late.close();
    await expect(late.pipe('in', { value: '' })).rejects.toThrow('the test topology is closed');
  });

  it('rejects the start: a builder that throws, a topology that cannot run', async () => {
    await expect(
      testTopology(
        topology('broken', () => {
          throw new Error('no such thing');
        }),
      ),
    ).rejects.toThrow('no such thing');
    await expect(testTopology(topology('empty', () => []))).rejects.toThrow("topology 'empty' has no flow");
  });
});

describe('a topology that does not get done', () => {
  it('is told by idle(), with record, stage, and what that waits for', async () => {
    const t = await testTopology(
      through((words) => words.pipe(mapAsync(forever, { ...inOrder, name: 'price' }))),
      { topics: { in: 1 }, callTimeoutMs: 50 },
    );
    await t.pipe('in', [{ value: 'a' }, { value: 'b' }, { value: 'c' }]);
    await expect(t.idle()).rejects.toThrow(
      "topology 'words' is not idle after 600000 ms of virtual time; what waits:\n" +
        '  in-0 offset 0, one of 3 unsettled records, is in stage price for 600000 ms, which waits for 2 calls of your code to come back (member-1)',
    );
    expect(t.problems).toEqual([
      {
        kind: 'stuck',
        message: expect.stringMatching(/^in-0 offset 0 was unsettled for \d+ ms, in stage price$/),
      },
    ]);
    await t.close();
  });

  it('is told when a delivery is lost on the way', async () => {
    const forgetful = (words: Words): Flow<string> => createFlow(() => words.subscribe());
    const t = await testTopology(through(forgetful), { topics: { in: 1 } });
    await t.pipe('in', { value: 'a' });
    await expect(t.idle({ limitMs: 60_000 })).rejects.toThrow(
      'in-0 offset 0 is in no stage of this library: a dead letter on its way, a stage of your own, or a leak (member-1)',
    );
    await t.close();
  });

  it('is told of a lost delivery by close() at the latest', async () => {
    const losesB = (words: Words): Flow<ConsumerRecord<Buffer | null, string>> =>
      createFlow((out) => words.subscribe((one) => (one.value.value === 'b' ? undefined : out.next(one))));
    const t = await testTopology(through(losesB), { topics: { in: 1 } });
    await t.pipe('in', [{ value: 'a' }, { value: 'b' }, { value: 'c' }]);
    await expect(t.close()).rejects.toThrow(
      "topology 'words' handles deliveries wrongly:\n  in-0: 1 of 1 unsettled records are in no stage, the first at offset 1",
    );
    expect(t.problems).toMatchObject([{ kind: 'leaked' }]);
  });

  it('is told when a delivery was used after it had moved on, by close()', async () => {
    const twice = (words: Words): Flow<string> =>
      createFlow((out) =>
        words.subscribe((delivery) => {
          out.next(delivery.derive('x'));
          delivery.ack();
        }),
      );
    const t = await testTopology(through(twice), { topics: { in: 1 } });
    await t.pipe('in', { value: 'a' });
    await t.idle();
    expect(t.problems).toEqual([{ kind: 'inert-use', message: expect.stringContaining('(ack; in-0') }]);
    await expect(t.close()).rejects.toThrow(
      "topology 'words' handles deliveries wrongly:\n  a delivery was used after it had moved on (ack; in-0, record 0 of its claim)",
    );
  });

  it('is told when it feeds itself without end', async () => {
    const t = await testTopology(
      topology('echo', ({ fromGroup, toTopic }) =>
        fromGroup({ groupId: 'g', topics: ['in'] }).pipe(toTopic('in', (r) => ({ value: r.value! }))),
      ),
      { maxRecords: 20_000 },
    );
    await expect(
      t.pipe(
        'in',
        Array.from({ length: 500 }, () => ({ value: 'a' })),
      ),
    ).rejects.toThrow(
      /topology 'echo' has written more than 20000 records within one call \(option 'maxRecords'\): does it read what it writes\? Records by topic: in: 2\d+/,
    );
    await t.close();
  }, 300_000);

  it('is told by until()', async () => {
    const t = await testTopology(through((words) => words.pipe(batch({ maxRecords: 9, withinMs: 100 }))));
    await t.pipe('in', { value: 'a' });
    await t.until(() => t.committed('in')[0] === 1);
    await expect(t.until(() => false, { limitMs: 10_000 })).rejects.toThrow(
      "topology 'words' has not come to the condition after 10000 ms of virtual time",
    );
    await t.close();
  });
});

describe('time', () => {
  it('does not pass for a call that only awaits promises', async () => {
    const t = await testTopology(
      through((words) =>
        words.pipe(
          mapAsync(async () => {
            for (let at = 0; at < 1_000; at++) await Promise.resolve();
          }, inOrder),
        ),
      ),
    );
    const startedAt = t.clock.now();
    await t.pipe('in', { value: 'a' });
    await t.until(() => t.members[0]?.claims.length === 1);
    expect(t.clock.now()).toBe(startedAt);
    await t.idle();
    await t.close();
  });

  it('waits for a call that reads a file or sleeps, and lets no virtual time pass meanwhile', async () => {
    const ended: number[] = [];
    const t = await testTopology(
      through((words) =>
        words.pipe(
          mapAsync(async () => {
            await readFile(__filename);
            await sleep(30);
            ended.push(t.clock.now());
          }, inOrder),
          perRecord(() => timer(20), inOrder),
          passing(rxDelay(20)),
        ),
      ),
    );
    const startedAt = t.clock.now();
    await t.pipe('in', { value: 'a' });
    expect(ended).toEqual([startedAt]);
    await t.idle();
    expect(t.committed('in')).toEqual({ 0: 1 });
    await t.close();
  });

  it('waits once, and not long, for a call that never comes back', async () => {
    const t = await testTopology(
      through((words) =>
        words.pipe(mapAsync(() => sleep(60_000, undefined, { signal: over.signal }), inOrder)),
      ),
      { callTimeoutMs: 100 },
    );
    const over = new AbortController();
    const startedAt = performance.now();
    await t.pipe('in', { value: 'a' });
    await t.advance(60_000);
    await t.advance(60_000);
    expect(seconds(startedAt)).toBeGreaterThan(0.09);
    expect(seconds(startedAt)).toBeLessThan(30);
    over.abort();
    await t.close();
  });

  it('is that of a clock which the code under test was given', async () => {
    const clock = new VirtualClock();
    const slow = through((words) =>
      words.pipe(
        mapAsync(
          () => new Promise<void>((resolve) => void clock.setTimeout(() => resolve(), 40_000)),
          inOrder,
        ),
      ),
    );
    const realStart = performance.now();
    const t = await testTopology(slow, { clock });
    const startedAt = clock.now();
    await t.pipe('in', { value: 'a' });
    await t.idle();
    expect(clock.now() - startedAt).toBeGreaterThanOrEqual(40_000);
    expect(seconds(realStart)).toBeLessThan(30);
    await t.close();
  });

  it('is that of setTimeout, Date and RxJS too, where timers are virtual', async () => {
    const real = { setTimeout, Date, setInterval };
    const at: number[] = [];
    const slow = through((words) =>
      words.pipe(
        mapAsync(() => new Promise<void>((resolve) => void setTimeout(resolve, 10_000)), inOrder),
        perRecord(() => timer(20_000), inOrder),
        passing(rxDelay(30_000)),
        tap(() => at.push(Date.now(), new Date().getTime())),
      ),
    );
    const realStart = performance.now();
    const t = await testTopology(slow, { timers: 'virtual', startMs: 0 });
    const piped = t.now;
    await t.pipe('in', { value: 'a' });
    await t.advance(59_999);
    expect(at).toEqual([]);
    await t.advance(1);
    expect(at).toEqual([piped + 60_000, piped + 60_000]);
    await expect(testTopology(slow, { timers: 'virtual' })).rejects.toThrow('timers are virtual already');
    const ticks: number[] = [];
    const ticking = setInterval(() => ticks.push(Date.now()), 1_000);
    await t.advance(3_500);
    clearInterval(ticking);
    await t.advance(3_500);
    expect(ticks).toHaveLength(3);
    await t.close();
    expect({ setTimeout, Date, setInterval }).toEqual(real);
    expect(seconds(realStart)).toBeLessThan(30);
  });

  it('is refused under fake timers, which would stop everything', async () => {
    jest.useFakeTimers();
    try {
      await expect(testTopology(through((words) => words))).rejects.toThrow(
        "fake timers have replaced setImmediate, so that nothing would ever run. Use timers: 'virtual'",
      );
    } finally {
      jest.useRealTimers();
    }
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask', 'performance'] });
    try {
      const t = await testTopology(through((words) => words));
      await t.pipe('in', { value: 'a' });
      await t.idle();
      await t.close();
    } finally {
      jest.useRealTimers();
    }
  });

  it('passes for retries', async () => {
    let tries = 0;
    const t = await testTopology(
      through((words) =>
        words.pipe(
          map(
            () => {
              if (++tries < 4) throw new Error('not yet');
            },
            { onError: retry({ attempts: 5, minDelayMs: 60_000, maxDelayMs: 60_000 }) },
          ),
        ),
      ),
    );
    await t.pipe('in', { value: 'a' });
    expect(tries).toBe(1);
    await t.advance(60_000);
    expect(tries).toBe(2);
    await t.idle();
    expect(tries).toBe(4);
    await t.close();
  });
});
