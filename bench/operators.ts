// What a stage costs: nanoseconds per record and stage of a Flow through map, filter, map, beside the same plain RxJS chain on bare values, and
// of Delivery itself. Each figure is the median of interleaved rounds in one process. `npx tsx bench/operators.ts`
import * as rx from 'rxjs';
import { systemClock } from '../src/core/clock.ts';
import { rootDelivery, type Delivery } from '../src/flow/delivery.ts';
import { createFlow, type Flow } from '../src/flow/flow.ts';
import { gather } from '../src/flow/gather.ts';
import type { Settlement } from '../src/flow/settlement.ts';
import { batch, fanOut, filter, flatMap, map, mapAsync, tap } from '../src/operators/index.ts';

const RECORDS = 1_000_000;
const ROUNDS = 9;

const never = new AbortController().signal;
let settled = 0;

/** Counts settlements; what a claim's tracker does with them is measured elsewhere. */
const settlement: Settlement = {
  source: 'bench',
  claimEpoch: 0,
  revoking: never,
  lost: never,
  clock: systemClock,
  inFlight: 1,
  pressed: false,
  onPressure: () => () => undefined,
  settle: () => {
    settled++;
  },
  hold: () => undefined,
  reject: (_sequence, cause) => {
    throw cause;
  },
};

const source: Flow<number> = createFlow((subscriber) => {
  for (let at = 0; at < RECORDS; at++) subscriber.next(rootDelivery(at, settlement, at, 100, undefined));
  subscriber.complete();
});

const bare = new rx.Observable<number>((subscriber) => {
  for (let at = 0; at < RECORDS; at++) subscriber.next(at);
  subscriber.complete();
});

let sum = 0;
const drain = (flow: Flow<unknown>): void => {
  settled = 0;
  flow.subscribe((delivery) => delivery.ack());
  if (settled !== RECORDS) throw new Error(`${settled} of ${RECORDS} records settled`);
};
const consume = (values: rx.Observable<unknown>): void => {
  values.subscribe(() => sum++);
};

const inc = (x: number): number => x + 1;
const most = (x: number): boolean => x % 3 !== 0;
const each = (count: number, run: (delivery: Delivery<number>) => void): void => {
  for (let at = 0; at < count; at++) run(rootDelivery(at, settlement, at, 100, undefined));
};

/** One thing to measure; `per` is by how many stages or operations the time per record is divided. */
interface Case {
  readonly name: string;
  readonly per: number;
  readonly run: () => void;
}

const pair: Delivery<number>[] = [];
const cases: readonly Case[] = [
  {
    name: 'plain RxJS: map, filter, map',
    per: 3,
    run: () => consume(bare.pipe(rx.map(inc), rx.filter(most), rx.map(inc))),
  },
  { name: 'Flow: map, filter, map', per: 3, run: () => drain(source.pipe(map(inc), filter(most), map(inc))) },
  { name: 'plain RxJS: source alone', per: 1, run: () => consume(bare) },
  { name: 'Flow: source and ack alone', per: 1, run: () => drain(source) },
  { name: 'Flow: map', per: 1, run: () => drain(source.pipe(map(inc))) },
  {
    name: 'Flow: 10 x map',
    per: 10,
    run: () =>
      drain(
        source.pipe(
          map(inc),
          map(inc),
          map(inc),
          map(inc),
          map(inc),
          map(inc),
          map(inc),
          map(inc),
          map(inc),
          map(inc),
        ),
      ),
  },
  {
    name: 'plain RxJS: 10 x map',
    per: 10,
    run: () =>
      consume(
        bare
          .pipe(rx.map(inc), rx.map(inc), rx.map(inc), rx.map(inc), rx.map(inc))
          .pipe(rx.map(inc), rx.map(inc), rx.map(inc), rx.map(inc), rx.map(inc)),
      ),
  },
  { name: 'Flow: tap', per: 1, run: () => drain(source.pipe(tap(() => sum++))) },
  {
    name: 'Flow: batch of 500',
    per: 1,
    run: () => drain(source.pipe(batch({ maxRecords: 500, withinMs: 1_000 }))),
  },
  { name: 'Flow: flatMap to one', per: 1, run: () => drain(source.pipe(flatMap((x) => [x]))) },
  { name: 'plain RxJS: mergeMap to one', per: 1, run: () => consume(bare.pipe(rx.mergeMap((x) => [x]))) },
  { name: 'Flow: fanOut to two maps', per: 1, run: () => drain(source.pipe(fanOut(map(inc), map(inc)))) },
  {
    name: 'Flow: mapAsync by key, Observables of one',
    per: 1,
    run: () =>
      drain(
        source.pipe(mapAsync((x: number) => rx.of(x), { concurrency: 16, order: 'key', key: (x) => x % 64 })),
      ),
  },
  {
    name: 'plain RxJS: mergeMap(of)',
    per: 1,
    run: () => consume(bare.pipe(rx.mergeMap((x) => rx.of(x), 16))),
  },
  { name: 'Delivery: root, ack', per: 1, run: () => each(RECORDS, (delivery) => delivery.ack()) },
  {
    name: 'Delivery: root, derive, ack',
    per: 1,
    run: () => each(RECORDS, (delivery) => delivery.derive(1).ack()),
  },
  {
    name: 'Delivery: fork of two',
    per: 1,
    run: () =>
      each(RECORDS, (delivery) => {
        const fork = delivery.fork();
        fork.child(1).ack();
        fork.child(2).ack();
        fork.close();
      }),
  },
  {
    name: 'Delivery: gather of two',
    per: 1,
    run: () =>
      each(RECORDS, (delivery) => {
        if (pair.push(delivery) < 2) return;
        gather(pair, 0).ack();
        pair.length = 0;
      }),
  },
  {
    name: 'Delivery: origins read',
    per: 1,
    run: () => each(RECORDS, (delivery) => (sum += delivery.origins.length)),
  },
];

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

const times = cases.map((): number[] => []);
for (let round = -2; round < ROUNDS; round++) {
  for (const [at, { run }] of cases.entries()) {
    const start = systemClock.now();
    run();
    // The first rounds are the compiler's.
    if (round >= 0) times[at]!.push((systemClock.now() - start) * 1e6);
  }
  await new Promise<void>((resolve) => systemClock.defer(resolve));
}

const nsOf = (at: number): number => median(times[at]!) / RECORDS;
for (const [at, { name, per }] of cases.entries()) {
  const ns = nsOf(at);
  console.log(
    `${name.padEnd(44)} ${ns.toFixed(1).padStart(7)} ns/record ${(ns / per).toFixed(1).padStart(7)} ns/stage ${(1e3 / ns).toFixed(1).padStart(6)} M/s`,
  );
}
console.log(
  `Flow map, filter, map: ${(nsOf(0) / nsOf(1)).toFixed(2)}x the rate of plain RxJS on bare values`,
);
