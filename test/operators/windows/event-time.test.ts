// What moves time: values, of all keys or of their own, and the clock where a partition is idle.
import { describe, expect, it } from '@jest/globals';
import type { ConsumerRecord } from '../../../src/core/records/types.ts';
import {
  eachClaim,
  map,
  sessionWindow,
  tumblingWindow,
  type EventTimeOptions,
  type Windowed,
} from '../../../src/operators/index.ts';
import { text, topology } from '../../../src/index.ts';
import { testTopology } from '../../../src/testing/index.ts';
import { collect } from '../../flow/manual-source.ts';
import { CommittingSource } from './committing-source.ts';

interface Hit {
  readonly key: string | null;
  readonly at: number;
}

const counting = (options: Partial<EventTimeOptions<Hit, string | null>> = {}) =>
  tumblingWindow({
    sizeMs: 10,
    graceMs: 0,
    key: (hit: Hit) => hit.key,
    timestamp: (hit) => hit.at,
    onFull: 'fail',
    seed: () => 0,
    add: (n) => n + 1,
    ...options,
  });

const brief = ({ key, start, end, value }: Windowed<string | null, number>): string =>
  `${key} ${start}-${end} ${value}`;

class Source extends CommittingSource<Hit> {
  offset = 0;
  hits(...hits: readonly (readonly [key: string | null, at: number])[]): void {
    for (const [key, at] of hits)
      this.emit({ key, at }, 0, { offset: this.offset++, timestamp: at } as ConsumerRecord);
  }
}

describe('the timestamp of a value', () => {
  it('is that of its record where nothing else is said', () => {
    const source = new Source();
    const { values } = collect(source.flow.pipe(counting({ timestamp: undefined }), map(brief)));
    source.hits(['a', 5], ['a', 15]);
    expect(values).toEqual(['a 0-10 1']);
  });

  it.each([-1, Number.NaN, Infinity, '7' as unknown as number])('fails the stage when it is %p', (at) => {
    const source = new Source();
    collect(source.flow.pipe(counting()));
    source.hits(['a', 5], ['a', at]);
    expect(source.events.map(({ kind }) => kind)).toEqual(['hold', 'nack']);
    expect(String(source.events[1]!.cause)).toMatch(/milliseconds since 1970/);
  });

  it('may be left out, or taken from the values before', () => {
    const skipping = new Source();
    const skipped = collect(skipping.flow.pipe(counting({ onInvalidTimestamp: 'skip' }), map(brief)));
    skipping.hits(['a', -1], ['a', 5], ['a', -1]);
    skipping.complete();
    expect(skipped.values).toEqual(['a 0-10 1']);
    const taking = new Source();
    const taken = collect(taking.flow.pipe(counting({ onInvalidTimestamp: 'use-stream-time' }), map(brief)));
    taking.hits(['a', 15], ['b', 5], ['a', -1]);
    taking.complete();
    expect(taken.values).toEqual(['a 10-20 2']);
    const first = new Source();
    collect(first.flow.pipe(counting({ onInvalidTimestamp: 'use-stream-time' })));
    first.hits(['a', -1]);
    expect(first.events.map(({ kind }) => kind)).toEqual(['nack']);
  });

  it('of a value without key moves nothing', () => {
    const source = new Source();
    const { values } = collect(source.flow.pipe(counting()));
    source.hits(['a', 5], [null, 100]);
    expect(values).toEqual([]);
    expect(source.events.map(({ kind }) => kind)).toEqual(['hold', 'ack']);
  });
});

describe('stream time per key', () => {
  it('closes the windows of a key by its own values', () => {
    const source = new Source();
    const { values } = collect(source.flow.pipe(counting({ streamTime: 'key' }), map(brief)));
    source.hits(['a', 5], ['b', 1_000], ['a', 7], ['a', 12], ['b', 5], ['b', 1_015]);
    expect(values).toEqual(['a 0-10 2', 'b 1000-1010 1']);
    expect(source.events.filter(({ kind }) => kind === 'ack')).toHaveLength(4);
  });

  it('has a bound of keys, which fails rather than to forget', () => {
    const source = new Source();
    collect(source.flow.pipe(counting({ streamTime: 'key', maxKeys: 1 })));
    source.hits(['a', 5], ['b', 5], ['a', 6]);
    // What comes after is left to be read again too.
    expect(source.events.map(({ kind }) => kind)).toEqual(['hold', 'nack', 'give-up']);
    expect(String(source.events[1]!.cause)).toMatch(/more than 1 keys/);
  });
});

