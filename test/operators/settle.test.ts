import { describe, expect, it } from '@jest/globals';
import { lastValueFrom, reduce, take } from 'rxjs';
import { settle } from '../../src/operators/index.ts';
import { createFlow } from '../../src/flow/flow.ts';
import { rootDelivery } from '../../src/flow/delivery.ts';
import { Settled } from '../../src/flow/settled.ts';
import { MarbleSource } from '../../src/testing/marbles-source.ts';
import { ManualSource } from '../flow/manual-source.ts';

describe('settle', () => {
  it('acknowledges each delivery before it emits the bare value, and completes', () => {
    const source = new ManualSource<string>();
    const log: string[] = [];
    source.flow.pipe(settle()).subscribe({
      next: (value) => log.push(`${value} after ${source.marked('ack')}`),
      complete: () => log.push('complete'),
    });
    source.emitAll('ab');
    expect(log).toEqual(['a after a', 'b after a b', 'complete']);
  });

  it('passes an error on', () => {
    const source = new ManualSource<string>();
    const errors: unknown[] = [];
    source.flow.pipe(settle()).subscribe({ error: (cause: unknown) => errors.push(cause) });
    source.error('broken');
    expect(errors).toEqual(['broken']);
  });

  it('stops its source when it is unsubscribed, and settles no more', () => {
    const source = new ManualSource<string>();
    const subscription = source.flow.pipe(settle()).subscribe();
    source.emit('a');
    subscription.unsubscribe();
    source.emit('b');
    expect(source.marked('ack')).toBe('a');
    expect(source.subscriber?.closed).toBe(true);
  });

  it('leads out to plain RxJS', async () => {
    const settlement = new MarbleSource();
    const flow = createFlow<number>((out) => {
      for (const n of [1, 2, 3])
        out.next(rootDelivery(n, settlement, settlement.handOver(`${n}`), 0, undefined));
      out.complete();
    });
    const settled = flow.pipe(settle());
    expect(settled).toBeInstanceOf(Settled);
    expect(await lastValueFrom(settled.pipe(reduce((a, b) => a + b, 0)))).toBe(6);
    expect(settlement.inFlight).toBe(0);
  });

  it('settles only what a plain operator behind it still wants', () => {
    const source = new ManualSource<string>();
    const values: string[] = [];
    source.flow
      .pipe(settle())
      .pipe(take(1))
      .subscribe((value) => values.push(value));
    source.emitAll('abc', { complete: false });
    expect(values).toEqual(['a']);
    expect(source.marked('ack')).toBe('a');
    expect(source.marked('give-up')).toBe('b c');
  });

  it('emits what it acknowledged before an error that the acknowledgement brought', () => {
    const source = new ManualSource<string>();
    const log: unknown[] = [];
    source.flow.pipe(settle()).subscribe({
      next: (value) => log.push(value),
      error: (cause: unknown) => log.push(cause),
    });
    source.settle = () => source.error('broken');
    source.emit('a');
    expect(log).toEqual(['a', 'broken']);
  });

  it('emits all of a source that hands over while it is being settled', () => {
    const source = new ManualSource<number>(1);
    const values: number[] = [];
    source.flow.pipe(settle()).subscribe((value) => values.push(value));
    source.emitAll([1, 2, 3]);
    expect(values).toEqual([1, 2, 3]);
    expect(source.marked('ack')).toBe('1 2 3');
  });
});
