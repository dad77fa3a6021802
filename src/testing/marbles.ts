// Marble tests of flows: values as in RxJS, and what became of the records behind them, in virtual time and without a broker.
import { Subscription } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { UsageError } from '../errors.ts';
import type { Claims } from '../flow/claims.ts';
import { rootDelivery } from '../flow/delivery.ts';
import { createFlow, type Flow } from '../flow/flow.ts';
import { marbleClaims, recordBehind, valueOf, type MarbleClaim } from './marbles-claims.ts';
import {
  expectEqual,
  expectationOf,
  expectMarbles,
  momentOf,
  parseMarbles,
  type Message,
} from './marbles-expect.ts';
import { MarbleSource, schedulerClock, type SettlementEvent } from './marbles-source.ts';
import { expectSpans, spanOf, type SubscriptionSpan } from './marbles-subscriptions.ts';
import type { FlowTest, SettlementMarbles } from './marbles-types.ts';

/** What is behind a flow that a test made. */
interface Made {
  /** By `topic-partition`; under '' where there is one without a place. */
  readonly claims: ReadonlyMap<string, MarbleClaim>;
  readonly subscriptions: readonly SubscriptionSpan[] | undefined;
}

const made = new WeakMap<Flow<unknown>, Made>();

function madeFor(flow: Flow<unknown>): Made {
  const found = made.get(flow);
  if (found === undefined) {
    throw new UsageError(
      'this is not a flow that flow(...) or claims(...) made; settlements are seen at the source',
    );
  }
  return found;
}

function claimOf(flow: Flow<unknown>, place = ''): MarbleClaim {
  const { claims } = madeFor(flow);
  const claim = claims.get(place);
  if (claim !== undefined) return claim;
  const places = [...claims.keys()].filter((one) => one !== '').map((one) => `'${one}'`);
  throw new UsageError(
    places.length === 0
      ? 'a flow of flow(...) is one claim and has no place'
      : `say which claim: ${places.join(', ')}`,
    'place',
  );
}

/** The claim behind a flow made by `flow(...)`. */
export function marbleSource(flow: Flow<unknown>): MarbleSource {
  return claimOf(flow).source;
}

class MarbleTest implements FlowTest {
  readonly checks: (() => void)[] = [];
  private readonly scheduler: TestScheduler;
  private readonly sources: MarbleSource[] = [];
  private readonly nacksExpected = new Set<MarbleSource>();

  constructor(scheduler: TestScheduler) {
    this.scheduler = scheduler;
  }

  readonly flow = <T = string>(
    marbles: string,
    values?: { readonly [mark: string]: T },
    error?: unknown,
  ): Flow<T> => {
    const source = new MarbleSource(schedulerClock(this.scheduler));
    this.sources.push(source);
    const cold = this.scheduler.createColdObservable(marbles, undefined, error);
    const flow = createFlow<T>((subscriber) =>
      cold.subscribe({
        next: (mark) => {
          const value = valueOf<T>(mark, { values });
          subscriber.next(rootDelivery<T>(value, source, source.handOver(mark), 0, recordBehind(value)));
        },
        error: (cause: unknown) => subscriber.error(cause),
        complete: () => subscriber.complete(),
      }),
    );
    const claim = { source, revoke: () => source.revoke(), lose: () => source.lose() };
    made.set(flow, { claims: new Map([['', claim]]), subscriptions: cold.subscriptions });
    return flow;
  };

  readonly claims = <T = string>(
    partitions: { readonly [place: string]: string },
    values?: { readonly [mark: string]: T },
    error?: unknown,
  ): Claims<T> => {
    const { claims, byPlace } = marbleClaims<T>(this.scheduler, partitions, { values, error });
    for (const { source } of byPlace.values()) this.sources.push(source);
    made.set(claims, { claims: byPlace, subscriptions: undefined });
    return claims;
  };

  readonly time = (marbles: string): number => {
    const end = parseMarbles(marbles).find(({ kind }) => kind === 'complete');
    if (end === undefined) throw new UsageError(`time: no | in '${marbles}'`);
    return end.frame;
  };

