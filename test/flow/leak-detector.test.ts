import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { filter as rxFilter, Observable } from 'rxjs';
import { rootDelivery, type Delivery } from '../../src/flow/delivery.ts';
import { gather } from '../../src/flow/gather.ts';
import { MarbleSource } from '../../src/testing/marbles-source.ts';
import { ManualSource } from './manual-source.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Runs the collector until `done`, or so many times; finalizers run between turns of the event loop. */
async function collected(done: () => boolean, times = 500): Promise<void> {
  for (let at = 0; at < times && !done(); at++) {
    collectGarbage();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const leaked = (source: MarbleSource): number[] =>
  source.problems
    .flatMap(({ kind, sequence }) => (kind === 'leaked' ? [sequence] : []))
    .sort((a, b) => a - b);

describe('a delivery that is garbage collected unsettled', () => {
  it('is reported by its sequence, and never settled: five dropped by a plain filter', async () => {
    const source = new ManualSource<number>();
    new Observable<Delivery<number>>((subscriber) => source.flow.subscribe(subscriber))
      .pipe(rxFilter(({ value }) => value % 20 !== 7))
      .subscribe((delivery) => delivery.derive('done').ack());
    source.emitAll(Array.from({ length: 100 }, (_, at) => at));
    source.subscriber = undefined;
    await collected(() => leaked(source).length >= 5);
    expect(leaked(source)).toEqual([7, 27, 47, 67, 87]);
    expect(source.events.every(({ kind }) => kind === 'ack')).toBe(true);
    expect(source.events).toHaveLength(95);
  });

  it('is found behind forks and gatherings, and only when nothing can settle it any more', async () => {
    const source = new MarbleSource();
    const kept: Delivery<unknown>[] = [];
    const next = () => rootDelivery('x', source, source.handOver('x'), 0, undefined);
    const dropAll = (): void => {
      const fork = next().fork();
      fork.child(1).ack();
      fork.child(2);
      fork.close();
      gather([next(), next()], 'lost');
    };
    dropAll();
    await Promise.resolve();
    kept.push(next().derive('kept'));
    await collected(() => leaked(source).length >= 3);
    expect(leaked(source)).toEqual([0, 1, 2]);
    kept.pop()!.ack();
    await collected(() => false, 20);
    expect(leaked(source)).toEqual([0, 1, 2]);
  });

  it('is not one that was settled, refused, or given up', async () => {
    const source = new ManualSource<number>();
    source.flow.subscribe((delivery) => {
      if (delivery.value === 0) delivery.ack();
      else if (delivery.value === 1) delivery.nack('no');
    });
    source.emitAll([0, 1], { complete: false });
    await collected(() => false, 20);
    expect(leaked(source)).toEqual([]);
  });
});
