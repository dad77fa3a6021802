import { describe, expect, it } from '@jest/globals';
import { batch, flatMap, merge, type BatchOptions } from '../../src/operators/index.ts';
import { testFlow } from '../../src/testing/marbles.ts';
import { collect, ManualSource } from '../flow/manual-source.ts';

const three = batch<string>({ maxRecords: 3, withinMs: 100 });
const many = batch<string>({ maxRecords: 99, withinMs: 100 });

describe('batch', () => {
  it('emits when it is full, and the rest when the flow completes', () => {
    testFlow(({ flow, expectFlow }) => {
      const source = flow('abcde|');
      expectFlow(source.pipe(three)).toBe('--x--(y|)', { x: ['a', 'b', 'c'], y: ['d', 'e'] });
    });
  });

  it('emits at the latest `withinMs` after the first value, counted anew for each batch', () => {
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const source = flow('ab---c------|');
      expectFlow(source.pipe(batch({ maxRecords: 9, withinMs: 4 }))).toBe('----x----y--|', {
        x: ['a', 'b'],
        y: ['c'],
      });
      expectAcks(source).toBe('----(ab)-c');
    });
  });

  it('emits nothing for a flow without values', () => {
    testFlow(({ flow, expectFlow }) => {
      expectFlow(flow('--|').pipe(three)).toBe('--|');
    });
  });

  it('settles all its records, in their order, when the batch is settled and not before', () => {
    const source = new ManualSource<string>();
    const out = collect(source.flow.pipe(three), { ack: false });
    source.emitAll('abcdef');
    expect(source.events).toEqual([]);
    expect(out.deliveries[0]!.origins.map(({ sequence }) => sequence)).toEqual([0, 1, 2]);
    out.deliveries[1]!.ack();
    out.deliveries[0]!.ack();
    expect(source.marked('ack')).toBe('d e f a b c');
  });

  it('refuses all its records when the batch is refused', () => {
    const source = new ManualSource<string>();
    const out = collect(source.flow.pipe(three), { ack: false });
    source.emitAll('abc');
    out.deliveries[0]!.nack('no', 'reject');
    expect(source.events).toMatchObject(
      ['a', 'b', 'c'].map((mark) => ({ kind: 'nack', mark, cause: 'no', verdict: 'reject' })),
    );
  });

  it('refuses a record once, whose children are spread over batches, when all have settled', () => {
    const source = new ManualSource<string>();
    const twice = flatMap((x: string) => [x, x]);
    const out = collect(source.flow.pipe(twice, batch({ maxRecords: 1, withinMs: 1 })), { ack: false });
    source.emitAll('a');
    out.deliveries[0]!.nack('no');
    expect(source.events).toEqual([]);
    out.deliveries[1]!.ack();
    expect(source.marked('nack')).toBe('a');
  });

  it('passes an error on and gives up what it holds', () => {
    const source = new ManualSource<string>();
    const out = collect(source.flow.pipe(three));
    source.emitAll('abcd', { complete: false });
    source.error('broken');
    expect(out.values).toEqual([['a', 'b', 'c']]);
    expect(out.ended).toEqual(['broken']);
    expect(source.marked('give-up')).toBe('d');
    expect(source.time.pendingTimers).toBe(0);
  });

  it('gives up what it holds when it is unsubscribed, and its timer with it', () => {
    const source = new ManualSource<string>();
    const out = collect(source.flow.pipe(many));
    source.emitAll('ab', { complete: false });
    out.stop();
    expect(source.marked('give-up')).toBe('a b');
    expect(source.events).toHaveLength(2);
    source.revoke();
    source.press();
    expect(out.values).toEqual([]);
  });

  it('ends inside the subscriber that takes one batch: nothing is emitted after, and what is left is given up', () => {
    const source = new ManualSource<string>();
    const values: (readonly string[])[] = [];
    const subscription = source.flow.pipe(three).subscribe((delivery) => {
      values.push(delivery.value);
      delivery.ack();
      subscription.unsubscribe();
    });
    source.emitAll('abcde', { complete: false });
    expect(values).toEqual([['a', 'b', 'c']]);
    expect(source.marked('ack')).toBe('a b c');
  });

  it('keeps order and loses none when settling a batch brings the next values inside', () => {
    const source = new ManualSource<number>(3);
    const out = collect(source.flow.pipe(batch({ maxRecords: 3, withinMs: 100 })));
    const numbers = Array.from({ length: 100 }, (_, at) => at);
    source.emitAll(numbers);
    expect(out.values.flat()).toEqual(numbers);
    // Settling the last of a batch may come after the next one, which it made room for.
    const acks = source.marked('ack').split(' ').map(Number);
    expect(acks.sort((a, b) => a - b)).toEqual(numbers);
    expect(out.ended).toEqual(['complete']);
    expect(source.problems).toEqual([]);
  });

  describe('by bytes', () => {
    const bytes = batch<string>({ maxRecords: 99, withinMs: 100, maxBytes: 10 });

    it('emits before a value that would not fit', () => {
      const source = new ManualSource<string>();
      const out = collect(source.flow.pipe(bytes));
      source.emit('a', 4);
      source.emit('b', 6);
      expect(out.values).toEqual([]);
      source.emit('c', 1);
      expect(out.values).toEqual([['a', 'b']]);
      source.complete();
      expect(out.values).toEqual([['a', 'b'], ['c']]);
    });

    it('makes a batch by itself of a record that is larger', () => {
      const source = new ManualSource<string>();
      const out = collect(source.flow.pipe(bytes));
      source.emit('a', 1);
      source.emit('b', 50);
      source.emit('c', 1);
      source.complete();
      expect(out.values).toEqual([['a'], ['b'], ['c']]);
    });

    it('counts anew after a lost claim took its records away', () => {
      const [one, two] = [new ManualSource<string>(), new ManualSource<string>()];
      const out = collect(merge(one.flow, two.flow).pipe(bytes));
      one.emit('a', 8);
      two.emit('b', 1);
      one.lose();
      two.emit('c', 9);
      expect(out.values).toEqual([]);
      two.emit('d', 1);
      expect(out.values).toEqual([['b', 'c']]);
    });
  });

  describe('and its source', () => {
    it('emits early when the source is out of credit and waits for it', () => {
      testFlow(({ flow, expectFlow, press }) => {
        const source = flow('ab---c---|');
        press(source, '---!');
        expectFlow(source.pipe(many)).toBe('---x-----(y|)', { x: ['a', 'b'], y: ['c'] });
      });
    });

    it('larger than the credit degrades instead of standing still', () => {
      const source = new ManualSource<number>(4);
      const out = collect(source.flow.pipe(batch({ maxRecords: 64, withinMs: 100 })));
      source.emitAll(Array.from({ length: 10 }, (_, at) => at));
      expect(out.values[0]).toEqual([0, 1, 2, 3]);
      expect(out.values.flat()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
      expect(out.ended).toEqual(['complete']);
    });

    it('does not emit early while most of what the source waits for is elsewhere, and then does', async () => {
      const source = new ManualSource<string>();
      const out = collect(source.flow.pipe(batch({ maxRecords: 99, withinMs: 1_000 })));
      const elsewhere = Array.from({ length: 9 }, (_, at) => source.handOver(`x${at}`));
      source.emit('a');
      source.emit('b');
      source.press();
      await source.time.advance(50);
      expect(out.values).toEqual([]);
      for (const sequence of elsewhere.slice(0, 7)) source.giveUp(sequence);
      source.pressed = true;
      await source.time.advance(10);
      expect(out.values).toEqual([['a', 'b']]);
    });

    it('emits under pressure when nothing has changed for a second, for others may wait as it does', async () => {
      const source = new ManualSource<string>();
      const out = collect(source.flow.pipe(batch({ maxRecords: 99, withinMs: 60_000 })));
      for (let at = 0; at < 9; at++) source.handOver(`x${at}`);
      source.emit('a');
      source.press();
      await source.time.advance(900);
      expect(out.values).toEqual([]);
      await source.time.advance(200);
      expect(out.values).toEqual([['a']]);
    });

    it('emits when the claim is being given away, and holds nothing of it after', () => {
      testFlow(({ flow, expectFlow, revoke }) => {
        const source = flow('ab---cd-|');
        revoke(source, '---!');
        expectFlow(source.pipe(many)).toBe('---x-yz-|', { x: ['a', 'b'], y: ['c'], z: ['d'] });
      });
    });

    it('drops what it holds of a lost claim: neither emitted nor settled', () => {
      testFlow(({ flow, expectFlow, expectAcks, lose }) => {
        const source = flow('ab---|');
        lose(source, '---!');
        expectFlow(source.pipe(many)).toBe('-----|');
        expectAcks(source).toBe('');
      });
    });

    it('keeps the values of the other claims when one is lost', () => {
      const [one, two] = [new ManualSource<string>(), new ManualSource<string>()];
      const out = collect(merge(one.flow, two.flow).pipe(many));
      one.emit('a');
      two.emit('b');
      one.emit('c');
      one.lose();
      one.complete();
      two.complete();
      expect(out.values).toEqual([['b']]);
      expect(one.marked('give-up')).toBe('a c');
      expect(two.marked('ack')).toBe('b');
    });

    it('takes nothing of a claim that is lost when a value of it comes, and counts on with the others', async () => {
      const [one, two] = [new ManualSource<string>(), new ManualSource<string>()];
      const out = collect(
        merge(one.flow, two.flow).pipe(batch({ maxRecords: 2, withinMs: 100, maxBytes: 10 })),
      );
      one.emit('a', 1);
      one.lose();
      expect(one.time.pendingTimers).toBe(0);
      one.emit('b', 9);
      expect(one.time.pendingTimers).toBe(0);
      two.emit('c', 9);
      one.emit('d', 1);
      expect(out.values).toEqual([]);
      two.emit('e', 1);
      expect(out.values).toEqual([['c', 'e']]);
      two.emit('f', 9);
      one.emit('g', 1);
      await two.time.advance(100);
      expect(out.values).toEqual([['c', 'e'], ['f']]);
      expect(one.marked('give-up')).toBe('a b d g');
      expect(two.marked('ack')).toBe('c e f');
      expect([...one.problems, ...two.problems]).toEqual([]);
    });
  });

  it.each<[keyof BatchOptions, number]>([
    ['maxRecords', 0],
    ['maxRecords', 1.5],
    ['withinMs', -1],
    ['withinMs', Infinity],
    ['maxBytes', 0],
  ])('refuses %s: %d', (option, value) => {
    expect(() => batch({ maxRecords: 1, withinMs: 1, [option]: value })).toThrow(new RegExp(option));
  });
});
