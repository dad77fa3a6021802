// Every operator as a stage from readings to readings, so that they can stand in one topology. What they remember by key is remembered by keys that
// change with time, as those of sessions or orders do: what is kept of old ones is seen in the memory.
import { filter as rxFilter, interval, mergeMap, Observable, of } from 'rxjs';
import {
  audit,
  batch,
  branch,
  circuitBreaker,
  countWindow,
  debounce,
  dedupe,
  delayUntil,
  distinct,
  dropping,
  enrich,
  exhaustByKey,
  fanOut,
  filter,
  flatMap,
  groupByKey,
  hoppingWindow,
  map,
  mapAsync,
  otherwise,
  partitionBy,
  passing,
  perRecord,
  processingTimeWindow,
  rateLimit,
  retry,
  sample,
  scan,
  sessionWindow,
  skip,
  switchByKey,
  tap,
  throttle,
  timeout,
  tumblingWindow,
  when,
  whenIs,
  withLatestFrom,
  type Delivery,
  type Op,
} from 'sluice';
import type { Reading } from './reading.ts';

/** A stage of the soak. */
export type Stage = Op<Reading, Reading>;

const MAX_KEYS = 2_000;
const CONCURRENCY = 256;

const session = ({ session: key }: Reading): number => key;
const device = ({ device: key }: Reading): number => key;
const again = retry({ attempts: 3, minDelayMs: 1, maxDelayMs: 5 }, skip);

/** An answer at once, from the next turn, or after a moment, and a failure now and then. */
async function ask(reading: Reading): Promise<Reading> {
  if (reading.nth % 1_000 === 17) throw new Error('not now');
  if (reading.nth % 200 === 0) await new Promise<void>((resolve) => setTimeout(resolve, 1));
  else if (reading.nth % 20 === 0) await new Promise<void>((resolve) => setImmediate(resolve));
  return reading;
}

const answer = (reading: Reading): Observable<Reading> =>
  reading.nth % 50 === 0
    ? new Observable((out) => {
        const timer = setTimeout(() => {
          out.next(reading);
          out.complete();
        }, 1);
        return () => clearTimeout(timer);
      })
    : of(reading);

const isOne = (value: Reading): value is Reading => typeof value === 'object';
const isFirst = (value: Reading): value is Reading & { readonly device: 1 } => value.device === 1;

const inPairs: Stage = (flow) =>
  flow.pipe(
    batch({ maxRecords: 2, withinMs: 20 }),
    flatMap((readings) => readings),
  );

/** What a window makes of its readings is the last of them. */
const lastOf = {
  seed: (): Reading | undefined => undefined,
  add: (_: Reading | undefined, reading: Reading): Reading | undefined => reading,
  merge: (_: Reading | undefined, later: Reading | undefined): Reading | undefined => later,
};
const eventTime = {
  ...lastOf,
  graceMs: 50,
  key: session,
  timestamp: ({ atMs }: Reading): number => atMs,
  onInvalidTimestamp: 'skip',
  onFull: 'emit-partial',
} as const;
const rows: Op<{ readonly value: Reading | undefined | null }, Reading> = flatMap(({ value }) =>
  value === undefined || value === null ? [] : [value],
);

/** One value after another; each of them comes out. */
export const PASSING = {
  filter: filter(({ nth }: Reading) => nth >= 0),
  map: map((reading: Reading) => ({ ...reading })),
  tap: tap(() => undefined),
  flatMap: flatMap((reading: Reading) => (reading.nth % 7 === 0 ? [reading, reading] : [reading])),
  mapAsync: mapAsync(ask, {
    concurrency: CONCURRENCY,
    order: 'key',
    key: session,
    timeoutMs: 30_000,
    onError: again,
  }),
  perRecord: perRecord(answer, { concurrency: CONCURRENCY, order: 'input', onError: again }),
  circuitBreaker: circuitBreaker(ask, {
    concurrency: CONCURRENCY,
    order: 'none',
    opensAfter: { rate: 0.5, calls: 1_000 },
    halfOpenAfterMs: 10,
    whenOpen: 'pause',
    onError: again,
  }),
  enrich: enrich({
    key: session,
    lookup: async (key) => Promise.resolve(key),
    combine: (reading: Reading) => reading,
    concurrency: CONCURRENCY,
    order: 'input',
    ttlMs: 200,
    maxEntries: MAX_KEYS,
    onError: again,
  }),
  scan: scan((_: Reading, reading: Reading) => reading, {
    seed: () => ({ nth: -1, device: 0, session: 0, atMs: 0, writtenMs: 0 }),
    key: device,
    maxKeys: MAX_KEYS,
  }),
  timeout: timeout({ withinMs: 60_000 }),
  rateLimit: rateLimit({ records: 1_000_000, perMs: 1_000, burst: 10_000 }),
  delayUntil: delayUntil(({ writtenMs }: Reading) => writtenMs + 2, { maxHeld: 10_000 }),
  withLatestFrom: withLatestFrom(interval(5), (reading: Reading) => reading),
  passing: passing(mergeMap((delivery) => of(delivery))),
} satisfies Record<string, Stage>;

