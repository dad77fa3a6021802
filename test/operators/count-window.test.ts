import { describe, expect, it } from '@jest/globals';
import { StageError } from '../../src/flow/stage-error.ts';
import { countWindow, merge, retry, skip } from '../../src/operators/index.ts';
import { testFlow } from '../../src/testing/marbles.ts';
import { collect, ManualSource } from '../flow/manual-source.ts';

const two = countWindow<string>({ records: 2 });
/** A window for each letter, whatever its case. */
const byLetter = countWindow<string>({ records: 2, key: (x) => x.toLowerCase() });

describe('countWindow', () => {
  it('emits every so many values, and the rest when the flow completes', () => {
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const source = flow('ab---c|');
      expectFlow(source.pipe(two)).toBe('-x----(y|)', { x: ['a', 'b'], y: ['c'] });
      expectAcks(source).toBe('-(ab)-c');
    });
  });

  it('keeps a window for each key', () => {
    testFlow(({ flow, expectFlow }) => {
      const source = flow('abcBA|');
      expectFlow(source.pipe(byLetter)).toBe('---xy(z|)', { x: ['b', 'B'], y: ['a', 'A'], z: ['c'] });
    });
  });

  it('emits nothing for a flow without values', () => {
    testFlow(({ flow, expectFlow }) => {
      expectFlow(flow('--|').pipe(two)).toBe('--|');
    });
  });

  it('settles all records of a window in their order, when the window is settled and not before', () => {
    const source = new ManualSource<string>();
    const out = collect(source.flow.pipe(two), { ack: false });
    source.emitAll('abcd');
    expect(source.events).toEqual([]);
    out.deliveries[1]!.ack();
    out.deliveries[0]!.nack('no');
    expect(source.marked('ack')).toBe('c d');
    expect(source.marked('nack')).toBe('a b');
  });

  it('refuses a value whose key throws or is no key, and the others go on', () => {
    const source = new ManualSource<string>();
    const key = (x: string): string => {
      if (x === 'b') throw new Error('boom');
      return x === 'c' ? ({} as string) : 'same';
    };
    const out = collect(source.flow.pipe(countWindow({ records: 2, key })));
    source.emitAll('abcd');
    expect(out.values).toEqual([['a', 'd']]);
    expect(source.marked('nack')).toBe('b c');
    expect(source.events[0]!.cause).toBeInstanceOf(StageError);
    expect(source.events[0]!.cause).toMatchObject({ stage: 'countWindow', value: 'b', attempt: 1 });
  });

  it('passes an error on and gives up what it holds', () => {
    const source = new ManualSource<string>();
    const out = collect(source.flow.pipe(two));
    source.emitAll('abc', { complete: false });
    source.error('broken');
    expect(out.ended).toEqual(['broken']);
    expect(out.values).toEqual([['a', 'b']]);
    expect(source.marked('give-up')).toBe('c');
  });

  it('gives up all windows when it is unsubscribed', () => {
    const source = new ManualSource<string>();
    const out = collect(source.flow.pipe(byLetter));
    source.emitAll('abc', { complete: false });
    out.stop();
    source.revoke();
    expect(source.marked('give-up')).toBe('a b c');
    expect(out.values).toEqual([]);
  });

  it('keeps order and loses none when settling a window brings the next values inside', () => {
    const source = new ManualSource<number>(3);
    const numbers = Array.from({ length: 99 }, (_, at) => at);
    const out = collect(source.flow.pipe(countWindow({ records: 3 })));
    source.emitAll(numbers);
    expect(out.values.flat()).toEqual(numbers);
    expect(out.ended).toEqual(['complete']);
    expect(source.inFlight).toBe(0);
    expect(source.problems).toEqual([]);
  });

  it('keeps the order of each key when windows re-enter while all are flushed', () => {
    const source = new ManualSource<number>(4);
    const numbers = Array.from({ length: 60 }, (_, at) => at);
    const out = collect(source.flow.pipe(countWindow({ records: 50, key: (n) => n % 3 })));
    source.emitAll(numbers);
    for (const key of [0, 1, 2]) {
      const ofKey = (n: number): boolean => n % 3 === key;
      expect(out.values.flat().filter(ofKey)).toEqual(numbers.filter(ofKey));
    }
    expect(out.ended).toEqual(['complete']);
    expect(source.inFlight).toBe(0);
  });

  it('emits short windows when the source is out of credit and waits for them', () => {
    testFlow(({ flow, expectFlow, press }) => {
      const source = flow('ab---c--|');
      press(source, '---!');
      expectFlow(source.pipe(byLetter)).toBe('---(xy)-(z|)', {
        x: ['a'],
        y: ['b'],
        z: ['c'],
      });
    });
  });

  it('emits short windows when the claim is being given away, and holds nothing of it after', () => {
    testFlow(({ flow, expectFlow, revoke }) => {
      const source = flow('ab-----c-|');
      revoke(source, '---!');
      expectFlow(source.pipe(byLetter)).toBe('---(xy)z-|', { x: ['a'], y: ['b'], z: ['c'] });
    });
  });

  it('emits only the windows in which the claim that is given away has a part', () => {
    const [one, other] = [new ManualSource<string>(), new ManualSource<string>()];
    const out = collect(merge(one.flow, other.flow).pipe(byLetter));
    one.emit('a');
    other.emit('b');
    one.revoke();
    expect(out.values).toEqual([['a']]);
    other.emit('B');
    expect(out.values).toEqual([['a'], ['b', 'B']]);
  });

  it('drops what it holds of a lost claim: neither emitted nor settled', () => {
    const [one, other] = [new ManualSource<string>(), new ManualSource<string>()];
    const out = collect(merge(one.flow, other.flow).pipe(countWindow({ records: 3 })));
    one.emit('a');
    other.emit('b');
    one.lose();
    one.complete();
    other.complete();
    expect(out.values).toEqual([['b']]);
    expect(one.marked('give-up')).toBe('a');
    expect(one.marked('ack')).toBe('');
    expect(other.marked('ack')).toBe('b');
  });

  it('takes nothing of a claim that is lost when a value of it comes, and counts on with the others', () => {
    const [one, other] = [new ManualSource<string>(), new ManualSource<string>()];
    const out = collect(merge(one.flow, other.flow).pipe(countWindow({ records: 3 })), { ack: false });
    one.emit('a');
    other.emit('b');
    one.lose();
    other.emit('c');
    one.emit('d');
    expect(out.values).toEqual([]);
    other.emit('e');
    other.emit('f');
    one.emit('g');
    expect(out.values).toEqual([['b', 'c', 'e']]);
    expect(one.marked('give-up')).toBe('a d g');
    out.deliveries[0]!.ack();
    expect(other.marked('ack')).toBe('b c e');
    expect(one.marked('ack')).toBe('');
    one.complete();
    other.complete();
    expect(out.values).toEqual([['b', 'c', 'e'], ['f']]);
    expect(one.inFlight).toBe(0);
    expect([...one.problems, ...other.problems]).toEqual([]);
  });

  it('keeps a value of several claims as long as one of them goes on', () => {
    const [one, other] = [new ManualSource<string>(), new ManualSource<string>()];
    const pairs = merge(one.flow, other.flow).pipe(two, countWindow({ records: 2 }));
    const out = collect(pairs);
    one.emit('a');
    other.emit('b');
    one.lose();
    other.emit('c');
    other.emit('d');
    expect(out.values).toEqual([
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
    ]);
    expect(other.marked('ack')).toBe('b c d');
  });

  it('follows its policy for a key that throws, under its name, and keeps its order over the retries', async () => {
    let failures = 1;
    const key = (x: string): string => {
      if (x === 'b' && failures-- > 0) throw new Error('boom');
      return x === 'c' ? ({} as string) : 'all';
    };
    const source = new ManualSource<string>();
    const onError = retry({ attempts: 2, minDelayMs: 5 }, skip);
    const out = collect(source.flow.pipe(countWindow<string>({ records: 3, key, onError })));
    source.emitAll('abcd');
    await source.time.advance(100);
    expect(out.values).toEqual([['a', 'b', 'd']]);
    expect(source.marked('ack')).toBe('c a b d');
    expect(out.ended).toEqual(['complete']);
    const failing = new ManualSource<string>();
    collect(failing.flow.pipe(countWindow<string>({ records: 3, key: () => ({}) as string, name: 'mine' })));
    failing.emit('a');
    expect(failing.events).toMatchObject([{ kind: 'nack', cause: { stage: 'mine' } }]);
  });

  it.each([0, 1.5, NaN])('refuses %d records', (records) => {
    expect(() => countWindow({ records })).toThrow(/records is a whole number/);
  });
});
