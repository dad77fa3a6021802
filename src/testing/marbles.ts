// Marble tests of flows: values as in RxJS, and what became of the records behind them, in virtual time and without a broker.
import { Subscription } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import type { ConsumerRecord } from '../core/records/types.ts';
import { UsageError } from '../errors.ts';
import { rootDelivery } from '../flow/delivery.ts';
import { createFlow, type Flow } from '../flow/flow.ts';
import { expectMessages, parseMarbles, type Message } from './marbles-expect.ts';
import { MarbleSource, schedulerClock, type SettlementEvent } from './marbles-source.ts';

/** What `testFlow` gives to a test. Diagrams are RxJS's, in run mode: one character is a millisecond, `5ms` is five, `(ab)` share one. */
export interface FlowTest {
  /** A cold flow of one claim. Marks without a value stand for themselves; `#` is an error. */
  flow<T = string>(marbles: string, values?: { readonly [mark: string]: T }): Flow<T>;
  /** The length of a diagram up to `|`, in milliseconds. */
  time(marbles: string): number;
  /**
   * Subscribes the flow at 0, acknowledges each delivery when it comes out, and compares its values. `unsubscription` is a diagram with `!`
   * where it is unsubscribed.
   */
  expectFlow<T>(
    flow: Flow<T>,
    unsubscription?: string,
  ): { toBe(marbles: string, values?: { readonly [mark: string]: T }, error?: unknown): void };
  /** Compares when the records of a `flow(...)` were acknowledged, by their marks. */
  expectAcks(flow: Flow<unknown>): { toBe(marbles: string): void };
  /** The same for nacks; `causes` by mark, where they matter. A test with a nack it did not expect fails. */
  expectNacks(flow: Flow<unknown>): {
    toBe(marbles: string, causes?: { readonly [mark: string]: unknown }): void;
  };
  /** Gives the claim of a `flow(...)` away at the `!` of the diagram: what waits flushes or gives up. */
  revoke(flow: Flow<unknown>, marbles: string): void;
  /** Takes the claim away at the `!`: its records cannot be committed any more. */
  lose(flow: Flow<unknown>, marbles: string): void;
  /** The claim runs out of credit at the `!`, until half of what is in flight has settled. */
  press(flow: Flow<unknown>, marbles: string): void;
}

const sources = new WeakMap<Flow<unknown>, MarbleSource>();

/** The claim behind a flow made by `flow(...)`. */
export function marbleSource(flow: Flow<unknown>): MarbleSource {
  const source = sources.get(flow);
  if (source === undefined) {
    throw new UsageError('this is not a flow that flow(...) made; settlements are seen at the source');
  }
  return source;
}

function isRecord(value: unknown): value is ConsumerRecord {
  return typeof value === 'object' && value !== null && 'offset' in value && 'headers' in value;
}

class MarbleTest implements FlowTest {
  readonly checks: (() => void)[] = [];
  private readonly scheduler: TestScheduler;
  private readonly made: MarbleSource[] = [];
  private readonly nacksExpected = new Set<MarbleSource>();

  constructor(scheduler: TestScheduler) {
    this.scheduler = scheduler;
  }

  readonly flow = <T = string>(marbles: string, values?: { readonly [mark: string]: T }): Flow<T> => {
    const source = new MarbleSource(schedulerClock(this.scheduler));
    this.made.push(source);
    const flow = createFlow<T>((subscriber) =>
      this.scheduler.createColdObservable(marbles).subscribe({
        next: (mark) => {
          const value = values !== undefined && mark in values ? values[mark]! : (mark as T);
          const behind = isRecord(value) ? value : undefined;
          subscriber.next(rootDelivery<T>(value, source, source.handOver(mark), 0, behind));
        },
        error: (cause: unknown) => subscriber.error(cause),
        complete: () => subscriber.complete(),
      }),
    );
    sources.set(flow, source);
    return flow;
  };

  readonly time = (marbles: string): number => {
    const end = parseMarbles(marbles).find(({ kind }) => kind === 'complete');
    if (end === undefined) throw new UsageError(`time: no | in '${marbles}'`);
    return end.frame;
  };