describe('an idle partition', () => {
  it.each(['partition', 'key'] as const)(
    'goes on by the clock when it is caught up and quiet: time of the %s',
    async (streamTime) => {
      const source = new Source();
      const { values } = collect(
        source.flow.pipe(counting({ idleMs: 20, streamTime, graceMs: 5 }), map(brief)),
      );
      source.hits(['a', 3], ['a', 12]);
      await source.time.advance(1_000);
      expect(values).toEqual([]);
      source.caughtUp = true;
      await source.time.advance(15);
      expect(values).toEqual([]);
      await source.time.advance(10);
      expect(values).toEqual(['a 0-10 1', 'a 10-20 1']);
      expect(source.time.pendingTimers).toBe(0);
    },
  );

  it('is not idle while values come, or are on their way to the window', async () => {
    const source = new Source();
    const { values } = collect(source.flow.pipe(counting({ idleMs: 20 }), map(brief)));
    source.caughtUp = true;
    for (let turn = 0; turn < 10; turn++) {
      source.hits(['a', 3]);
      await source.time.advance(15);
    }
    const pending = source.handOver('upstream');
    await source.time.advance(500);
    expect(values).toEqual([]);
    source.settle(pending);
    await source.time.advance(60);
    expect(values).toEqual(['a 0-10 10']);
  });

  it('has closed what it closed: what comes then is late, and so it is when it is read again', async () => {
    const source = new Source();
    const late: number[] = [];
    const options = { idleMs: 10, late: map(({ at }: Hit) => late.push(at)) };
    const { values } = collect(source.flow.pipe(counting(options), map(brief)));
    source.hits(['a', 1], ['b', 35]);
    source.hits(['a', 38]);
    source.caughtUp = true;
    await source.time.advance(15);
    expect(values).toEqual(['a 0-10 1', 'b 30-40 1', 'a 30-40 1']);
    source.hits(['c', 36], ['c', 41]);
    expect(late).toEqual([36]);

    const next = new Source(source.commit(4));
    next.offset = 4;
    const again = collect(next.flow.pipe(counting(options), map(brief)));
    next.hits(['c', 41], ['c', 39]);
    next.complete();
    expect(again.values).toEqual(['c 40-50 1']);
    expect(late).toEqual([36, 39]);
  });

  it.each(['a value', 'idle time'])(
    'gives what it had closed once more that was not done, with %s',
    async (what) => {
      const options = { sizeMs: 100, idleMs: 10, streamTime: 'key' } as const;
      const source = new Source();
      const first = collect(source.flow.pipe(counting(options), map(brief)), { ack: false });
      source.hits(['a', 95], ['b', 50]);
      source.caughtUp = true;
      await source.time.advance(100);
      expect(first.values).toEqual(['a 0-100 1', 'b 0-100 1']);
      first.deliveries[0]!.ack();

      const next = new Source(source.commit(0));
      const again = collect(next.flow.pipe(counting(options), map(brief)));
      next.hits(['a', 95], ['b', 50]);
      if (what === 'a value') next.hits(['c', 7]);
      else next.caughtUp = true;
      await next.time.advance(20);
      expect(again.values).toEqual(['b 0-100 1']);
      expect(next.events.filter(({ kind }) => kind === 'ack').length).toBe(2);
    },
  );

  it('is closed at the same place when it is read again from before', async () => {
    const source = new Source();
    const options = { idleMs: 10, graceMs: 0, key: ({ key }: Hit) => key, timestamp: ({ at }: Hit) => at };
    const fold = {
      seed: () => '',
      add: (row: string, { at }: Hit) => `${row} ${at}`,
      merge: (a: string, b: string) => a + b,
    };
    const window = sessionWindow({ ...options, ...fold, gapMs: 10, onFull: 'fail' });
    const rows = collect(source.flow.pipe(window), { ack: false });
    source.hits(['a', 0], ['b', 20], ['a', 24]);
    source.caughtUp = true;
    await source.time.advance(24);
    source.caughtUp = false;
    expect(rows.values.map(({ value }) => value)).toEqual([' 0', ' 20', ' 24']);
    rows.deliveries[0]!.ack();
    // Without the idle time before it, it would belong to the session that was closed.
    source.hits(['a', 34]);
    source.hits(['a', 60]);
    const clean = rows.values.map(({ value }) => value);
    for (let offset = 1; offset < 5; offset++) {
      const next = new Source(source.commit(1));
      next.offset = 1;
      const again = collect(next.flow.pipe(window));
      next.hits(['b', 20], ['a', 24], ['a', 34], ['a', 60]);
      expect(again.values.map(({ value }) => value)).toEqual(clean.slice(1));
    }
  });
});

