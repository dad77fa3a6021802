import { Readable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { firstValueFrom, lastValueFrom, NEVER, Subject, take, toArray, type Observable } from 'rxjs';
import type { Delivery } from '../../src/flow/delivery.ts';
import type { Flow } from '../../src/flow/flow.ts';
import { dropping, fanOut, mapAsync, tap } from '../../src/operators/index.ts';
import { settle } from '../../src/operators/settle.ts';
import { fromAsyncIterable } from '../../src/sources/from-async-iterable.ts';
import { fromIterable } from '../../src/sources/from-iterable.ts';
import { fromObservable } from '../../src/sources/from-observable.ts';
import { fromReadable } from '../../src/sources/from-readable.ts';

const all = <T>(flow: Flow<T>): Promise<T[]> => lastValueFrom(flow.pipe(settle()).pipe(toArray()));

const turns = async (count: number): Promise<void> => {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
};

describe('credit', () => {
  it('comes back from what is given up', async () => {
    const values = new Subject<number>();
    const first = new Subject<number>();
    const seen: number[] = [];
    fromObservable(values, { overflow: 'error', capacity: 10_000 })
      .pipe(
        fanOut(
          // It ends with its first answer, and gives up the others that it waits for.
          (all) =>
            all.pipe(
              mapAsync((n): Observable<number> => (n === 0 ? first : NEVER), {
                concurrency: 10_000,
                order: 'none',
              }),
              dropping(take(1), 0),
            ),
          (all) => all.pipe(tap((n) => seen.push(n))),
        ),
      )
      .subscribe((delivery) => delivery.ack());
    for (let n = 0; n < 1_500; n++) values.next(n);
    expect(seen).toHaveLength(1_000);
    first.next(0);
    await turns(1);
    expect(seen).toHaveLength(1_500);
  });
});

describe('fromIterable', () => {
  it('emits every value and completes, anew for each subscription', async () => {
    const flow = fromIterable([1, 2, 3]);
    expect(await all(flow)).toEqual([1, 2, 3]);
    expect(await all(flow)).toEqual([1, 2, 3]);
  });

  it('pulls only while there is credit, and again at half', async () => {
    let pulled = 0;
    function* endless(): Generator<number> {
      for (;;) yield pulled++;
    }
    const held: Delivery<number>[] = [];
    const subscription = fromIterable(endless()).subscribe((delivery) => held.push(delivery));
    while (held.length < 40_000) await turns(1);
    await turns(50);
    expect(held).toHaveLength(40_000);
    for (const delivery of held.splice(0, 19_999)) delivery.ack();
    await turns(20);
    expect(pulled).toBe(40_000);
    held.shift()!.ack();
    while (pulled < 60_000) await turns(1);
    await turns(50);
    expect(pulled).toBe(60_000);
    subscription.unsubscribe();
  });

  it('closes the iterable when the flow is unsubscribed', async () => {
    let closed = false;
    function* values(): Generator<number> {
      try {
        for (let n = 0; ; n++) yield n;
      } finally {
        closed = true;
      }
    }
    await firstValueFrom(fromIterable(values()).pipe(settle()));
    while (!closed) await turns(1);
  });

  it('fails with what the iterable throws', async () => {
    function* broken(): Generator<number> {
      yield 1;
      throw new Error('out of numbers');
    }
    await expect(all(fromIterable(broken()))).rejects.toThrow('out of numbers');
  });

  it('fails with what a stage refuses, in a script', async () => {
    const refused = new Promise((_, reject) =>
      fromIterable([1]).subscribe({ next: (delivery) => delivery.nack(new Error('no')), error: reject }),
    );
    await expect(refused).rejects.toThrow('no');
  });
});

describe('fromAsyncIterable', () => {
  it('asks for the next value only while there is credit, and closes on unsubscribe', async () => {
    let asked = 0;
    let closed = false;
    async function* values(): AsyncGenerator<number> {
      try {
        for (;;) yield asked++;
      } finally {
        closed = true;
      }
    }
    const held: Delivery<number>[] = [];
    const subscription = fromAsyncIterable(values()).subscribe((delivery) => held.push(delivery));
    while (held.length < 40_000) await turns(1);
    await turns(10);
    expect(held).toHaveLength(40_000);
    expect(asked).toBeLessThanOrEqual(40_001);
    subscription.unsubscribe();
    held.forEach((delivery) => delivery.ack());
    while (!closed) await turns(1);
  });
});

describe('fromReadable', () => {
  it('cuts lines at \\n and \\r\\n wherever the chunks end, the last one without an end too', async () => {
    const source = Buffer.from('one\r\nžluť\n\n键🎉\nlast');
    for (let size = 1; size <= source.length; size++) {
      const chunks: Buffer[] = [];
      for (let at = 0; at < source.length; at += size) chunks.push(source.subarray(at, at + size));
      expect(await all(fromReadable(Readable.from(chunks), { as: 'lines' }))).toEqual([
        'one',
        'žluť',
        '',
        '键🎉',
        'last',
      ]);
    }
  });

  it('passes chunks on as they come', async () => {
    const chunks = await all(
      fromReadable(Readable.from([Buffer.from('a'), Buffer.from('bc')]), { as: 'chunks' }),
    );
    expect(chunks.map(String)).toEqual(['a', 'bc']);
  });

  it('reads no further than its pipeline, and destroys the stream at an early end', async () => {
    let read = 0;
    const stream = new Readable({
      read() {
        read++;
        this.push(Buffer.alloc(1024 * 1024, 'x\n'));
      },
    });
    const held: Delivery<string>[] = [];
    const subscription = fromReadable(stream, { as: 'lines' }).subscribe((delivery) => held.push(delivery));
    while (held.length < 40_000) await turns(1);
    await turns(100);
    expect(held).toHaveLength(40_000);
    expect(read).toBeLessThan(5);
    subscription.unsubscribe();
    while (!stream.destroyed) await turns(1);
  });

  it('refuses an unknown form', () => {
    expect(() => fromReadable(Readable.from([]), { as: 'words' as 'lines' })).toThrow(/'lines' or 'chunks'/);
  });
});

describe('fromObservable', () => {
  const collect = (overflow: 'error' | 'drop-oldest' | 'drop-newest', capacity: number, values: number) => {
    const source = new Subject<number>();
    const held: Delivery<number>[] = [];
    const seen: number[] = [];
    let failure: unknown;
    fromObservable(source, { overflow, capacity }).subscribe({
      next: (delivery) => {
        held.push(delivery);
        seen.push(delivery.value);
      },
      error: (error: unknown) => {
        failure = error;
      },
    });
    for (let n = 0; n < values; n++) source.next(n);
    return { held, seen, source, failure: () => failure };
  };

  it('emits up to 1,000 unsettled values and keeps `capacity` more', () => {
    const { held, seen } = collect('drop-newest', 5, 1_010);
    expect(seen).toHaveLength(1_000);
    held.forEach((delivery) => delivery.ack());
    expect(seen.slice(1_000)).toEqual([1_000, 1_001, 1_002, 1_003, 1_004]);
  });

  it('drops the oldest waiting ones', () => {
    const { held, seen } = collect('drop-oldest', 5, 1_010);
    held.forEach((delivery) => delivery.ack());
    expect(seen.slice(1_000)).toEqual([1_005, 1_006, 1_007, 1_008, 1_009]);
  });

  it('fails on overflow when told to', () => {
    const { failure } = collect('error', 5, 1_006);
    expect(failure()).toMatchObject({ code: 'USAGE', option: 'capacity' });
  });

  it('completes only when what waits was emitted', () => {
    const { held, seen, source } = collect('error', 10, 1_005);
    source.complete();
    held.forEach((delivery) => delivery.ack());
    expect(seen).toHaveLength(1_005);
  });

  it('insists on overflow and capacity', () => {
    const source = new Subject<number>();
    expect(() => fromObservable(source, {} as never)).toThrow(/overflow/);
    expect(() => fromObservable(source, { overflow: 'error', capacity: 0 })).toThrow(/capacity/);
  });
});
