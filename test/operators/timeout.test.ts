import { describe, expect, it } from '@jest/globals';
import { map as rxMap, NEVER, of, timer } from 'rxjs';
import { StageTimeoutError } from '../../src/errors.ts';
import {
  batch,
  mapAsync,
  passing,
  perRecord,
  retry,
  skip,
  timeout,
  type CallContext,
} from '../../src/operators/index.ts';
import { testFlow } from '../../src/testing/marbles.ts';
import { collect, ManualSource } from '../flow/manual-source.ts';

const input = { order: 'input' } as const;
const none = { order: 'none' } as const;
/** Settles b after 3 ms, and a never. */
const onlyB = mapAsync((x: string) => (x === 'b' ? timer(3).pipe(rxMap(() => x)) : NEVER), {
  concurrency: 2,
  ...none,
});

describe('timeout', () => {
  it('takes back what is not settled in time; the rest settles by what follows', () => {
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const source = flow('a--b----|');
      expectFlow(source.pipe(timeout({ withinMs: 4, onError: skip }), onlyB)).toBe('------b-|');
      expectAcks(source).toBe('----a-b');
    });
  });

  it('passes values on at once and in order', () => {
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const source = flow('abc--|');
      expectFlow(source.pipe(timeout({ withinMs: 1 }))).toBe('abc--|');
      expectAcks(source).toBe('abc');
    });
  });

  it('fails by default, with a StageError that says how long', () => {
    testFlow(({ flow, expectFlow, expectNacks }) => {
      const source = flow('a|');
      expectFlow(source.pipe(timeout({ withinMs: 5, name: 'five' }), onlyB)).toBe('-----|');
      expectNacks(source).toBe('-----a');
    });
    const source = new ManualSource<string>();
    collect(source.flow.pipe(timeout({ withinMs: 5, name: 'five' })), { ack: false });
    source.emit('a');
    return source.time.advance(5).then(() => {
      const [{ cause } = { cause: undefined }] = source.events;
      expect(cause).toMatchObject({ code: 'STAGE_FAILED', stage: 'five', attempt: 1, value: 'a' });
      expect((cause as Error).cause).toBeInstanceOf(StageTimeoutError);
      expect((cause as Error).message).toMatch(/five failed at .* five: not done within 5 ms/);
    });
  });

  it('aborts the calls that run for it, and lets go of their slots', () => {
    const aborted: string[] = [];
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const source = flow('ab|');
      const stage = mapAsync(
        (x: string, { signal }: CallContext) => {
          signal.addEventListener('abort', () => aborted.push(x));
          return x === 'a' ? NEVER : of(x);
        },
        { concurrency: 1, ...input },
      );
      expectFlow(source.pipe(timeout({ withinMs: 4, onError: skip }), stage)).toBe('----(b|)');
      expectAcks(source).toBe('----(ab)');
    });
    expect(aborted).toEqual(['a']);
  });

  it('stops the Observables of perRecord, whatever they emitted', () => {
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const source = flow('a|');
      const stage = perRecord(() => timer(1, 2), { concurrency: 1, ...none });
      expectFlow(source.pipe(timeout({ withinMs: 4, onError: skip }), stage)).toBe('-0-1|', {
        0: 0,
        1: 1,
      });
      expectAcks(source).toBe('----a');
    });
  });

  it('does not let a late settlement count, twice or otherwise', async () => {
    const source = new ManualSource<string>();
    const out = collect(source.flow.pipe(timeout({ withinMs: 5, onError: skip })), { ack: false });
    source.emitAll('abcd');
    await source.time.advance(5);
    const [a, b, c, d] = out.deliveries;
    a!.ack();
    b!.nack(new Error('late'));
    c!.hold();
    d!.derive(1).ack();
    expect(source.marked('ack')).toBe('a b c d');
    expect(source.events).toHaveLength(4);
    expect(source.problems).toEqual([]);
  });

  it('does not send what was taken back: a later stage that asks is told that it is dead', async () => {
    const source = new ManualSource<string>();
    const later = passing<string>((all) => all);
    const started: string[] = [];
    const stage = mapAsync((x: string) => (started.push(x), NEVER), { concurrency: 1, ...input });
    collect(source.flow.pipe(timeout({ withinMs: 5, onError: skip }), later, stage));
    source.emitAll('ab');
    await source.time.advance(5);
    expect(started).toEqual(['a']);
    expect(source.marked('ack')).toBe('a b');
  });

  it('hands over again with retry, behind what has passed meanwhile, and completes when that is over', () => {
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const source = flow('ab-----|');
      let times = 0;
      const stage = mapAsync((x: string) => (x === 'a' && times++ === 0 ? NEVER : of(x)), {
        concurrency: 2,
        ...none,
      });
      const timed = timeout<string>({ withinMs: 3, onError: retry({ attempts: 2, minDelayMs: 2 }) });
      expectFlow(source.pipe(timed, stage)).toBe('-b---a-|');
      expectAcks(source).toBe('-b---a');
    });
  });

  it('waits with its end for what waits to be handed over again; after that retry is its `then`', () => {
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const source = flow('a---|');
      const timed = timeout<string>({ withinMs: 3, onError: retry({ attempts: 9, minDelayMs: 3 }, skip) });
      const stage = mapAsync(() => NEVER, { concurrency: 2, ...none });
      expectFlow(source.pipe(timed, stage)).toBe('---------|');
      expectAcks(source).toBe('---------a');
    });
  });

  it('does not time what is held back on purpose', async () => {
    const source = new ManualSource<string>();
    const out = collect(source.flow.pipe(timeout({ withinMs: 5 })), { ack: false });
    source.emit('a');
    out.deliveries[0]!.hold();
    await source.time.advance(50);
    expect(source.marked('hold')).toBe('a');
    out.deliveries[0]!.ack();
    expect(source.marked('ack')).toBe('a');
    expect(source.marked('nack')).toBe('');
  });

  it('gives up what is late of a claim that is lost', async () => {
    const source = new ManualSource<string>();
    collect(source.flow.pipe(timeout({ withinMs: 5, onError: skip })), { ack: false });
    source.emitAll('a', { complete: false });
    source.lose();
    await source.time.advance(9);
    expect(source.marked('give-up')).toBe('a');
    expect(source.marked('ack')).toBe('');
    expect(source.time.pendingTimers).toBe(0);
  });

  it('times within a claim of its own too, and gives retries up when it is given away', () => {
    testFlow(({ claims, expectFlow, expectSettlements }) => {
      const source = claims({ 'letters-0': 'a-----!', 'letters-1': '-b----|' });
      const timed = timeout<string>({ withinMs: 3, onError: retry({ attempts: 9, minDelayMs: 50 }, skip) });
      expectFlow(
        source.pipe(
          timed,
          mapAsync((x: string) => (x === 'b' ? of(x) : NEVER), { concurrency: 2, ...none }),
        ),
      ).toBe('-b----|');
      expectSettlements(source).toBe({ 'letters-0': '------A', 'letters-1': '-b' }, { A: 'give-up a' });
    });
  });

  it('leaves what it has handed over to those who have it when it is unsubscribed, and no timer behind', async () => {
    const source = new ManualSource<string>();
    const out = collect(source.flow.pipe(timeout({ withinMs: 5, onError: skip })), { ack: false });
    source.emitAll('ab', { complete: false });
    out.stop();
    out.deliveries[0]!.ack();
    expect(source.marked('ack')).toBe('a');
    expect(source.time.pendingTimers).toBe(0);
    await source.time.advance(50);
    expect(source.marked('ack')).toBe('a');
  });

  it('gives up what waits to be handed over again when it is unsubscribed', async () => {
    const source = new ManualSource<string>();
    const onError = retry({ attempts: 2, minDelayMs: 1_000 });
    const out = collect(source.flow.pipe(timeout({ withinMs: 5, onError })), { ack: false });
    source.emit('a');
    await source.time.advance(5);
    out.stop();
    expect(source.marked('give-up')).toBe('a');
    expect(source.time.pendingTimers).toBe(0);
  });

  it('goes on timing what was handed over when the flow is complete, and passes an error on', () => {
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const source = flow('ab#');
      expectFlow(source.pipe(timeout({ withinMs: 5 }))).toBe('ab#');
      expectAcks(source).toBe('ab');
    });
    const source = new ManualSource<string>();
    const out = collect(source.flow.pipe(timeout({ withinMs: 5, onError: skip })), { ack: false });
    source.emitAll('a');
    expect(out.ended).toEqual(['complete']);
    return source.time.advance(5).then(() => expect(source.marked('ack')).toBe('a'));
  });

  it('nests: the shorter one decides', () => {
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const source = flow('a|');
      const [long, short] = [
        timeout<string>({ withinMs: 9 }),
        timeout<string>({ withinMs: 3, onError: skip }),
      ];
      expectFlow(source.pipe(long, short, onlyB)).toBe('---|');
      expectAcks(source).toBe('---a');
    });
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const source = flow('a|');
      const [long, short] = [
        timeout<string>({ withinMs: 9 }),
        timeout<string>({ withinMs: 3, onError: skip }),
      ];
      expectFlow(source.pipe(short, long, onlyB)).toBe('---|');
      expectAcks(source).toBe('---a');
    });
  });

  it('counts a value in a batch as settled with it, and lets the others of the batch be', () => {
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const source = flow('a--b-----|');
      const stages = [
        timeout<string>({ withinMs: 5, onError: skip }),
        batch<string>({ maxRecords: 9, withinMs: 7 }),
      ] as const;
      expectFlow(source.pipe(...stages)).toBe('-------x-|', { x: ['a', 'b'] });
      expectAcks(source).toBe('-----a-b');
    });
  });

  it('keeps memory by what is unsettled, not by what has passed', () => {
    const source = new ManualSource<number>(2);
    const out = collect(source.flow.pipe(timeout({ withinMs: 5 })));
    source.emitAll(Array.from({ length: 500 }, (_, at) => at));
    expect(out.values).toHaveLength(500);
    expect(source.time.pendingTimers).toBe(0);
    expect(source.problems).toEqual([]);
  });

  it('checks its options', () => {
    for (const withinMs of [0, -1, NaN, Infinity]) expect(() => timeout({ withinMs })).toThrow(/withinMs/);
    expect(() => timeout({ withinMs: 1, onError: 1 as never })).toThrow(/onError/);
  });
});

