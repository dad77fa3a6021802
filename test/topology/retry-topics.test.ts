// Retry topics on the box, in virtual time: when a record is tried again, what it looks like then, and what order there is.
import { describe, expect, it, jest } from '@jest/globals';
import {
  failureOf,
  filter,
  json,
  Kafka,
  map,
  mapAsync,
  retry,
  text,
  topology,
  type ConsumerRecord,
  type Topology,
  type RetryTopicsOptions,
} from '../../src/index.ts';
import { testTopology } from '../../src/testing/index.ts';

const LEVELS = [
  { topic: 'later.5s', delayMs: 5_000 },
  { topic: 'later.60s', delayMs: 60_000 },
];
const TOPICS = { in: 2, 'later.5s': 2, 'later.60s': 2, dead: 1, out: 1 };

type In = ConsumerRecord<string, string>;
/** Called for each attempt. */
type Work = (record: In) => void;

function flow(work: Work, options: Partial<RetryTopicsOptions> = {}, concurrency = 8): Topology {
  return topology('retrying', ({ fromGroup, toTopic, retryTopics }) => {
    const later = retryTopics({ levels: LEVELS, deadLetter: 'dead', order: 'none', ...options });
    return fromGroup({
      groupId: 'g',
      topics: ['in'],
      key: text(),
      value: text(),
      retryTopics: later,
    }).pipe(
      mapAsync(
        (record) => {
          work(record);
          return Promise.resolve(record);
        },
        { name: 'work', concurrency, order: 'none', onError: later },
      ),
      toTopic('out', (record) => ({ key: record.key, value: record.value }), { key: text(), value: text() }),
    );
  });
}

/** Fails the first `times` attempts of each value that is listed. */
function failing(times: { readonly [value: string]: number }): { work: Work; tries: [string, number][] } {
  const tries: [string, number][] = [];
  const left = new Map(Object.entries(times));
  let clock = 0;
  return {
    tries,
    work: ({ value, timestamp }) => {
      clock = timestamp;
      tries.push([value, clock]);
      const fails = left.get(value) ?? 0;
      if (fails === 0) return;
      left.set(value, fails - 1);
      throw new RangeError(`no ${value}`);
    },
  };
}

const values = (records: readonly { readonly value: unknown }[]): string[] =>
  records.map(({ value }) => String(value as Buffer));

