// From a drawn pipeline to the operators of the library, every function in it telling the recorder what it did.
import { Observable, type MonoTypeOperatorFunction } from 'rxjs';
import { filter as rxFilter } from 'rxjs/operators';
import type { Clock, Random } from '../../../src/core/clock.ts';
import { delay } from '../../../src/core/clock.ts';
import type { Delivery } from '../../../src/flow/delivery.ts';
import type { Flow } from '../../../src/flow/flow.ts';
import type { Op } from '../../../src/flow/op.ts';
import { retry, rewind, skip, type ErrorPolicy, type StageOptions } from '../../../src/flow/policy.ts';
import * as operators from '../../../src/operators/index.ts';
import type { Sluice } from '../../../src/topology/sluice.ts';
import type { HandingKey } from './history.ts';
import { Passage, passesFor } from './passage.ts';
import type { Recorder } from './recorder.ts';
import { within, type Failing, type Order, type Stage } from './scenario.ts';
import type { Handed } from './watch.ts';
import { windowed, type WindowStage } from './windows.ts';

const {
  audit,
  batch,
  branch,
  countWindow,
  debounce,
  dedupe,
  delayUntil,
  distinct,
  dropping,
  exhaustByKey,
  fanOut,
  filter,
  flatMap,
  groupByKey,
  map,
  mapAsync,
  otherwise,
  partitionBy,
  passing,
  perRecord,
  sample,
  scan,
  switchByKey,
  tap,
  throttle,
  when,
  withLatestFrom,
} = operators;

/** A value on its way. */
export interface Item {
  readonly token: number;
  readonly of: readonly HandingKey[];
  /** All that the row answers for out of which it came. */
  readonly row?: readonly HandingKey[] | undefined;
  /** `source|offset` of its first record: what a stage decides by, so that it decides alike each time. */
  readonly first: string;
}

/** A failure on purpose. */
export class Injected extends Error {}

/** What the stages of one member share. */
export interface Surroundings {
  readonly recorder: Recorder;
  readonly clock: Clock;
  readonly random: Random;
  /** How often each stage failed for each record, whoever's stage; it ends some time. And when a record is due. */
  readonly failures: Map<string, number>;
  readonly toTopic: Sluice['toTopic'];
  readonly deadLetter: Sluice['deadLetter'];
}

export const OUTPUT = 'out';
export const LETTERS = 'dead';

/** A small stable number for a text. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash ^= hash >>> 15;
  return Math.imul(hash, 0x735a2d97) >>> 8;
}

/** Operators whose values may come out in another order than they went in. */
const REORDERS: readonly Stage['op'][] = [
  'branch',
  'dedupe',
  'delayUntil',
  'exhaustByKey',
  'fanOut',
  'groupByKey',
  'hoppingWindow',
  'partitionBy',
  'processingTimeWindow',
  'sessionWindow',
  'switchByKey',
  'tumblingWindow',
];

/** True when values of one claim reach the end of these stages in its order, provided that claims are not mixed. */
export function keepsOrder(stages: readonly Stage[]): boolean {
  return stages.every((stage) => {
    if (REORDERS.includes(stage.op)) return false;
    if (stage.op === 'mapAsync' || stage.op === 'perRecord') return stage.order === 'input';
    return !('keys' in stage) || stage.keys === 1 || stage.op === 'distinct';
  });
}

/** All that these answer for together. */
export function rowOf(items: readonly Item[]): readonly HandingKey[] {
  return [...new Set(items.flatMap(({ of, row = of }) => row))];
}

/** True when these stages make values of several claims, which go through a sink in the order of one of them. */
export function mixesClaims(stages: readonly Stage[]): boolean {
  return stages.some(
    (stage) => 'then' in stage || stage.op === 'processingTimeWindow' || within(stage).some(mixesClaims),
  );
}

/** A count window keeps the last records until its flow ends. */
export function countsForever(stages: readonly Stage[]): boolean {
  return stages.some((stage) => stage.op === 'countWindow' || within(stage).some(countsForever));
}

/** Builds the stages of one member's topology. */
export class Pipeline {
  private readonly around: Surroundings;
  /** Tokens that have come to their end. */
  private readonly used = new Set<number>();

  constructor(around: Surroundings) {
    this.around = around;
  }

  /** The first value of a record. */
  enter(): Op<Handed, Item> {
    return map(({ key, place }) => this.make({ of: [key], first: place }, 'the source'));
  }

  through(name: string, stages: readonly Stage[]): Op<Item, Item> {
    return (flow) =>
      stages.reduce<Flow<Item>>(
        (before, stage, at) => before.pipe(this.stage(`${name}${at}.${stage.op}`, stage)),
        flow,
      );
  }

