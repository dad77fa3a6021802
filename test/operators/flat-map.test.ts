import { describe, expect, it } from '@jest/globals';
import { map as rxMap, timer } from 'rxjs';
import { batch, countWindow, flatMap, map, mapAsync, merge, retry, skip } from '../../src/operators/index.ts';
import { testFlow } from '../../src/testing/marbles.ts';
import { collect, ManualSource } from '../flow/manual-source.ts';

const letters = flatMap((word: string) => word.split(''));

describe('flatMap', () => {
  it('emits the values of each record in order and settles it with the last of them', () => {
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const source = flow('a----b|', { a: 'xyz', b: 'x' });
      expectFlow(source.pipe(letters)).toBe('(xyz)x|');
      expectAcks(source).toBe('a----b');
    });
  });

  it('settles a record without values at once', () => {
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const source = flow('ab|', { a: '', b: 'x' });
      expectFlow(source.pipe(letters)).toBe('-x|');
      expectAcks(source).toBe('ab');
    });
  });

  it('settles a record when its children have, in any order, and refuses it for one of them', () => {
    const source = new ManualSource<string>();
    const out = collect(source.flow.pipe(letters), { ack: false });
    source.emitAll(['xyz', 'vw'], { complete: false });
    out.deliveries[2]!.ack();
    out.deliveries[3]!.ack();
    out.deliveries[0]!.nack('no');
    expect(source.events).toEqual([]);
    out.deliveries[4]!.ack();
    out.deliveries[1]!.ack();
    expect(source.marked('ack')).toBe('vw');
    expect(source.marked('nack')).toBe('xyz');
  });

  it('keeps a bounded number of children open and goes on at half', () => {
    const source = new ManualSource<number>();
    let pulled = 0;
    const stage = flatMap(function* (n: number) {
      for (let at = 0; at < n; at++) {
        pulled++;
        yield at;
      }
    });
    const out = collect(source.flow.pipe(stage), { ack: false });
    source.emitAll([3_000, 2]);
    expect(pulled).toBe(1_024);
    for (const delivery of out.deliveries.slice(0, 511)) delivery.ack();
    expect(pulled).toBe(1_024);
    out.deliveries[600]!.ack();
    expect(pulled).toBe(1_536);
    for (let at = 0; at < out.deliveries.length; at++) out.deliveries[at]!.ack();
    expect(out.values).toHaveLength(3_002);
    expect(out.values.slice(-3)).toEqual([2_999, 0, 1]);
    expect(source.marked('ack')).toBe('3000 2');
    expect(out.ended).toEqual(['complete']);
  });

  it('makes room when a child is held', () => {
    const source = new ManualSource<number>();
    const out = collect(source.flow.pipe(flatMap((n) => Array.from({ length: n }, (_, at) => at))), {
      ack: false,
    });
    source.emitAll([2_000]);
    for (let at = 0; at < out.deliveries.length; at++) out.deliveries[at]!.hold();
    expect(out.values).toHaveLength(2_000);
    expect(source.marked('hold')).toBe('2000');
    for (const delivery of out.deliveries) delivery.ack();
    expect(source.marked('ack')).toBe('2000');
  });

  it('tells a stage that collects when it is out of room', () => {
    const source = new ManualSource<number>();
    const windows = source.flow.pipe(
      flatMap((n) => Array.from({ length: n }, (_, at) => at)),
      countWindow({ records: 5_000 }),
    );
    const out = collect(windows);
    source.emitAll([3_000]);
    expect(out.values.map(({ length }) => length)).toEqual([1_024, 1_024, 952]);
    expect(source.marked('ack')).toBe('3000');
    expect(out.ended).toEqual(['complete']);
  });

  it('gives the event loop back during a long run, on the clock of the claim', () => {
    const source = new ManualSource<number>();
    let now = 0;
    const deferred: (() => void)[] = [];
    Object.assign(source, {
      clock: {
        now: () => (now += 5),
        wallNow: () => 0,
        setTimeout: () => ({ cancel() {} }),
        defer: (callback: () => void) => deferred.push(callback),
      },
    });
    const out = collect(source.flow.pipe(flatMap((n) => Array.from({ length: n }, (_, at) => at))));
    source.emitAll([2_000]);
    expect(out.values.length).toBeGreaterThan(256);
    expect(out.values.length).toBeLessThan(2_000);
    while (deferred.length > 0) deferred.shift()!();
    expect(out.values).toHaveLength(2_000);
    expect(out.ended).toEqual(['complete']);
  });

  it('keeps order when settling brings the next record inside', () => {
    const source = new ManualSource<string>(1);
    const out = collect(source.flow.pipe(letters));
    source.emitAll(['ab', '', 'cde', 'f']);
    expect(out.values.join('')).toBe('abcdef');
    expect(source.marked('ack')).toBe('ab  cde f');
    expect(out.ended).toEqual(['complete']);
  });

  it('hands what its iterable throws to the policy; what came out before settles by itself', () => {
    const source = new ManualSource<string>();
    const broken = function* (x: string) {
      yield `${x}1`;
      if (x === 'b') throw new Error('boom');
      yield `${x}2`;
    };
    const out = collect(source.flow.pipe(flatMap(broken, { name: 'split' })), { ack: false });
    source.emitAll('abc');
    expect(out.values).toEqual(['a1', 'a2', 'b1', 'c1', 'c2']);
    for (const delivery of out.deliveries) delivery.ack();
    expect(source.marked('ack')).toBe('a c');
    expect(source.events.find(({ kind }) => kind === 'nack')?.cause).toMatchObject({
      stage: 'split',
      value: 'b',
    });
    expect(out.ended).toEqual(['complete']);
  });

  it('starts the iterable again on a retry, and keeps its place', () => {
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const source = flow('ab|');
      let times = 0;
      const flaky = function* (x: string) {
        yield x;
        if (x === 'a' && times++ === 0) throw new Error('boom');
        yield x.toUpperCase();
      };
      expectFlow(source.pipe(flatMap(flaky, { onError: retry({ attempts: 2, minDelayMs: 3 }) }))).toBe(
        'a--(aAbB|)',
      );
      expectAcks(source).toBe('---(ab)');
    });
  });

  it('skips the rest of an iterable that failed', () => {
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const source = flow('a|');
      const broken = function* () {
        yield 'x';
        throw new Error('boom');
      };
      expectFlow(source.pipe(flatMap(broken, { onError: skip }))).toBe('x|');
      expectAcks(source).toBe('a');
    });
  });

  it('closes the iterable and gives the record up when it is unsubscribed', () => {
    const source = new ManualSource<number>();
    let closed = false;
    const endless = function* () {
      try {
        for (let at = 0; ; at++) yield at;
      } finally {
        closed = true;
      }
    };
    const out = collect(source.flow.pipe(flatMap(endless)), { ack: false });
    source.emitAll([1, 2], { complete: false });
    out.stop();
    expect(closed).toBe(true);
    expect(source.marked('give-up')).toBe('2');
    for (const delivery of out.deliveries) delivery.ack();
    expect(source.marked('give-up')).toBe('2 1');
    expect(source.marked('ack')).toBe('');
  });

  it('passes an error of its source on', () => {
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const source = flow('a----#', { a: 'xy' });
      expectFlow(source.pipe(letters)).toBe('(xy)-#');
      expectAcks(source).toBe('a');
    });
  });

  it('feeds a batch that wants more than it keeps open', () => {
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const source = flow('a|');
      const sizes = source.pipe(
        flatMap(() => Array.from({ length: 2_500 }, (_, at) => at)),
        batch({ maxRecords: 2_000, withinMs: 1_000 }),
        mapAsync((rows) => timer(1).pipe(rxMap(() => rows.length)), { concurrency: 1, order: 'input' }),
      );
      expectFlow(sizes).toBe('-xyy(z|)', { x: 1_024, y: 512, z: 452 });
      expectAcks(source).toBe('----a');
    });
  });

  it('pulls nothing more of a claim that is lost, and goes on with the next', () => {
    const source = new ManualSource<string>();
    const other = new ManualSource<string>();
    let closed = 0;
    const endless = flatMap(function* (word: string) {
      try {
        if (word === 'b') yield word;
        else for (;;) yield word;
      } finally {
        closed++;
      }
    });
    const out = collect(merge(source.flow, other.flow).pipe(endless), { ack: false });
    source.emit('a');
    other.emit('b');
    expect(out.values).toHaveLength(1_024);
    source.lose();
    for (const delivery of out.deliveries.splice(0)) delivery.ack();
    expect(out.values).toHaveLength(1_025);
    expect(closed).toBe(2);
    expect(source.marked('give-up')).toBe('a');
    for (const delivery of out.deliveries) delivery.ack();
    expect(other.marked('ack')).toBe('b');
  });

  it('stops in the middle of a run when its claim is lost there', () => {
    const source = new ManualSource<string>();
    let pulled = 0;
    const out = collect(
      source.flow.pipe(
        flatMap(function* () {
          for (;;) yield pulled++;
        }),
        map((n) => {
          if (n === 300) source.lose();
          return n;
        }),
      ),
    );
    source.emit('a');
    expect(out.values.length).toBeLessThan(600);
    expect(source.marked('give-up')).toBe('a');
  });

  it('closes an iterable that ends the flow itself, and emits nothing more', () => {
    const source = new ManualSource<string>();
    let closed = 0;
    const held: { stop(): void }[] = [];
    const values = function* (): Generator<string> {
      try {
        yield 'a';
        held[0]!.stop();
        yield 'b';
      } finally {
        closed++;
      }
    };
    const out = collect(source.flow.pipe(flatMap(values)));
    held.push(out);
    source.emit('x');
    expect(out.values).toEqual(['a']);
    expect(closed).toBe(1);
    expect(source.marked('give-up')).toBe('x');
    expect(source.problems).toEqual([]);
  });
});
