// Failures that no policy took: they reach whoever subscribed the flow, also when its source was through long before.
import { describe, expect, it } from '@jest/globals';
import { lastValueFrom, of } from 'rxjs';
import { Kafka } from '../../src/core/client.ts';
import type { Flow } from '../../src/flow/flow.ts';
import { mapAsync } from '../../src/operators/map-async.ts';
import { merge } from '../../src/operators/merge.ts';
import { settle } from '../../src/operators/settle.ts';
import { fromIterable } from '../../src/sources/from-iterable.ts';
import { fromObservable } from '../../src/sources/from-observable.ts';
import { topology } from '../../src/topology/topology.ts';
import { rejection } from '../helpers/rejection.ts';

/** Far less than a topology waits for what is not settled. */
const AT_ONCE_MS = 15_000;
const sources: [string, () => Flow<number>][] = [
  ['fromIterable', () => fromIterable([1, 2])],
  ['fromObservable', () => fromObservable(of(1, 2), { overflow: 'error', capacity: 10 })],
  ['merge', () => merge(fromIterable([1]), fromIterable([2]))],
];
/** Fails for the last value, after its source has come to its end. */
const failing = (flow: Flow<number>): Flow<number> =>
  flow.pipe(
    mapAsync(
      async (n) => {
        await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
        if (n === 2) throw new Error('no twos');
        return n;
      },
      { concurrency: 2, order: 'input' },
    ),
  );

describe.each(sources)('a failure behind %s', (_name, source) => {
  it('is the error of a script', async () => {
    const error = await rejection(lastValueFrom(failing(source()).pipe(settle())));
    expect(error).toMatchObject({ code: 'STAGE_FAILED', cause: { message: 'no twos' } });
  });

  it('is the error of each subscription by itself', async () => {
    const flow = failing(source()).pipe(settle());
    const errors = await Promise.all([rejection(lastValueFrom(flow)), rejection(lastValueFrom(flow))]);
    expect(errors.map(({ message }) => message)).toEqual([errors[0].message, errors[0].message]);
  });

  it('ends a topology without waiting for the value that was refused', async () => {
    const kafka = new Kafka({ brokers: ['127.0.0.1:1'] });
    const from = performance.now();
    const running = topology('failing', () => failing(source())).start(kafka);
    expect(await rejection(running.done)).toMatchObject({ cause: { message: 'no twos' } });
    expect(performance.now() - from).toBeLessThan(AT_ONCE_MS);
    await kafka.close();
  });
});
