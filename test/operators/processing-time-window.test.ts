import { describe, expect, it } from '@jest/globals';
import type { Clock } from '../../src/core/clock.ts';
import { merge, processingTimeWindow, skip } from '../../src/operators/index.ts';
import { testFlow } from '../../src/testing/marbles.ts';
import { collect, ManualSource } from '../flow/manual-source.ts';

const joined = (sizeMs: number) =>
  processingTimeWindow({
    sizeMs,
    key: (letter: string) => letter.toLowerCase(),
    seed: () => '',
    add: (row, letter) => row + letter,
  });

const row = (key: string, start: number, value: string, final = true) => ({
  key,
  start,
  end: start + 10,
  value,
  final,
});

describe('processingTimeWindow', () => {
  it('closes windows when their time is over, aligned to their size, and settles their records then', () => {
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const source = flow('--ab-A------b---|');
      expectFlow(source.pipe(joined(10))).toBe('----------(xy)--(z|)', {
        x: row('a', 0, 'aA'),
        y: row('b', 0, 'b'),
        z: row('b', 10, 'b'),
      });
      expectAcks(source).toBe('----------(aAb)-b');
    });
  });

  it('takes no credit for what it holds', () => {
    const source = new ManualSource<string>(2);
    collect(source.flow.pipe(joined(10)));
    source.emitAll('aba', { complete: false });
    expect(source.marked('hold')).toBe('a b a');
    expect(source.inFlight).toBe(0);
  });

  it('emits early when the claim is being given away, or out of room; the rows of a window add up', () => {
    testFlow(({ flow, expectFlow, press, revoke }) => {
      const source = flow('a---a---a---|');
      press(source, '--!');
      revoke(source, '------!');
      expectFlow(source.pipe(joined(10))).toBe('--x---y-z---|', {
        x: row('a', 0, 'a', false),
        y: row('a', 0, 'a', false),
        z: row('a', 0, 'a', false),
      });
    });
  });

  it('closes what is over before it takes the next value, should its timer be late', () => {
    const source = new ManualSource<string>();
    let nowMs = 0;
    const clock: Clock = {
      now: () => nowMs,
      wallNow: () => nowMs,
      setTimeout: () => ({ cancel: () => undefined }),
      defer: () => undefined,
    };
    Object.assign(source, { clock });
    const { values } = collect(source.flow.pipe(joined(10)));
    source.emit('a');
    nowMs = 25;
    source.emit('b');
    source.complete();
    expect(values).toEqual([row('a', 0, 'a'), row('b', 20, 'b')]);
  });

  it('counts nothing of a claim that is lost', () => {
    const [one, other] = [new ManualSource<string>(), new ManualSource<string>()];
    const { values } = collect(merge(one.flow, other.flow).pipe(joined(10)));
    one.emit('a');
    other.emit('A');
    one.emit('b');
    one.lose();
    one.complete();
    other.complete();
    expect(values.map(({ value }) => value)).toEqual(['A']);
    expect(one.marked('give-up')).toBe('a b');
    expect(other.marked('ack')).toBe('A');
  });

  it('counts nothing that comes of a claim when it is lost already, whatever the fold does to its row', () => {
    const [one, other] = [new ManualSource<string>(), new ManualSource<string>()];
    const window = processingTimeWindow({
      sizeMs: 10,
      key: () => 'all',
      seed: (): string[] => [],
      add: (row, letter: string) => {
        row.push(letter);
        return row;
      },
    });
    const { values } = collect(merge(one.flow, other.flow).pipe(window));
    one.emit('a');
    one.lose();
    other.emit('b');
    one.emit('c');
    other.emit('d');
    one.complete();
    other.complete();
    expect(values.map(({ value }) => value)).toEqual([['b', 'd']]);
    expect(one.marked('give-up')).toBe('a c');
    expect(other.marked('ack')).toBe('b d');
  });

  it('gives up what it holds when it is unsubscribed or the flow fails, and leaves no timer', () => {
    const sources = [new ManualSource<string>(), new ManualSource<string>()];
    const outs = sources.map((source) => collect(source.flow.pipe(joined(10))));
    for (const source of sources) source.emit('a');
    outs[0]!.stop();
    sources[1]!.error('broken');
    expect(outs[1]!.ended).toEqual(['broken']);
    for (const source of sources) {
      expect(source.marked('give-up')).toBe('a');
      expect(source.time.pendingTimers).toBe(0);
    }
  });

  it('hands what a user function throws to the stage policy', () => {
    const source = new ManualSource<string>();
    const add = (row: string, letter: string): string => {
      if (letter === 'b') throw new Error('boom');
      return row + letter;
    };
    const { values } = collect(
      source.flow.pipe(
        processingTimeWindow({ sizeMs: 10, key: () => 'all', seed: () => '', add, onError: skip }),
      ),
    );
    source.emitAll('abc');
    expect(values.map(({ value }) => value)).toEqual(['ac']);
    expect(source.marked('ack')).toBe('b a c');
  });

  it('keeps order and loses none when settling a window brings the next values inside', () => {
    const source = new ManualSource<string>(3);
    const { values } = collect(source.flow.pipe(joined(10)));
    source.emitAll('abcdefghij');
    expect(values.map(({ value }) => value).join('')).toBe('abcdefghij');
    expect(source.problems).toEqual([]);
  });

  it('checks its options', () => {
    expect(() => joined(0)).toThrow(/sizeMs/);
    expect(() => processingTimeWindow({ sizeMs: 1, key: 1 as never, seed: () => 0, add: () => 0 })).toThrow(
      /'key'/,
    );
  });
});
