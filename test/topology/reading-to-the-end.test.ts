// Partitions that are read to an end: what fails, rewinds or leaves when the end has been reached already.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { take } from 'rxjs';
import {
  text,
  topology,
  type Claims,
  type ConsumerRecord,
  type Flow,
  type Running,
} from '../../src/index.ts';
import type { Deserializer } from '../../src/serdes/serde.ts';
import { dropping, eachClaim, map, mapAsync, retry, rewind, tap } from '../../src/operators/index.ts';
import { rejection } from '../helpers/rejection.ts';
import { SimulatedCluster } from './simulated-cluster.ts';

let sim: SimulatedCluster;

beforeEach(async () => {
  sim = await SimulatedCluster.start({ in: 2 });
});

afterEach(() => sim.close());

const again = rewind({ attempts: 3, minDelayMs: 10 });

type Records = Claims<ConsumerRecord<Buffer | null, string>>;

function run(stages: (records: Records) => Flow<unknown>, value: Deserializer<string> = text()): Running {
  return topology('to the end', ({ fromPartitions }) =>
    stages(fromPartitions({ topic: 'in', from: 'earliest', until: 'end', value })),
  ).start(sim.kafka());
}

describe('a rewind', () => {
  it('reads the claim again while another partition is still being read, and the flow waits for it', async () => {
    await sim.sendNumbers('in', 3, 0);
    await sim.sendNumbers('in', 3, 1);
    const seen: string[] = [];
    let failed = false;
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const running = run((records) =>
      records.pipe(
        eachClaim((claim) => {
          // One partition is read to its end while the other is not.
          if (claim.partition === 1) {
            claim.pause();
            void held.then(() => claim.resume());
          }
          return claim;
        }),
        mapAsync(
          async ({ partition, offset }) => {
            await Promise.resolve();
            if (partition === 0 && offset === 1 && !failed) {
              failed = true;
              throw new Error('boom');
            }
            return `${partition}/${offset}`;
          },
          { concurrency: 1, order: 'input', onError: again },
        ),
        tap((what) => {
          seen.push(what);
          if (what === '0/2') release();
        }),
      ),
    );
    const summary = await sim.clock.run(running.done);
    expect(seen.filter((what) => what.startsWith('0'))).toEqual(['0/0', '0/1', '0/2']);
    expect(seen.filter((what) => what.startsWith('1'))).toEqual(['1/0', '1/1', '1/2']);
    expect(summary.unsettled).toBe(0);
  });

  it('by a stage that answers at once comes before the end', async () => {
    await sim.sendNumbers('in', 3);
    let failed = false;
    const seen: number[] = [];
    const running = run((records) =>
      records.pipe(
        map(
          ({ offset }) => {
            if (offset === 2 && !failed) {
              failed = true;
              throw new Error('boom');
            }
            seen.push(offset);
          },
          { onError: again },
        ),
      ),
    );
    await sim.clock.run(running.done);
    expect(seen).toEqual([0, 1, 2]);
  });

  it('of a flow that is complete is a failure: nothing is left out in silence', async () => {
    await sim.sendNumbers('in', 5);
    const running = run((records) =>
      records.pipe(
        mapAsync(
          async ({ offset }) => {
            for (let at = 0; at < 3; at++) await Promise.resolve();
            if (offset === 0) throw new Error('boom');
          },
          { concurrency: 10, order: 'input', onError: again },
        ),
      ),
    );
    const error = await rejection(sim.clock.run(running.done));
    expect(error).toMatchObject({ code: 'STAGE_FAILED', stage: 'mapAsync', cause: new Error('boom') });
  });

  it('is not needed for another attempt: retry goes on after the end', async () => {
    await sim.sendNumbers('in', 3);
    let failed = false;
    const seen: number[] = [];
    const running = run((records) =>
      records.pipe(
        mapAsync(
          async ({ offset }) => {
            await Promise.resolve();
            if (offset === 0 && !failed) {
              failed = true;
              throw new Error('boom');
            }
            return offset;
          },
          { concurrency: 10, order: 'input', onError: retry({ attempts: 2 }) },
        ),
        tap((offset) => seen.push(offset)),
      ),
    );
    expect(await sim.clock.run(running.done)).toMatchObject({ recordsIn: 3, unsettled: 0 });
    expect(seen).toEqual([0, 1, 2]);
  });
});

describe('the end of a flow', () => {
  it('comes when each lane has ended, also of one that wants no more', async () => {
    await sim.sendNumbers('in', 5, 0);
    await sim.sendNumbers('in', 5, 1);
    const seen: string[] = [];
    const running = run((records) =>
      records.pipe(
        eachClaim((claim) => claim.pipe(dropping(take(2), 0))),
        tap(({ partition, offset }) => seen.push(`${partition}/${offset}`)),
      ),
    );
    await sim.clock.run(running.done);
    expect(seen.sort()).toEqual(['0/0', '0/1', '1/0', '1/1']);
  });

  it('waits for deserializers that have something to load', async () => {
    await sim.sendNumbers('in', 3);
    const seen: string[] = [];
    let load = (): void => undefined;
    const loaded = new Promise<void>((resolve) => (load = resolve));
    const slow = { prepare: () => loaded, deserialize: (data: Buffer) => `<${data.toString()}>` };
    const running = run((records) => records.pipe(tap(({ value }) => seen.push(value))), slow);
    await sim.clock.run(running.ready);
    await sim.clock.advance(1_000);
    expect(seen).toEqual([]);
    load();
    expect(await sim.clock.run(running.done)).toMatchObject({ recordsIn: 3, unsettled: 0 });
    expect(seen).toEqual(['<0>', '<1>', '<2>']);
  });
});
