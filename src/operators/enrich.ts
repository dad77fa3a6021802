import { LRUCache } from 'lru-cache';
import { isObservable, type Observable, type Subscriber } from 'rxjs';
import { systemClock, type Clock } from '../core/clock.ts';
import { UsageError } from '../errors.ts';
import { handleOf, type Delivery } from '../flow/delivery.ts';
import { createFlow } from '../flow/flow.ts';
import { checkKey, contentOf, type Key } from '../flow/key.ts';
import type { Op } from '../flow/op.ts';
import type { StageOptions } from '../flow/policy.ts';
import { InnerSubscriber } from '../flow/stage-subscriber.ts';
import { AsyncStage, asyncSetup, type AsyncSetup, type TimedCalls } from './async/async-stage.ts';
import type { Ordering } from './async/call-order.ts';
import type { Call } from './async/call.ts';

/** What a lookup is told besides the key. */
export interface LookupContext {
  /** Aborted when no value waits for the answer any more: their claims are lost, their time is over, or the flow is unsubscribed. */
  readonly signal: AbortSignal;
}

/** Options of {@link enrich}. */
export interface EnrichOptions<A, K extends Key, V, B> extends TimedCalls, StageOptions<A> {
  /** What to look up for a value; with `order: 'key'` also what keeps the order. Bytes are compared by content. */
  readonly key: (value: A) => K;
  /** Looks a key up: a promise, or an Observable of which the first value counts. Null and undefined mean that there is none. */
  readonly lookup: (key: K, context: LookupContext) => PromiseLike<V> | Observable<V>;
  /** Makes the result of a value and what was found for it. */
  readonly combine: (value: A, found: V) => B;
  readonly concurrency: number;
  /** 'input': results in the order of the values. 'key': in that of equal keys. 'none': as they come. */
  readonly order: Ordering<A>['order'];
  /** For how many milliseconds an answer is taken from the cache; Infinity: until it makes way for another. */
  readonly ttlMs: number;
  /** The same for an answer that there is none. Default 0: asked again each time. */
  readonly missingTtlMs?: number | undefined;
  /** How many answers are kept; the one that was used least recently makes way. Default 10,000. */
  readonly maxEntries?: number | undefined;
}

const MAX_ENTRIES = 10_000;

type CacheKey = string | number | bigint | boolean | typeof NO_KEY;

const NO_KEY = Symbol('undefined');
const NULL_KEY = '\0null';

/** Keys as a Map tells them apart; bytes are one by their content, and text that looks like one of ours is marked. */
function cacheKeyOf(key: Key): CacheKey {
  if (key === undefined) return NO_KEY;
  if (key === null) return NULL_KEY;
  if (key instanceof Uint8Array) return `\0bytes${contentOf(key)}`;
  return typeof key === 'string' && key.startsWith('\0') ? `\0text${key}` : key;
}

/** An answer in its box, so that none is one too. */
interface Answer<V> {
  readonly found: V;
}

/** What a lookup answers to. */
interface FlightHost<A, V, B> {
  onAnswer(flight: Flight<A, V, B>, found: V): void;
  onFailure(flight: Flight<A, V, B>, cause: unknown): void;
}

/** One lookup under way, and all the calls that wait for it. */
class Flight<A, V, B> extends InnerSubscriber<V> {
  readonly cacheKey: CacheKey;
  readonly waiting = new Set<Call<A, B>>();
  private readonly host: FlightHost<A, V, B>;
  private controller: AbortController | undefined;

  constructor(cacheKey: CacheKey, host: FlightHost<A, V, B>) {
    super();
    this.cacheKey = cacheKey;
    this.host = host;
  }

  get signal(): AbortSignal {
    this.controller ??= new AbortController();
    if (this.closed) this.controller.abort();
    return this.controller.signal;
  }