  /** The last stage. */
  leave(): Op<Item, Item> {
    return tap((item) => {
      this.used.add(item.token);
      this.around.recorder.add({ kind: 'delivered', token: item.token });
    });
  }

  private make({ of, row, first }: Omit<Item, 'token'>, at: string, shares = 1): Item {
    const { recorder } = this.around;
    const token = recorder.token();
    recorder.add({ kind: 'made', token, shares, of, ...(row === undefined ? {} : { row }), at });
    return { token, of, row, first };
  }

  private use(item: Item, at: string): void {
    this.used.add(item.token);
    this.around.recorder.add({ kind: 'used', token: item.token, at });
  }

  private next(item: Item, at: string, shares = 1): Item {
    this.use(item, at);
    return this.make(item, at, shares);
  }

  private merge(items: readonly Item[], at: string): Item {
    for (const item of items) this.use(item, at);
    const of = [...new Set(items.flatMap((item) => item.of))];
    return this.make({ of, row: rowOf(items), first: items[0]!.first }, at);
  }

  private mayFail(at: string, failing: Failing | undefined, item: Item): void {
    if (failing === undefined || hashOf(at + item.first) % failing.every !== 0) return;
    const { failures } = this.around;
    const key = `${at}|${item.first}`;
    const before = failures.get(key) ?? 0;
    if (before >= failing.times) return;
    failures.set(key, before + 1);
    throw new Injected(`${at} fails for ${item.first}`);
  }

  /** `settled` is told of what the policy settles. */
  private options(
    at: string,
    failing: Failing | undefined,
    settled: (item: Item) => void = () => undefined,
  ): StageOptions<Item> {
    if (failing === undefined) return { name: at };
    const { policy, attempts, delayMs } = failing;
    const backoff = { attempts, minDelayMs: delayMs };
    const chosen = (last: ErrorPolicy, tell: (item: Item) => void): StageOptions<Item> => ({
      name: at,
      onError: (error) => {
        if (error.attempt >= attempts) tell(error.value);
        return retry(backoff, last);
      },
    });
    const skips = (item: Item): void => {
      settled(item);
      this.use(item, `${at} skipping`);
    };
    const buries = (item: Item): void => {
      settled(item);
      this.used.add(item.token);
      this.around.recorder.add({ kind: 'buried', token: item.token, at: `${at} burying` });
    };
    switch (policy) {
      case 'fail':
        return { name: at };
      case 'retry':
        return { name: at, onError: retry(backoff) };
      case 'rewind':
        return { name: at, onError: rewind({ attempts: attempts + 1, minDelayMs: delayMs }) };
      case 'retryThenSkip':
        return chosen(skip, skips);
      case 'retryThenBury':
        return chosen(this.around.deadLetter(LETTERS), buries);
      case 'skip':
        return {
          name: at,
          onError: ({ value }) => {
            skips(value);
            return skip;
          },
        };
      case 'bury': {
        const letters = this.around.deadLetter(LETTERS);
        return {
          name: at,
          onError: ({ value }) => {
            buries(value);
            return letters;
          },
        };
      }
    }
  }

  private ordering(
    order: Order,
  ): { order: 'input' | 'none' } | { order: 'key'; key: (item: Item) => string } {
    return order === 'key' ? { order, key: ({ first }) => `key-${hashOf(first) % 5}` } : { order };
  }

