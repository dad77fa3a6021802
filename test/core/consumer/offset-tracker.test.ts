import { describe, expect, it } from '@jest/globals';
import { fc } from '../../helpers/fast-check.ts';
import { BatchHold } from '../../../src/core/consumer/batch-hold.ts';
import { ByteBudget } from '../../../src/core/consumer/byte-budget.ts';
import { OffsetTracker, type TrackedRecord } from '../../../src/core/consumer/offset-tracker.ts';

const noRoom = (): void => {};

function record(offset: number, bytes = 10, leaderEpoch = 1): TrackedRecord & { compacted: number } {
  return {
    offset,
    bytes,
    leaderEpoch,
    compacted: 0,
    compact() {
      this.compacted += 1;
    },
  };
}

function setUp(start = 0, startLeaderEpoch = -1) {
  const share = new ByteBudget(1e9).join(noRoom);
  const tracker = new OffsetTracker(start, startLeaderEpoch);
  const hold = (bytes: number): BatchHold => {
    share.take(bytes);
    return new BatchHold(share, bytes);
  };
  return { share, tracker, hold };
}

describe('OffsetTracker', () => {
  it('commits the first unsettled offset, and the delivery position when there is none', () => {
    const { tracker, hold } = setUp(5);
    expect(tracker.commitOffset()).toBe(5);
    const batch = hold(100);
    const first = tracker.add(record(5), batch, 0);
    const second = tracker.add(record(9), batch, 0);
    expect(tracker.commitOffset()).toBe(5);
    expect(tracker.settle(second)).toBe(0);
    expect(tracker.commitOffset()).toBe(5);
    expect(tracker.settle(first)).toBe(2);
    expect(tracker.commitOffset()).toBe(10);
    tracker.moveTo(12, 2);
    expect([tracker.commitOffset(), tracker.commitLeaderEpoch()]).toEqual([12, 2]);
    expect(tracker.firstUnsettled()).toBeUndefined();
  });

  it('carries the leader epoch of the record before the commit point', () => {
    const { tracker, hold } = setUp(5, 3);
    const batch = hold(100);
    expect(tracker.commitLeaderEpoch()).toBe(3);
    const sequences = [4, 4, 7].map((epoch, at) => tracker.add(record(5 + at, 10, epoch), batch, 0));
    expect(tracker.commitLeaderEpoch()).toBe(3);
    tracker.settle(sequences[0]!);
    expect(tracker.commitLeaderEpoch()).toBe(4);
    tracker.settle(sequences[1]!);
    expect(tracker.commitLeaderEpoch()).toBe(4);
    tracker.settle(sequences[2]!);
    expect(tracker.commitLeaderEpoch()).toBe(7);
    tracker.jumpTo(100);
    expect([tracker.commitOffset(), tracker.commitLeaderEpoch()]).toEqual([100, -1]);
  });

  it('counts a late settle of an earlier epoch and applies it to nothing', () => {
    const { tracker, hold, share } = setUp();
    const old = tracker.add(record(0), hold(50), 0);
    tracker.reset(0);
    expect(share.usedBytes).toBe(0);
    const fresh = tracker.add(record(0), hold(50), 0);
    expect(fresh).toBeGreaterThan(old);
    expect(tracker.settle(old)).toBe(0);
    expect(tracker.lateSettles).toBe(1);
    expect(tracker.isSettled(old)).toBe(true);
    expect(tracker.isSettled(fresh)).toBe(false);
    expect(tracker.commitOffset()).toBe(0);
    expect(tracker.settle(fresh)).toBe(1);
    expect(tracker.settle(fresh)).toBe(0);
    expect(tracker.lateSettles).toBe(1);
  });

  it('gives credit back for held records and still pins the commit', () => {
    const { tracker, hold } = setUp();
    const batch = hold(100);
    const held = tracker.add(record(0), batch, 7);
    const other = tracker.add(record(1), batch, 8);
    expect(tracker.hold(held)).toBe(true);
    expect(tracker.hold(held)).toBe(false);
    expect([tracker.inFlightRecords, tracker.inFlightBytes, tracker.heldRecords]).toEqual([1, 10, 1]);
    tracker.settle(other);
    expect(tracker.commitOffset()).toBe(0);
    expect(tracker.oldestTime()).toBe(7);
    expect([tracker.inFlightRecords, tracker.span]).toEqual([0, 2]);
    tracker.settle(held);
    expect([tracker.heldRecords, tracker.span, tracker.commitOffset()]).toEqual([0, 0, 2]);
  });

  it('keeps a batch charged while any of its records is unsettled, and after compaction only those records', () => {
    const { tracker, hold, share } = setUp();
    const batch = hold(1000);
    const records = Array.from({ length: 50 }, (_, at) => record(at, 20));
    const sequences = records.map((one) => tracker.add(one, batch, 0));
    for (const sequence of sequences.slice(3)) tracker.settle(sequence);
    expect(batch.sparse).toBe(false);
    batch.close();
    expect(share.usedBytes).toBe(1000);
    expect(batch.sparse).toBe(true);
    tracker.compact(batch);
    expect(records.map(({ compacted }) => compacted)).toEqual([1, 1, 1, ...new Array<number>(47).fill(0)]);
    expect(share.usedBytes).toBe(60);
    expect(batch.sparse).toBe(false);
    tracker.settle(sequences[1]!);
    expect(share.usedBytes).toBe(40);
    tracker.settle(sequences[0]!);
    tracker.settle(sequences[2]!);
    expect(share.usedBytes).toBe(0);
  });

  it('stays right past 2^31 records and with a grown ring', () => {
    const { tracker, hold } = setUp();
    const batch = hold(1);
    Object.assign(tracker, { head: 2 ** 31 - 5, tail: 2 ** 31 - 5, epochBase: 2 ** 31 - 5 });
    const sequences = Array.from({ length: 5000 }, (_, at) => tracker.add(record(at), batch, 0));
    expect(sequences.at(-1)).toBe(2 ** 31 + 4994);
    for (const sequence of sequences.slice(1).reverse()) expect(tracker.settle(sequence)).toBe(0);
    expect(tracker.settle(sequences[0]!)).toBe(5000);
    expect(tracker.commitOffset()).toBe(5000);
  });

  it('agrees with a plain model for any order of adds, settles, holds, jumps and resets', () => {
    const command = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({
          kind: fc.constant('add' as const),
          gap: fc.nat(3),
          bytes: fc.integer({ min: 1, max: 99 }),
        }),
      },
      { weight: 6, arbitrary: fc.record({ kind: fc.constant('settle' as const), pick: fc.nat() }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('hold' as const), pick: fc.nat() }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('move' as const), by: fc.nat(5) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('reset' as const), to: fc.nat(50) }) },
    );
    interface Row {
      readonly sequence: number;
      readonly offset: number;
      readonly bytes: number;
      readonly epoch: number;
      state: 'unsettled' | 'held' | 'settled';
    }
    fc.assert(
      fc.property(fc.array(command, { maxLength: 400 }), (commands) => {
        const { tracker, hold, share } = setUp();
        const rows: Row[] = [];
        let epoch = 0;
        let position = 0;
        let late = 0;
        let batch = hold(64);
        let batchLeft = 8;
        for (const step of commands) {
          if (step.kind === 'add') {
            if (batchLeft-- === 0) {
              batch.close();
              batch = hold(64);
              batchLeft = 8;
            }
            const offset = position + step.gap;
            rows.push({
              sequence: tracker.add(record(offset, step.bytes), batch, 0),
              offset,
              bytes: step.bytes,
              epoch,
              state: 'unsettled',
            });
            position = offset + 1;
          } else if (step.kind === 'settle' && rows.length > 0) {
            const row = rows[step.pick % rows.length]!;
            const headBefore = rows.findIndex((one) => one.epoch === epoch && one.state !== 'settled');
            if (row.epoch !== epoch) late += 1;
            else row.state = 'settled';
            const moved = tracker.settle(row.sequence);
            const headAfter = rows.findIndex((one) => one.epoch === epoch && one.state !== 'settled');
            if (headBefore >= 0) expect(moved).toBe((headAfter < 0 ? rows.length : headAfter) - headBefore);
          } else if (step.kind === 'hold' && rows.length > 0) {
            const row = rows[step.pick % rows.length]!;
            const can = row.epoch === epoch && row.state === 'unsettled';
            expect(tracker.hold(row.sequence)).toBe(can);
            if (can) row.state = 'held';
          } else if (step.kind === 'move') {
            position += step.by;
            tracker.moveTo(position, -1);
          } else if (step.kind === 'reset') {
            batch.close();
            tracker.reset(step.to);
            expect(share.usedBytes).toBe(0);
            epoch += 1;
            position = step.to;
            batch = hold(64);
            batchLeft = 8;
          }
          const live = rows.filter((row) => row.epoch === epoch && row.state !== 'settled');
          const flying = live.filter((row) => row.state === 'unsettled');
          expect(tracker.commitOffset()).toBe(live[0]?.offset ?? position);
          expect(tracker.firstUnsettled()).toBe(live[0]?.offset);
          expect(tracker.inFlightRecords).toBe(flying.length);
          expect(tracker.inFlightBytes).toBe(flying.reduce((sum, row) => sum + row.bytes, 0));
          expect(tracker.heldRecords).toBe(live.length - flying.length);
          expect(tracker.lateSettles).toBe(late);
          const [first, last] = [live[0]?.offset ?? 0, live.at(-1)?.offset ?? 0];
          for (const [from, to] of [
            [0, Infinity],
            [first + 1, last],
          ] as const)
            expect(tracker.unsettledBetween(from, to)).toEqual(
              live.map(({ offset }) => offset).filter((offset) => offset >= from && offset < to),
            );
          for (const row of rows)
            expect(tracker.isSettled(row.sequence)).toBe(row.epoch !== epoch || row.state === 'settled');
        }
      }),
      { numRuns: 300 },
    );
  });
});
