import { describe, expect, it } from '@jest/globals';
import { defer, EMPTY, map as rxMap, NEVER, Observable, of, throwError, timer } from 'rxjs';
import { batch, mapAsync, retry, skip, type CallContext, type Key } from '../../src/operators/index.ts';
import { testFlow } from '../../src/testing/marbles.ts';
import { collect, ManualSource } from '../flow/manual-source.ts';

/** Answers after as many milliseconds as the value says. */
const after = (ms: number) => timer(ms).pipe(rxMap(() => ms));
const input = { order: 'input' } as const;
const none = { order: 'none' } as const;
const boom = new Error('boom');

interface Job {
  key: Key;
  ms: number;
}
const jobs = {
  a: { key: 'k', ms: 5 },
  b: { key: 'k', ms: 1 },
  c: { key: 'l', ms: 2 },
  d: { key: 'k', ms: 1 },
};
const work = (job: Job) => timer(job.ms).pipe(rxMap(() => job));

/** Lets every promise that is settled tell. */
const ticks = async (): Promise<void> => {
  for (let at = 0; at < 10; at++) await Promise.resolve();
};

describe('mapAsync, in the order of the input', () => {
  it('overlaps calls; a result waits for those before it', () => {
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const source = flow('abc|', { a: 5, b: 1, c: 3 });
      expectFlow(source.pipe(mapAsync(after, { concurrency: 3, ...input }))).toBe('-----(abc|)', {
        a: 5,
        b: 1,
        c: 3,
      });
      expectAcks(source).toBe('-----(abc)');
    });
  });

  it('runs no more than `concurrency` calls', () => {
    testFlow(({ flow, expectFlow }) => {
      const source = flow('abc|', { a: 9, b: 9, c: 9 });
      expectFlow(source.pipe(mapAsync(after, { concurrency: 2, ...input }))).toBe('9ms xx 7ms (x|)', {
        x: 9,
      });
    });
  });

  it('keeps the place of a call that is tried again, and lends its slot', () => {
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const source = flow('abc|');
      let times = 0;
      const flaky = (x: string) => (x === 'a' && times++ === 0 ? throwError(() => boom) : of(x));
      const stage = mapAsync(flaky, {
        concurrency: 1,
        ...input,
        onError: retry({ attempts: 2, minDelayMs: 5 }),
      });
      expectFlow(source.pipe(stage)).toBe('-----(abc|)');
      expectAcks(source).toBe('-----(abc)');
    });
  });

  it('closes the gap of a call that was skipped or refused', () => {
    testFlow(({ flow, expectFlow, expectAcks, expectNacks }) => {
      const source = flow('abc|');
      const stage = mapAsync(
        (x: string) =>
          x === 'c'
            ? of(x)
            : timer(4).pipe(
                rxMap(() => {
                  throw boom;
                }),
              ),
        {
          concurrency: 3,
          ...input,
          onError: (error) => (error.value === 'a' ? skip : retry({ attempts: 1 })),
        },
      );
      expectFlow(source.pipe(stage)).toBe('-----(c|)');
      expectAcks(source).toBe('----ac');
      expectNacks(source).toBe('-----b');
    });
  });
});

describe('mapAsync, without order', () => {
  it('emits each result when it is there, and completes with the last', () => {
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const source = flow('abc|', { a: 5, b: 1, c: 2 });
      expectFlow(source.pipe(mapAsync(after, { concurrency: 3, ...none }))).toBe('--b-c(a|)', {
        a: 5,
        b: 1,
        c: 2,
      });
      expectAcks(source).toBe('--b-ca');
    });
  });
});

