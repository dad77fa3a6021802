// What the cases of the micro-bench have in common: sources of a million values, and their ends.
import * as rx from 'rxjs';
import { systemClock } from '../../src/core/clock.ts';
import { rootDelivery, type Delivery } from '../../src/flow/delivery.ts';
import { createFlow, type Flow } from '../../src/flow/flow.ts';
import type { Settlement } from '../../src/flow/settlement.ts';

export const RECORDS = 1_000_000;
const BYTES = 100;

/** One thing to measure; the time per record is divided by `stages`. */
export interface Case {
  readonly name: string;
  readonly stages: number;
  readonly run: () => void;
}

const never = new AbortController().signal;
let settled = 0;

/** Counts settlements; what a claim's tracker does with them is measured by consume-core. */
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
  reject: () => {
    settled++;
  },
};

export const root = (at: number): Delivery<number> => rootDelivery(at, settlement, at, BYTES, undefined);

export const flow: Flow<number> = createFlow((subscriber) => {
  for (let at = 0; at < RECORDS; at++) subscriber.next(root(at));
  subscriber.complete();
});

export const bare = new rx.Observable<number>((subscriber) => {
  for (let at = 0; at < RECORDS; at++) subscriber.next(at);
  subscriber.complete();
});

function settling(run: () => void): void {
  settled = 0;
  run();
  if (settled !== RECORDS) throw new Error(`${settled} of ${RECORDS} records settled`);
}

/** Runs a Flow to its end, where everything is acknowledged. */
export const drain = (values: Flow<unknown>): void =>
  settling(() => values.subscribe((delivery) => delivery.ack()));

/** What is observed goes here, so that nothing is optimised away. */
export const observed = { count: 0 };

/** Runs a plain Observable to its end. */
export const consume = (values: rx.Observable<unknown>): void => {
  values.subscribe(() => observed.count++);
};

/** Does `run` with a million deliveries, each of which it settles. */
export const each = (run: (delivery: Delivery<number>) => void): void =>
  settling(() => {
    for (let at = 0; at < RECORDS; at++) run(root(at));
  });