/** Of these not every value comes out. */
export const DROPPING = {
  dropping: dropping(
    rxFilter(({ value }: Delivery<Reading>) => value.nth % 2 === 0),
    0,
  ),
  distinct: distinct({ key: session, maxKeys: MAX_KEYS, withinMs: 1_000, timestamp: ({ atMs }) => atMs }),
  dedupe: dedupe({ key: session, maxKeys: MAX_KEYS, withinMs: 1_000, timestamp: ({ atMs }) => atMs }),
  debounce: debounce({ durationMs: 2, key: session, maxKeys: MAX_KEYS }),
  audit: audit({ duration: answer, key: session, maxKeys: MAX_KEYS }),
  sample: sample({ periodMs: 5, key: session, maxKeys: MAX_KEYS }),
  throttle: throttle({ durationMs: 5, leading: true, trailing: true, key: session, maxKeys: MAX_KEYS }),
  switchByKey: switchByKey(answer, { key: session, concurrency: CONCURRENCY }),
  exhaustByKey: exhaustByKey(answer, { key: session, concurrency: CONCURRENCY }),
} satisfies Record<string, Stage>;

/** These send values several ways, or gather them. */
export const DIVIDING = {
  batch: inPairs,
  branch: branch(
    when(({ nth }: Reading) => nth % 3 === 0, inPairs),
    whenIs(
      isFirst,
      map((reading) => reading),
    ),
    otherwise(filter(({ nth }: Reading) => nth % 2 === 0)),
  ),
  when: branch(
    when(
      () => true,
      map((reading: Reading) => reading),
    ),
  ),
  whenIs: branch(
    whenIs(
      isOne,
      map((reading) => reading),
    ),
  ),
  otherwise: branch(otherwise(map((reading: Reading) => reading))),
  fanOut: fanOut(
    map((reading: Reading) => reading),
    dropping<Reading>(
      rxFilter(({ value }) => value.nth % 2 === 0),
      0,
    ),
  ),
  groupByKey: groupByKey(session, inPairs, { maxKeys: MAX_KEYS, idleMs: 100 }),
  partitionBy: partitionBy(session, inPairs, { lanes: 4 }),
  countWindow: (flow) =>
    flow.pipe(
      countWindow({ records: 5, key: ({ device: key }) => key % 20 }),
      flatMap((readings) => readings.slice(-1)),
    ),
} satisfies Record<string, Stage>;

/** The windows that hold their acknowledgements. */
export const WINDOWS = {
  tumblingWindow: (flow) =>
    flow.pipe(tumblingWindow({ ...eventTime, sizeMs: 500, late: map((reading: Reading) => reading) }), rows),
  hoppingWindow: (flow) =>
    flow.pipe(hoppingWindow({ ...eventTime, sizeMs: 400, advanceMs: 200, emit: 'updates' }), rows),
  sessionWindow: (flow) =>
    flow.pipe(
      sessionWindow({ ...eventTime, gapMs: 20, key: device, streamTime: 'key', maxKeys: MAX_KEYS }),
      rows,
    ),
  processingTimeWindow: (flow) =>
    flow.pipe(processingTimeWindow({ ...lastOf, sizeMs: 20, key: session }), rows),
} satisfies Record<string, Stage>;