describe('mapAsync, by key', () => {
  it('runs equal keys one after the other and different keys at once', () => {
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const source = flow('abcd|', jobs);
      const stage = mapAsync(work, { concurrency: 4, order: 'key', key: (job: Job) => job.key });
      expectFlow(source.pipe(stage)).toBe('----cab(d|)', jobs);
      expectAcks(source).toBe('----cabd');
    });
  });

  it('keeps the key of a call that is tried again, not the others', () => {
    testFlow(({ flow, expectFlow }) => {
      const source = flow('abc|', { a: { key: 'k', ms: 1 }, b: { key: 'k', ms: 1 }, c: { key: 'l', ms: 1 } });
      let times = 0;
      const stage = mapAsync(
        (job: Job) => (times++ === 0 ? throwError(() => boom) : after(job.ms).pipe(rxMap(() => times))),
        {
          concurrency: 1,
          order: 'key',
          key: (job: Job) => job.key,
          onError: retry({ attempts: 2, minDelayMs: 5 }),
        },
      );
      expectFlow(source.pipe(stage)).toBe('---x--y(z|)', { x: 2, y: 3, z: 4 });
    });
  });

  it('compares bytes by content, and knows null, undefined, numbers, bigints and booleans apart', () => {
    const overlap = (one: Key, other: Key): boolean => {
      const source = new ManualSource<Key>();
      let running = 0;
      collect(
        source.flow.pipe(
          mapAsync(() => (running++, NEVER), { concurrency: 2, order: 'key', key: (key: Key) => key }),
        ),
      );
      source.emitAll([one, other], { complete: false });
      return running === 2;
    };
    expect(overlap(Buffer.from('ab'), new Uint8Array([97, 98]))).toBe(false);
    expect(overlap(Buffer.from('ab'), Buffer.from('ac'))).toBe(true);
    expect(overlap(Buffer.from('ab'), 'ab')).toBe(true);
    expect(overlap(null, undefined)).toBe(true);
    expect(overlap(null, null)).toBe(false);
    expect(overlap(1, 1n)).toBe(true);
    expect(overlap(1n, 1n)).toBe(false);
    expect(overlap(1, '1')).toBe(true);
    expect(overlap(true, true)).toBe(false);
    expect(overlap(NaN, NaN)).toBe(false);
  });

  it('refuses a record whose key throws or is an object, once: trying again is of no use', () => {
    const source = new ManualSource<string>();
    const stage = mapAsync((x: string) => of(x), {
      concurrency: 2,
      order: 'key',
      key: (x: string): Key => {
        if (x === 'a') throw boom;
        return x === 'b' ? ({} as never) : x;
      },
      onError: retry({ attempts: 5 }),
    });
    const out = collect(source.flow.pipe(stage));
    source.emitAll('abc');
    expect(out.values).toEqual(['c']);
    expect(source.marked('nack')).toBe('a b');
    expect(String(source.events[1]!.cause)).toMatch(/a key is a string.*\[object Object\]/);
  });
});

