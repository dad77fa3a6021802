// map, filter and tap: what they share, and the policies of a stage that answers at once.
import { describe, expect, it } from '@jest/globals';
import type { Op } from '../../src/flow/op.ts';
import { DeadLetterPolicy, type StageOptions } from '../../src/flow/policy.ts';
import { StageError } from '../../src/flow/stage-error.ts';
import { fail, filter, flatMap, map, retry, rewind, skip, tap } from '../../src/operators/index.ts';
import type { MarbleSource } from '../../src/testing/marbles-source.ts';
import { marbleSource, testFlow } from '../../src/testing/marbles.ts';
import { collect, ManualSource } from '../flow/manual-source.ts';

const upper = map((x: string) => x.toUpperCase());

/** The same user function in each of the operators: it throws for `b`. */
const failing: {
  readonly [name: string]: (options: StageOptions<string>, fn: (x: string) => void) => Op<string, string>;
} = {
  map: (options, fn) => map((x: string) => (fn(x), x), options),
  filter: (options, fn) => filter((x: string) => (fn(x), true), options),
  tap: (options, fn) => tap((x: string) => fn(x), options),
  flatMap: (options, fn) => flatMap((x: string) => (fn(x), [x]), options),
};
const names = Object.keys(failing);

const boom = new Error('boom');
const throwsForB = (x: string): void => {
  if (x === 'b') throw boom;
};
/** Throws the first `times` times it sees `b`. */
const throwsFirst = (times: number) => {
  let seen = 0;
  return (x: string): void => {
    if (x === 'b' && seen++ < times) throw boom;
  };
};

describe('map', () => {
  it('replaces values in place and completes with its source', () => {
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const source = flow('-a-b-|');
      expectFlow(source.pipe(upper)).toBe('-x-y-|', { x: 'A', y: 'B' });
      expectAcks(source).toBe('-a-b');
    });
  });

  it('settles only with what follows', () => {
    const source = new ManualSource<string>();
    const out = collect(source.flow.pipe(upper), { ack: false });
    source.emitAll(['a', 'b']);
    expect(source.events).toEqual([]);
    out.deliveries[1]!.ack();
    expect(source.marked('ack')).toBe('b');
  });
});

describe('filter', () => {
  it('acknowledges what it keeps back', () => {
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const source = flow('abc|');
      expectFlow(source.pipe(filter((x) => x !== 'b'))).toBe('a-c|');
      expectAcks(source).toBe('abc');
    });
  });

  it('is not starved by a source with a credit of one that gets nothing through', () => {
    const source = new ManualSource<number>(1);
    const out = collect(source.flow.pipe(filter((x) => x > 1_000)));
    source.emitAll(Array.from({ length: 1_002 }, (_, at) => at));
    expect(out.values).toEqual([1_001]);
    expect(out.ended).toEqual(['complete']);
  });
});

describe('tap', () => {
  it('shows each value and passes the very same delivery', () => {
    const source = new ManualSource<string>();
    const seen: string[] = [];
    const out = collect(source.flow.pipe(tap((x) => seen.push(x))), { ack: false });
    const delivery = source.emit('a');
    expect(seen).toEqual(['a']);
    expect(out.deliveries[0]).toBe(delivery);
  });
});

