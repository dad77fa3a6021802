// switchByKey and exhaustByKey: the same as RxJS's switchMap and exhaustMap on one claim, and what becomes of the records.
import { describe, expect, it } from '@jest/globals';
import { fc } from '../helpers/fast-check.ts';
import * as rx from 'rxjs';
import {
  batch,
  exhaustByKey,
  filter,
  map,
  merge,
  retry,
  rewind,
  skip,
  switchByKey,
} from '../../src/operators/index.ts';
import { testFlow } from '../../src/testing/marbles.ts';
import { collect, ManualSource } from '../flow/manual-source.ts';
import { diagrams, oursOn, rxjsOn } from './beside-rxjs.ts';

const delays = fc.record({
  a: fc.integer({ min: 0, max: 4 }),
  b: fc.integer({ min: 0, max: 4 }),
  c: fc.integer({ min: 0, max: 4 }),
});

/** Two values and the end, by timers; of `c` one value at once. */
const inner =
  (waits: Readonly<Record<string, number>>) =>
  (value: string): rx.Observable<string> => {
    const waitMs = waits[value]!;
    if (waitMs === 0) return rx.of(value.toUpperCase());
    return rx.timer(waitMs, 1).pipe(
      rx.take(2),
      rx.map((at) => `${value}${at}`),
    );
  };
const kind = (value: string): string => (value === 'a' ? 'first' : 'second');

describe('on one claim', () => {
  it('switchByKey emits what RxJS’s switchMap emits, when it does, for each key', () => {
    fc.assert(
      fc.property(diagrams, delays, (diagram, waits) => {
        const project = inner(waits);
        expect(oursOn(diagram, switchByKey(project, { concurrency: 9 }))).toEqual(
          rxjsOn(diagram, rx.switchMap(project)),
        );
        expect(oursOn(diagram, switchByKey(project, { concurrency: 9, key: kind }))).toEqual(
          rxjsOn(diagram, (values) =>
            values.pipe(
              rx.groupBy(kind),
              rx.mergeMap((group) => group.pipe(rx.switchMap(project))),
            ),
          ),
        );
      }),
    );
  });

  it('exhaustByKey emits what RxJS’s exhaustMap emits, when it does, for each key', () => {
    fc.assert(
      fc.property(diagrams, delays, (diagram, waits) => {
        const project = inner(waits);
        expect(oursOn(diagram, exhaustByKey(project, { concurrency: 9 }))).toEqual(
          rxjsOn(diagram, rx.exhaustMap(project)),
        );
        expect(oursOn(diagram, exhaustByKey(project, { concurrency: 9, key: kind }))).toEqual(
          rxjsOn(diagram, (values) =>
            values.pipe(
              rx.groupBy(kind),
              rx.mergeMap((group) => group.pipe(rx.exhaustMap(project))),
            ),
          ),
        );
      }),
    );
  });
});

/** Observables that are driven by hand, by value. */
class Answers {
  readonly asked: string[] = [];
  readonly stopped: string[] = [];
  readonly signals = new Map<string, AbortSignal>();
  private readonly open = new Map<string, rx.Subject<string>>();

  readonly ask = (value: string, { signal }: { readonly signal: AbortSignal }): rx.Observable<string> => {
    this.asked.push(value);
    this.signals.set(value, signal);
    const answer = new rx.Subject<string>();
    this.open.set(value, answer);
    return answer.pipe(
      rx.finalize(() => {
        this.stopped.push(value);
      }),
    );
  };

  give(value: string, ...answers: readonly string[]): void {
    for (const answer of answers) this.open.get(value)!.next(answer);
  }

  end(value: string): void {
    this.open.get(value)!.complete();
  }

  fail(value: string): void {
    this.open.get(value)!.error(new Error('boom'));
  }
}

const letter = (value: string): string => value[0]!;

