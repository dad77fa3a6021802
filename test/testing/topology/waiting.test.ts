// What idle() says of a topology that does not get done, apart from stages that keep their records.
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { NEVER } from 'rxjs';
import {
  batch,
  eachClaim,
  fromIterable,
  fromObservable,
  map,
  mapAsync,
  rewind,
  tap,
  text,
  topology,
  type Claim,
  type Topology,
} from '../../../src/index.ts';
import { fault, testTopology } from '../../../src/testing/index.ts';

const keep = (): Promise<never> => new Promise<never>(() => undefined);

const reading = (then: (claim: Claim<unknown>) => void): Topology =>
  topology('reading', ({ fromGroup }) =>
    fromGroup({ groupId: 'g', topics: ['in'], value: text() }).pipe(
      eachClaim((claim) => claim.pipe(tap(() => then(claim)))),
    ),
  );

const limitMs = 60_000;

let warnings: jest.SpiedFunction<typeof process.emitWarning>;

beforeEach(() => {
  warnings = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
});

afterEach(() => warnings.mockRestore());

describe('idle() names', () => {
  it('records that are not handed over, because their claim is paused', async () => {
    await using t = await testTopology(reading((claim) => claim.pause()));
    await t.pipe('in', [{ value: 'a' }, { value: 'b' }, { value: 'c' }]);
    await expect(t.idle({ limitMs })).rejects.toThrow(
      "topology 'reading' is not idle after 60000 ms of virtual time; what waits:\n" +
        '  in-0: 2 records from offset 1 on are not handed over: paused, out of credit (0 unsettled), or on their way (member-1)',
    );
  });

  it('a member that stands still', async () => {
    await using t = await testTopology(reading(() => undefined));
    t.freeze();
    await t.pipe('in', { value: 'a' });
    await expect(t.idle({ limitMs })).rejects.toThrow(
      'in-0: 1 records from offset 0 on are not handed over: its process stands still (member-1)',
    );
  });

  it('a commit that is refused', async () => {
    await using t = await testTopology(reading(() => undefined));
    t.box.fault({
      match: { api: 'OffsetCommit' },
      do: fault.error('COORDINATOR_LOAD_IN_PROGRESS'),
      count: Infinity,
    });
    await t.pipe('in', { value: 'a' });
    await expect(t.idle({ limitMs })).rejects.toThrow(
      'in-0: settled up to offset 1, committed up to 0 (member-1)',
    );
    t.box.clearFaults();
    await t.idle();
  });

  it('values of a source outside the cluster', async () => {
    const endless = topology('endless', () =>
      fromObservable(NEVER, { overflow: 'error', capacity: 1 }).pipe(map(() => 1)),
    );
    await using t = await testTopology(endless);
    await t.idle();
    const stuck = topology('stuck', () =>
      fromIterable(['a']).pipe(mapAsync(keep, { concurrency: 1, order: 'input' })),
    );
    await using other = await testTopology(stuck, { callTimeoutMs: 0 });
    await expect(other.idle({ limitMs })).rejects.toThrow(
      '1 values of a source outside the cluster are not settled (member-1)',
    );
  });

  it('twenty things at most', async () => {
    const kept = topology('kept', ({ fromGroup }) =>
      fromGroup({ groupId: 'g', topics: ['in'] }).pipe(
        mapAsync(keep, { concurrency: 1, order: 'none', name: 'keep' }),
      ),
    );
    await using t = await testTopology(kept, { topics: { in: 25 }, callTimeoutMs: 0 });
    await t.pipe(
      'in',
      Array.from({ length: 25 }, (_, partition) => ({ value: 'a', partition })),
    );
    const message = await t.idle({ limitMs }).then(
      () => '',
      (error: unknown) => (error as Error).message,
    );
    expect(message.split('\n')).toHaveLength(22);
    expect(message).toMatch(/\n {2}and 5 more$/);
  });
});

describe('idle()', () => {
  it('waits for rewinds, and for what starts at the end', async () => {
    let tries = 0;
    const again = topology('again', ({ fromGroup }) =>
      fromGroup({ groupId: 'g', topics: ['in'], start: 'latest' }).pipe(
        batch({ maxRecords: 2, withinMs: 1_000 }),
        map(
          () => {
            if (++tries < 3) throw new Error('again');
          },
          { onError: rewind({ attempts: 5, minDelayMs: 10_000 }) },
        ),
      ),
    );
    await using t = await testTopology(again, { members: 0 });
    await t.pipe('in', { value: 'before' });
    await t.addMember();
    await t.idle();
    expect(t.committed('in')).toEqual({ 0: 1 });
    await t.pipe('in', [{ value: 'a' }, { value: 'b' }]);
    await t.idle();
    expect(tries).toBe(3);
    expect(t.committed('in')).toEqual({ 0: 3 });
  });

  it('is as the docs say after a crash', async () => {
    const copy = topology('copy', ({ fromGroup }) => fromGroup({ groupId: 'g', topics: ['orders'] }));
    await using t = await testTopology(copy, { topics: { orders: 3 }, members: 2 });
    await t.pipe('orders', { key: 'a', value: '5' });
    t.crash(t.members[0]);
    await t.idle();
    await t.lose({ topic: 'orders', partition: 0 });
    await t.rebalance();
    expect(t.members.map((member) => member.claims.length)).toEqual([0, 3]);
  });
});