  begin(look: (context: LookupContext) => PromiseLike<V> | Observable<V>): void {
    let result: PromiseLike<V> | Observable<V>;
    try {
      result = look(new FlightContext(this));
      if (this.closed) return;
      if (isObservable(result)) result.subscribe(this);
      else if (typeof result?.then === 'function') {
        result.then(
          (found) => this.next(found),
          (cause: unknown) => this.error(cause),
        );
      } else this.error(new UsageError('enrich: lookup answers with a promise or an Observable', 'lookup'));
    } catch (cause) {
      this.error(cause);
    }
  }

  /** The call does not wait any more; without any the lookup is given up. */
  leave(call: Call<A, B>): boolean {
    this.waiting.delete(call);
    if (this.waiting.size > 0 || this.closed) return false;
    this.unsubscribe();
    this.controller?.abort();
    return true;
  }

  override next(found: V): void {
    if (this.closed) return;
    this.unsubscribe();
    this.host.onAnswer(this, found);
  }

  override error(cause: unknown): void {
    if (this.closed) return;
    this.unsubscribe();
    this.host.onFailure(this, cause);
  }

  override complete(): void {
    if (this.closed) return;
    this.error(
      new UsageError('enrich: the Observable completed without a value; answer null for none', 'lookup'),
    );
  }
}

/** The signal is made when it is read. */
class FlightContext implements LookupContext {
  private readonly flight: { readonly signal: AbortSignal };

  constructor(flight: { readonly signal: AbortSignal }) {
    this.flight = flight;
  }

  get signal(): AbortSignal {
    return this.flight.signal;
  }
}

class EnrichStage<A, K extends Key, V, B> extends AsyncStage<A, B> implements FlightHost<A, V, B> {
  private readonly options: EnrichOptions<A, K, V, B>;
  private readonly cache: LRUCache<CacheKey, Answer<V>>;
  private readonly flights = new Map<CacheKey, Flight<A, V, B>>();
  private clock: Clock = systemClock;

  constructor(out: Subscriber<Delivery<B>>, setup: AsyncSetup<A>, options: EnrichOptions<A, K, V, B>) {
    super(out, setup);
    this.options = options;
    this.cache = new LRUCache<CacheKey, Answer<V>>({
      max: options.maxEntries ?? MAX_ENTRIES,
      ttlResolution: 0,
      // The library takes a start at 0 for none.
      perf: { now: () => this.clock.now() + 1 },
    });
  }

  protected override run(call: Call<A, B>): void {
    this.clock = handleOf(call.delivery).behind.someSettlement()?.clock ?? systemClock;
    let key: K;
    try {
      key = this.options.key(call.value);
      checkKey('enrich', key);
    } catch (cause) {
      if (!call.done) this.failed(call, cause);
      return;
    }
    if (call.done) return;
    const cacheKey = cacheKeyOf(key);
    const answer = this.cache.get(cacheKey);
    if (answer !== undefined) {
      this.answered(call, answer.found);
      return;
    }
    const under = this.flights.get(cacheKey);
    const flight = under ?? new Flight<A, V, B>(cacheKey, this);
    flight.waiting.add(call);
    call.stop = () => this.left(flight, call);
    if (under !== undefined) return;
    this.flights.set(cacheKey, flight);
    flight.begin((context) => this.options.lookup(key, context));
  }

  onAnswer(flight: Flight<A, V, B>, found: V): void {
    this.flights.delete(flight.cacheKey);
    const { ttlMs, missingTtlMs = 0 } = this.options;
    const keepMs = found === null || found === undefined ? missingTtlMs : ttlMs;
    // A ttl of 0 is none to the library.
    if (keepMs > 0) this.cache.set(flight.cacheKey, { found }, { ttl: keepMs === Infinity ? 0 : keepMs });
    for (const call of flight.waiting) if (isWaiting(call)) this.answered(call, found);
  }

  onFailure(flight: Flight<A, V, B>, cause: unknown): void {
    this.flights.delete(flight.cacheKey);
    for (const call of flight.waiting) if (isWaiting(call)) this.failed(call, cause);
  }