describe.each(names)('%s', (name) => {
  const make = (options: StageOptions<string>, fn: (x: string) => void): Op<string, string> =>
    failing[name]!(options, fn);

  it('passes an error of its source on and leaves what came before as it is', () => {
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const source = flow('a-#');
      expectFlow(source.pipe(make({}, () => undefined))).toBe('a-#');
      expectAcks(source).toBe('a');
    });
  });

  it('stops its source when it is unsubscribed', () => {
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const source = flow('abcd|');
      expectFlow(source.pipe(make({}, () => undefined)), '--!').toBe('ab');
      expectAcks(source).toBe('ab');
    });
  });

  it('keeps order when settling brings the next value inside', () => {
    const source = new ManualSource<string>(1);
    const out = collect(source.flow.pipe(make({}, () => undefined)));
    source.emitAll('abcdef');
    expect(out.values.join('')).toBe('abcdef');
    expect(source.marked('ack')).toBe('a b c d e f');
    expect(out.ended).toEqual(['complete']);
    expect(source.problems).toEqual([]);
  });

  it('fails by default: nacks with a StageError, and the flow goes on', () => {
    let claim: MarbleSource | undefined;
    testFlow(({ flow, expectFlow, expectAcks, expectNacks }) => {
      const source = flow('abc|');
      claim = marbleSource(source);
      expectFlow(source.pipe(make({ name: 'parse' }, throwsForB))).toBe('a-c|');
      expectAcks(source).toBe('a-c');
      expectNacks(source).toBe('-b');
    });
    const { cause, verdict } = claim!.events.find(({ kind }) => kind === 'nack')!;
    expect(verdict).toBe('retry');
    expect(cause).toBeInstanceOf(StageError);
    expect(cause).toMatchObject({
      code: 'STAGE_FAILED',
      stage: 'parse',
      value: 'b',
      attempt: 1,
      cause: boom,
    });
    expect((cause as StageError).origins[0]?.sequence).toBe(1);
  });

  it('skips: acknowledges what it failed for', () => {
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const source = flow('abc|');
      expectFlow(source.pipe(make({ onError: skip }, throwsForB))).toBe('a-c|');
      expectAcks(source).toBe('abc');
    });
  });

  it('retries after growing waits; what comes meanwhile waits behind', () => {
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const source = flow('abcd|');
      const stage = make({ onError: retry({ attempts: 3, minDelayMs: 2 }) }, throwsFirst(2));
      expectFlow(source.pipe(stage)).toBe('a------(bcd|)');
      expectAcks(source).toBe('a------(bcd)');
    });
  });

  it('passes new values straight on after a retry', () => {
    testFlow(({ flow, expectFlow }) => {
      const source = flow('abc----d|');
      const stage = make({ onError: retry({ attempts: 2, minDelayMs: 2 }) }, throwsFirst(1));
      // A group is as long as its characters: (bc) is at 3 and d at 7.
      expectFlow(source.pipe(stage)).toBe('a--(bc)d|');
    });
  });

  it('does as `then` says when the attempts are used up; the attempt is in the error', () => {
    let claim: MarbleSource | undefined;
    testFlow(({ flow, expectFlow, expectNacks, expectAcks }) => {
      const source = flow('abc|');
      claim = marbleSource(source);
      const stage = make({ onError: retry({ attempts: 2, minDelayMs: 3 }, fail) }, throwsForB);
      expectFlow(source.pipe(stage)).toBe('a---(c|)');
      expectAcks(source).toBe('a---c');
      expectNacks(source).toBe('----b');
    });
    expect(claim!.events.find(({ kind }) => kind === 'nack')?.cause).toMatchObject({ attempt: 2 });
  });

  it('gives a waiting retry up when the claim is revoked: neither ack nor nack', () => {
    testFlow(({ flow, expectFlow, expectAcks, revoke }) => {
      const source = flow('abc|');
      const stage = make({ onError: retry({ attempts: 9, minDelayMs: 50 }, skip) }, throwsForB);
      expectFlow(source.pipe(stage)).toBe('a----(c|)');
      revoke(source, '-----!');
      expectAcks(source).toBe('a----c');
    });
  });

  it('does not begin to wait for a claim that is being revoked', () => {
    testFlow(({ flow, expectFlow, expectAcks, revoke }) => {
      const source = flow('-abc|');
      revoke(source, '!');
      const stage = make({ onError: retry({ attempts: 9, minDelayMs: 50 }, skip) }, throwsForB);
      expectFlow(source.pipe(stage)).toBe('-a-c|');
      expectAcks(source).toBe('-a-c');
    });
  });

  it('gives up what waits when it is unsubscribed', () => {
    const source = new ManualSource<string>();
    const stage = make({ onError: retry({ attempts: 2, minDelayMs: 50 }) }, throwsForB);
    const out = collect(source.flow.pipe(stage));
    source.emitAll('abc', { complete: false });
    out.stop();
    expect(source.marked('ack')).toBe('a');
    expect(source.marked('give-up')).toBe('b c');
  });

  it('chooses the policy by the error', () => {
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const source = flow('ab|');
      const stage = make({ onError: (error) => (error.cause === boom ? skip : fail) }, throwsForB);
      expectFlow(source.pipe(stage)).toBe('a-|');
      expectAcks(source).toBe('ab');
    });
  });

  it('fails when its onError throws or answers with no policy', () => {
    for (const onError of [
      () => {
        throw new Error('worse');
      },
      () => 'skip' as never,
    ]) {
      const source = new ManualSource<string>();
      collect(source.flow.pipe(make({ onError }, throwsForB)));
      source.emitAll('b');
      const [nack] = source.events;
      expect(nack?.kind).toBe('nack');
      const { errors } = nack!.cause as AggregateError;
      expect(errors[0]).toMatchObject({ cause: boom });
      expect(String(errors[1])).toMatch(/worse|policy|fail, skip/);
    }
  });

  it('refuses an onError that is no policy where it is made', () => {
    expect(() => make({ onError: 'skip' as never }, throwsForB)).toThrow(/onError/);
  });

  it('rewinds with a growing wait, then fails', () => {
    const source = new ManualSource<string>();
    collect(source.flow.pipe(make({ onError: rewind({ attempts: 3, minDelayMs: 10 }) }, throwsForB)));
    for (const rewinds of [0, 1, 2]) {
      source.rewinds = rewinds;
      source.emit('b');
    }
    expect(source.events.map(({ verdict, rewindDelayMs }) => [verdict, rewindDelayMs])).toEqual([
      ['rewind', 10],
      ['rewind', 20],
      ['retry', 0],
    ]);
  });

  it('hands a dead letter over and goes on at once; a handler that throws is a failure', () => {
    const source = new ManualSource<string>();
    const letters: (() => void)[] = [];
    const policy = new DeadLetterPolicy((delivery, error) => {
      expect(error.cause).toBe(boom);
      if (letters.length === 1) throw new Error('no topic');
      letters.push(() => delivery.ack());
    });
    const out = collect(source.flow.pipe(make({ onError: policy }, throwsForB)));
    source.emitAll('abcb');
    expect(out.values.join('')).toBe('ac');
    expect(source.marked('ack')).toBe('a c');
    expect(source.marked('nack')).toBe('b');
    letters[0]!();
    expect(source.marked('ack')).toBe('a c b');
  });
});

describe('retry and rewind', () => {
  it('check their numbers', () => {
    expect(() => retry({ attempts: 0 })).toThrow(/attempts/);
    expect(() => retry({ attempts: 1.5 })).toThrow(/attempts/);
    expect(() => retry({ attempts: 2, minDelayMs: -1 })).toThrow(/minDelayMs/);
    expect(() => rewind({ attempts: 2, minDelayMs: 10, maxDelayMs: 5 })).toThrow(/maxDelayMs/);
    expect(() => retry({ attempts: 2 }, 'skip' as never)).toThrow(/then/);
  });

  it('wait at most maxDelayMs, 100 ms and doubling unless said otherwise', () => {
    const attempts: string[] = [];
    testFlow(({ flow, expectFlow, expectNacks }) => {
      const source = flow('b|');
      const stage = map(
        () => {
          attempts.push('tried');
          throw boom;
        },
        { onError: retry({ attempts: 4, maxDelayMs: 150 }) },
      );
      expectFlow(source.pipe(stage)).toBe('400ms |');
      expectNacks(source).toBe('400ms b');
    });
    expect(attempts).toHaveLength(4);
  });
});