describe('switchByKey', () => {
  it('stops the Observable before, and settles its record with the one in its place', () => {
    const source = new ManualSource<string>();
    const answers = new Answers();
    const out = collect(source.flow.pipe(switchByKey(answers.ask, { concurrency: 9, key: letter })), {
      ack: false,
    });
    for (const value of ['a1', 'b1', 'a2', 'a3']) source.emit(value);
    expect(answers.stopped).toEqual(['a1', 'a2']);
    expect(answers.signals.get('a1')!.aborted).toBe(true);
    expect(answers.signals.get('a3')!.aborted).toBe(false);
    answers.give('a3', 'x', 'y');
    answers.end('a3');
    expect(source.events).toEqual([]);
    out.deliveries[0]!.ack();
    expect(source.events).toEqual([]);
    out.deliveries[1]!.ack();
    expect(source.marked('ack')).toBe('a1 a2 a3');
    answers.end('b1');
    expect(source.marked('ack')).toBe('a1 a2 a3 b1');
    expect(source.problems).toEqual([]);
  });

  it('waits for what the Observable before had emitted, too', () => {
    const source = new ManualSource<string>();
    const answers = new Answers();
    const out = collect(source.flow.pipe(switchByKey(answers.ask, { concurrency: 9 })), { ack: false });
    source.emit('a1');
    answers.give('a1', 'x');
    source.emit('a2');
    answers.end('a2');
    expect(source.marked('ack')).toBe('a2');
    out.deliveries[0]!.ack();
    expect(source.marked('ack')).toBe('a2 a1');
  });

  it('leaves the superseded unsettled when the one in its place is refused', () => {
    const source = new ManualSource<string>();
    const answers = new Answers();
    collect(source.flow.pipe(switchByKey(answers.ask, { concurrency: 9, name: 'mine' })));
    source.emit('a1');
    source.emit('a2');
    answers.fail('a2');
    expect(source.marked('nack')).toBe('a2');
    expect(source.marked('give-up')).toBe('a1');
    expect(source.marked('ack')).toBe('');
    expect(source.events.find(({ kind: what }) => what === 'nack')?.cause).toMatchObject({ stage: 'mine' });
  });

  it('settles the superseded when a policy settles the one in its place', () => {
    const source = new ManualSource<string>();
    const answers = new Answers();
    collect(source.flow.pipe(switchByKey(answers.ask, { concurrency: 9, onError: skip })));
    source.emit('a1');
    source.emit('a2');
    answers.fail('a2');
    expect(source.marked('ack')).toBe('a1 a2');
  });

  it('does not try any more what waits for its turn or its next attempt', async () => {
    const source = new ManualSource<string>();
    const answers = new Answers();
    const onError = retry({ attempts: 3, minDelayMs: 100 });
    collect(source.flow.pipe(switchByKey(answers.ask, { concurrency: 1, key: letter, onError })));
    for (const value of ['a1', 'b1', 'b2']) source.emit(value);
    answers.fail('a1');
    // `b1` was superseded before its turn, `b2` has it now.
    expect(answers.asked).toEqual(['a1', 'b2']);
    source.emit('a2');
    answers.end('b2');
    await source.time.advance(1_000);
    expect(answers.asked).toEqual(['a1', 'b2', 'a2']);
    answers.end('a2');
    expect(source.marked('ack')).toBe('b1 b2 a1 a2');
    expect(source.time.pendingTimers).toBe(0);
  });

  it('has one Observable for each key of each claim: another claim’s value stops nobody’s', () => {
    const sources = [new ManualSource<string>(), new ManualSource<string>()] as const;
    const answers = new Answers();
    collect(merge(sources[0].flow, sources[1].flow).pipe(switchByKey(answers.ask, { concurrency: 9 })));
    sources[0].emit('a');
    sources[1].emit('b');
    expect(answers.stopped).toEqual([]);
    sources[0].lose();
    expect(answers.stopped).toEqual(['a']);
    expect(answers.signals.get('a')!.aborted).toBe(true);
    expect(sources[0].marked('give-up')).toBe('a');
    answers.end('b');
    expect(sources[1].marked('ack')).toBe('b');
  });

  it('leaves all of a key unsettled when the claim is lost or the flow unsubscribed', () => {
    for (const end of ['lose', 'stop'] as const) {
      const source = new ManualSource<string>();
      const answers = new Answers();
      const out = collect(source.flow.pipe(switchByKey(answers.ask, { concurrency: 9 })));
      for (const value of 'abc') source.emit(value);
      if (end === 'lose') source.lose();
      else out.stop();
      expect(source.marked('give-up').split(' ').sort()).toEqual(['a', 'b', 'c']);
      expect(source.marked('ack')).toBe('');
      expect(answers.stopped).toEqual(['a', 'b', 'c']);
    }
  });

  it.each(['refused', 'read again', 'lost'])(
    'leaves no record of another claim where what took the place of both is %s',
    (end) => {
      const [one, other] = [new ManualSource<string>(), new ManualSource<string>()];
      const answers = new Answers();
      const pairs = merge(one.flow, other.flow).pipe(
        batch({ maxRecords: 2, withinMs: 0 }),
        map((pair) => pair.join('')),
      );
      const onError = end === 'refused' ? undefined : rewind({ attempts: 2, minDelayMs: 7 });
      collect(pairs.pipe(switchByKey(answers.ask, { concurrency: 9, onError })));
      one.emit('a');
      other.emit('b');
      one.emit('c');
      one.emit('d');
      expect(answers.asked).toEqual(['ab', 'cd']);
      if (end === 'lost') one.lose();
      else answers.fail('cd');
      expect(other.events).toMatchObject([
        { kind: 'nack', mark: 'b', verdict: end === 'refused' ? 'retry' : 'rewind' },
      ]);
      expect([one.inFlight, other.inFlight]).toEqual([0, 0]);
      expect(one.marked('ack')).toBe('');
      expect([...one.problems, ...other.problems]).toEqual([]);
    },
  );

  it('finishes what runs when its claim is given away', () => {
    const source = new ManualSource<string>();
    const answers = new Answers();
    const out = collect(source.flow.pipe(switchByKey(answers.ask, { concurrency: 9 })));
    source.emit('a');
    source.emit('b');
    source.revoke();
    source.complete();
    expect(out.ended).toEqual([]);
    answers.give('b', 'B');
    answers.end('b');
    expect(out.values).toEqual(['B']);
    expect(source.marked('ack')).toBe('a b');
    expect(out.ended).toEqual(['complete']);
  });

  it('keeps its wits when what stops an Observable brings the next value', () => {
    const source = new ManualSource<string>();
    const rest = ['d'];
    const stage = switchByKey<string, string>(
      (value) =>
        new rx.Observable((out) => {
          if (value === 'd') {
            out.next('D');
            out.complete();
          }
          return () => {
            const next = rest.shift();
            if (next !== undefined) source.emit(next);
          };
        }),
      { concurrency: 9 },
    );
    const out = collect(source.flow.pipe(stage));
    source.emit('a');
    source.emit('b');
    expect(out.values).toEqual(['D']);
    expect(source.marked('ack').split(' ').sort()).toEqual(['a', 'b', 'd']);
    expect(source.problems).toEqual([]);
  });

  it('keeps its wits when an acknowledgement brings the next value of the key', () => {
    const source = new ManualSource<string>(1);
    const out = collect(
      source.flow.pipe(switchByKey((value: string) => rx.of(value, value), { concurrency: 1 })),
    );
    source.emitAll('abc');
    expect(out.values.join('')).toBe('aabbcc');
    expect(source.marked('ack')).toBe('a b c');
    expect(out.ended).toEqual(['complete']);
    expect(source.problems).toEqual([]);
  });

  it('gives credit back for the superseded where the last is held', () => {
    const source = new ManualSource<string>();
    const answers = new Answers();
    const out = collect(source.flow.pipe(switchByKey(answers.ask, { concurrency: 9 })), { ack: false });
    source.emit('a');
    source.emit('b');
    answers.give('b', 'B');
    answers.end('b');
    out.deliveries[0]!.hold();
    expect(source.marked('hold')).toBe('a b');
    out.deliveries[0]!.ack();
    expect(source.marked('ack')).toBe('a b');
  });

  it('holds many superseded values without a deep stack', () => {
    const source = new ManualSource<string>();
    const answers = new Answers();
    collect(source.flow.pipe(switchByKey(answers.ask, { concurrency: 1 })));
    const many = 50_000;
    for (let at = 0; at < many; at++) source.emit('a');
    answers.end('a');
    expect(source.events).toHaveLength(many);
  });

  it('does not let a batch behind it wait for what it supersedes', () => {
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const source = flow('ab-----|');
      const later = switchByKey((value: string) => rx.timer(2).pipe(rx.map(() => value)), { concurrency: 1 });
      expectFlow(
        source.pipe(
          later,
          batch({ maxRecords: 5, withinMs: 2 }),
          map((all) => all.join('')),
        ),
      ).toBe('-----b-|');
      expectAcks(source).toBe('-----(ab)');
    });
  });

  it('refuses options that make no sense', () => {
    const project = (): rx.Observable<string> => rx.EMPTY;
    expect(() => switchByKey(project, { concurrency: 0 })).toThrow(/concurrency/);
    expect(() => switchByKey(project, { concurrency: 1, key: 'id' as never })).toThrow(/key/);
    expect(() => switchByKey(project, { concurrency: 1, maxOutstanding: 0 })).toThrow(/maxOutstanding/);
    expect(() => switchByKey(project, { concurrency: 1, timeoutMs: -1 })).toThrow(/timeoutMs/);
    const source = new ManualSource<string>();
    collect(source.flow.pipe(switchByKey(() => 5 as never, { concurrency: 1 })));
    source.emit('a');
    expect(source.marked('nack')).toBe('a');
  });

  it('follows its policy for a key that is none', () => {
    const source = new ManualSource<string>();
    const key = (): string => ({}) as string;
    collect(source.flow.pipe(switchByKey(() => rx.EMPTY, { concurrency: 1, key, onError: skip })));
    source.emit('a');
    expect(source.marked('ack')).toBe('a');
  });
});

