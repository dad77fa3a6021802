import { execFileSync } from 'node:child_process';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { filter as rxFilter, Observable } from 'rxjs';
import { rootDelivery, type Delivery } from '../../src/flow/delivery.ts';
import { gather } from '../../src/flow/gather.ts';
import { MarbleSource } from '../../src/testing/marbles-source.ts';
import { poison } from '../simulation/poison.ts';
import { ManualSource } from './manual-source.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Runs the collector until `done`, or so many times; finalizers run between turns of the event loop. */
async function collected(done: () => boolean, times = 500): Promise<void> {
  for (let at = 0; at < times && !done(); at++) {
    collectGarbage();
    await turn();
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

  it('is reported at once when so many wait beside it that its place is taken', async () => {
    const source = new MarbleSource();
    const next = () => rootDelivery('x', source, source.handOver('x'), 0, undefined);
    next().derive('lost');
    await Promise.resolve();
    const kept = Array.from({ length: 32 * 4_097 }, next);
    for (const delivery of kept.splice(0)) delivery.ack();
    await turn();
    collectGarbage();
    for (let at = 0; at < 10; at++) await turn();
    expect(leaked(source)).toEqual([0]);
  });

  it('is watched for without a clock: a simulated run is the same run however long it takes', async () => {
    const source = new MarbleSource();
    const { uses, restore } = poison();
    try {
      rootDelivery('x', source, source.handOver('x'), 0, undefined);
      await Promise.resolve();
    } finally {
      restore();
    }
    expect(uses).toEqual([]);
  });

  it('costs no memory once it is settled: a million that waited for a while leave nothing for a full collection', () => {
    const file = 'test/flow/leak-memory-run.ts';
    const out = execFileSync(process.execPath, ['--import', 'tsx', file], { encoding: 'utf8' });
    expect(JSON.parse(out)).toBeLessThan(2);
  });
});
