// What plain RxJS operators do to a source with a credit of 32 that has 300 records, one each millisecond where there is room (out of credit, it waits for half); and that the
// operators of this library drain it. Plain operators are applied past the types, as with `from(flow)`.
import { describe, expect, it } from '@jest/globals';
import {
  asyncScheduler,
  bufferCount,
  bufferTime,
  concatMap,
  debounceTime,
  delay,
  distinctUntilChanged,
  exhaustMap,
  filter as rxFilter,
  groupBy,
  map as rxMap,
  mergeAll,
  mergeMap,
  Observable,
  observeOn,
  of,
  sampleTime,
  auditTime,
  switchMap,
  take,
  throttleTime,
  timer,
  type OperatorFunction,
} from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { rootDelivery, type Delivery } from '../../src/flow/delivery.ts';
import { createFlow, type Flow } from '../../src/flow/flow.ts';
import {
  batch,
  countWindow,
  dropping,
  fanOut,
  filter,
  map,
  passing,
  perRecord,
} from '../../src/operators/index.ts';
import { MarbleSource, schedulerClock } from '../../src/testing/marbles-source.ts';

const RECORDS = 300;
const CREDIT = 32;

/** One record per millisecond while there is credit; told by settlements that there is again. */
class CreditSource extends MarbleSource {
  handedOver = 0;
  private readonly scheduler: TestScheduler;

  constructor(scheduler: TestScheduler) {
    super(schedulerClock(scheduler));
    this.scheduler = scheduler;
  }

  readonly flow: Flow<number> = createFlow<number>((out) => {
    const tick = (): void => {
      step();
      if (!out.closed) this.scheduler.schedule(tick, 1);
    };
    this.scheduler.schedule(tick, 1);
    const step = (): void => {
      if (this.handedOver === RECORDS) {
        out.complete();
      } else if (this.pressed) {
        return;
      } else if (this.inFlight < CREDIT) {
        const n = this.handedOver++;
        out.next(rootDelivery(n, this, this.handOver(String(n)), 0, undefined));
      } else this.press();
    };
  });
}

type Plain = OperatorFunction<Delivery<number>, Delivery<number>>;

/** Runs ten virtual seconds. */
function run(make: (flow: Flow<number>) => Observable<Delivery<unknown>>): {
  handedOver: number;
  unsettled: number;
  completed: boolean;
} {
  const scheduler = new TestScheduler(() => undefined);
  const source = new CreditSource(scheduler);
  let completed = false;
  scheduler.run(({ flush }) => {
    const subscription = make(source.flow).subscribe({
      next: (delivery) => delivery.ack(),
      complete: () => (completed = true),
    });
    scheduler.schedule(() => subscription.unsubscribe(), 10_000);
    flush();
  });
  return { handedOver: source.handedOver, unsettled: source.inFlight, completed };
}

const raw = (flow: Flow<number>): Observable<Delivery<number>> =>
  new Observable((subscriber) => flow.subscribe(subscriber));
const later = (delivery: Delivery<number>): Observable<Delivery<number>> =>
  timer(3).pipe(rxMap(() => delivery));

const even: Plain = rxFilter(({ value }) => value % 2 === 0);
const distinct: Plain = distinctUntilChanged((a, b) => a.value >> 3 === b.value >> 3);
const oneOfEach: Plain = (flow) =>
  flow.pipe(
    groupBy(({ value }) => value % 4),
    mergeMap((group) => group.pipe(take(1))),
  );

const stalls: [name: string, plain: Plain, settled: number, unsettled: number][] = [
  ['filter', even, 32, 32],
  ['distinctUntilChanged', distinct, 5, 32],
  ['throttleTime', throttleTime(20), 2, 32],
  ['debounceTime', debounceTime(20), 1, 31],
  ['auditTime', auditTime(20), 2, 31],
  ['sampleTime', sampleTime(20), 2, 31],
  ['switchMap', switchMap(later), 1, 31],
  ['exhaustMap', exhaustMap(later), 16, 31],
  ['groupBy and take', oneOfEach, 4, 32],
  ['bufferCount larger than the credit', (flow) => flow.pipe(bufferCount(64), mergeAll()), 0, 32],
];