  private stage(at: string, stage: Stage): Op<Item, Item> {
    switch (stage.op) {
      case 'map':
        return map(
          (item) => {
            this.mayFail(at, stage.failing, item);
            return this.next(item, at);
          },
          this.options(at, stage.failing),
        );
      case 'tap':
        return tap((item) => this.mayFail(at, stage.failing, item), this.options(at, stage.failing));
      case 'filter':
        return filter(
          (item) => {
            this.mayFail(at, stage.failing, item);
            const keeps = hashOf(`${at}?${item.first}`) % (stage.keeps + 1) !== 0;
            if (!keeps) this.use(item, at);
            return keeps;
          },
          this.options(at, stage.failing),
        );
      case 'flatMap':
        return flatMap((item) => this.children(at, stage, item), this.options(at, stage.failing));
      case 'mapAsync':
        return mapAsync((item, { signal }) => this.later(at, stage, item, signal), {
          concurrency: stage.concurrency,
          ...this.ordering(stage.order),
          ...this.options(at, stage.failing),
        });
      case 'perRecord':
        return perRecord((item) => this.several(at, stage, item), {
          concurrency: stage.concurrency,
          ...this.ordering(stage.order),
          ...this.options(at, stage.failing),
        });
      case 'batch':
        return this.gathered(at, stage.then, batch<Item>(stage));
      case 'countWindow': {
        const { records, keys } = stage;
        const window = countWindow<Item>(
          keys === 1 ? { records } : { records, key: ({ first }) => hashOf(first) % keys },
        );
        return this.gathered(at, stage.then, window);
      }
      case 'tumblingWindow':
      case 'hoppingWindow':
      case 'sessionWindow':
      case 'processingTimeWindow':
        return this.window(at, stage);
      case 'fanOut':
        return this.split(at, stage.branches);
      case 'debounce':
      case 'audit':
      case 'sample':
      case 'throttle':
        return this.passingOver(at, stage, this.latestOf(at, stage));
      case 'distinct':
      case 'dedupe':
        return this.passingOver(
          at,
          stage,
          (stage.op === 'distinct' ? distinct : dedupe)<Item>({
            key: this.key(at, stage),
            maxKeys: stage.maxKeys,
            ...this.options(at, stage.failing),
          }),
        );
      case 'switchByKey':
      case 'exhaustByKey':
        return this.passingOver(
          at,
          stage,
          (stage.op === 'switchByKey' ? switchByKey : exhaustByKey)<Item, Item>(
            (item) => this.several(at, stage, item),
            {
              key: this.key(at, stage, false),
              concurrency: stage.concurrency,
              ...this.options(at, stage.failing),
            },
          ),
        );
      case 'scan':
        return scan<Item, Item | undefined>(
          (_, item) => {
            this.mayFail(at, stage.failing, item);
            return this.next(item, at);
          },
          { seed: () => undefined, ...this.options(at, stage.failing) },
        ) as Op<Item, Item>;
      case 'withLatestFrom':
        return withLatestFrom(
          this.ticks(stage.ms),
          (item) => {
            this.mayFail(at, stage.failing, item);
            return this.next(item, at);
          },
          this.options(at, stage.failing),
        );
      case 'delayUntil':
        return delayUntil(this.dueTimes(at, stage), {
          maxHeld: stage.maxHeld,
          ...this.options(at, stage.failing),
        });
      case 'groupByKey':
        return groupByKey(
          this.key(at, stage),
          (group) => group.pipe(this.through(`${at}/${group.key}/`, stage.stages)),
          { maxKeys: stage.maxKeys, idleMs: stage.idleMs, ...this.options(at, stage.failing) },
        );
      case 'partitionBy':
        return partitionBy(
          this.key(at, stage),
          (lane, number) => lane.pipe(this.through(`${at}/${number}/`, stage.stages)),
          { lanes: stage.lanes, ...this.options(at, stage.failing) },
        );
      case 'branch':
        return this.branched(at, stage);
      case 'dropping':
        return dropping(stage.retains === 0 ? this.some(at) : this.latest(at, stage.ms), stage.retains);
      case 'passing':
        return passing(this.delayed(stage.ms));
      case 'toTopic':
        return this.sink(at, stage);
    }
  }

  private gathered(at: string, then: 'one' | 'each', gather: Op<Item, readonly Item[]>): Op<Item, Item> {
    const told = tap((items: readonly Item[]) =>
      this.around.recorder.add({ kind: 'gathered', tokens: items.map(({ token }) => token), at }),
    );
    const next =
      then === 'one'
        ? map((items: readonly Item[]) => this.merge(items, at))
        : flatMap((items: readonly Item[]) => {
            const row = rowOf(items);
            return items.map((item) => ({ ...item, row }));
          });
    return (flow) => flow.pipe(gather, told, next);
  }

  private window(at: string, stage: WindowStage): Op<Item, Item> {
    const { failures: answered, recorder } = this.around;
    const place = (item: Item): string => `${at} has answered|${item.first}`;
    const answer = (item: Item): void => void answered.set(place(item), 1);
    return windowed(stage, {
      options: this.options(at, stage.failing, answer),
      mayFail: (item) => this.mayFail(at, stage.failing, item),
      make: (of, row, first) => this.make({ of, row, first }, at),
      use: (item, how) => this.use(item, `${at} ${how}`),
      isUsed: (item) => this.used.has(item.token),
      wrong: (what) => recorder.add({ kind: 'wrong', what: `${at} ${what}` }),
      answer,
      isAnswered: (item) => answered.has(place(item)),
    });
  }