describe('retry topics', () => {
  it('try again after the delay of each level, not before, and end in the dead letter topic', async () => {
    const { work } = failing({ once: 1, twice: 2, never: 9 });
    await using t = await testTopology(flow(work), { topics: TOPICS });
    await t.pipe(
      'in',
      ['once', 'twice', 'never', 'good'].map((value) => ({ key: value, value, partition: 0 })),
    );
    expect(values(await t.readAll('out'))).toEqual(['good']);
    expect(values(await t.readAll('later.5s')).sort()).toEqual(['never', 'once', 'twice']);
    await t.advance(4_900);
    expect(values(await t.readAll('out'))).toEqual(['good']);
    await t.advance(200);
    expect(values(await t.readAll('out')).sort()).toEqual(['good', 'once']);
    await t.advance(59_000);
    expect(values(await t.readAll('out')).sort()).toEqual(['good', 'once']);
    await t.advance(2_000);
    expect(values(await t.readAll('out')).sort()).toEqual(['good', 'once', 'twice']);
    const [letter, ...more] = await t.deadLetters();
    expect(more).toEqual([]);
    expect(letter).toMatchObject({ from: { topic: 'in', partition: 0, offset: 2 } });
    expect(failureOf(letter!)).toMatchObject({ stage: 'work', attempts: 3 });
    await t.idle();
    expect(t.committed('in')[0]).toBe(4);
    expect(Object.values(t.committed('later.5s')).reduce((a, b) => a + b)).toBe(3);
  });

  it('keep key, value, headers and timestamp, and tell place, attempts, times and cause', async () => {
    const seen: In[] = [];
    const start = 1_700_000_000_000;
    await using t = await testTopology(
      flow((record) => {
        seen.push(record);
        throw new RangeError(`attempt ${seen.length}`);
      }),
      { topics: TOPICS, startMs: start },
    );
    const headers: [string, string | null][] = [
      ['h', '1'],
      ['h', null],
    ];
    await t.pipe('in', { key: 'k', value: 'v', headers, timestamp: 1_600_000_000_000, partition: 1 });
    const [first] = await t.readAll('later.5s');
    expect(first).toMatchObject({
      timestamp: 1_600_000_000_000,
      key: Buffer.from('k'),
      value: Buffer.from('v'),
    });
    expect([...first!.headers].slice(0, 2)).toEqual([
      ['h', Buffer.from('1')],
      ['h', null],
    ]);
    const failure = failureOf(first!)!;
    expect(failure).toMatchObject({
      topic: 'in',
      partition: 1,
      offset: 0,
      stage: 'work',
      attempts: 1,
      cause: { name: 'RangeError', message: 'attempt 1' },
    });
    expect(failure.dueAt! - failure.failedAt!).toBe(5_000);
    expect(failure.firstFailedAt).toBe(failure.failedAt);
    await t.idle();
    const [second] = await t.readAll('later.60s');
    expect(failureOf(second!)).toMatchObject({
      topic: 'in',
      partition: 1,
      offset: 0,
      attempts: 2,
      firstFailedAt: failure.failedAt,
      cause: { message: 'attempt 2' },
    });
    // One set of headers, not one for each level.
    expect([...second!.headers]).toHaveLength([...first!.headers].length);
    const [letter] = await t.deadLetters();
    expect(failureOf(letter!)).toMatchObject({
      attempts: 3,
      firstFailedAt: failure.failedAt,
      dueAt: undefined,
    });
    // To the flow it is the record it was.
    expect(
      seen.map(({ topic, partition, offset, timestamp }) => [topic, partition, offset, timestamp]),
    ).toEqual(Array.from({ length: 3 }, () => ['in', 1, 0, 1_600_000_000_000]));
  });

  it('come after the attempts in place, and count them', async () => {
    await using t = await testTopology(
      topology('t', ({ fromGroup, retryTopics }) => {
        const later = retryTopics({ levels: LEVELS, deadLetter: 'dead', order: 'none' });
        return fromGroup({ groupId: 'g', topics: ['in'], retryTopics: later }).pipe(
          map(
            () => {
              throw new Error('no');
            },
            { onError: retry({ attempts: 3 }, later) },
          ),
        );
      }),
      { topics: TOPICS },
    );
    await t.pipe('in', { value: 'a' });
    await t.idle();
    expect(failureOf((await t.deadLetters())[0]!)).toMatchObject({ attempts: 9 });
  });

  it('take what does not decode, and read it again by the formats of its topic', async () => {
    let broken = true;
    await using t = await testTopology(
      topology('t', ({ fromGroup, toTopic, retryTopics }) => {
        const later = retryTopics({ levels: LEVELS, deadLetter: 'dead', order: 'none' });
        return fromGroup({
          groupId: 'g',
          topics: { in: { value: { deserialize: decode } }, other: { value: json() } },
          retryTopics: later,
          onDecodeError: later,
        }).pipe(
          filter((record) => record.topic === 'in'),
          toTopic('out', (record) => ({ value: record.value })),
        );
        function decode(data: Buffer): string {
          if (broken) throw new Error('the registry does not answer');
          return `read ${data.toString()}`;
        }
      }),
      { topics: { ...TOPICS, other: 1 } },
    );
    await t.pipe('in', { value: 'a' });
    expect(failureOf((await t.readAll('later.5s'))[0]!)).toMatchObject({ stage: 'decode', topic: 'in' });
    broken = false;
    await t.idle();
    expect(values(await t.readAll('out'))).toEqual(['read a']);
  });

  it('wait without holding up a partition, another level, or what can be read behind them', async () => {
    const { work } = failing({ slow: 2, quick: 1 });
    await using t = await testTopology(flow(work), { topics: TOPICS });
    await t.pipe('in', { key: 'slow', value: 'slow' });
    await t.advance(6_000);
    // Slow is in the level of 60 s now.
    await t.pipe('in', { key: 'quick', value: 'quick' });
    await t.pipe('in', { key: 'good', value: 'good' });
    expect(values(await t.readAll('out'))).toEqual(['good']);
    await t.advance(6_000);
    expect(values(await t.readAll('out'))).toEqual(['good', 'quick']);
    await t.idle();
    expect(values(await t.readAll('out'))).toEqual(['good', 'quick', 'slow']);
  });

  it('wait again for no more than the rest after a crash, and lose nothing', async () => {
    const { work } = failing({ a: 1, b: 2, c: 3, d: 9 });
    await using t = await testTopology(flow(work), { topics: TOPICS, members: 2 });
    const all = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
    await t.pipe(
      'in',
      all.map((value) => ({ key: value, value })),
    );
    await t.advance(2_000);
    t.crash(t.members[0]);
    await t.advance(3_000);
    t.crash(t.members[1]);
    await t.restart();
    await t.idle();
    const done = [...values(await t.readAll('out')), ...values(await t.deadLetters())];
    expect([...new Set(done)].sort()).toEqual(all);
  });

  it('start at their beginning when the topic starts at its end', async () => {
    await using t = await testTopology(
      topology('t', ({ fromGroup, toTopic, retryTopics }) => {
        const later = retryTopics({ levels: LEVELS, deadLetter: 'dead', order: 'none' });
        return fromGroup({ groupId: 'g', topics: ['in'], start: 'latest', retryTopics: later }).pipe(
          toTopic('out', (record) => ({ value: record.value!.toString() })),
        );
      }),
      { topics: TOPICS, members: 0 },
    );
    await t.pipe('in', { value: 'before' });
    await t.pipe('later.5s', { value: 'waiting' });
    await t.addMember();
    await t.idle();
    expect(values(await t.readAll('out'))).toEqual(['waiting']);
  });

  it('believe no header that says to wait for longer than the delay', async () => {
    await using t = await testTopology(
      flow(() => undefined),
      { topics: TOPICS },
    );
    const headers = { '__streams.errors.topic': 'in', '__sluice.errors.due-at': String(t.now + 1e12) };
    await t.pipe('later.5s', { key: 'k', value: 'v', headers });
    await t.advance(4_900);
    expect(await t.readAll('out')).toEqual([]);
    await t.advance(200);
    expect(values(await t.readAll('out'))).toEqual(['v']);
  });

  it('are written once, with the offsets, under exactly-once', async () => {
    const { work } = failing({ a: 1, b: 9 });
    await using t = await testTopology(flow(work), {
      topics: TOPICS,
      run: { guarantee: 'exactly-once' },
    });
    await t.pipe(
      'in',
      ['a', 'b', 'c'].map((value) => ({ key: value, value })),
    );
    await t.idle();
    expect(values(await t.readAll('out')).sort()).toEqual(['a', 'c']);
    expect(values(await t.deadLetters())).toEqual(['b']);
    expect(values(await t.readAll('later.5s')).sort()).toEqual(['a', 'b']);
  });
});