  readonly expectFlow: FlowTest['expectFlow'] = (flow, unsubscription) => {
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
        const expectation = expectationOf(marbles, values, error);
        this.checks.push(() => expectMarbles('the flow', actual, expectation));
      },
    };
  };

  readonly expectAcks: FlowTest['expectAcks'] = (flow) => {
    madeFor(flow);
    return {
      toBe: (marbles) => this.eachClaim('acknowledgements', flow, marbles, marksOf('ack')),
    };
  };

  readonly expectNacks: FlowTest['expectNacks'] = (flow) => {
    const claims = [...madeFor(flow).claims.values()];
    for (const { source } of claims) this.nacksExpected.add(source);
    return {
      toBe: (marbles, causes = {}) => {
        this.eachClaim('nacks', flow, marbles, marksOf('nack'));
        this.checks.push(() => {
          for (const { source } of claims) expectCauses(source, causes);
        });
      },
    };
  };

  readonly expectSettlements: FlowTest['expectSettlements'] = (flow) => {
    for (const { source } of madeFor(flow).claims.values()) this.nacksExpected.add(source);
    return {
      toBe: (marbles, values = {}) =>
        this.eachClaim('settlements', flow, marbles, settlementsOf, (diagram) =>
          Object.fromEntries(Array.from(diagram, (mark) => [mark, values[mark] ?? `ack ${mark}`])),
        ),
    };
  };

  readonly expectSubscriptions: FlowTest['expectSubscriptions'] = (flow) => {
    const { subscriptions } = madeFor(flow);
    if (subscriptions === undefined)
      throw new UsageError('claims(...) are subscribed once; expectSubscriptions is for flow(...)');
    return {
      toBe: (marbles) => {
        const diagrams = typeof marbles === 'string' ? [marbles] : marbles;
        const spans = diagrams.map(spanOf);
        this.checks.push(() => expectSpans(subscriptions, spans, diagrams));
      },
    };
  };

  readonly revoke: FlowTest['revoke'] = (flow, marbles, place) => {
    const claim = claimOf(flow, place);
    this.scheduler.schedule(() => claim.revoke(), momentOf(marbles));
  };

  readonly lose: FlowTest['lose'] = (flow, marbles, place) => {
    const claim = claimOf(flow, place);
    this.scheduler.schedule(() => claim.lose(), momentOf(marbles));
  };

  readonly press: FlowTest['press'] = (flow, marbles, place) => {
    const { source } = claimOf(flow, place);
    this.scheduler.schedule(() => source.press(), momentOf(marbles));
  };

  /** After the last frame: an unexpected nack explains more than the diagram it spoiled. */
  check(): void {
    for (const source of this.sources) {
      const nack = source.events.find(({ kind }) => kind === 'nack');
      if (nack === undefined || this.nacksExpected.has(source)) continue;
      throw new Error(`'${nack.mark}' was nacked at ${nack.frame} ms: ${messageOf(nack.cause)}`, {
        cause: nack.cause,
      });
    }
    for (const check of this.checks) check();
  }

  private eachClaim(
    what: string,
    flow: Flow<unknown>,
    marbles: SettlementMarbles,
    seen: (source: MarbleSource) => Message[],
    meaning: (diagram: string) => { readonly [mark: string]: string } | undefined = () => undefined,
  ): void {
    const { claims } = madeFor(flow);
    const diagrams = typeof marbles === 'string' ? { '': marbles } : marbles;
    for (const place of Object.keys(diagrams)) claimOf(flow, place);
    for (const [place, { source }] of claims) {
      const diagram = diagrams[place] ?? '';
      const where = place === '' ? what : `${what} of ${place}`;
      const expectation = expectationOf(diagram, meaning(diagram));
      this.checks.push(() => expectMarbles(where, seen(source), expectation));
    }
  }
}

function marksOf(wanted: SettlementEvent['kind']): (source: MarbleSource) => Message[] {
  return ({ events }) =>
    events
      .filter(({ kind }) => kind === wanted)
      .map(({ frame, mark }) => ({ frame, kind: 'next', value: mark }));
}

function settlementsOf({ events }: MarbleSource): Message[] {
  return events.map(({ frame, kind, mark }) => ({ frame, kind: 'next', value: `${kind} ${mark}` }));
}

function expectCauses(source: MarbleSource, causes: { readonly [mark: string]: unknown }): void {
  for (const { kind, mark, cause } of source.events)
    if (kind === 'nack' && mark in causes)
      expectEqual(`the cause of the nack of '${mark}'`, cause, causes[mark]);
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
