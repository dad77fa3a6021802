import { describe, expect, it } from '@jest/globals';
import * as rx from 'rxjs';
import { UsageError } from '../../src/errors.ts';
import { Flow } from '../../src/flow/flow.ts';
import { Settled } from '../../src/flow/settled.ts';
import { batch, filter, flatMap, map, merge, settle, tap } from '../../src/operators/index.ts';
import { collect, ManualSource } from './manual-source.ts';

const flow = (): Flow<string> => new ManualSource<string>().flow;

/** `pipe` as JavaScript sees it. */
const pipe = (...stages: unknown[]): unknown =>
  (flow() as unknown as { pipe(...all: unknown[]): unknown }).pipe(...stages);

const same =
  <T>(): rx.MonoTypeOperatorFunction<T> =>
  (source) =>
    new rx.Observable((subscriber) => source.subscribe(subscriber));

/** What a user may try on a Flow in JavaScript; each must be stopped where the pipe is put together. */
const plain: { readonly [name: string]: unknown } = {
  map: rx.map((d) => d),
  filter: rx.filter(() => true),
  tap: rx.tap(() => undefined),
  take: rx.take(1),
  first: rx.first(),
  skip: rx.skip(1),
  scan: rx.scan((a: unknown) => a),
  reduce: rx.reduce((a: unknown) => a),
  toArray: rx.toArray(),
  mergeMap: rx.mergeMap((d) => rx.of(d)),
  concatMap: rx.concatMap((d) => rx.of(d)),
  switchMap: rx.switchMap((d) => rx.of(d)),
  exhaustMap: rx.exhaustMap((d) => rx.of(d)),
  bufferCount: rx.bufferCount(2),
  bufferTime: rx.bufferTime(10),
  windowCount: rx.windowCount(2),
  groupBy: rx.groupBy((d) => d),
  share: rx.share(),
  shareReplay: rx.shareReplay(1),
  publish: rx.connect((d) => d),
  debounceTime: rx.debounceTime(1),
  throttleTime: rx.throttleTime(1),
  sampleTime: rx.sampleTime(1),
  auditTime: rx.auditTime(1),
  distinctUntilChanged: rx.distinctUntilChanged(),
  delay: rx.delay(1),
  observeOn: rx.observeOn(rx.asapScheduler),
  retry: rx.retry(1),
  repeat: rx.repeat(1),
  catchError: rx.catchError(() => rx.EMPTY),
  timeout: rx.timeout(1),
  startWith: rx.startWith(null),
  finalize: rx.finalize(() => undefined),
  takeUntil: rx.takeUntil(rx.NEVER),
  mergeWith: rx.mergeWith(rx.NEVER),
  zipWith: rx.zipWith(rx.NEVER),
  withLatestFrom: rx.withLatestFrom(rx.NEVER),
  pairwise: rx.pairwise(),
  materialize: rx.materialize(),
  subscribeOn: rx.subscribeOn(rx.asapScheduler),
  'an operator made by hand': same(),
};

describe('Flow.pipe', () => {
  it.each(Object.keys(plain))('stops rx.%s where the pipe is put together', (name) => {
    const stage = plain[name];
    for (const stages of [
      [stage],
      [map((x: string) => x), stage],
      [stage, settle()],
      [stage, map((x: string) => x)],
    ]) {
      expect(() => pipe(...stages)).toThrow(UsageError);
      expect(() => pipe(...stages)).toThrow(/dropping\(\.\.\.\), passing\(\.\.\.\) or perRecord\(\.\.\.\)/);
    }
  });

  it('names the place and the function', () => {
    expect(() =>
      pipe(
        map((x) => x),
        function mine() {},
      ),
    ).toThrow(/^pipe: stage 2 \(mine\)/);
    expect(() => pipe(undefined)).toThrow(/^pipe: stage 1 is not an operator/);
    expect(() =>
      pipe(
        settle(),
        map((x) => x),
      ),
    ).toThrow(/stage 2.*follows settle\(\)/);
  });

  it('takes functions of the user that answer with a Flow or a Settled', () => {
    const upper = (letters: Flow<string>): Flow<string> => letters.pipe(map((x) => x.toUpperCase()));
    expect(pipe(upper)).toBeInstanceOf(Flow);
    expect(pipe((letters: Flow<string>) => letters)).toBeInstanceOf(Flow);
    expect(pipe(upper, (letters: Flow<string>) => letters.pipe(settle()))).toBeInstanceOf(Settled);
  });

  it('without stages is the flow itself', () => {
    const one = flow();
    expect(one.pipe()).toBe(one);
  });

  it('puts twenty stages together', () => {
    const source = new ManualSource<number>();
    const inc = map((x: number) => x + 1);
    const out = collect(
      source.flow.pipe(
        inc,
        inc,
        inc,
        inc,
        inc,
        inc,
        inc,
        inc,
        inc,
        inc,
        inc,
        inc,
        inc,
        inc,
        inc,
        inc,
        inc,
        inc,
        inc,
        inc,
      ),
    );
    source.emitAll([1]);
    expect(out.values).toEqual([21]);
  });

  it('answers with flows from every operator', () => {
    for (const stage of [
      filter(() => true),
      tap(() => undefined),
      flatMap(() => [1]),
      batch({ maxRecords: 1, withinMs: 1 }),
    ]) {
      expect(pipe(stage)).toBeInstanceOf(Flow);
    }
    expect(merge(flow(), flow())).toBeInstanceOf(Flow);
  });
});

describe('a plain RxJS result', () => {
  it('is never taken for a Flow', () => {
    const one = flow();
    for (const result of [rx.merge(one, one), rx.concat(one), rx.defer(() => one)]) {
      expect(result).not.toBeInstanceOf(Flow);
      expect(() => pipe(() => result)).toThrow(UsageError);
      expect(() => merge(result as never)).toThrow(UsageError);
    }
  });
});

describe('Settled', () => {
  it('acknowledges, then emits bare values to any plain RxJS', () => {
    const source = new ManualSource<number>(1);
    const seen: string[] = [];
    const settled = source.flow.pipe(
      map((x) => x * 2),
      settle(),
    );
    settled.pipe(rx.map((x) => `${x} after ${source.events.length}`)).subscribe({
      next: (x) => seen.push(x),
      complete: () => seen.push('complete'),
    });
    source.emitAll([1, 2]);
    expect(source.marked('ack')).toBe('1 2');
    expect(seen).toEqual(['2 after 1', '4 after 2', 'complete']);
  });

  it('stops its source when it has enough', async () => {
    const source = new ManualSource<number>();
    const first = rx.firstValueFrom(source.flow.pipe(settle()));
    source.emitAll([1, 2], { complete: false });
    expect(await first).toBe(1);
    expect(source.marked('ack')).toBe('1');
    expect(source.subscriber?.closed).toBe(true);
  });

  it('passes errors on', async () => {
    const source = new ManualSource<number>();
    const all = rx.lastValueFrom(source.flow.pipe(settle()));
    source.error(new Error('boom'));
    await expect(all).rejects.toThrow('boom');
  });
});