describe('retry topics with order by key', () => {
  const keyed = (work: Work, more: Partial<RetryTopicsOptions> = {}): Topology =>
    flow(work, { order: 'key', ...more });

  it('let later records of a key follow those that wait, and all others pass', async () => {
    const { work } = failing({ a1: 1 });
    await using t = await testTopology(keyed(work), { topics: TOPICS });
    await t.pipe(
      'in',
      ['a1', 'a2', 'b1', 'a3'].map((value) => ({ key: value[0]!, value, partition: 0 })),
    );
    await t.advance(100);
    expect(values(await t.readAll('out'))).toEqual(['b1']);
    expect(values(await t.readAll('later.5s'))).toEqual(['a1', 'a2', 'a3']);
    await t.advance(5_500);
    expect(values(await t.readAll('out'))).toEqual(['b1', 'a1', 'a2', 'a3']);
    // The key is free again.
    await t.pipe('in', { key: 'a', value: 'a4', partition: 0 });
    expect(values(await t.readAll('out')).at(-1)).toBe('a4');
    expect(await t.readAll('later.5s')).toHaveLength(3);
    await t.idle();
  });

  it('keep it over all levels and the dead letter topic', async () => {
    const { work } = failing({ a1: 2, a3: 9, b2: 1 });
    await using t = await testTopology(keyed(work), { topics: TOPICS });
    const all = ['a1', 'a2', 'b1', 'b2', 'a3', 'b3', 'a4'];
    await t.pipe(
      'in',
      all.map((value) => ({ key: value[0]!, value, partition: 0 })),
    );
    await t.advance(20_000);
    await t.pipe('in', { key: 'a', value: 'a5', partition: 0 });
    await t.idle();
    const out = values(await t.readAll('out'));
    expect(out.filter((value) => value.startsWith('a'))).toEqual(['a1', 'a2', 'a4', 'a5']);
    expect(out.filter((value) => value.startsWith('b'))).toEqual(['b1', 'b2', 'b3']);
    expect(values(await t.deadLetters())).toEqual(['a3']);
  });

  it('process one record of a key at a time, whatever the order of the stage', async () => {
    const running = new Map<string, number>();
    let most = 0;
    let all = 0;
    const t = await testTopology(
      topology('t', ({ fromGroup, retryTopics }) => {
        const later = retryTopics({ levels: LEVELS, deadLetter: 'dead', order: 'key' });
        return fromGroup({ groupId: 'g', topics: ['in'], key: text(), retryTopics: later }).pipe(
          mapAsync(
            async ({ key }) => {
              const now = (running.get(key) ?? 0) + 1;
              running.set(key, now);
              most = Math.max(most, now);
              all = Math.max(
                all,
                [...running.values()].reduce((a, b) => a + b),
              );
              await new Promise((resolve) => setTimeout(resolve, 10));
              running.set(key, running.get(key)! - 1);
            },
            { concurrency: 10, order: 'none', onError: later },
          ),
        );
      }),
      { topics: TOPICS, timers: 'virtual' },
    );
    await t.pipe(
      'in',
      Array.from({ length: 30 }, (_, at) => ({ key: 'abc'[at % 3]!, value: String(at), partition: 0 })),
    );
    await t.idle();
    expect([most, all]).toEqual([1, 3]);
    await t.close();
  });

  it('know after a restart what waits', async () => {
    const { work } = failing({ a1: 2 });
    await using t = await testTopology(keyed(work), { topics: TOPICS });
    await t.pipe(
      'in',
      ['a1', 'b1'].map((value) => ({ key: value[0]!, value, partition: 0 })),
    );
    await t.advance(6_000);
    await t.removeMember();
    await t.restart();
    await t.pipe(
      'in',
      ['a2', 'b2'].map((value) => ({ key: value[0]!, value, partition: 0 })),
    );
    await t.advance(1_000);
    expect(values(await t.readAll('out'))).toEqual(['b1', 'b2']);
    t.crash();
    await t.restart();
    await t.pipe('in', { key: 'a', value: 'a3', partition: 0 });
    await t.idle();
    const out = values(await t.readAll('out')).filter((value) => value.startsWith('a'));
    expect([...new Set(out)]).toEqual(['a1', 'a2', 'a3']);
  });

  it('keep it while members come, go, crash and lose claims', async () => {
    const fails = new Map<string, number>();
    const chance = (value: string): number => (Number(value.slice(1)) * 7919) % 10;
    await using t = await testTopology(
      keyed(({ value }) => {
        const failed = fails.get(value) ?? 0;
        if (failed >= [2, 1, 3][chance(value)]!) return;
        if (chance(value) > 2) return;
        fails.set(value, failed + 1);
        throw new Error('one of ten');
      }),
      { topics: TOPICS, members: 2 },
    );
    const keys = ['a', 'b', 'c', 'd', 'e'];
    let sent = 0;
    const pipe = (count: number): Promise<unknown> =>
      t.pipe(
        'in',
        Array.from({ length: count }, () => {
          const key = keys[sent % keys.length]!;
          return { key, value: `${key}${sent++}` };
        }),
      );
    await pipe(50);
    await t.rebalance();
    await pipe(50);
    await t.advance(3_000);
    t.crash(t.members[0]);
    await pipe(50);
    await t.addMember();
    await t.advance(50_000);
    await t.lose(t.members[1]);
    await pipe(50);
    await t.removeMember(t.members[1]);
    // Each failure of a key holds up what comes after it.
    await t.idle({ limitMs: 3_600_000 });
    const out = values(await t.readAll('out'));
    const dead = new Set(values(await t.deadLetters()));
    expect(new Set([...out, ...dead]).size).toBe(sent);
    expect(dead.size).toBeLessThan(sent / 5);
    for (const key of keys) {
      const ofKey = out.filter((value) => value.startsWith(key) && !dead.has(value));
      const firsts = [...new Set(ofKey)].map((value) => Number(value.slice(1)));
      expect(firsts).toEqual([...firsts].sort((a, b) => a - b));
    }
  });

  it('let no later record of a key go when the flow fails for one', async () => {
    const done: string[] = [];
    const t = await testTopology(
      topology('t', ({ fromGroup, retryTopics }) => {
        const later = retryTopics({ levels: LEVELS, deadLetter: 'dead', order: 'key' });
        return fromGroup({
          groupId: 'g',
          topics: ['in'],
          key: text(),
          value: text(),
          retryTopics: later,
        }).pipe(
          mapAsync(
            ({ value }) => {
              if (value === 'a1') return Promise.reject(new Error('no'));
              done.push(value);
              return Promise.resolve();
            },
            { concurrency: 8, order: 'none' },
          ),
        );
      }),
      { topics: TOPICS },
    );
    const failed = await t
      .pipe(
        'in',
        ['b1', 'a1', 'a2', 'b2'].map((value) => ({ key: value[0]!, value, partition: 0 })),
      )
      .then(() => t.advance(60_000))
      .catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: 'STAGE_FAILED', offset: 1 });
    expect(done).not.toContain('a2');
    expect(t.committed('in')[0]).toBe(1);
    await t.close();
  });

  it('keep it with the consumer protocol and its range, over members', async () => {
    const { work } = failing({ a1: 1, b2: 2 });
    await using t = await testTopology(
      topology('t', ({ fromGroup, toTopic, retryTopics }) => {
        const later = retryTopics({ levels: LEVELS, deadLetter: 'dead', order: 'key' });
        return fromGroup({
          groupId: 'g',
          topics: ['in'],
          key: text(),
          value: text(),
          groupProtocol: 'consumer',
          groupRemoteAssignor: 'range',
          retryTopics: later,
        }).pipe(
          mapAsync((record) => Promise.resolve((work(record), record)), {
            concurrency: 4,
            order: 'none',
            onError: later,
          }),
          toTopic('out', (record) => ({ key: record.key, value: record.value }), {
            key: text(),
            value: text(),
          }),
        );
      }),
      { topics: TOPICS },
    );
    await t.pipe(
      'in',
      ['a1', 'b1', 'a2', 'b2', 'a3', 'b3'].map((value, at) => ({ key: value[0]!, value, partition: at % 2 })),
    );
    await t.addMember();
    await t.idle();
    const out = values(await t.readAll('out'));
    expect(out.filter((value) => value.startsWith('a'))).toEqual(['a1', 'a2', 'a3']);
    expect(out.filter((value) => value.startsWith('b'))).toEqual(['b1', 'b2', 'b3']);
  });

  it('wait, and say so, while the levels of a partition are with another member, and go on after that', async () => {
    const warnings = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    const t = await testTopology(
      keyed(() => undefined),
      { topics: TOPICS, members: 2 },
    );
    // An older version of the program, without levels.
    const old = new Kafka(
      { brokers: t.box.bootstrap, clientId: 'a-old' },
      { clock: t.clock, random: () => 0.5, transport: t.box.transport },
    );
    const running = topology('old', ({ fromGroup }) => fromGroup({ groupId: 'g', topics: ['in'] })).start(
      old,
    );
    await t.advance(60_000);
    const told = warnings.mock.calls.map(([message]) => String(message)).join();
    const drained = running.drain();
    await t.advance(1_000);
    await drained;
    await t.pipe(
      'in',
      [0, 1].map((partition) => ({ key: 'k', value: `v${partition}`, partition })),
    );
    await t.idle();
    expect(values(await t.readAll('out')).sort()).toEqual(['v0', 'v1']);
    await t.close();
    await old.close();
    warnings.mockRestore();
    // It had in-0, the first of the others in-1 and the levels of 0, the second the levels of 1.
    expect(told).toContain('in-1 waits for later.5s-1, later.60s-1, which this member has not claimed');
  });

  it('read no more of the topic while too much waits', async () => {
    const { work } = failing(Object.fromEntries(Array.from({ length: 20 }, (_, at) => [String(at), 1])));
    await using t = await testTopology(keyed(work, { maxQuarantined: 5 }), {
      topics: TOPICS,
    });
    await t.pipe(
      'in',
      Array.from({ length: 20 }, (_, at) => ({ key: String(at), value: String(at), partition: 0 })),
    );
    await t.advance(1_000);
    const waiting = (await t.readAll('later.5s')).length;
    expect(waiting).toBeGreaterThanOrEqual(5);
    expect(waiting).toBeLessThan(20);
    await t.idle();
    expect(values(await t.readAll('out'))).toHaveLength(20);
  });

  it('are exact under exactly-once', async () => {
    const { work } = failing({ a1: 2, a3: 9, b2: 1 });
    await using t = await testTopology(keyed(work), { topics: TOPICS, run: { guarantee: 'exactly-once' } });
    const all = ['a1', 'a2', 'b1', 'b2', 'a3', 'b3', 'a4'];
    await t.pipe(
      'in',
      all.map((value) => ({ key: value[0]!, value, partition: 0 })),
    );
    await t.idle();
    const out = values(await t.readAll('out'));
    expect(out.filter((value) => value.startsWith('a'))).toEqual(['a1', 'a2', 'a4']);
    expect(out.filter((value) => value.startsWith('b'))).toEqual(['b1', 'b2', 'b3']);
    expect(values(await t.deadLetters())).toEqual(['a3']);
  });
});