describe('mapAsync', () => {
  it('takes promises', async () => {
    const source = new ManualSource<number>();
    const out = collect(source.flow.pipe(mapAsync(async (x) => x * 2, { concurrency: 2, ...input })));
    source.emitAll([1, 2, 3]);
    await ticks();
    expect(out.values).toEqual([2, 4, 6]);
    expect(source.marked('ack')).toBe('1 2 3');
    expect(out.ended).toEqual(['complete']);
  });

  it('applies the policy to rejections, to throws and to answers that are neither promise nor Observable', async () => {
    const source = new ManualSource<string>();
    const stage = mapAsync(
      (x: string): Promise<string> => {
        if (x === 'a') return Promise.reject(boom);
        if (x === 'b') throw boom;
        return x === 'c' ? ('c' as never) : Promise.resolve(x);
      },
      { concurrency: 4, ...input, name: 'lookup' },
    );
    const out = collect(source.flow.pipe(stage));
    source.emitAll('abcd');
    await ticks();
    expect(out.values).toEqual(['d']);
    const nacks = source.events.filter(({ kind }) => kind === 'nack');
    expect(nacks.map(({ mark }) => mark).sort()).toEqual(['a', 'b', 'c']);
    for (const { cause } of nacks) expect(cause).toMatchObject({ stage: 'lookup', code: 'STAGE_FAILED' });
    expect(out.ended).toEqual(['complete']);
  });

  it('takes the first value of an Observable and stops listening; none is a failure', () => {
    testFlow(({ flow, expectFlow, expectNacks }) => {
      const source = flow('ab|');
      const stage = mapAsync((x: string) => (x === 'a' ? timer(1, 1) : EMPTY), { concurrency: 2, ...input });
      expectFlow(source.pipe(stage)).toBe('-x|', { x: 0 });
      expectNacks(source).toBe('-b');
    });
  });

  it('counts attempts and shows origins', () => {
    const seen: unknown[] = [];
    testFlow(({ flow, expectFlow }) => {
      const stage = mapAsync(
        (x: string, { attempt, origins }: CallContext) => {
          seen.push([attempt, origins.map(({ sequence }) => sequence)]);
          return attempt < 3 ? throwError(() => boom) : of(x);
        },
        { concurrency: 1, ...input, onError: retry({ attempts: 3, minDelayMs: 1 }) },
      );
      expectFlow(flow('a|').pipe(stage)).toBe('---(a|)');
    });
    expect(seen).toEqual([
      [1, [0]],
      [2, [0]],
      [3, [0]],
    ]);
  });

  it('keeps running calls going while the claim is revoked', () => {
    testFlow(({ flow, expectFlow, expectAcks, revoke }) => {
      const source = flow('ab|', { a: 5, b: 5 });
      revoke(source, '--!');
      expectFlow(source.pipe(mapAsync(after, { concurrency: 1, ...input }))).toBe('-----x----(x|)', { x: 5 });
      expectAcks(source).toBe('-----a----b');
    });
  });

  it('gives waiting retries up when the claim is revoked, and goes on with the next', () => {
    testFlow(({ flow, expectFlow, expectAcks, revoke }) => {
      const source = flow('abc|');
      const stage = mapAsync((x: string) => (x === 'b' ? throwError(() => boom) : of(x)), {
        concurrency: 1,
        ...input,
        onError: retry({ attempts: 9, minDelayMs: 50 }, skip),
      });
      expectFlow(source.pipe(stage)).toBe('a----(c|)');
      revoke(source, '-----!');
      expectAcks(source).toBe('a----c');
    });
  });

  it('aborts the signal of every call when the claim is lost, gives them up and lets go of their slots', () => {
    const aborted: string[] = [];
    const stage = mapAsync(
      (x: string, { signal }: CallContext) => {
        signal.addEventListener('abort', () => aborted.push(x));
        return NEVER;
      },
      { concurrency: 2, ...input },
    );
    const source = new ManualSource<string>();
    const out = collect(source.flow.pipe(stage));
    source.emitAll('abcd');
    expect(out.ended).toEqual([]);
    source.lose();
    expect(aborted).toEqual(['a', 'b']);
    expect(source.marked('give-up').split(' ').sort()).toEqual(['a', 'b', 'c', 'd']);
    expect(source.marked('ack') + source.marked('nack')).toBe('');
    expect(out.ended).toEqual(['complete']);
  });

  it('drops the result of a call whose claim was lost meanwhile', async () => {
    const source = new ManualSource<string>();
    let answer: (x: string) => void = () => undefined;
    const stage = mapAsync(() => new Promise<string>((resolve) => (answer = resolve)), {
      concurrency: 1,
      ...none,
    });
    const out = collect(source.flow.pipe(stage));
    source.emitAll('a', { complete: false });
    source.lose();
    answer('late');
    await ticks();
    expect(out.values).toEqual([]);
    expect(source.marked('give-up')).toBe('a');
  });

  it('aborts nothing of a batch while one claim in it lives', () => {
    const [one, other] = [new ManualSource<string>(), new ManualSource<string>()];
    let signal: AbortSignal | undefined;
    const stage = mapAsync(
      (_: readonly string[], context: CallContext) => ((signal = context.signal), NEVER),
      { concurrency: 1, ...none },
    );
    const stageInput = new ManualSource<string>();
    collect(stageInput.flow.pipe(batch({ maxRecords: 2, withinMs: 1_000 }), stage));
    stageInput.subscriber!.next(one.emit('a'));
    stageInput.subscriber!.next(other.emit('b'));
    one.lose();
    expect(signal?.aborted).toBe(false);
    other.lose();
    expect(signal?.aborted).toBe(true);
    expect(one.marked('give-up') + other.marked('give-up')).toBe('ab');
  });

  it('aborts its calls and gives everything up when it is unsubscribed', async () => {
    const source = new ManualSource<string>();
    const signals: AbortSignal[] = [];
    const stage = mapAsync(
      (x: string, { signal }: CallContext) => {
        signals.push(signal);
        return x === 'a' ? Promise.reject(boom) : new Promise<string>(() => undefined);
      },
      { concurrency: 3, ...input, onError: retry({ attempts: 2, minDelayMs: 1_000 }) },
    );
    const out = collect(source.flow.pipe(stage));
    source.emitAll('abcd');
    await ticks();
    out.stop();
    expect(signals.slice(1).map(({ aborted }) => aborted)).toEqual([true, true, true]);
    expect(source.marked('give-up')).toBe('a b c d');
    expect(out.ended).toEqual([]);
  });

  it('passes an error of its source on at once and gives up what runs', () => {
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const source = flow('ab#', { a: 1, b: 9 });
      expectFlow(source.pipe(mapAsync(after, { concurrency: 2, ...none }))).toBe('-x#', { x: 1 });
      expectAcks(source).toBe('-a');
    });
  });

  it('keeps order when settling brings the next value inside, however long the line', () => {
    for (const order of ['input', 'none', 'key'] as const) {
      const source = new ManualSource<number>(3);
      const stage = mapAsync((x: number) => of(x), { concurrency: 2, order, key: (x: number) => x % 2 });
      const out = collect(source.flow.pipe(stage));
      const all = Array.from({ length: 500 }, (_, at) => at);
      source.emitAll(all);
      expect(out.values).toEqual(all);
      expect(out.ended).toEqual(['complete']);
      expect(source.problems).toEqual([]);
    }
  });

  it('survives ten thousand values that answer at once', () => {
    const source = new ManualSource<number>();
    const out = collect(
      source.flow.pipe(mapAsync((x: number) => defer(() => of(x)), { concurrency: 1, ...input })),
    );
    source.emitAll(Array.from({ length: 10_000 }, (_, at) => at));
    expect(out.values).toHaveLength(10_000);
  });

  it('checks its options where it is made', () => {
    const fn = (x: number) => of(x);
    expect(() => mapAsync(fn, { concurrency: 0, ...input })).toThrow(/concurrency/);
    expect(() => mapAsync(fn, { concurrency: NaN, ...input })).toThrow(/concurrency/);
    expect(() => mapAsync(fn, { concurrency: 1, order: 'key' } as never)).toThrow(/key function/);
    expect(() => mapAsync(fn, { concurrency: 1, order: 'random' } as never)).toThrow(
      /'input', 'key' or 'none'/,
    );
    expect(() => mapAsync(fn, { concurrency: 1, ...input, onError: 1 as never })).toThrow(/onError/);
  });

  it('subscribes nothing when its own function ends the flow', () => {
    const source = new ManualSource<string>();
    let subscribed = 0;
    const answer = new Observable<string>(() => {
      subscribed++;
    });
    const held: { stop(): void }[] = [];
    const project = () => {
      held[0]!.stop();
      return answer;
    };
    held.push(collect(source.flow.pipe(mapAsync(project, { concurrency: 1, ...none }))));
    source.emit('a');
    expect(subscribed).toBe(0);
    expect(source.marked('give-up')).toBe('a');
  });

  it('fails for a function that ends the flow and throws, without telling anyone', () => {
    const source = new ManualSource<string>();
    const held: { stop(): void }[] = [];
    let asked = 0;
    const options = { concurrency: 1, ...none, onError: () => (asked++, skip) };
    const project = (): Promise<string> => {
      held[0]!.stop();
      throw boom;
    };
    held.push(collect(source.flow.pipe(mapAsync(project, options))));
    source.emit('a');
    expect(asked).toBe(0);
    expect(source.marked('give-up')).toBe('a');
  });

  it('takes a thenable that throws when it is asked for a refusal, and goes on', () => {
    const source = new ManualSource<string>();
    const rude = {
      then: () => {
        throw boom;
      },
    };
    const out = collect(
      source.flow.pipe(
        mapAsync((value) => (value === 'a' ? (rude as PromiseLike<string>) : of(value)), {
          concurrency: 1,
          ...none,
        }),
      ),
    );
    source.emit('a');
    source.emit('b');
    expect(source.marked('nack')).toBe('a');
    expect(source.events[0]).toMatchObject({ cause: { code: 'STAGE_FAILED', cause: boom } });
    expect(out.values).toEqual(['b']);
  });

  it('takes a thenable that answers at once, or twice', () => {
    const source = new ManualSource<string>();
    const eager = {
      then: (answer: (value: string) => void) => {
        answer('first');
        answer('second');
      },
    };
    const out = collect(
      source.flow.pipe(mapAsync(() => eager as PromiseLike<string>, { concurrency: 1, ...none })),
    );
    source.emitAll('ab');
    expect(out.values).toEqual(['first', 'first']);
    expect(source.marked('ack')).toBe('a b');
    expect(source.problems).toEqual([]);
  });
});
