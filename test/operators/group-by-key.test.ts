import { describe, expect, it } from '@jest/globals';
import { map as rxMap, Subject, take, timer } from 'rxjs';
import type { Flow } from '../../src/flow/flow.ts';
import {
  batch,
  countWindow,
  dropping,
  fanOut,
  groupByKey,
  map,
  mapAsync,
  merge,
  partitionBy,
  retry,
  scan,
  skip,
  type KeyGroup,
} from '../../src/operators/index.ts';
import { testFlow } from '../../src/testing/marbles.ts';
import { collect, ManualSource } from '../flow/manual-source.ts';

const letter = (value: string): string => value[0]!;
const counted = (group: KeyGroup<string, string>): Flow<string> =>
  group.pipe(
    scan((n: number) => n + 1, { seed: () => 0 }),
    map((n) => `${group.key}${n}`),
  );
const pairs = (group: Flow<string>): Flow<string> =>
  group.pipe(
    countWindow({ records: 2 }),
    map((values) => values.join('+')),
  );

describe('groupByKey', () => {
  it('has what other claims gave to a value read again when the claim that its lane is of is lost', () => {
    const [one, other] = [new ManualSource<string>(), new ManualSource<string>()];
    const values = merge(one.flow, other.flow).pipe(
      batch({ maxRecords: 2, withinMs: 0 }),
      map((both) => both.join('')),
    );
    const out = collect(values.pipe(groupByKey(letter, pairs, { maxKeys: 9 })));
    one.emit('a');
    other.emit('b');
    expect([one.inFlight, other.inFlight]).toEqual([1, 1]);
    one.lose();
    expect(out.values).toEqual([]);
    expect(other.events).toMatchObject([{ kind: 'nack', mark: 'b', verdict: 'rewind' }]);
    expect([...one.problems, ...other.problems]).toEqual([]);
  });

  it('opens a lane for each key, and merges what they emit', () => {
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const source = flow('abaab|');
      expectFlow(source.pipe(groupByKey(letter, counted, { maxKeys: 9 }))).toBe('vwxyz|', {
        v: 'a1',
        w: 'b1',
        x: 'a2',
        y: 'a3',
        z: 'b2',
      });
      expectAcks(source).toBe('abaab');
    });
  });

  it('leaves the settling to the lanes, and ends them with the flow', () => {
    const source = new ManualSource<string>();
    const out = collect(source.flow.pipe(groupByKey(letter, pairs, { maxKeys: 9 })), { ack: false });
    for (const value of ['a1', 'b1', 'a2']) source.emit(value);
    expect(out.values).toEqual(['a1+a2']);
    expect(source.events).toEqual([]);
    out.deliveries[0]!.ack();
    expect(source.marked('ack')).toBe('a1 a2');
    source.complete();
    expect(out.values).toEqual(['a1+a2', 'b1']);
    expect(out.ended).toEqual(['complete']);
    expect(source.problems).toEqual([]);
  });

  it('has lanes of its own for each claim, which end with it', () => {
    testFlow(({ claims, expectFlow, expectAcks }) => {
      const source = claims({ 'letters-0': 'aa-a!', 'letters-1': '--a---a|' });
      expectFlow(source.pipe(groupByKey(letter, counted, { maxKeys: 9 }))).toBe('abcd--e|', {
        a: 'a1',
        b: 'a2',
        c: 'a1',
        d: 'a3',
        e: 'a2',
      });
      expectAcks(source).toBe({ 'letters-0': 'aa-a', 'letters-1': '--a---a' });
    });
    testFlow(({ claims, expectFlow, expectAcks }) => {
      const source = claims({ 'letters-0': 'a--!', 'letters-1': '-a---a|' });
      expectFlow(source.pipe(groupByKey(letter, pairs, { maxKeys: 9 }))).toBe('---x-y|', {
        x: 'a',
        y: 'a+a',
      });
      expectAcks(source).toBe({ 'letters-0': '---a', 'letters-1': '-----(aa)' });
    });
  });

  it('ends the lanes of a lost claim; what they keep is left unsettled', () => {
    const sources = [new ManualSource<string>(), new ManualSource<string>()] as const;
    const flow = merge(sources[0].flow, sources[1].flow);
    const out = collect(flow.pipe(groupByKey(letter, pairs, { maxKeys: 9 })));
    sources[0].emit('a');
    sources[1].emit('b');
    sources[0].lose();
    expect(sources[0].marked('give-up')).toBe('a');
    expect(out.values).toEqual([]);
    sources[1].emit('b');
    expect(out.values).toEqual(['b+b']);
  });

  it('serves what still comes of a claim that was given away, lane by lane', () => {
    const source = new ManualSource<string>();
    const out = collect(source.flow.pipe(groupByKey(letter, pairs, { maxKeys: 9 })));
    source.emit('a1');
    source.revoke();
    source.emit('a2');
    source.emit('a3');
    expect(out.values).toEqual(['a1', 'a2', 'a3']);
    expect(source.marked('ack')).toBe('a1 a2 a3');
  });

  it('ends the lane that was quiet for longest when there are too many, and opens it anew', () => {
    const source = new ManualSource<string>();
    const out = collect(source.flow.pipe(groupByKey(letter, counted, { maxKeys: 2 })));
    source.emitAll(['a', 'b', 'a', 'c', 'a', 'b'], { complete: false });
    expect(out.values).toEqual(['a1', 'b1', 'a2', 'c1', 'a3', 'b1']);
  });

  it('ends a lane that had no value for idleMs', async () => {
    const source = new ManualSource<string>();
    const out = collect(source.flow.pipe(groupByKey(letter, pairs, { maxKeys: 9, idleMs: 100 })));
    source.emit('a1');
    await source.time.advance(60);
    source.emit('b1');
    await source.time.advance(60);
    expect(out.values).toEqual(['a1']);
    await source.time.advance(60);
    expect(out.values).toEqual(['a1', 'b1']);
    expect(source.time.pendingTimers).toBe(0);
  });

  it('keeps the order of a key whose lane ends: the next one waits for it', () => {
    const source = new ManualSource<string>();
    const answers = new Map<string, Subject<string>>();
    const asks = (group: Flow<string>): Flow<string> =>
      group.pipe(
        mapAsync(
          (value) => {
            const answer = new Subject<string>();
            answers.set(value, answer);
            return answer;
          },
          { concurrency: 9, order: 'input' },
        ),
      );
    const out = collect(source.flow.pipe(groupByKey(letter, asks, { maxKeys: 1 })));
    for (const value of ['a1', 'b1', 'a2', 'a3']) source.emit(value);
    // Each key ended the lane of the other; `a2` waits for `a1`.
    expect([...answers.keys()]).toEqual(['a1', 'b1']);
    answers.get('a1')!.next('A1');
    expect([...answers.keys()]).toEqual(['a1', 'b1', 'a2', 'a3']);
    answers.get('a3')!.next('A3');
    answers.get('a2')!.next('A2');
    answers.get('b1')!.next('B1');
    expect(out.values).toEqual(['A1', 'A2', 'A3', 'B1']);
    expect(source.marked('ack')).toBe('a1 a2 a3 b1');
    source.complete();
    expect(out.ended).toEqual(['complete']);
  });

  it('waits at the end for what its lanes are at', () => {
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const source = flow('ab|');
      const slow = mapAsync((value: string) => timer(3).pipe(rxMap(() => value)), {
        concurrency: 1,
        order: 'input',
      });
      expectFlow(source.pipe(groupByKey(letter, (group) => group.pipe(slow), { maxKeys: 1 }))).toBe(
        '---a(b|)',
      );
      expectAcks(source).toBe('---ab');
    });
  });

  it('acknowledges what comes to a lane that ended by itself, until that is forgotten', () => {
    const source = new ManualSource<string>();
    const first = (group: Flow<string>): Flow<string> => group.pipe(dropping(take(1), 0));
    const out = collect(source.flow.pipe(groupByKey(letter, first, { maxKeys: 2 })));
    source.emitAll(['a1', 'a2', 'b1', 'a3', 'c1', 'b2']);
    expect(out.values).toEqual(['a1', 'b1', 'c1', 'b2']);
    expect(source.marked('ack')).toBe('a1 a2 b1 a3 c1 b2');
    expect(out.ended).toEqual(['complete']);
  });

  it('goes on with one value at a time when acknowledgements bring the next ones', () => {
    const source = new ManualSource<string>(1);
    const out = collect(source.flow.pipe(groupByKey(letter, counted, { maxKeys: 1 })));
    source.emitAll(['a', 'b', 'b', 'a']);
    expect(out.values).toEqual(['a1', 'b1', 'b2', 'a1']);
    expect(out.ended).toEqual(['complete']);
    const nested = new ManualSource<string>(2);
    const many = collect(nested.flow.pipe(groupByKey(letter, counted, { maxKeys: 9 })));
    nested.emitAll('abababababab');
    expect(many.values.join('')).toBe('a1b1a2b2a3b3a4b4a5b5a6b6');
  });

  it('leaves what its lanes keep unsettled when the flow is unsubscribed or fails', () => {
    const source = new ManualSource<string>();
    const lanes = groupByKey(
      letter,
      (group: Flow<string>) => group.pipe(batch({ maxRecords: 9, withinMs: 99 })),
      { maxKeys: 9 },
    );
    const out = collect(source.flow.pipe(lanes));
    source.emit('a');
    source.emit('b');
    out.stop();
    expect(source.marked('give-up')).toBe('a b');
    expect(source.time.pendingTimers).toBe(0);
    const broken = new ManualSource<string>();
    const failed = collect(broken.flow.pipe(lanes));
    broken.emit('a');
    broken.error('broken');
    expect(failed.ended).toEqual(['broken']);
    expect(broken.marked('give-up')).toBe('a');
  });

  it('passes an error of a lane on, and of the function that makes it', () => {
    const source = new ManualSource<string>();
    const other = new ManualSource<string>();
    const out = collect(
      source.flow.pipe(groupByKey(letter, (group) => merge(group, other.flow), { maxKeys: 9 })),
    );
    source.emit('a');
    other.error('broken');
    expect(out.ended).toEqual(['broken']);
    const bad = new ManualSource<string>();
    const failed = collect(bad.flow.pipe(groupByKey(letter, () => 5 as never, { maxKeys: 9 })));
    bad.emit('a');
    expect(String(failed.ended[0])).toMatch(/did not answer with a Flow/);
    expect(bad.marked('give-up')).toBe('a');
    const twice = new ManualSource<string>();
    const double = collect(
      twice.flow.pipe(groupByKey(letter, (group) => merge(group, group), { maxKeys: 9 })),
    );
    twice.emit('a');
    expect(String(double.ended[0])).toMatch(/subscribes its group once/);
  });

  it('acknowledges what comes to a lane that never takes its group, and ends it all the same', () => {
    const source = new ManualSource<string>();
    const other = new ManualSource<string>();
    const out = collect(source.flow.pipe(groupByKey(letter, () => other.flow, { maxKeys: 9 })));
    source.emit('a');
    other.emit('x');
    expect(source.marked('ack')).toBe('a');
    expect(out.values).toEqual(['x']);
    source.complete();
    expect(out.ended).toEqual(['complete']);
  });

  it('follows its policy for a key that throws, and keeps its order over the retries', async () => {
    let failures = 1;
    const key = (value: string): string => {
      if (value === 'b1' && failures-- > 0) throw new Error('boom');
      return value === 'x' ? ({} as string) : value[0]!;
    };
    const onError = retry({ attempts: 2, minDelayMs: 5 }, skip);
    const source = new ManualSource<string>();
    const out = collect(source.flow.pipe(groupByKey(key, counted, { maxKeys: 9, name: 'mine', onError })));
    for (const value of ['a1', 'b1', 'b2', 'x', 'a2']) source.emit(value);
    expect(out.values).toEqual(['a1']);
    await source.time.advance(100);
    expect(out.values).toEqual(['a1', 'b1', 'b2', 'a2']);
    expect(source.marked('ack')).toBe('a1 b1 b2 x a2');
  });

  it('refuses options that make no sense', () => {
    expect(() => groupByKey('id' as never, counted, { maxKeys: 1 })).toThrow(/function/);
    expect(() => groupByKey(letter, 5 as never, { maxKeys: 1 })).toThrow(/function/);
    expect(() => groupByKey(letter, counted, { maxKeys: 0 })).toThrow(/maxKeys/);
    expect(() => groupByKey(letter, counted, { maxKeys: 1, idleMs: NaN })).toThrow(/idleMs/);
  });
});