  private split(at: string, branches: readonly (readonly Stage[])[]): Op<Item, Item> {
    const ops = branches.map((stages, number): Op<Item, Item> => {
      const name = `${at}[${number}]`;
      const own = map((item: Item) => this.next(item, name));
      return (flow) => flow.pipe(own, this.through(`${name}/`, stages));
    });
    const shared = map((item: Item) => this.next(item, at, branches.length));
    return (flow) =>
      flow.pipe(shared, fanOut<Item, Item, Item>(...(ops as [Op<Item, Item>, Op<Item, Item>])));
  }

  /** The key of a value. Where the Observables of a stage fail by themselves, the key does not. */
  private key(
    at: string,
    { keys, failing }: Stage & { readonly keys: number; readonly failing?: Failing | undefined },
    fails = true,
  ): (item: Item) => number {
    return (item) => {
      if (fails) this.mayFail(at, failing, item);
      return hashOf(item.first) % keys;
    };
  }

  private latestOf(
    at: string,
    stage: Stage & { op: 'debounce' | 'audit' | 'sample' | 'throttle' },
  ): Op<Item, Item> {
    const { ms, maxKeys, leading, trailing } = stage;
    const lanes = { key: this.key(at, stage), maxKeys, ...this.options(at, stage.failing) };
    switch (stage.op) {
      case 'debounce':
        return debounce({ durationMs: ms, ...lanes });
      case 'audit':
        return audit({ durationMs: ms, ...lanes });
      case 'sample':
        return sample({ periodMs: ms, ...lanes });
      case 'throttle':
        return throttle({ durationMs: ms, leading, trailing, ...lanes });
    }
  }

  /** What goes into the stage and is settled without coming out has come to its end there, which must have been for another one's sake. */
  private passingOver(
    at: string,
    stage: Stage & { readonly keys: number },
    through: Op<Item, Item>,
  ): Op<Item, Item> {
    const passage = new Passage(
      (item) => this.used.has(item.token),
      (item) => this.use(item, `${at} passing over`),
      (what) => this.around.recorder.add({ kind: 'wrong', what: `${at} ${what}` }),
      passesFor(stage),
      (item) => hashOf(item.first) % stage.keys,
    );
    return (flow) => flow.pipe(passage.enter(), through, passage.leave());
  }

  private branched(at: string, { branches, takesAll }: Stage & { op: 'branch' }): Op<Item, Item> {
    const ops = branches.map(
      (stages, number): Op<Item, Item> =>
        (flow) =>
          flow.pipe(this.through(`${at}[${number}]/`, stages)),
    );
    const chosen = (item: Item): number =>
      hashOf(`${at}!${item.first}`) % (branches.length + (takesAll ? 0 : 1));
    const cases = ops.map((op, number) =>
      number === ops.length - 1 && takesAll
        ? otherwise(op)
        : when((item: Item) => {
            const takes = chosen(item) === number;
            if (!takes && number === ops.length - 1) this.use(item, `${at}, which no branch takes`);
            return takes;
          }, op),
    );
    return branch<Item, Item, Item>(...(cases as [(typeof cases)[number], (typeof cases)[number]]));
  }

  private ticks(ms: number): Observable<number> {
    const { clock } = this.around;
    return new Observable((subscriber) => {
      let tick = 0;
      const emit = (): void => {
        subscriber.next(tick++);
        if (ms === 0 || tick > 20 || subscriber.closed) return;
        const timer = clock.setTimeout(emit, ms);
        subscriber.add(() => timer.cancel());
      };
      const timer = clock.setTimeout(emit, ms);
      subscriber.add(() => timer.cancel());
    });
  }

  private dueTimes(at: string, stage: Stage & { op: 'delayUntil' }): (item: Item) => number {
    const { clock, failures: times } = this.around;
    return (item) => {
      this.mayFail(at, stage.failing, item);
      // As a record would name it: the same for whoever reads it.
      const name = `${at} is due|${item.first}`;
      const time = times.get(name) ?? clock.wallNow() + (hashOf(`${at}@${item.first}`) % (stage.ms + 1));
      times.set(name, time);
      return time;
    };
  }

  private *children(at: string, stage: Stage & { op: 'flatMap' }, item: Item): Generator<Item> {
    const count = hashOf(`${at}#${item.first}`) % (stage.children + 1);
    for (let child = 0; child < count; child++) {
      if (child * 2 >= count) this.mayFail(at, stage.failing, item);
      yield this.make(item, at);
    }
    this.mayFail(at, stage.failing, item);
    this.use(item, at);
  }

