// Stages of a Flow beside the same of plain RxJS on bare values.
import * as rx from 'rxjs';
import { batch, fanOut, filter, flatMap, map, mapAsync, tap } from '../../src/operators/index.ts';
import { bare, consume, drain, flow, observed, type Case } from './sources.ts';

const CONCURRENCY = 16;
const KEYS = 64;

const inc = (value: number): number => value + 1;
const most = (value: number): boolean => value % 3 !== 0;
const touch = (): void => {
  observed.count++;
};
const key = (value: number): number => value % KEYS;

export const PLAIN_CHAIN = 'plain RxJS: map, filter, map';
export const FLOW_CHAIN = 'Flow: map, filter, map';

export const flowCases: readonly Case[] = [
  {
    name: PLAIN_CHAIN,
    stages: 3,
    run: () => consume(bare.pipe(rx.map(inc), rx.filter(most), rx.map(inc))),
  },
  { name: FLOW_CHAIN, stages: 3, run: () => drain(flow.pipe(map(inc), filter(most), map(inc))) },
  { name: 'plain RxJS: source alone', stages: 1, run: () => consume(bare) },
  { name: 'Flow: source and ack alone', stages: 1, run: () => drain(flow) },
  { name: 'plain RxJS: map', stages: 1, run: () => consume(bare.pipe(rx.map(inc))) },
  { name: 'Flow: map', stages: 1, run: () => drain(flow.pipe(map(inc))) },
  {
    name: 'plain RxJS: 10 x map',
    stages: 10,
    run: () =>
      consume(
        bare
          .pipe(rx.map(inc), rx.map(inc), rx.map(inc), rx.map(inc), rx.map(inc))
          .pipe(rx.map(inc), rx.map(inc), rx.map(inc), rx.map(inc), rx.map(inc)),
      ),
  },
  {
    name: 'Flow: 10 x map',
    stages: 10,
    run: () =>
      drain(
        flow
          .pipe(map(inc), map(inc), map(inc), map(inc), map(inc))
          .pipe(map(inc), map(inc), map(inc), map(inc), map(inc)),
      ),
  },
  { name: 'plain RxJS: tap', stages: 1, run: () => consume(bare.pipe(rx.tap(touch))) },
  { name: 'Flow: tap', stages: 1, run: () => drain(flow.pipe(tap(touch))) },
  { name: 'plain RxJS: bufferCount(500)', stages: 1, run: () => consume(bare.pipe(rx.bufferCount(500))) },
  {
    name: 'Flow: batch of 500',
    stages: 1,
    run: () => drain(flow.pipe(batch({ maxRecords: 500, withinMs: 1_000 }))),
  },
  {
    name: 'plain RxJS: mergeMap to one',
    stages: 1,
    run: () => consume(bare.pipe(rx.mergeMap((value) => [value]))),
  },
  { name: 'Flow: flatMap to one', stages: 1, run: () => drain(flow.pipe(flatMap((value) => [value]))) },
  {
    name: 'plain RxJS: mergeMap to three',
    stages: 1,
    run: () => consume(bare.pipe(rx.mergeMap((value) => [value, value, value]))),
  },
  {
    name: 'Flow: flatMap to three',
    stages: 1,
    run: () => drain(flow.pipe(flatMap((value) => [value, value, value]))),
  },
  { name: 'Flow: fanOut to two maps', stages: 1, run: () => drain(flow.pipe(fanOut(map(inc), map(inc)))) },
  {
    name: 'plain RxJS: mergeMap(of)',
    stages: 1,
    run: () => consume(bare.pipe(rx.mergeMap((value) => rx.of(value), CONCURRENCY))),
  },
  {
    name: 'Flow: mapAsync by key, Observables of one',
    stages: 1,
    run: () =>
      drain(
        flow.pipe(mapAsync((value: number) => rx.of(value), { concurrency: CONCURRENCY, order: 'key', key })),
      ),
  },
  {
    name: 'Flow: the same, looking at the signal',
    stages: 1,
    run: () =>
      drain(
        flow.pipe(
          mapAsync((value: number, { signal }) => rx.of(signal.aborted ? 0 : value), {
            concurrency: CONCURRENCY,
            order: 'key',
            key,
          }),
        ),
      ),
  },
];