  readonly expectFlow = <T>(
    flow: Flow<T>,
    unsubscription?: string,
  ): { toBe(marbles: string, values?: { readonly [mark: string]: T }, error?: unknown): void } => {
    const actual: Message[] = [];
    const { scheduler } = this;
    const ended = new Subscription();
    // First, so that of what happens in one millisecond the unsubscription comes first, as in RxJS's own expectObservable.
    if (unsubscription !== undefined) scheduler.schedule(() => ended.unsubscribe(), momentOf(unsubscription));
    scheduler.schedule(() => {
      const subscription = flow.subscribe({
        next: (delivery) => {
          actual.push({ frame: scheduler.frame, kind: 'next', value: delivery.value });
          delivery.ack();
        },
        error: (cause: unknown) => actual.push({ frame: scheduler.frame, kind: 'error', value: cause }),
        complete: () => actual.push({ frame: scheduler.frame, kind: 'complete' }),
      });
      ended.add(subscription);
    });
    return {
      toBe: (marbles, values, error) => {
        const expected = parseMarbles(marbles, values, error);
        this.checks.push(() => expectMessages('the flow', actual, expected));
      },
    };
  };

  readonly expectAcks = (flow: Flow<unknown>): { toBe(marbles: string): void } => {
    const source = marbleSource(flow);
    return {
      toBe: (marbles) => {
        const expected = parseMarbles(marbles);
        this.checks.push(() => expectMessages('acknowledgements', marksOf(source, 'ack'), expected));
      },
    };
  };

  readonly expectNacks = (
    flow: Flow<unknown>,
  ): { toBe(marbles: string, causes?: { readonly [mark: string]: unknown }): void } => {
    const source = marbleSource(flow);
    this.nacksExpected.add(source);
    return {
      toBe: (marbles, causes) => {
        const expected = parseMarbles(marbles);
        this.checks.push(() => {
          expectMessages('nacks', marksOf(source, 'nack'), expected);
          if (causes !== undefined) expectCauses(source, causes);
        });
      },
    };
  };

  readonly revoke = (flow: Flow<unknown>, marbles: string): void => {
    const source = marbleSource(flow);
    this.scheduler.schedule(() => source.revoke(), momentOf(marbles));
  };

  readonly lose = (flow: Flow<unknown>, marbles: string): void => {
    const source = marbleSource(flow);
    this.scheduler.schedule(() => source.lose(), momentOf(marbles));
  };

  readonly press = (flow: Flow<unknown>, marbles: string): void => {
    const source = marbleSource(flow);
    this.scheduler.schedule(() => source.press(), momentOf(marbles));
  };

  /** After the last frame: an unexpected nack explains more than the diagram it spoiled. */
  check(): void {
    for (const source of this.made) {
      const nack = source.events.find(({ kind }) => kind === 'nack');
      if (nack === undefined || this.nacksExpected.has(source)) continue;
      throw new Error(`'${nack.mark}' was nacked at ${nack.frame} ms: ${messageOf(nack.cause)}`, {
        cause: nack.cause,
      });
    }
    for (const check of this.checks) check();
  }
}

function momentOf(marbles: string): number {
  const moment = parseMarbles(marbles.replace('!', 'x'))[0];
  if (!marbles.includes('!') || moment === undefined) throw new UsageError(`no ! in '${marbles}'`);
  return moment.frame;
}

function marksOf(source: MarbleSource, wanted: SettlementEvent['kind']): Message[] {
  return source.events
    .filter(({ kind }) => kind === wanted)
    .map(({ frame, mark }) => ({ frame, kind: 'next', value: mark }));
}

function expectCauses(source: MarbleSource, causes: { readonly [mark: string]: unknown }): void {
  for (const { kind, frame, mark, cause } of source.events) {
    if (kind !== 'nack' || !(mark in causes)) continue;
    expectMessages(
      `the cause of the nack of '${mark}'`,
      [{ frame, kind: 'error', value: cause }],
      [{ frame, kind: 'error', value: causes[mark] }],
    );
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/**
 * Runs a marble test in virtual time and throws where a diagram does not hold. Timers of RxJS and of this library's stages are virtual
 * inside; promises are not, so give `mapAsync` Observables (`timer(time('--|'))`).
 *
 * @example
 * ```ts
 * testFlow(({ flow, expectFlow, expectAcks }) => {
 *   const letters = flow('abc|');
 *   expectFlow(letters.pipe(filter((letter) => letter !== 'b'))).toBe('a-c|');
 *   expectAcks(letters).toBe('abc');
 * });
 * ```
 */
export function testFlow(body: (t: FlowTest) => void): void {
  const scheduler = new TestScheduler(() => undefined);
  const test = new MarbleTest(scheduler);
  scheduler.run(() => body(test));
  test.check();
}