describe('timeoutMs of a call', () => {
  it('fails the attempt, aborts its signal, and tries again; a late answer does not count', async () => {
    const source = new ManualSource<string>();
    const answers: ((x: string) => void)[] = [];
    const aborted: unknown[] = [];
    const stage = mapAsync(
      (_: string, { signal }: CallContext) => {
        signal.addEventListener('abort', () => aborted.push(signal.reason));
        return new Promise<string>((resolve) => answers.push(resolve));
      },
      { concurrency: 1, ...input, timeoutMs: 5, onError: retry({ attempts: 2, minDelayMs: 1 }) },
    );
    const out = collect(source.flow.pipe(stage));
    source.emitAll('a');
    await source.time.advance(6);
    expect(answers).toHaveLength(2);
    answers[0]!('late');
    await source.time.settle();
    expect(out.values).toEqual([]);
    answers[1]!('second');
    await source.time.settle();
    expect(out.values).toEqual(['second']);
    expect(aborted).toEqual([expect.any(StageTimeoutError)]);
    expect(source.time.pendingTimers).toBe(0);
  });

  it('unsubscribes an Observable, and lends the slot to the next', () => {
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const source = flow('ab|');
      const stage = mapAsync((x: string) => (x === 'a' ? NEVER : of(x)), {
        concurrency: 1,
        ...input,
        timeoutMs: 3,
        onError: skip,
      });
      expectFlow(source.pipe(stage)).toBe('---(b|)');
      expectAcks(source).toBe('---(ab)');
    });
  });

  it('fails the Observable of perRecord that has not completed; what it emitted settles by itself', () => {
    testFlow(({ flow, expectFlow, expectNacks }) => {
      const source = flow('a|');
      const stage = perRecord(() => timer(1, 2), { concurrency: 1, ...none, timeoutMs: 4 });
      expectFlow(source.pipe(stage)).toBe('-0-1|', { 0: 0, 1: 1 });
      expectNacks(source).toBe('----a');
    });
  });

  it('is checked', () => {
    for (const timeoutMs of [0, NaN, Infinity])
      expect(() => mapAsync((x) => of(x), { concurrency: 1, ...input, timeoutMs })).toThrow(/timeoutMs/);
  });
});