  private later(
    at: string,
    stage: Stage & { op: 'mapAsync' },
    item: Item,
    signal: AbortSignal,
  ): Promise<Item> | Observable<Item> {
    const { clock, random } = this.around;
    const result = (): Item => {
      this.mayFail(at, stage.failing, item);
      return this.next(item, at);
    };
    const waitMs = Math.floor(random() * (stage.maxMs + 1));
    if (stage.observes) {
      return new Observable<Item>((subscriber) => {
        const emit = (): void => {
          try {
            subscriber.next(result());
          } catch (cause) {
            subscriber.error(cause);
          }
        };
        if (waitMs === 0) {
          emit();
          return;
        }
        const timer = clock.setTimeout(emit, waitMs);
        subscriber.add(() => timer.cancel());
      });
    }
    const listens = hashOf(item.first) % 2 === 0;
    return (async () => {
      if (waitMs > 0) await delay(clock, waitMs, listens ? signal : undefined);
      return result();
    })();
  }

  private several(
    at: string,
    stage: Stage & { op: 'perRecord' | 'switchByKey' | 'exhaustByKey' },
    item: Item,
  ): Observable<Item> {
    const { clock, random } = this.around;
    const count = hashOf(`${at}#${item.first}`) % (stage.children + 1);
    return new Observable<Item>((subscriber) => {
      let child = 0;
      const step = (): void => {
        for (;;) {
          if (subscriber.closed) return;
          try {
            if (child * 2 >= count) this.mayFail(at, stage.failing, item);
          } catch (cause) {
            subscriber.error(cause);
            return;
          }
          if (child === count) {
            this.use(item, at);
            subscriber.complete();
            return;
          }
          child++;
          subscriber.next(this.make(item, at));
          const waitMs = Math.floor(random() * (stage.maxMs + 1));
          if (waitMs === 0) continue;
          const timer = clock.setTimeout(step, waitMs);
          subscriber.add(() => timer.cancel());
          return;
        }
      };
      step();
    });
  }

  /** A plain operator that drops by the value. */
  private some(at: string): MonoTypeOperatorFunction<Delivery<Item>> {
    return rxFilter(({ value }) => {
      const keeps = hashOf(`${at}?${value.first}`) % 3 !== 0;
      if (!keeps) this.use(value, at);
      return keeps;
    });
  }

  /** A plain operator that emits the latest value of a while. */
  private latest(at: string, ms: number): MonoTypeOperatorFunction<Delivery<Item>> {
    const { clock } = this.around;
    return (source) =>
      new Observable((subscriber) => {
        let latest: Delivery<Item> | undefined;
        let waits = false;
        const emit = (): void => {
          waits = false;
          const emitted = latest;
          latest = undefined;
          if (emitted !== undefined) subscriber.next(emitted);
        };
        return source.subscribe({
          next: (delivery) => {
            if (latest !== undefined) this.use(latest.value, at);
            latest = delivery;
            if (waits) return;
            waits = true;
            const timer = clock.setTimeout(emit, ms);
            subscriber.add(() => timer.cancel());
          },
          error: (cause) => subscriber.error(cause),
          complete: () => {
            if (latest !== undefined && ms % 2 === 0) this.use(latest.value, at);
            else if (latest !== undefined) subscriber.next(latest);
            latest = undefined;
            subscriber.complete();
          },
        });
      });
  }

  /** A plain operator that emits everything later, in order. */
  private delayed(ms: number): MonoTypeOperatorFunction<Delivery<Item>> {
    const { clock } = this.around;
    return (source) =>
      new Observable((subscriber) => {
        let inside = 0;
        let complete = false;
        return source.subscribe({
          next: (delivery) => {
            inside++;
            const timer = clock.setTimeout(() => {
              inside--;
              subscriber.next(delivery);
              if (complete && inside === 0) subscriber.complete();
            }, ms);
            subscriber.add(() => timer.cancel());
          },
          error: (cause) => subscriber.error(cause),
          complete: () => {
            complete = true;
            if (inside === 0) subscriber.complete();
          },
        });
      });
  }

  private sink(at: string, stage: Stage & { op: 'toTopic' }): Op<Item, Item> {
    const { recorder, toTopic } = this.around;
    const { records, failing } = stage;
    const write = toTopic<Item>(
      OUTPUT,
      (item) => {
        recorder.add({ kind: 'sent', token: item.token, records, at });
        this.mayFail(at, failing, item);
        const made = Array.from({ length: records }, (_, index) => ({
          key: item.first,
          value: JSON.stringify({ token: item.token, index, at }),
        }));
        return made.length === 1 ? made[0]! : made;
      },
      this.options(at, failing),
    );
    const passed = tap((item: Item) => recorder.add({ kind: 'passed', token: item.token, at }));
    return (flow) => flow.pipe(write, passed);
  }
}