describe('exhaustByKey', () => {
  it('acknowledges what comes while its key is at work, and takes the next when that is over', () => {
    const source = new ManualSource<string>();
    const answers = new Answers();
    const out = collect(source.flow.pipe(exhaustByKey(answers.ask, { concurrency: 9, key: letter })), {
      ack: false,
    });
    for (const value of ['a1', 'a2', 'b1']) source.emit(value);
    expect(source.marked('ack')).toBe('a2');
    answers.give('a1', 'A');
    answers.end('a1');
    source.emit('a3');
    expect(answers.asked).toEqual(['a1', 'b1', 'a3']);
    expect(source.marked('ack')).toBe('a2');
    out.deliveries[0]!.ack();
    expect(source.marked('ack')).toBe('a2 a1');
    expect(source.problems).toEqual([]);
  });

  it('passes over what comes while its key waits for the next attempt', async () => {
    const source = new ManualSource<string>();
    const answers = new Answers();
    const onError = retry({ attempts: 2, minDelayMs: 10 }, skip);
    collect(source.flow.pipe(exhaustByKey(answers.ask, { concurrency: 1, onError })));
    source.emit('a');
    answers.fail('a');
    source.emit('b');
    expect(source.marked('ack')).toBe('b');
    await source.time.advance(10);
    answers.fail('a');
    source.emit('c');
    expect(answers.asked).toEqual(['a', 'a', 'c']);
    expect(source.marked('ack')).toBe('b a');
  });

  it('works for each claim apart, stops with a lost one, and leaves what runs when it is unsubscribed', () => {
    const sources = [new ManualSource<string>(), new ManualSource<string>()] as const;
    const answers = new Answers();
    const out = collect(
      merge(sources[0].flow, sources[1].flow).pipe(exhaustByKey(answers.ask, { concurrency: 9 })),
    );
    sources[0].emit('a');
    sources[1].emit('b');
    sources[0].lose();
    expect(answers.stopped).toEqual(['a']);
    expect(sources[0].marked('give-up')).toBe('a');
    out.stop();
    expect(sources[1].marked('give-up')).toBe('b');
  });

  it('takes each value when the acknowledgement of the one before brings it', () => {
    const source = new ManualSource<string>(1);
    const out = collect(
      source.flow.pipe(
        exhaustByKey((value: string) => rx.of(value), { concurrency: 1 }),
        filter(() => true),
      ),
    );
    source.emitAll('abc');
    expect(out.values.join('')).toBe('abc');
    expect(source.marked('ack')).toBe('a b c');
    expect(out.ended).toEqual(['complete']);
  });
});