describe('what retry topics refuse', () => {
  const build = (options: Partial<RetryTopicsOptions>) => () => flow(() => undefined, options).describe();

  it.each<[string, Partial<RetryTopicsOptions>, string]>([
    ['no levels', { levels: [] }, 'levels'],
    ['a topic twice', { levels: [LEVELS[0]!, LEVELS[0]!] }, 'topic'],
    ['the dead letter topic as a level', { levels: [{ topic: 'dead', delayMs: 1 }] }, 'topic'],
    ['a delay that is none', { levels: [{ topic: 'a', delayMs: Number.NaN }] }, 'delayMs'],
    ['no dead letter topic', { deadLetter: '' }, 'deadLetter'],
    ['an order that does not exist', { order: 'input' as never }, 'order'],
    ['headers of nobody', { headers: 'mine' as never }, 'headers'],
    ['no room', { maxQuarantined: 0 }, 'maxQuarantined'],
  ])('%s', (_, options, option) => {
    expect(build(options)).toThrow(expect.objectContaining({ code: 'USAGE', option }));
  });

  it('patterns, and what spreads partitions of one number', async () => {
    const start = (more: object, order: 'key' | 'none' = 'key') =>
      testTopology(
        topology('t', ({ fromGroup, retryTopics }) =>
          fromGroup({
            groupId: 'g',
            topics: ['in'],
            retryTopics: retryTopics({ levels: LEVELS, deadLetter: 'dead', order }),
            ...more,
          }),
        ),
        { topics: TOPICS },
      );
    await expect(start({ topics: /in/ })).rejects.toThrow("with 'retryTopics', 'topics' are names");
    await expect(start({ assignors: ['cooperative-sticky'] })).rejects.toThrow("assignors: ['range']");
    await expect(start({ groupProtocol: 'consumer', groupRemoteAssignor: 'uniform' })).rejects.toThrow(
      "groupRemoteAssignor: 'range'",
    );
    await expect(start({ retryTopics: {} })).rejects.toThrow('is what retryTopics(...) answers with');
    const free = await start({ assignors: ['cooperative-sticky'] }, 'none');
    await free.close();
  });

  it('topics of different numbers of partitions, with order by key', async () => {
    const t = await testTopology(
      flow(() => undefined, { order: 'key' }),
      {
        topics: { ...TOPICS, 'later.60s': 3 },
      },
    ).catch((error: unknown) => error as Error);
    if (t instanceof Error) expect(t.message).toContain("3 in 'later.60s'");
    else await expect(t.advance(1_000)).rejects.toThrow("3 in 'later.60s'");
    if (!(t instanceof Error)) await t.close().catch(() => undefined);
  });
});