describe('partitionBy', () => {
  const numbered = (lane: Flow<string>, number: number): Flow<string> =>
    lane.pipe(map((value) => `${value}${number}`));

  it('sends equal keys through the same lane, and keeps their order', () => {
    const source = new ManualSource<string>();
    const out = collect(source.flow.pipe(partitionBy(letter, numbered, { lanes: 4 })));
    const values = Array.from({ length: 200 }, (_, at) => `${String.fromCharCode(97 + (at % 26))}${at}-`);
    source.emitAll(values);
    const lanes = new Map<string, Set<string>>();
    for (const value of out.values) {
      const lane = value.split('-')[1]!;
      lanes.set(value[0]!, (lanes.get(value[0]!) ?? new Set()).add(lane));
    }
    expect([...lanes.values()].every(({ size }) => size === 1)).toBe(true);
    expect(new Set(out.values.map((value) => value.split('-')[1])).size).toBe(4);
    expect(source.marked('ack')).toBe(values.join(' '));
    expect(out.ended).toEqual(['complete']);
  });

  it('compares bytes by content', () => {
    const source = new ManualSource<string>();
    const out = collect(
      source.flow.pipe(partitionBy((value) => Buffer.from(letter(value)), numbered, { lanes: 64 })),
    );
    source.emitAll(['a1', 'a2']);
    expect(new Set(out.values.map((value) => value.slice(2))).size).toBe(1);
  });

  it('lets no lane wait for another', () => {
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const source = flow('ab|');
      const slow = mapAsync((value: string) => timer(value === 'a' ? 4 : 1).pipe(rxMap(() => value)), {
        concurrency: 1,
        order: 'input',
      });
      expectFlow(source.pipe(partitionBy(letter, (lane) => lane.pipe(slow), { lanes: 2 }))).toBe('--b-(a|)');
      expectAcks(source).toBe('--b-a');
    });
  });

  it('flushes what its lanes collect of a claim that is given away', () => {
    testFlow(({ claims, expectFlow, expectAcks }) => {
      const source = claims({ 'letters-0': 'ab-!', 'letters-1': '-------|' });
      expectFlow(source.pipe(partitionBy(letter, (lane) => pairs(lane), { lanes: 2 }))).toBe('---(ab)|');
      expectAcks(source).toBe({ 'letters-0': '---(ab)', 'letters-1': '' });
    });
  });

  it('acknowledges what goes to a lane that has ended, follows its policy, and is unsubscribed whole', () => {
    const source = new ManualSource<string>();
    const key = (value: string): string => {
      if (value === 'x') throw new Error('boom');
      return value;
    };
    const lane = (flow: Flow<string>, number: number): Flow<string> =>
      number === 0
        ? flow.pipe(dropping(take(0), 0))
        : flow.pipe(batch({ maxRecords: 9, withinMs: 99 }), map(String));
    const out = collect(source.flow.pipe(partitionBy(key, lane, { lanes: 2, onError: skip })));
    for (const value of ['a', 'b', 'x']) source.emit(value);
    const [ended, kept] = source.marked('ack').startsWith('a') ? ['a', 'b'] : ['b', 'a'];
    expect(source.marked('ack')).toBe(`${ended} x`);
    out.stop();
    expect(source.marked('give-up')).toBe(kept);
  });

  it('refuses options that make no sense, and lanes that subscribe twice', () => {
    expect(() => partitionBy(1 as never, numbered, { lanes: 1 })).toThrow(/function/);
    expect(() => partitionBy(letter, 1 as never, { lanes: 1 })).toThrow(/function/);
    expect(() => partitionBy(letter, numbered, { lanes: 0 })).toThrow(/lanes/);
    const source = new ManualSource<string>();
    const twice = partitionBy(letter, (lane: Flow<string>) => merge(lane, lane), { lanes: 1 });
    expect(collect(source.flow.pipe(twice)).ended).toMatchObject([{ code: 'USAGE' }]);
    const within = new ManualSource<string>();
    const out = collect(
      within.flow.pipe(
        partitionBy(
          letter,
          (lane: Flow<string>) =>
            lane.pipe(
              fanOut(
                map((x: string) => x),
                map((x: string) => x),
              ),
            ),
          { lanes: 1 },
        ),
      ),
    );
    within.emitAll('a');
    expect(out.values).toEqual(['a', 'a']);
  });
});