const drains: [name: string, plain: Plain][] = [
  ['concatMap', concatMap(later)],
  ['mergeMap with 4 at a time', mergeMap(later, 4)],
  ['observeOn', observeOn(asyncScheduler)],
  ['delay', delay(50)],
  ['bufferTime and mergeAll', (flow) => flow.pipe(bufferTime(20), mergeAll())],
];

describe('a plain operator on deliveries', () => {
  it.each(stalls)('%s stalls its source, its credit unsettled', (_, plain, settled, unsettledForGood) => {
    const { handedOver, unsettled, completed } = run((flow) => plain(raw(flow)));
    expect({ unsettled, completed, settled: handedOver - unsettled }).toEqual({
      unsettled: unsettledForGood,
      completed: false,
      settled,
    });
  });

  it('bufferCount smaller than the credit keeps the rest of what it cannot fill until the end', () => {
    const scheduler = new TestScheduler(() => undefined);
    const source = new CreditSource(scheduler);
    scheduler.run(({ flush }) => {
      const subscription = raw(source.flow)
        .pipe(bufferCount(16), mergeAll())
        .subscribe((delivery) => delivery.ack());
      scheduler.schedule(() => subscription.unsubscribe(), 28);
      flush();
    });
    expect([source.handedOver, source.inFlight]).toEqual([28, 12]);
  });

  it.each(drains)('%s drains', (_, plain) => {
    expect(run((flow) => plain(raw(flow)))).toEqual({ handedOver: RECORDS, unsettled: 0, completed: true });
  });
});

describe('the ways in drain', () => {
  const wrapped: [name: string, stage: (flow: Flow<number>) => Flow<unknown>][] = [
    ['dropping(filter, 0)', dropping(even, 0)],
    ['dropping(distinctUntilChanged, 0)', dropping(distinct, 0)],
    ['dropping(throttleTime, 0)', dropping(throttleTime(20), 0)],
    [
      'dropping(trailing throttleTime, 1)',
      dropping(throttleTime(20, asyncScheduler, { leading: true, trailing: true }), 1),
    ],
    ['dropping(debounceTime, 1)', dropping(debounceTime(20), 1)],
    ['dropping(auditTime, 1)', dropping(auditTime(20), 1)],
    ['dropping(sampleTime, 1)', dropping(sampleTime(20), 1)],
    ['dropping(switchMap, 1)', dropping(switchMap(later), 1)],
    ['dropping(groupBy and take, 0)', dropping(oneOfEach, 0)],
    ...drains.map(([name, plain]): [string, (flow: Flow<number>) => Flow<unknown>] => [
      `passing(${name})`,
      passing(plain),
    ]),
    ['batch larger than the credit', batch({ maxRecords: 64, withinMs: 5_000 })],
    ['countWindow larger than the credit', countWindow({ records: 64 })],
    ['countWindow by key', countWindow({ records: 64, key: (n) => n % 4 })],
    ['filter', filter((n) => n % 2 === 0)],
    [
      'perRecord with what stalls outside',
      perRecord(
        (n) =>
          of(n, n + 1).pipe(
            rxFilter((m) => m % 2 === 0),
            take(1),
          ),
        {
          concurrency: 4,
          order: 'input',
        },
      ),
    ],
    [
      'perRecord with a delay inside',
      perRecord((n) => of(n).pipe(delay(3)), { concurrency: 4, order: 'input' }),
    ],
    [
      'fanOut with branches that drop, wait and collect',
      fanOut(
        dropping(debounceTime(20), 1),
        passing(delay(30)),
        batch<number>({ maxRecords: 64, withinMs: 5_000 }),
        map((n: number) => n),
      ),
    ],
  ];

  it.each(wrapped)('%s', (_, stage) => {
    expect(run((flow) => stage(flow))).toEqual({ handedOver: RECORDS, unsettled: 0, completed: true });
  });
});