describe('a replay of 100,000 records through a session window', () => {
  const hits: { readonly arrival: number; readonly key: string; readonly at: number }[] = [];
  let now = 1_000;
  for (let n = 0; n < 100_000; n++) {
    const draw = (n * 7_919) % 1_000;
    now += draw < 3 ? 400 : n % 10 === 0 ? 10 : 0;
    hits.push({ arrival: now, key: `k${(n * 31) % 67}`, at: now - (draw % 7 === 0 ? draw % 20 : 0) });
  }
  const window = () =>
    sessionWindow({
      gapMs: 60,
      graceMs: 20,
      idleMs: 100,
      key: ({ key }: Hit) => key!,
      timestamp: ({ at }) => at,
      onFull: 'fail',
      seed: () => 0,
      add: (n) => n + 1,
      merge: (n, m) => n + m,
    });
  const rows = ({ values }: { values: readonly unknown[] }): string => JSON.stringify(values);

  it('gives the same rows at full speed, at live speed, and after a pause in the middle', async () => {
    const full = new Source();
    const atFullSpeed = collect(full.flow.pipe(window()));
    for (const hit of hits) full.hits([hit.key, hit.at]);
    expect(atFullSpeed.values.length).toBeGreaterThan(5_000);

    const live = new Source();
    live.caughtUp = true;
    const atLiveSpeed = collect(live.flow.pipe(window()));
    let next = 0;
    let idle = 0;
    const step = (): void => {
      const due = hits[next]!.arrival;
      const before = atLiveSpeed.values.length;
      while (next < hits.length && hits[next]!.arrival === due)
        live.hits([hits[next]!.key, hits[next++]!.at]);
      if (next === hits.length) return;
      idle -= before;
      live.time.setTimeout(() => {
        idle += atLiveSpeed.values.length;
        step();
      }, hits[next]!.arrival - due);
      idle -= atLiveSpeed.values.length - before;
    };
    step();
    await live.time.runUntil(() => next === hits.length, 10_000_000);
    expect(idle).toBeGreaterThan(1_000);
    expect(rows({ values: atLiveSpeed.values.slice(0, atFullSpeed.values.length) })).toBe(rows(atFullSpeed));

    const paused = new Source();
    const afterPause = collect(paused.flow.pipe(window()));
    for (const [n, hit] of hits.entries()) {
      if (n === hits.length / 2) await paused.time.advance(3_600_000);
      paused.hits([hit.key, hit.at]);
    }
    expect(rows(afterPause)).toBe(rows(atFullSpeed));
    full.revoke();
    live.revoke();
    paused.revoke();
  });
});

describe('in a topology', () => {
  const hourly = topology('hourly', ({ fromGroup, toTopic }) =>
    fromGroup({ groupId: 'hourly', topics: ['hits'], key: text(), value: text() }).pipe(
      eachClaim((claim) =>
        claim.pipe(
          tumblingWindow({
            sizeMs: 60_000,
            graceMs: 0,
            idleMs: 30_000,
            key: ({ key }) => key,
            onFull: 'fail',
            seed: () => '',
            add: (row, { value }) => row + value,
          }),
        ),
      ),
      toTopic('rows', ({ key, start, value }) => ({ value: `${key} ${start} ${value}` })),
    ),
  );

  it('an idle claim closes its windows, one that is read from behind does not, and a crash repeats rows to the byte', async () => {
    const topics = {
      hits: { partitions: 1, key: text(), value: text() },
      rows: { partitions: 1, value: text() },
    } as const;
    await using t = await testTopology(hourly, { topics });
    const at = Math.floor(t.clock.wallNow() / 60_000) * 60_000 + 60_000;
    await t.advance(at - t.clock.wallNow());
    await t.pipe('hits', [
      { key: 'a', value: '1', timestamp: at },
      { key: 'b', value: '2', timestamp: at + 10 },
      { key: 'a', value: '3', timestamp: at + 20 },
    ]);
    await t.advance(50_000);
    expect(await t.readAll('rows')).toEqual([]);
    await t.advance(30_000);
    const texts = async (): Promise<unknown[]> => (await t.readAll('rows')).map(({ value }) => value);
    expect(await texts()).toEqual([`a ${at} 13`, `b ${at} 2`]);
    await t.pipe('hits', { key: 'a', value: '4', timestamp: at + 80_000 });
    await t.advance(10_000);
    t.crash();
    await t.restart();
    await t.pipe('hits', { key: 'a', value: '5', timestamp: at + 90_000 });
    await t.advance(120_000);
    expect(new Set(await texts())).toEqual(new Set([`a ${at} 13`, `b ${at} 2`, `a ${at + 60_000} 45`]));
  });
});