  private left(flight: Flight<A, V, B>, call: Call<A, B>): void {
    if (flight.leave(call) && this.flights.get(flight.cacheKey) === flight)
      this.flights.delete(flight.cacheKey);
  }

  private answered(call: Call<A, B>, found: V): void {
    call.stop = undefined;
    let result: B;
    try {
      result = this.options.combine(call.value, found);
    } catch (cause) {
      if (!call.done) this.failed(call, cause);
      return;
    }
    if (call.done) return;
    this.emit(call, call.delivery.derive(result));
    this.finish(call);
  }
}

// Settling one may end another that waits for the same answer.
function isWaiting(call: Call<unknown, unknown>): boolean {
  return !call.done && call.running;
}

/**
 * Adds to each value what an asynchronous `lookup` finds for its key, and remembers it: for `ttlMs`, for at most `maxEntries` keys. While a key is being looked up, other
 * values with that key wait for the same answer. A failed lookup is not remembered; `onError` decides about each value that waited for it, and a retry looks it up
 * again. `null` and `undefined` mean that there is none: such an answer is remembered for `missingTtlMs` only.
 *
 * At most `concurrency` values wait for their lookups, and their results keep the `order` asked for, as with `mapAsync`: per flow, or per claim inside `eachClaim`. The
 * cache goes with it: outside `eachClaim` the claims share one. It is about the service, not about the records: a claim that is rewound or comes back finds it as it was.
 *
 * ```text
 * in                         a-b-a----a-|
 * lookups of 3 ms            a--A
 *                              b--B
 * order 'input'              ---A-(BA)A-|
 * ```
 *
 * @acks Settles nothing on success: the result carries its record on. A value that is given up because its claim is lost leaves the record unsettled.
 *
 * @marbles
 * ```ts
 * const source = flow('a-b-a----a|');
 * const named = source.pipe(
 *   enrich({
 *     key: (x) => x,
 *     lookup: (key) => rx.timer(3).pipe(rx.map(() => key.toUpperCase())),
 *     combine: (_, found) => found ?? '',
 *     concurrency: 9,
 *     order: 'input',
 *     ttlMs: 100,
 *     missingTtlMs: 100,
 *   }),
 * );
 * expectFlow(named).toBe('---A-(BA)A|');
 * expectAcks(source).toBe('---a-(ba)a');
 * ```
 *
 * @example
 * ```ts
 * orders.pipe(
 *   enrich({
 *     key: (order) => order.value.customerId,
 *     lookup: (id, { signal }) => customers.find(id, signal),
 *     combine: (order, customer) => ({ ...order.value, customer }),
 *     concurrency: 16,
 *     order: 'input',
 *     ttlMs: 60_000,
 *     missingTtlMs: 5_000,
 *   }),
 * );
 * ```
 * @throws UsageError for options that make no sense
 */
export function enrich<A, K extends Key, V, B>(options: EnrichOptions<A, K, V, B>): Op<A, B> {
  const { ttlMs, missingTtlMs = 0, maxEntries = MAX_ENTRIES } = options;
  const setup = asyncSetup<A>('enrich', options);
  for (const name of ['key', 'lookup', 'combine'] as const) {
    if (typeof options[name] !== 'function')
      throw new UsageError(`enrich: ${name} is a function, not ${typeof options[name]}`, name);
  }
  for (const [name, value] of Object.entries({ ttlMs, missingTtlMs })) {
    if (!(value >= 0))
      throw new UsageError(`enrich: ${name} is a number of milliseconds, not ${value}`, name);
  }
  if (!Number.isInteger(maxEntries) || maxEntries < 1)
    throw new UsageError(`enrich: maxEntries is a whole number from 1, not ${maxEntries}`, 'maxEntries');
  return (flow) => createFlow((out) => flow.subscribe(new EnrichStage<A, K, V, B>(out, setup, options)));
}
